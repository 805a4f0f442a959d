"""Decides who of us opens a room: the private half of each of our keys for it (`mk:` in the key ring) is boxed to the organisation's key,
unless the room is TLP:RED, and to the key of each of our people who is assigned to it.

Keepers open a room by the organisation's key only to assign somebody, themselves too; that is on record."""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.access.models import RED
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import OWN, PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.base.errors import Conflict, N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared, put

from . import (
    boxes,
    case_boxes,
    casesecrets,
    consents,
    crossing,
    handing,
    keeper_tasks,
    member_boxes,
    organisation,
    people,
    room_chain,
    rooms,
    wraps,
)
from .boxes import Private, Public
from .casesecrets import CaseSecret
from .lessened import lessened
from .member_boxes import KEY
from .pairs import PersonPrivate, PersonPublic
from .room_models import RoomPerson
from .room_state import Room
from .shut import Shut

NO_KEY = N_("%(name)s has no key in use yet. It is made when they sign in with their password; assign them after that.")
BY_NAME = N_("Here people are inside by name. Invite this person by name; whoever is inside stays so until they leave or are removed.")


@dataclass(frozen=True)
class Opened:
    """A room as one of our people has opened it: who is inside, the key that they sign with, the case keys that their own keys open, and
    the names of those that should be theirs and do not open; `shut` those of which there is a box for them that is none."""

    room_id: str
    uri: str
    label: str
    kind: str
    room: Room
    viewer: Viewer
    person: PersonPrivate = field(repr=False)
    secrets: Mapping[str, CaseSecret] = field(repr=False)
    lacks: frozenset[str] = frozenset()
    shut: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Assigned:
    """One of our people who is on a room, since when; a guest where `works_for` names the organisation that they are of."""

    person_id: str
    uri: str
    name: str
    since: int
    works_for: str = ""


def open_room(session: Session, node: Node, viewer: Viewer, keys: list[PersonPrivate], room_id: str) -> Opened:
    """Opens a room with the unlocked keys of whoever looks. Raises NotFound where they are not assigned to it, Refused where none of
    these keys is in use, Stopped where the consent for it has ended."""
    if not is_assigned(session, room_id, viewer.person_id):
        raise NotFound
    row = rooms.by_id(session, room_id)
    if not consents.is_shown(session, row.uri):
        raise consents.Stopped
    room, person = rooms.load(session, node, row.uri), in_use(session, viewer, keys)
    return _as_opened(node, row, room, viewer, person, _opened(session, node, room_id, keys))


def open_as_keeper(session: Session, node: Node, viewer: Viewer, keys: list[PersonPrivate], room_id: str) -> Opened:
    """The same for a keeper at work, through the organisation's key: for what a room's members wait for, never to read in it. Raises
    NotFound where people are inside by name, Refused for who does not hold the organisation's key."""
    row = rooms.by_id(session, room_id)
    if row.label == RED:
        raise NotFound
    held, person = _by_organisation(session, node, viewer, keys, room_id), in_use(session, viewer, keys)
    return _as_opened(node, row, rooms.load(session, node, row.uri), viewer, person, held)


def hand_by_organisation(session: Session, node: Node, viewer: Viewer, keys: list[PersonPrivate], room_id: str, person_id: str) -> None:
    """A keeper hands our keys for a room to somebody who is on it already and whose own key is another one since. Raises Refused for who
    does not hold the organisation's key, and where the person has none in use."""
    hand(session, node, room_id, _by_organisation(session, node, viewer, keys, room_id), [person_id])
    room_chain.add(session, node, room_id, viewer, "room.hand", person_id)


def _as_opened(node: Node, row: Any, room: Room, viewer: Viewer, person: PersonPrivate, held: Mapping[str, Private]) -> Opened:
    secrets, shut = _secrets(node, room, held)
    lacks = frozenset(key.ck for key in handing.wanted(room)) - secrets.keys()
    return Opened(row.id, row.uri, row.label, row.kind, room, viewer, person, secrets, lacks, shut & lacks)


def in_use(session: Session, viewer: Viewer, keys: list[PersonPrivate]) -> PersonPrivate:
    """Which of somebody's unlocked keys signs today. Raises Refused where theirs waits to be readmitted, or is not unlocked here;
    LockedAway for who has locked their access since these were taken out of the key ring."""
    crossing.check(session, viewer.person_id)
    mine = people.current(session, viewer.person_id)
    found = next((private for private in keys if mine is not None and private.public.kid == mine.kid), None)
    if found is None:
        raise Refused(N_("Your key waits until a keeper has compared its words with you, or is not unlocked here. Unlock your keys first."))
    return found


