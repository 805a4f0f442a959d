"""Decides how people and organisations in a room are called: by the names that this node knows, else by the address they come from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa

from fedcollab.actors.models import OWN, Actor
from fedcollab.base.session import Session


@dataclass(frozen=True, repr=False)
class Named:
    """A person or an organisation: what they are called (empty where this node does not know), the address they come from, and the row id
    of one of ours (empty for partners'), and of a guest the organisation that they are of."""

    uri: str
    name: str
    host: str
    own_id: str = ""
    works_for: str = ""

    @property
    def said(self) -> str:
        """What stands on a page."""
        return ", ".join(filter(None, (self.name or self.host, self.works_for)))


class Names(dict[str, Named]):
    """{uri: who that is}; whoever is not known is called by their address."""

    def __missing__(self, uri: str) -> Named:
        found = self[uri] = Named(uri, "", urlsplit(uri).netloc)
        return found


def names(session: Session, uris: Iterable[str]) -> Names:
    """Who these are."""
    columns = (Actor.uri, Actor.name, Actor.host, Actor.id, Actor.known, Actor.works_for)
    query = sa.select(*columns).where(Actor.uri.in_(sorted({uri for uri in uris if uri})))
    found = session.execute(query)
    return Names({one.uri: Named(one.uri, one.name, one.host, one.id if one.known == OWN else "", one.works_for) for one in found})


def listed(found: Mapping[str, Named], uris: Iterable[str]) -> list[Named]:
    """The same as a list, in the order of what they are called."""
    return sorted((found[uri] for uri in uris), key=lambda one: (one.said.casefold(), one.uri))
