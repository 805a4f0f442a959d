"""Decides when entries of a room's record are no longer kept: after six years, by a signed checkpoint from which all later ones follow."""

from typing import Any

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY
from fedcollab.base.session import Session

from . import head_telling
from .chain_models import RoomChain, RoomEntry
from .heads import Head

KEPT = 2192 * DAY  # six years, two of them leap years
ROOMS, ENTRIES = 20, 2_000  # the most in one run


def cut(session: Session, node: Node) -> None:
    """A chore: puts a head of ours in the place of the entries that are older than that, some rooms and entries at a time."""
    limit = node.now() - KEPT
    oldest: Any = sa.and_(RoomEntry.room_id == RoomChain.room_id, RoomEntry.seq == RoomChain.from_seq + 1)
    due = sa.select(RoomChain.room_id, RoomChain.uri, RoomChain.from_seq).join(RoomEntry, oldest).where(RoomEntry.at < limit)
    for row in session.execute(due.order_by(RoomChain.room_id).limit(ROOMS)).all():
        _cut(session, node, row, limit)


def _cut(session: Session, node: Node, row: Any, limit: int) -> None:
    """Up to the first entry that is younger, whatever a clock that was set back says of those behind it."""
    mine = RoomEntry.room_id == row.room_id
    query = sa.select(RoomEntry.seq, RoomEntry.at, RoomEntry.hash).where(mine, RoomEntry.seq > row.from_seq)
    last = None
    for entry in session.execute(query.order_by(RoomEntry.seq).limit(ENTRIES)):
        if entry.at >= limit:
            break
        last = entry
    assert last is not None, "the oldest one was found to be due"
    head = Head(row.uri, node.actor_uri, last.seq, last.hash, node.now())
    what = dict(from_seq=last.seq, from_hash=last.hash, checkpoint=head_telling.prove(session, node, head.document()))
    session.execute(sa.update(RoomChain).where(RoomChain.room_id == row.room_id).values(**what))
    session.execute(sa.delete(RoomEntry).where(mine, RoomEntry.seq <= last.seq))