def assigned(session: Session, room_id: str) -> list[Assigned]:
    """Our people who are on a room, guests among them, the longest first."""
    return [Assigned(*row) for row in prepared(session, _all_on(), {"room": room_id})]


@cache
def _all_on() -> sa.Select[Any]:
    columns: list[Any] = [Actor.id, Actor.uri, Actor.name, RoomPerson.since, Actor.works_for]
    query = sa.select(*columns).join(RoomPerson, RoomPerson.person_id == Actor.id)
    return query.where(_on(sa.bindparam("room"))).order_by(RoomPerson.since, Actor.id)


def ours(session: Session, room_id: str) -> list[Assigned]:
    """The same without guests: whose case it is."""
    return [one for one in assigned(session, room_id) if not one.works_for]


def is_assigned(session: Session, room_id: str, person_id: str) -> bool:
    """Whether one of our people is on a room."""
    return prepared(session, _one_on(), {"room": room_id, "person": person_id}).first() is not None


@cache
def _one_on() -> sa.Select[Any]:
    return sa.select(RoomPerson.since).where(_on(sa.bindparam("room")), RoomPerson.person_id == sa.bindparam("person"))


def was_assigned(session: Session, room_id: str, person_id: str) -> bool:
    """Whether one of our people is on a room or has been."""
    there = sa.and_(RoomPerson.room_id == room_id, RoomPerson.person_id == person_id)
    return session.execute(sa.select(RoomPerson.since).where(there)).first() is not None


def everybody() -> sa.Select[Any]:
    """The person ids of all who are on a room, for a statement about people."""
    return sa.select(RoomPerson.person_id).where(RoomPerson.until.is_(None))


def mine(session: Session, person_id: str) -> list[str]:
    """The rooms that somebody is on, those they came to last first."""
    query = sa.select(RoomPerson.room_id).where(RoomPerson.person_id == person_id, RoomPerson.until.is_(None))
    return list(session.scalars(query.order_by(RoomPerson.since.desc(), RoomPerson.room_id.desc())))


def _on(room_id: Any) -> sa.ColumnElement[bool]:
    return sa.and_(RoomPerson.room_id == room_id, RoomPerson.until.is_(None))


def begin(session: Session, node: Node, viewer: Viewer, room_id: str, made: Private, people_ids: Iterable[str]) -> None:
    """The first key of ours for a room, and who of us opens it. Raises Refused for somebody who has no key in use, NotFound for a guest."""
    ids = list(dict.fromkeys(people_ids))
    for person_id in ids:
        _check_guest(session, person_id, guest=False)
    hand(session, node, room_id, {made.public.kid: made}, ids)
    for person_id in ids:
        put(session, RoomPerson, room_id=room_id, person_id=person_id, since=node.now(), by_id=viewer.person_id, until=None)


def hand(session: Session, node: Node, room_id: str, keys: Mapping[str, Private], people_ids: Iterable[str]) -> None:
    """Boxes keys of ours, {kid: private half}, to these people, and to the organisation's key where the room is not for people by name."""
    to: list[Public] = [_key_of(session, person_id) for person_id in people_ids]
    ours = organisation.current(session, node) if rooms.by_id(session, room_id).label != RED else None
    holders = [*to, *([ours] if ours is not None else [])]
    with node.ring.look() as ring:  # most often nothing is lacking, and then nobody waits for a turn to write
        there = wraps.wraps_among(ring, (KEY + kid for kid in keys), (one.kid for one in holders))
    lacking = [(kid, one) for kid in keys for one in holders if (KEY + kid, one.kid) not in there]
    if lacking:
        with node.ring.begin() as ring:
            for kid, one in lacking:
                wraps.put_wrap(ring, KEY + kid, one.kid, boxes.box(one, keys[kid].to_bytes(), KEY + kid), node.now())


def _key_of(session: Session, person_id: str) -> PersonPublic:
    found = prepared(session, _here(), {"person": person_id}).one_or_none()
    if found is None:
        raise NotFound
    key = people.current(session, person_id)
    if key is None:
        raise Refused(NO_KEY, name=found.name)
    return key.public


@cache
def _here() -> sa.Select[Any]:
    ours = sa.and_(Actor.known == OWN, Actor.kind == PERSON, Actor.disabled_at.is_(None))
    return sa.select(Actor.name).where(Actor.id == sa.bindparam("person"), ours)


