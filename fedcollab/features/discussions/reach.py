"""Decides how an audience is said in figures before something is sent: counted from the group's signed list."""

import hashlib
from dataclasses import dataclass

from fedcollab.base.session import Session

from . import groups, reading


@dataclass(frozen=True)
class Reach:
    """Who will see a post, from the group's signed list: what the composer says in words."""

    label: str
    people: int
    organisations: list[groups.Inside]
    history: bool

    @property
    def unsure(self) -> list[groups.Inside]:
        """Organisations inside that we have not approved or have blocked: the author says yes to them before sending."""
        return [o for o in self.organisations if o.stranger or o.blocked]

    @property
    def consent(self) -> str:
        """What the box says that stands for a yes to these organisations and no others; empty where none has to be said."""
        named = "\n".join(sorted(o.uri for o in self.unsure))
        return hashlib.sha256(named.encode()).hexdigest()[:32] if named else ""


def reach(session: Session, group: reading.GroupData) -> Reach:
    """The audience of a group in figures."""
    found = groups.inside(session, group.document)
    return Reach(group.label, sum(o.people for o in found), found, group.history)
