"""Decides how an act is finished that has destroyed keys and whose commit then failed, by a kill or a full disk: the key ring's note of
what was destroyed is in the same commit as that, so the node does by it what it had been told to."""

import contextlib
from collections.abc import Iterator, Sequence
from itertools import islice

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY
from fedcollab.base.errors import Refused
from fedcollab.base.session import Session
from fedcollab.base.statements import part

from . import ending, member_boxes, people, room_chain, state, working, wraps
from .member_boxes import KEY
from .person_models import PersonKeyRow
from .room_models import MemberKey, Room, RoomPerson
from .room_state import PURGED
from .wraps import Note

BACK = 60 * DAY  # how long ago it may have been: a disk may stay full, or a node off, for some weeks
AT_ONCE = 5  # rooms in one unit: some 15 CPU-ms each


def finish(session: Session, node: Node) -> None:
    """A chore, and among the first that a node does when it starts: rooms whose keys of ours are destroyed are gone, and whoever's boxes of
    a room are destroyed is on it no more. Who had begun it is on no record, for that failed with the commit."""
    if not state.is_on(session):
        return
    with node.ring.look() as ring:
        noted = wraps.noted(ring, KEY, node.now() - BACK)
    for room_id in islice(_ended(session, node, noted), AT_ONCE):
        _end(session, node, room_id)
    for room_id, person_id in islice(_left(session, node, noted), AT_ONCE):
        room_chain.add(session, node, room_id, None, "room.finish")
        working.unassign(session, node, None, room_id, person_id)


def _some(notes: Sequence[Note]) -> Iterator[Sequence[Note]]:
    for at in range(0, len(notes), wraps.AT_ONCE):
        yield notes[at : at + wraps.AT_ONCE]


def _ended(session: Session, node: Node, noted: Sequence[Note]) -> Iterator[str]:
    """Rooms that stand, and of which all of our keys were destroyed: only an end does that, and to all of them at once."""
    for some in _some([note for note in noted if not note.to_kid]):
        ours = sa.and_(
            MemberKey.kid.in_([note.of.removeprefix(KEY) for note in some]), MemberKey.organisation == node.actor_uri, Room.state != PURGED
        )
        yield from session.scalars(sa.select(Room.id).join(MemberKey, MemberKey.room_id == Room.id).where(ours).distinct()).all()


def _end(session: Session, node: Node, room_id: str) -> None:
    """As it had begun: on our own word where we lead it, else on the word of whoever has ended it, also where that comes again."""
    room_chain.add(session, node, room_id, None, "room.finish")
    begun = ending.of(session, room_id)
    if begun is not None and begun.done_at is None:
        ending.finish(session, node, room_id)
        return
    with contextlib.suppress(Refused), part(session):
        working.purge(session, node, None, room_id)
        return
    ending.gone_here(session, node, room_id)


def _left(session: Session, node: Node, noted: Sequence[Note]) -> Iterator[tuple[str, str]]:
    """Who stands on a room whose boxes were taken from them since they came, and has none of it any more, (room, person)."""
    for some in _some([note for note in noted if note.to_kid]):
        query = sa.select(MemberKey.kid, PersonKeyRow.kid, RoomPerson.room_id, RoomPerson.person_id, RoomPerson.since)
        query = query.join(RoomPerson, RoomPerson.room_id == MemberKey.room_id).join(Room, Room.id == MemberKey.room_id)
        query = query.join(PersonKeyRow, PersonKeyRow.person_id == RoomPerson.person_id)
        named = MemberKey.kid.in_({note.of.removeprefix(KEY) for note in some}), PersonKeyRow.kid.in_({note.to_kid for note in some})
        at = {(note.of.removeprefix(KEY), note.to_kid): note.at for note in some}
        rows = session.execute(query.where(*named, RoomPerson.until.is_(None), Room.state != PURGED)).all()
        for room_id, person_id in sorted({(one[2], one[3]) for one in rows if at.get((one[0], one[1]), -1) >= one.since}):
            if not _opens(session, node, room_id, person_id):
                yield room_id, person_id


def _opens(session: Session, node: Node, room_id: str, person_id: str) -> bool:
    """Whether somebody has a box of any of our keys for a room; keys that were destroyed with their account are no question of rooms."""
    mine = member_boxes.kids(session, node, room_id)
    theirs = [key.kid for key in people.listed(session, person_id)]
    with node.ring.look() as ring:
        ended = any(wraps.is_destroyed(ring, wraps.PERSON + kid) for kid in theirs)
        return ended or bool(wraps.wraps_among(ring, (KEY + kid for kid in mine), theirs))
