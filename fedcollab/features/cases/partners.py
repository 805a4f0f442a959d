"""Decides whom a case can be opened to: partners that publish a key to seal to or, where it is for people by name, their people who do. Who
has none is shown as such: nothing is ever sent to them in plain (P15)."""

from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.access.models import RED
from fedcollab.actors.models import ORGANIZATION, PARTNER, PERSON, Actor
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.federation import partners
from fedcollab.sealing import partner_keys, people

from .desk import Desk


@dataclass(frozen=True, repr=False)
class Candidate:
    """Whom something can be sealed to, or not: an organisation, or one person of it (`person` is their id, else empty)."""

    id: str
    organisation: str
    person: str
    name: str
    host: str
    has_key: bool

    @property
    def uri(self) -> str:
        """Who receives it."""
        return self.person or self.organisation


def candidates(session: Session, desk: Desk) -> list[Candidate]:
    """All that are neither inside nor asked already, by name."""
    named = desk.opened.label == RED
    listed = desk.access.organisations
    there = {person.uri for one in listed for person in one.people} if named else {one.who.uri for one in listed}
    found, hosts = _people(session) if named else organisations(session), partners.admitted_hosts(session)
    return [one for one in found if one.uri not in there and one.host in hosts]


def candidate(session: Session, desk: Desk, actor_id: str) -> Candidate:
    """One of them. Raises NotFound."""
    found = next((one for one in candidates(session, desk) if one.id == actor_id), None)
    if found is None:
        raise NotFound
    return found


def organisations(session: Session) -> list[Candidate]:
    """All partners, by name, with or without a key to seal to."""
    query = sa.select(Actor.id, Actor.uri, Actor.name, Actor.host).where(Actor.known == PARTNER, Actor.kind == ORGANIZATION)
    rows = session.execute(query.where(Actor.disabled_at.is_(None)).order_by(Actor.name, Actor.id)).all()
    return [Candidate(row.id, row.uri, "", row.name, row.host, partner_keys.has_key(session, row.id)) for row in rows]


def _people(session: Session) -> list[Candidate]:
    """Partners' people whose key is known here."""
    of = Actor.__table__.alias()
    query = sa.select(Actor.id, Actor.uri, Actor.name, Actor.host, of.c.uri.label("organisation")).join(
        of, of.c.id == Actor.organisation_id
    )
    query = query.where(Actor.known == PARTNER, Actor.kind == PERSON, Actor.disabled_at.is_(None)).order_by(Actor.name, Actor.id)
    rows = session.execute(query).all()
    return [Candidate(row.id, row.organisation, row.uri, row.name, row.host, people.current(session, row.id) is not None) for row in rows]
