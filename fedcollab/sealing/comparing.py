"""Decides which words two people compare by phone before anything is sealed to one of them by name, and whose key waits for that."""

from typing import NamedTuple

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.viewer import CASEWORKER, KEEPER, Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import INTRODUCED, PARTNER, PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.federation.words import Spoken

from . import people, words
from .people import PersonKey
from .person_models import CURRENT, OLD, WAITING, PersonKeyRow


class Changed(NamedTuple):
    """A partner's person to whose key nothing is sealed until somebody has compared its words: it came in place of another one."""

    person_id: str
    name: str
    host: str
    at: int


class Compared(NamedTuple):
    """What whoever looks compares with another node's person. `both`: words of both people's keys, the same on both their pages; None
    where whoever looks has no key in use. `alone`: of the other's key alone, as it stands on that person's own page. `by`: who has compared
    before, of this very key."""

    person_id: str
    name: str
    host: str
    key: PersonKey
    both: Spoken | None
    alone: Spoken
    changed: bool
    by: str


def may(viewer: Viewer) -> bool:
    """Whether somebody compares words with partners' people: keepers, and those who work on cases."""
    return bool(viewer.roles & {KEEPER, CASEWORKER})


def can_be(session: Session, viewer: Viewer, person_id: str) -> bool:
    """Whether there are words for whoever looks to compare with a person."""
    theirs = sa.and_(Actor.id == person_id, _elsewhere())
    key = sa.exists().where(PersonKeyRow.person_id == Actor.id, PersonKeyRow.state != OLD)
    return may(viewer) and session.execute(sa.select(Actor.id).where(theirs, key)).first() is not None


def changed(session: Session) -> list[Changed]:
    """Those of partners' people whose key waits, the longest first."""
    asked = sa.select(Actor.id, Actor.name, Actor.host, PersonKeyRow.at).join(PersonKeyRow, PersonKeyRow.person_id == Actor.id)
    theirs = asked.where(PersonKeyRow.state == WAITING, _elsewhere())
    return [Changed(*row) for row in session.execute(theirs.order_by(PersonKeyRow.at, PersonKeyRow.id))]


def _elsewhere() -> sa.ColumnElement[bool]:
    """A partner's person, or one whom a partner has introduced."""
    return sa.and_(Actor.known.in_((PARTNER, INTRODUCED)), Actor.kind == PERSON, policy.not_blocked(Actor.organisation_id))


def how_many(session: Session, _node: Node) -> int | None:
    """How many those are; None for nobody."""
    return len(changed(session)) or None


def look(session: Session, viewer: Viewer, person_id: str) -> Compared:
    """The words to compare with a partner's person. Raises NotFound for one without a key, or of ours."""
    row = session.execute(sa.select(Actor.name, Actor.host, Actor.uri).where(Actor.id == person_id, _elsewhere())).one_or_none()
    key = next((one for one in people.listed(session, person_id) if one.state != OLD), None)
    if row is None or key is None:
        raise NotFound()
    mine = people.current(session, viewer.person_id)
    both = words.of_two((actors.by_id(session, viewer.person_id).uri, mine.public), (row.uri, key.public)) if mine is not None else None
    alone = words.of_one(row.uri, key.public)
    return Compared(person_id, row.name, row.host, key, both, alone, key.state != CURRENT, _by(session, key))


def _by(session: Session, key: PersonKey) -> str:
    mine = sa.and_(PersonKeyRow.person_id == key.person_id, PersonKeyRow.kid == key.kid, PersonKeyRow.confirmed_at.is_not(None))
    query = sa.select(Actor.name).join(PersonKeyRow, PersonKeyRow.confirmed_by == Actor.id).where(mine)
    return session.execute(query).scalar() or ""