def assign(
    session: Session, node: Node, viewer: Viewer, keys: list[PersonPrivate], room_id: str, person_id: str, *, guest: bool = False
) -> None:
    """Lets a colleague open a room, or (`guest`) a guest the one that they are asked to: by somebody on it, or by a keeper through the
    organisation's key, who may so assign themselves. Raises NotFound for others, Conflict where they are on it, Refused where they have no
    key, or the room is for people by name."""
    row = rooms.by_id(session, room_id)
    _check_guest(session, person_id, guest=guest)
    if not may_assign(session, room_id, viewer):
        raise NotFound
    if row.label == RED:
        raise Refused(BY_NAME)
    if is_assigned(session, room_id, person_id):
        raise Conflict(N_("They are on it already."))
    begin_with = _opened(session, node, room_id, keys) if is_assigned(session, room_id, viewer.person_id) else {}
    held = begin_with or _by_organisation(session, node, viewer, keys, room_id)
    hand(session, node, room_id, held, [person_id])
    put(session, RoomPerson, room_id=room_id, person_id=person_id, since=node.now(), by_id=viewer.person_id, until=None)
    keeper_tasks.over(session, node, keeper_tasks.NOBODY, room_id)
    room_chain.add(session, node, room_id, viewer, "room.assign", person_id)


def _check_guest(session: Session, person_id: str, *, guest: bool) -> None:
    """Nobody takes a guest for a colleague: they come onto their one case by their own way alone."""
    if session.execute(sa.select(Actor.id).where(Actor.id == person_id, (Actor.works_for != "") != guest)).first() is not None:
        raise NotFound


def may_assign(session: Session, room_id: str, viewer: Viewer) -> bool:
    """Whether somebody may let colleagues in: whoever is on it, but for guests, and keepers who hold the organisation's key."""
    if viewer.is_guest:
        return False
    return is_assigned(session, room_id, viewer.person_id) or viewer.person_id in organisation.holders(session)


def hand_again(session: Session, node: Node, opened: Opened, keys: list[PersonPrivate]) -> None:
    """Whoever has opened a room hands its keys to the others on it whose key is another one since, which a keeper has vouched for."""
    if opened.label == RED:
        return
    others = [one.person_id for one in assigned(session, opened.room_id) if people.current(session, one.person_id) is not None]
    hand(session, node, opened.room_id, _opened(session, node, opened.room_id, keys), others)


def end(session: Session, node: Node, room_id: str, person_id: str) -> bool:
    """Somebody is on a room no more: each box of our keys for it that theirs opens is destroyed. Whether they were on it. Needs nobody's
    key; what follows is `working.rekey`. Call it last in a unit."""
    over = sa.update(RoomPerson).where(_on(room_id), RoomPerson.person_id == person_id).values(until=node.now())
    if session.execute(over.returning(RoomPerson.since)).first() is None:
        return False
    lessened(session)
    theirs = [key.kid for key in people.listed(session, person_id)]
    with node.ring.begin() as ring:
        for of in (KEY + kid for kid in member_boxes.kids(session, node, room_id)):
            for kid in theirs:
                if wraps.wrap(ring, of, kid) is not None:
                    wraps.destroy(ring, of, node.now(), to_kid=kid)
    return True


def _opened(session: Session, node: Node, room_id: str, holders: Iterable[Private]) -> dict[str, Private]:
    """{kid: private half} of our keys for a room that these keys open."""
    found: dict[str, Private] = {}
    mine, by_kid = member_boxes.kids(session, node, room_id), {one.public.kid: one for one in holders}
    with node.ring.look() as ring:
        sealed = wraps.wraps_among(ring, (KEY + kid for kid in mine), by_kid)
    for (of, holder), box in sorted(sealed.items()):
        kid = of.removeprefix(KEY)
        if kid not in found:
            found[kid] = _open(by_kid[holder], box, kid)
    return found


def _open(holder: Private, sealed: bytes, kid: str) -> Private:
    key = Private.from_bytes(boxes.unbox(holder, sealed, KEY + kid))
    if key.public.kid != kid:
        raise Shut
    return key


def _by_organisation(session: Session, node: Node, viewer: Viewer, keys: list[PersonPrivate], room_id: str) -> dict[str, Private]:
    """What the organisation's key opens, for a keeper at work. Raises Refused where they do not hold it."""
    return _opened(session, node, room_id, organisation.opened(session, node, in_use(session, viewer, keys)).values())


def _secrets(node: Node, room: Room, held: Mapping[str, Private]) -> tuple[dict[str, CaseSecret], frozenset[str]]:
    """{ck: case key} of all that our keys open, and the names of those that only have boxes that do not."""
    found: dict[str, CaseSecret] = {}
    documents = {document.ck: document for document in rooms.documents(room)}
    there = case_boxes.found(node, documents, held)
    for (ck, kid), sealed in there.items():
        if ck not in found:
            with contextlib.suppress(Shut):
                found[ck] = casesecrets.opened(documents[ck], held[kid], sealed)
    return found, frozenset(ck for ck, _ in there) - found.keys()
