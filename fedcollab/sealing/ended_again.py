"""Decides what a backup means for rooms whose end was asked for since, and for invitations that were declined: they end again, as they
had, with an older one (P11, P13); and whoever was asked to end one with us is asked once more, for what they answered is lost (P12)."""

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session

from . import ending, fact_texts, rooms, telling, working
from .ending_models import RoomEnding
from .facts import Closed, Fact
from .room_activities import Header, Said
from .room_models import Room, RoomFact
from .room_state import NOTHING, PURGED

CAME_BEFORE = 366 * DAY  # that an invitation may have come before a backup after which it was declined
ASKED = ("invited", "answer")


def ended_since(session: Session, since: int) -> list[str]:
    """The ends that were asked for since, or have come: each with all that is known of it here, and the word that ended the room. And what
    we were invited to and have declined since."""
    asked = sa.or_(RoomEnding.asked_at >= since, RoomEnding.done_at >= since)
    rows = session.execute(sa.select(RoomEnding.__table__).where(asked).order_by(RoomEnding.room_id)).mappings().all()
    ends = [json.dumps({"end": dict(row), "words": _words(session, row["room_id"])}, sort_keys=True) for row in rows]
    return ends + _declined_since(session, since)


def _words(session: Session, room_id: str) -> list[dict[str, Any]]:
    query = sa.select(RoomFact.said, RoomFact.activity).where(RoomFact.room_id == room_id, RoomFact.kind == "closed")
    return [dict(row) for row in session.execute(query.order_by(RoomFact.name)).mappings() if row["said"]["purged"]]


def _declined_since(session: Session, since: int) -> list[str]:
    """Rooms that we are not in: of one that was only said no to, with what was said; of a bare row, of which nothing else is kept, that."""
    facts = sa.exists().where(RoomFact.room_id == Room.id)
    bare = sa.select(Room.uri, Room.kind, Room.label, Room.owner).where(Room.state == PURGED, Room.ck == "", ~facts)
    rows = session.execute(bare.where(Room.created_at >= since - CAME_BEFORE).order_by(Room.id)).all()
    found = [json.dumps({"no": [*row], "words": []}) for row in rows]
    said = sa.exists().where(RoomFact.room_id == Room.id, RoomFact.kind == "answer", RoomFact.at >= since)
    waiting = sa.select(Room.id, Room.uri, Room.kind, Room.label, Room.owner).where(Room.state == NOTHING, said)
    for row in session.execute(waiting.order_by(Room.id)).all():
        query = sa.select(RoomFact.kind, RoomFact.said, RoomFact.activity).where(RoomFact.room_id == row.id, RoomFact.kind.in_(ASKED))
        words = [dict(word) for word in session.execute(query.order_by(RoomFact.kind.desc(), RoomFact.name)).mappings()]
        if not any(word["said"].get("mk") for word in words):  # a yes waits for its key
            found.append(json.dumps({"no": [*row[1:]], "words": words}))
    return found


def end_again(session: Session, node: Node, name: str) -> None:
    """Ends one again, or has it wait again for its day, or declines it again. What its members may not have heard is told once more, and
    where it was ours they are asked whether it is gone with them. Raises NotFound where the room is not there, or is gone already. Call it
    last in a unit."""
    found: Mapping[str, Any] = json.loads(name)
    if "no" in found:
        _decline_again(session, node, Header(*found["no"][:3]), found["no"][3], found["words"])
        return
    row = rooms.by_id(session, found["end"]["room_id"])
    if row.state == PURGED:
        raise NotFound
    words = [(fact_texts.read("closed", word["said"]), word["activity"]) for word in found["words"]]
    rooms.learn(session, node, row.uri, [(Said(row.uri, word), _proof(node, word, activity)) for word, activity in words])
    for word in (word for word, _ in words if isinstance(word, Closed) and word.by == node.actor_uri):
        working.ask_for_receipts(session, node, row.id, row.uri, word)
    ending.again(session, node, found["end"])


def _proof(node: Node, word: Fact, activity: dict[str, Any]) -> dict[str, Any]:
    """Our own word is told by a fresh activity: those who had the first one would take it for that, and not answer."""
    return {} if isinstance(word, Closed) and word.by == node.actor_uri else activity


def _decline_again(session: Session, node: Node, header: Header, owner: str, words: list[dict[str, Any]]) -> None:
    """Also where the invitation came after the backup, for it comes again. Raises NotFound where we are inside, or it was done already."""
    try:
        row = rooms.row(session, header.uri)
    except NotFound:
        rooms.begin(session, node, header, owner)
        row = rooms.row(session, header.uri)
    if row.ck or row.state != NOTHING:
        raise NotFound
    if words:
        said = [(Said(header.uri, fact_texts.read(word["kind"], word["said"])), word["activity"]) for word in words]
        rooms.learn(session, node, header.uri, said)
    else:
        rooms.clear(session, node, header.uri)


def ask_again(session: Session, node: Node, _made_at: int) -> None:
    """What a node that comes out of a backup does for rooms that it had ended before that: who had not answered by then is asked anew."""
    ended = sa.select(RoomEnding.room_id).where(RoomEnding.by == node.actor_uri, RoomEnding.done_at.is_not(None))
    for room_id in session.scalars(ended.order_by(RoomEnding.done_at)).all():
        room, word = rooms.by_row(session, node, room_id), Closed(node.actor_uri, True)
        if word in room.facts and not working.is_confirmed(session, node, room.id):
            telling.tell_anew(session, node, room_id, room, word)
            working.ask_for_receipts(session, node, room_id, room.id, word)
