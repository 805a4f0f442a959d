"""Decides when the members of a room are told where our record of it ends, and when we countersign where theirs do: now and then, bounded,
and at the room's end; never because of what was told, or two nodes would talk for ever."""

from typing import Any

import sqlalchemy as sa

from fedcollab.actors import keys
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.clock import HOUR
from fedcollab.base.session import Session
from fedcollab.base.statements import put
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import outbox, proofs

from . import room_chain, rooms, telling
from .chain_models import ChainHead, ChainSigned, RoomChain
from .chains import Entry, Place
from .heads import Head, Signed
from .room_models import Room as Row
from .room_models import RoomFact
from .room_state import CLOSED, FROZEN, OPEN, PURGED, Room

EVERY = HOUR
LINES, ROOMS, ANSWERS = 200, 5, 10  # the most: entries in one telling; rooms, and countersignatures, in one unit
INSIDE = (OPEN, FROZEN, CLOSED, PURGED)


def tell(session: Session, node: Node) -> None:
    """A chore: where our records end, to the other members of each room in which something is new."""
    for room_id in _due(session, node):
        _tell(session, node, room_id, rooms.by_row(session, node, room_id))


def _due(session: Session, node: Node) -> list[str]:
    """Rooms with something to tell, those longest untold first: an hour has passed, there is more than fits into one, or the room has
    ended since."""
    new = sa.and_(RoomChain.seq > RoomChain.told_seq, Row.state.in_(INSIDE))
    ended = sa.exists().where(RoomFact.room_id == RoomChain.room_id, RoomFact.kind == "closed", RoomFact.at >= RoomChain.told_at)
    now = sa.or_(RoomChain.told_at <= node.now() - EVERY, RoomChain.seq - RoomChain.told_seq > LINES, ended)
    query = sa.select(RoomChain.room_id).join(Row, Row.id == RoomChain.room_id).where(new, now)
    return list(session.scalars(query.order_by(RoomChain.told_at, RoomChain.room_id).limit(ROOMS)))


def _tell(session: Session, node: Node, room_id: str, room: Room) -> None:
    others = room.inside - {room.me}
    to = telling.reached(session, others)
    if not to:  # nobody to tell, or nobody who can be told now
        _told(session, room_id, None if others else room_chain.end(session, room_id), node.now())
        return
    after = _told_until(session, room_id)
    entries = room_chain.page(session, node, room_id, after, LINES)
    if not entries:  # what was not told is no longer kept
        _told(session, room_id, after, node.now())
        return
    head = Head(room.id, room.me, entries[-1].seq, entries[-1].hash, node.now())
    document = prove(session, node, head.document())
    me = actors.own(session, node)
    made = ap.activity("Create", outbox.new_uri(node), me.uri, stated(head.room, ap.CHAIN_HEAD, document, _way(after, entries)))
    outbox.publish(session, node, me.id, made, to=to.values(), order_key=room.id, about=room.id)
    keep_head(session, node, room_id, head, document)
    _told(session, room_id, head.place, node.now() if head.place == room_chain.end(session, room_id) else None)


def _told_until(session: Session, room_id: str) -> Place:
    """The place that the others know; where its entries are no longer kept, the one that our record begins with now."""
    columns = (RoomChain.told_seq, RoomChain.told_hash, RoomChain.from_seq, RoomChain.from_hash)
    row = session.execute(sa.select(*columns).where(RoomChain.room_id == room_id)).one()
    return max(Place(row.told_seq, row.told_hash), Place(row.from_seq, row.from_hash), key=lambda place: place.seq)


def _told(session: Session, room_id: str, place: Place | None, at: int | None) -> None:
    values: dict[str, Any] = dict(told_seq=place.seq, told_hash=place.hash) if place else {}
    values |= {} if at is None else dict(told_at=at)
    session.execute(sa.update(RoomChain).where(RoomChain.room_id == room_id).values(**values))


