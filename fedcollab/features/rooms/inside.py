"""Decides whom the pages of a group's members offer and show: partners and people who can be invited, colleagues who can be let in, who has
asked us, and whose key has to be compared first."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.models import RED
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import ORGANIZATION, OWN, PARTNER, PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.model import aliased
from fedcollab.base.session import Session
from fedcollab.sealing import comparing, naming, rooms, working
from fedcollab.sealing.made_ready import Write
from fedcollab.sealing.naming import Named
from fedcollab.sealing.person_models import CURRENT, WAITING, PersonKeyRow
from fedcollab.sealing.room_models import GROUP, Room, RoomMember, RoomPerson
from fedcollab.sealing.room_state import CLOSED, FROZEN, OPEN
from fedcollab.sealing.seats import INVITED

from .opening import LEADERS, Here, Keys

MOST = 500


class Choice(NamedTuple):
    """Somebody who can be chosen: by id on the wire (partners) or row id (ours), name, organisation, host."""

    id: str
    name: str
    organisation: str = ""
    host: str = ""


class Deserted(NamedTuple):
    """A group that nobody of us is in."""

    id: str
    label: str
    since: int


@dataclass(frozen=True, repr=False)
class ByName:
    """One of other organisations' people who is in a group of named people, or asked: the row by which their words are compared (empty
    where whoever looks does not compare), whether their key has changed since, and who has compared it."""

    who: Named
    organisation: str
    compare: str
    changed: bool
    by: str


@dataclass(frozen=True, repr=False)
class Membership:
    """What the page of members shows beside the access list."""

    here: Here
    partners: list[Choice]
    colleagues: list[Choice]
    deputies: tuple[str, ...]
    named: list[ByName]


@dataclass(frozen=True, repr=False)
class Asked:
    """What is asked of us: who asks, under which label, whether it is one person by name; and who of us can take part."""

    id: str
    invitation: str
    by: Named
    label: str
    by_name: bool
    since: int
    people: list[Choice]


def membership(session: Session, node: Node, here: Here, _keys: Keys) -> Write:
    """All of it for somebody in the group."""
    there = {(member.organisation, member.person) for member in (here.opened.room.head.members if here.opened.room.head else ())}
    there |= {(one.invitation.organisation, one.invitation.person) for one in here.opened.room.seats if one.state == INVITED}
    on_it = {one.person_id for one in here.access.ours}
    red = here.label == RED
    able = _people(session, node) if red else _partners(session)
    free = [one for one in able if ((one.organisation, one.id) if red else (one.id, "")) not in there]
    ours = [] if red else [one for one in colleagues(session) if one.id not in on_it]
    deputies = here.opened.room.head.deputies if here.opened.room.head else ()
    found = Membership(here, free, ours, deputies, _named(session, node, here) if red else [])
    return lambda _session: found


def colleagues(session: Session) -> list[Choice]:
    """Our people who have a key in use; guests are in no group."""
    query = sa.select(Actor.id, Actor.name).where(actors.our_people(), _has_key())
    return [Choice(row.id, row.name) for row in session.execute(query.order_by(Actor.name, Actor.id).limit(MOST))]


def check_ours(session: Session, people: Iterable[str]) -> None:
    """Raises NotFound for whoever is no member of ours, guests among them."""
    wanted = set(people)
    found = session.scalars(sa.select(Actor.id).where(Actor.id.in_(sorted(wanted)), actors.our_people()))
    if wanted != set(found):
        raise NotFound


def _partners(session: Session) -> list[Choice]:
    query = sa.select(Actor.uri, Actor.name, Actor.host).where(Actor.known == PARTNER, Actor.kind == ORGANIZATION)
    query = query.where(policy.not_blocked(Actor.id)).order_by(Actor.name, Actor.uri).limit(MOST)
    return [Choice(row.uri, row.name, host=row.host) for row in session.execute(query)]


def _people(session: Session, node: Node) -> list[Choice]:
    """People of partners and of ours whose key can be sealed to."""
    over = aliased(Actor)
    query = sa.select(Actor.uri, Actor.name, Actor.host, over.uri.label("organisation")).join(over, over.id == Actor.organisation_id)
    theirs = sa.and_(Actor.known.in_((PARTNER, OWN)), Actor.works_for == "", Actor.disabled_at.is_(None))
    query = query.where(Actor.kind == PERSON, theirs, _has_key())
    query = query.where(policy.not_blocked(Actor.organisation_id)).order_by(Actor.host, Actor.name, Actor.uri).limit(MOST)
    return [Choice(row.uri, row.name, row.organisation, row.host) for row in session.execute(query)]


def _has_key() -> sa.ColumnElement[bool]:
    return sa.exists().where(PersonKeyRow.person_id == Actor.id, PersonKeyRow.state == CURRENT)


def organisation_of(session: Session, person: str) -> str:
    """Whose person this is. Raises NotFound, for guests too."""
    found = actors.by_uri(session, person)
    if found is None or found.kind != PERSON or found.works_for:
        raise NotFound
    return actors.by_id(session, found.organisation_id).uri


def _named(session: Session, node: Node, here: Here) -> list[ByName]:
    """People elsewhere in a group for people by name, and whether their key is still the one that was pinned or compared."""
    stopped = {one.person for one in working.stopped(session, node, here.id)}
    found = [(one.who, person) for one in here.access.organisations for person in one.people if not person.own_id]
    return [_by_name(session, here.viewer, who, person, person.uri in stopped) for who, person in found]


def _by_name(session: Session, viewer: Viewer, organisation: Named, person: Named, changed: bool) -> ByName:
    row = actors.by_uri(session, person.uri)
    there = row.id if row is not None else ""
    last = sa.select(PersonKeyRow.state, PersonKeyRow.confirmed_by).where(
        PersonKeyRow.person_id == there, PersonKeyRow.state.in_((CURRENT, WAITING))
    )
    key = session.execute(last.order_by(PersonKeyRow.at.desc()).limit(1)).one_or_none()
    by = session.execute(sa.select(Actor.name).where(Actor.id == key.confirmed_by)).scalar() if key and key.confirmed_by else ""
    compare = there if there and comparing.can_be(session, viewer, there) else ""
    return ByName(person, organisation.said, compare, changed or (key is not None and key.state == WAITING), by or "")


def waiting(session: Session, node: Node, viewer: Viewer) -> list[Asked]:
    """The invitations into groups that this person may answer: of people by name their own alone."""
    person = actors.by_id(session, viewer.person_id).uri
    mine = [person, ""] if viewer.roles & LEADERS else [person]
    theirs = sa.and_(RoomMember.room_id == Room.id, RoomMember.organisation == node.actor_uri, RoomMember.state == INVITED)
    query = sa.select(Room.id, Room.uri, RoomMember.person).join(RoomMember, theirs)
    query = query.where(Room.kind == GROUP, RoomMember.person.in_(mine)).order_by(Room.created_at.desc()).limit(50)
    return [_asked(session, node, row.id, row.uri, row.person) for row in session.execute(query).all()]


def asked(session: Session, node: Node, viewer: Viewer, room_id: str) -> Asked:
    """One of them. Raises NotFound."""
    found = next((one for one in waiting(session, node, viewer) if one.id == room_id), None)
    if found is None:
        raise NotFound
    return found


def _asked(session: Session, node: Node, room_id: str, uri: str, person: str) -> Asked:
    room, row = rooms.load(session, node, uri), rooms.by_id(session, room_id)
    mine = [one.invitation for one in room.seats if one.state == INVITED and one.invitation.organisation == room.me]
    one = max((one for one in mine if one.person == person), key=lambda one: one.id)
    names = naming.names(session, [one.by])
    return Asked(room_id, one.id, names[one.by], row.label, bool(person), row.created_at, [] if person else colleagues(session))


def nobodys(session: Session) -> list[Deserted]:
    """Groups that nobody of us is in: keepers let somebody in. One for people by name is theirs alone."""
    somebody = sa.exists().where(RoomPerson.room_id == Room.id, RoomPerson.until.is_(None))
    query = sa.select(Room.id, Room.label, Room.created_at)
    query = query.where(Room.kind == GROUP, Room.state.in_((OPEN, FROZEN, CLOSED)), Room.label != RED, ~somebody)
    return [Deserted(*row) for row in session.execute(query.order_by(Room.created_at.desc()).limit(100))]
