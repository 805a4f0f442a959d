"""Decides what keepers do where a room does not go on by itself: two lists mended, a lead that stays away replaced, keys handed to whoever
was let in again. None of it needs a private key but where `keys` stands."""

from typing import Any

import sqlalchemy as sa

from fedcollab.access.models import RED
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session

from . import acting, holding, keeper_tasks, member_boxes, people, room_chain, rooms, working, wraps
from .casekeys import DEPUTIES
from .keeper_tasks import TO_HAND
from .pairs import PersonPrivate
from .room_models import Room as Row
from .room_models import RoomPerson
from .room_state import CLOSED, FROZEN, OPEN

AT_A_TIME = 4  # rooms whose keys one unit hands to somebody: others write between


def heal(session: Session, node: Node, viewer: Viewer, room_id: str) -> None:
    """As who leads a frozen room: the list that puts an end to the dispute. It counts once every other member has agreed to it. Raises
    NotFrozen, NotTheOwner."""
    room = rooms.load(session, node, _uri(session, viewer, room_id))
    working.issue(session, node, room_id, acting.heal(room))
    room_chain.add(session, node, room_id, viewer, "room.heal")


def agree(session: Session, node: Node, viewer: Viewer, room_id: str, ck: str) -> None:
    """As a member: a keeper has compared the lists and accepts the one, by its name, that mends them. Raises NotFrozen for another one."""
    uri = _uri(session, viewer, room_id)
    rooms.say(session, node, uri, acting.agree(rooms.load(session, node, uri), ck))
    room_chain.add(session, node, room_id, viewer, "room.agree", ck)


def back(session: Session, node: Node, viewer: Viewer, room_id: str, deputy: str) -> None:
    """As a member: a deputy may take the room over. Raises NotDeputy, NotBacked."""
    uri = _uri(session, viewer, room_id)
    rooms.say(session, node, uri, acting.back(rooms.load(session, node, uri), deputy))
    room_chain.add(session, node, room_id, viewer, "room.back", deputy)


def take_over(session: Session, node: Node, viewer: Viewer, room_id: str, *, out: bool = False) -> None:
    """As a deputy whom another member has backed: we lead from now on; `out` puts who led it until now out. Raises NotDeputy, NotBacked."""
    room = rooms.load(session, node, _uri(session, viewer, room_id))
    working.issue(session, node, room_id, acting.take_over(room, out=out))
    room_chain.add(session, node, room_id, viewer, "room.take_over")


def hand_back(session: Session, node: Node, viewer: Viewer, room_id: str, to: str) -> None:
    """As who leads it: another member leads from now on, as after a takeover the organisation that it began with. One that is no deputy
    becomes one with a list of its own first. Raises NotTheOwner, NotInside for who is not inside."""
    room = rooms.load(session, node, _uri(session, viewer, room_id))
    deputies = room.head.deputies if room.head else ()
    if to not in deputies:
        working.turn(session, node, room_id, deputies=(to, *deputies)[:DEPUTIES])
    working.turn(session, node, room_id, to=to)
    room_chain.add(session, node, room_id, viewer, "room.hand_back", to)


def _uri(session: Session, viewer: Viewer, room_id: str) -> str:
    """A room's id on the wire, for a keeper who holds the organisation's key or somebody who is on it. Raises NotFound."""
    row: Any = rooms.by_id(session, room_id)
    if not holding.may_assign(session, room_id, viewer):
        raise NotFound
    return str(row.uri)


def readmitted(session: Session, node: Node, person_id: str) -> None:
    """Somebody was let in again with another key: what they are on waits for a keeper who hands them its keys."""
    if _open_rooms(session, person_id):
        keeper_tasks.wait(session, node, TO_HAND, person_id=person_id)


def lacking(session: Session, node: Node, person_id: str) -> list[str]:
    """The rooms that somebody is on and whose keys of ours their own key of today does not open."""
    key = people.current(session, person_id)
    if key is None:
        return []
    mine = {room_id: member_boxes.kids(session, node, room_id) for room_id in _open_rooms(session, person_id)}
    with node.ring.look() as ring:
        return [room_id for room_id, kids in mine.items() if any(_is_shut(ring, kid, key.kid) for kid in kids)]


def _is_shut(ring: sa.Connection, kid: str, to_kid: str) -> bool:
    """Whether a key of ours, which others open, does not open for this one."""
    boxes = wraps.wraps_of(ring, member_boxes.KEY + kid)
    return bool(boxes) and to_kid not in boxes


def hand_some(session: Session, node: Node, viewer: Viewer, keys: list[PersonPrivate], person_id: str) -> bool:
    """A keeper hands somebody who was let in again the keys of rooms that they are on, some at a time; whether more are left. What is for
    people by name stays shut for them: whoever leads it invites them anew. Raises Refused for who does not hold the organisation's key."""
    rooms_left = lacking(session, node, person_id)
    for room_id in rooms_left[:AT_A_TIME]:
        holding.hand_by_organisation(session, node, viewer, keys, room_id, person_id)
    more = len(rooms_left) > AT_A_TIME
    if not more:
        keeper_tasks.over_person(session, node, TO_HAND, person_id)
    return more


def _open_rooms(session: Session, person_id: str) -> list[str]:
    query = sa.select(Row.id).join(RoomPerson, RoomPerson.room_id == Row.id).where(Row.label != RED, Row.state.in_((OPEN, FROZEN, CLOSED)))
    return list(session.scalars(query.where(RoomPerson.person_id == person_id, RoomPerson.until.is_(None)).order_by(Row.id)))