def _way(after: Place, entries: list[Entry]) -> dict[str, Any]:
    return {ap.ENTRIES: {"seq": after.seq, "hash": after.hash, "lines": [one.line() for one in entries]}}


def stated(room: str, kind: str, document: dict[str, Any], more: dict[str, Any] | None = None) -> dict[str, Any]:
    """What an activity about a record carries."""
    return {"id": room, "type": kind, "context": room, ap.SAID: document} | (more or {})


def prove(session: Session, node: Node, document: dict[str, Any]) -> dict[str, Any]:
    """A statement of our Organization that can be kept and handed on by itself."""
    return proofs.prove(document, keys.signer(session, node, actors.own(session, node).id, keys.ED25519), node.now())


def keep_head(session: Session, node: Node, room_id: str, head: Head, document: dict[str, Any], **more: Any) -> None:
    """Where a record ends now; `more` are further columns of it."""
    values = dict(seq=head.seq, hash=head.hash, at=head.at, document=document, seen_at=node.now(), pending=None, next_at=0, tries=0) | more
    here = sa.and_(ChainHead.room_id == room_id, ChainHead.organisation == head.node)
    if session.execute(sa.update(ChainHead).where(here).values(**values).returning(ChainHead.seq)).first() is None:
        blank = dict(since=0, breaks=0, broken=None, broken_at=None, signed_seq=0)
        session.execute(sa.insert(ChainHead).values(room_id=room_id, organisation=head.node, **(blank | values)))


def countersign(session: Session, node: Node) -> None:
    """A chore: what we have seen of the other members' records since, one answer a record however often it was told."""
    due = sa.and_(ChainHead.seq > ChainHead.signed_seq, ChainHead.organisation != node.actor_uri, Row.state.in_(INSIDE))
    query = sa.select(ChainHead.__table__, Row.uri, Row.owner).join(Row, Row.id == ChainHead.room_id).where(due)
    for row in session.execute(query.order_by(ChainHead.seen_at, ChainHead.room_id).limit(ANSWERS)).all():
        _countersign(session, node, row)


def _countersign(session: Session, node: Node, row: Any) -> None:
    me = actors.own(session, node)
    said = Signed(row.uri, row.organisation, row.seq, row.hash, node.now(), me.uri, row.since, row.breaks)
    document = prove(session, node, said.document())
    keep_signed(session, row.room_id, said, document)
    there = sa.and_(ChainHead.room_id == row.room_id, ChainHead.organisation == row.organisation)
    session.execute(sa.update(ChainHead).where(there).values(signed_seq=row.seq))
    to = telling.reached(session, {row.organisation}) or telling.reached(session, {row.owner} - {me.uri})
    if to:
        made = ap.activity("Accept", outbox.new_uri(node), me.uri, stated(row.uri, ap.CHAIN_SIGNED, document))
        outbox.publish(session, node, me.id, made, to=to.values(), order_key=row.uri, about=row.uri)


def keep_signed(session: Session, room_id: str, said: Signed, document: dict[str, Any]) -> None:
    """What somebody has countersigned; of one organisation and record the newest alone."""
    here = sa.and_(ChainSigned.room_id == room_id, ChainSigned.organisation == said.node, ChainSigned.by == said.by)
    before = session.execute(sa.select(ChainSigned.at).where(here)).scalar_one_or_none()
    if before is not None and before >= said.at:
        return
    session.execute(sa.delete(ChainSigned).where(here))
    what = dict(seq=said.seq, breaks=said.breaks, at=said.at, document=document)
    put(session, ChainSigned, room_id=room_id, organisation=said.node, by=said.by, **what)


def say_restored(session: Session, node: Node, since: int) -> None:
    """Comes out of a backup: what each record has lost since then, others may have seen. `since` is when the backup was made."""
    for room_id in session.scalars(sa.select(RoomChain.room_id).order_by(RoomChain.room_id)).all():
        room_chain.add(session, node, room_id, None, "room.restored")


CHORES = (*[tell] * 4, *[countersign] * 5)  # short units, so that nobody waits long to write
