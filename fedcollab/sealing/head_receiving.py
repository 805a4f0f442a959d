"""Decides what another member's word of where its record of a room ends does here: followed from what we knew, countersigned later, and
where it does not go on from that, shown and put on record with what shows it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from fedcollab.access.viewer import partner
from fedcollab.actors import service as actors
from fedcollab.actors.models import ORGANIZATION
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.addresses import host_of
from fedcollab.base.database import wake
from fedcollab.base.errors import BadRequest, Forbidden, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import partners, proofs
from fedcollab.federation.registry import Handler, Verified

from . import chains, head_telling, heads, room_chain, room_receiving, room_sending, rooms
from .chain_models import ChainHead
from .chains import Entry, Place
from .heads import BROKEN, FIRST, GAP, ON, Head, Signed
from .reading import NUMBER
from .room_state import NOTHING, OUT, Room
from .texts import named

S = TypeVar("S", Head, Signed)


def receive_head(session: Session, node: Node, received: Verified) -> None:
    """Where a member's record ends, with the entries that lead there."""
    head, document = _statement(session, node, received, heads.read_head)
    if head.node != received.actor.uri:
        raise Refused(reason="where somebody else's record ends")
    room = _room(session, node, head.room, received)
    after, entries = _way(received.object.get(ap.ENTRIES), head)
    room_id = rooms.row(session, head.room).id
    known = _known(session, room_id, head)
    verdict = heads.judged(known, head, after, entries)
    _settle(session, node, room_id, verdict, head, document, after, entries)
    room_sending.pass_on(session, node, room, received, room.id, room.inside)


def _statement(session: Session, node: Node, received: Verified, read: Callable[[object], S]) -> tuple[S, dict[str, Any]]:
    """What is said, with the document that others will believe by its proof alone."""
    document = received.object.get(ap.SAID)
    if received.actor.kind != ORGANIZATION or not received.proved or not isinstance(document, dict):
        raise Refused(reason="where a record ends is said by an organisation, with its proof")
    said = read(document)
    if ap.ident(received.object.get("context")) != said.room:
        raise BadRequest(reason="sealing: said of another room")
    if not proofs.proved(document, actors.keys_of(session, received.actor.id), node.now()):
        raise Refused(reason="a statement that its organisation has not proved")
    return said, document


def _room(session: Session, node: Node, uri: str, received: Verified) -> Room:
    """The room, where we are inside and the sender is."""
    try:
        room = rooms.load(session, node, uri)
    except NotFound:
        raise Refused(reason="said of a room that is not here") from None
    if received.actor.uri not in room_receiving.concerned(room) or room.state == NOTHING:
        raise Refused(reason="said of a room by somebody who is not inside, or not yet")
    if received.through is not None and received.through.uri not in room_receiving.concerned(room):
        raise Forbidden(reason="passed on by somebody who is not inside")
    if room.state == OUT or received.actor.uri not in room.inside:
        raise Refused(reason="the record of somebody who is not inside any more, or of a room that we have left")
    return room


def _way(said: object, head: Head) -> tuple[Place, list[Entry]]:
    """(a place that was told before, the entries from there to the head). Raises BadRequest."""
    if not isinstance(said, dict) or said.keys() != {"seq", "hash", "lines"} or type(said["seq"]) is not int:
        raise BadRequest(reason="sealing: no way to the end of a record")
    seq, lines = said["seq"], said["lines"]
    if not 0 <= seq <= NUMBER or not isinstance(lines, list) or len(lines) > head_telling.LINES:
        raise BadRequest(reason="sealing: more entries than may be told at a time")
    after = Place(seq, named(said["hash"]) if seq else "")
    return after, chains.placed(head.room, head.node, after, lines)


def _known(session: Session, room_id: str, head: Head) -> Head | None:
    query = sa.select(ChainHead.seq, ChainHead.hash, ChainHead.at).where(_there(room_id, head.node))
    row = session.execute(query).one_or_none()
    return Head(head.room, head.node, *row) if row else None


def _there(room_id: str, organisation: str) -> sa.ColumnElement[bool]:
    return sa.and_(ChainHead.room_id == room_id, ChainHead.organisation == organisation)


def _settle(
    session: Session, node: Node, room_id: str, verdict: str, head: Head, document: dict[str, Any], after: Place, entries: Sequence[Entry]
) -> None:
    if verdict == FIRST:
        head_telling.keep_head(session, node, room_id, head, document, since=min(after.seq + 1, head.seq))
    elif verdict == ON:
        head_telling.keep_head(session, node, room_id, head, document)
    elif verdict == GAP and host_of(head.node) in partners.admitted_hosts(session):
        wait = dict(pending={"head": document, "after": after.seq}, next_at=node.now(), tries=0)
        session.execute(sa.update(ChainHead).where(_there(room_id, head.node)).values(**wait))
        wake(session, "heads")
    elif verdict == GAP:
        begin_anew(session, node, room_id, head, document, after.seq)
    elif verdict == BROKEN:
        put_on_record(session, node, room_id, head, document, after, entries)


def begin_anew(session: Session, node: Node, room_id: str, head: Head, document: dict[str, Any], after: int) -> None:
    """What lies between cannot be had: the record is followed from here on, and our countersignature says so."""
    head_telling.keep_head(session, node, room_id, head, document, since=min(after + 1, head.seq))


def put_on_record(
    session: Session, node: Node, room_id: str, head: Head, document: dict[str, Any], after: Place, entries: Sequence[Entry]
) -> None:
    """A record that does not go on from what its node had said before. What shows it is kept for good, as it was the first time; the record
    is followed anew from here. On record here the first time, then ever more rarely: a partner may not fill it."""
    row = session.execute(sa.select(ChainHead.document, ChainHead.breaks, ChainHead.broken).where(_there(room_id, head.node))).one()
    lines = [one.line() for one in entries]
    shows = row.broken or {"before": row.document, "after": document, "from": [after.seq, after.hash], "lines": lines}
    breaks = row.breaks + 1
    what = dict(since=head.seq, breaks=breaks, broken=shows, signed_seq=0)
    what |= {} if row.broken else dict(broken_at=node.now())
    head_telling.keep_head(session, node, room_id, head, document, **what)
    if breaks & (breaks - 1) == 0:
        sender = actors.by_uri(session, head.node)
        room_chain.add(session, node, room_id, partner(sender.id) if sender else None, "room.rewritten", head.node)


def receive_signed(session: Session, node: Node, received: Verified) -> None:
    """What a member has countersigned: of ours it is kept, of another's passed on to them."""
    said, document = _statement(session, node, received, heads.read_signed)
    if said.by != received.actor.uri:
        raise Refused(reason="countersigned for somebody else")
    room = _room(session, node, said.room, received)
    if said.node == room.me:
        head_telling.keep_signed(session, rooms.row(session, said.room).id, said, document)
    elif said.node in room.inside:
        room_sending.pass_on(session, node, room, received, room.id, {said.node})


def is_inside(session: Session, node: Node, uri: str, who: ActorData) -> str:
    """The row of a room that an organisation is inside of. Raises NotFound."""
    room = rooms.load(session, node, uri)
    if who.kind != ORGANIZATION or who.uri not in room.inside or room.state in (NOTHING, OUT):
        raise NotFound
    found: str = rooms.row(session, uri).id
    return found


HANDLERS = (
    Handler("Create", (ap.CHAIN_HEAD,), receive_head, announced=True),
    Handler("Accept", (ap.CHAIN_SIGNED,), receive_signed, announced=True),
)
