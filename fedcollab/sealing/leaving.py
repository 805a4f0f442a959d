"""Decides what becomes of sealed rooms when one of our people goes: an account that ends takes its keys along at once, waiting for nobody,
and our keys for its rooms are made anew, a few in one unit, one unit after the other; whoever leaves in peace hands over first."""

import contextlib
from collections.abc import Iterable

import sqlalchemy as sa

from fedcollab.access.models import RED
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.database import wake
from fedcollab.base.errors import N_, NotFound, Refused, Unavailable
from fedcollab.base.session import Session
from fedcollab.base.statements import part
from fedcollab.federation import beside

from . import acting, holding, keeper_tasks, room_chain, rooms, state, working
from .keeper_tasks import NOBODY
from .organisation import GONE
from .pairs import PersonPrivate
from .room_models import RoomPerson
from .room_state import CLOSED, PURGED

FIRST, AT_ONCE = 1, 2  # rooms in the unit that ends the account, in one after it: some 15 CPU-ms each
IDLE = 60.0  # seconds, where nothing is to be done
LAST = N_("Nobody else of us is on it. Hand it over to somebody first.")


def end(session: Session, node: Node, viewer: Viewer | None, person_id: str) -> None:
    """Takes somebody off their rooms, for an account that ends: their boxes are destroyed, our keys for these rooms are made anew and,
    where we lead, the case keys with them; what nobody of us is on any more falls to the keepers. The newest room goes with the account,
    the others right after it (`go_on`), also where the key ring is busy: what the person's own keys opened is destroyed with the account,
    whatever it was. Call it after the person's key is withdrawn."""
    if state.is_on(session):
        with contextlib.suppress(Unavailable), part(session):
            _end(session, node, viewer, [(room_id, person_id) for room_id in holding.mine(session, person_id)[:FIRST]])
        wake(session, GONE)


def go_on(session: Session, node: Node) -> bool:
    """The next few rooms of accounts that have ended; then those of which somebody who has held the organisation's key, and does no more,
    could have opened our keys. Whether there may be more. What is left to do is in the rows, so that a killed node goes on with it."""
    query = sa.select(RoomPerson.room_id, RoomPerson.person_id).join(Actor, Actor.id == RoomPerson.person_id)
    gone = query.where(RoomPerson.until.is_(None), Actor.disabled_at.is_not(None))
    left = session.execute(gone.order_by(Actor.disabled_at, RoomPerson.since.desc(), RoomPerson.room_id).limit(AT_ONCE)).all()
    _end(session, node, None, [(row.room_id, row.person_id) for row in left])
    return bool(left) or working.make_anew(session, node, AT_ONCE)


def _end(session: Session, node: Node, viewer: Viewer | None, left: Iterable[tuple[str, str]]) -> None:
    """Takes people off rooms, {(room, person)}."""
    with node.ring.begin() if left else contextlib.nullcontext():  # or each room would have the ring's file written anew
        for room_id, person_id in left:
            _leave(session, node, viewer, room_id, person_id)


run = beside.in_units(IDLE, go_on, "rooms of somebody who has gone", GONE)  # as soon as an end is committed, by whichever process


def _leave(session: Session, node: Node, viewer: Viewer | None, room_id: str, person_id: str) -> None:
    if rooms.by_id(session, room_id).label == RED:
        _give_up_seat(session, node, room_id, person_id)
    else:
        working.rekey(session, node, room_id, without=person_id)
    room_chain.add(session, node, room_id, viewer, "room.unassign", person_id)
    holding.end(session, node, room_id, person_id)
    falls_to_keepers(session, node, room_id)


def _give_up_seat(session: Session, node: Node, room_id: str, person_id: str) -> None:
    """Where people are inside by name their seat ends with them: nothing more is sealed to it. Whoever leads such a room alone leaves it
    without a lead, until a deputy takes over."""
    row = rooms.by_id(session, room_id)
    with contextlib.suppress(Refused), part(session):  # frozen, closed, or not inside (any more): there is no seat to end
        word = acting.leave(rooms.load(session, node, row.uri), actors.by_id(session, person_id).uri)
        room = rooms.say(session, node, row.uri, word)
        with contextlib.suppress(Refused), part(session):
            working.turn_if_changed(session, node, room_id, room)


def falls_to_keepers(session: Session, node: Node, room_id: str) -> None:
    """A room that nobody of us is on any more waits for a keeper."""
    if not holding.ours(session, room_id) and rooms.by_id(session, room_id).state not in (CLOSED, PURGED):
        keeper_tasks.wait(session, node, NOBODY, room_id)


def hand_over(session: Session, node: Node, viewer: Viewer, keys: list[PersonPrivate], room_id: str, person_id: str) -> None:
    """Whoever leaves gives one of their rooms to a colleague, who is put on it where they are not, and goes off it. Raises NotFound where
    they are not on it, Refused where the colleague has no key, or the room is for people by name."""
    if not holding.is_assigned(session, room_id, viewer.person_id) or viewer.person_id == person_id:
        raise NotFound
    if not holding.is_assigned(session, room_id, person_id):
        holding.assign(session, node, viewer, keys, room_id, person_id)
    working.unassign(session, node, viewer, room_id, viewer.person_id)


def go(session: Session, node: Node, viewer: Viewer, room_id: str) -> None:
    """Somebody goes off a room that others of us are on. Raises Refused for the last one, NotFound."""
    if [one.person_id for one in holding.ours(session, room_id)] == [viewer.person_id]:
        raise Refused(LAST)
    working.unassign(session, node, viewer, room_id, viewer.person_id)
