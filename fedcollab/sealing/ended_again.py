"""Decides what a backup means for rooms whose end was asked for since: they end again, as they had, with an older one (P11, P13)."""

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound

from . import ending, fact_texts, rooms
from .ending_models import RoomEnding
from .room_activities import Said
from .room_models import RoomFact
from .room_state import PURGED


def ended_since(session: Session, since: int) -> list[str]:
    """The ends that were asked for since, or have come: each with all that is known of it here, and the word that ended the room."""
    asked = sa.or_(RoomEnding.asked_at >= since, RoomEnding.done_at >= since)
    rows = session.execute(sa.select(RoomEnding.__table__).where(asked).order_by(RoomEnding.room_id)).mappings().all()
    return [json.dumps({"end": dict(row), "words": _words(session, row["room_id"])}, sort_keys=True) for row in rows]


def _words(session: Session, room_id: str) -> list[dict[str, Any]]:
    query = sa.select(RoomFact.said, RoomFact.activity).where(RoomFact.room_id == room_id, RoomFact.kind == "closed")
    return [dict(row) for row in session.execute(query.order_by(RoomFact.name)).mappings() if row["said"]["purged"]]


def end_again(session: Session, node: Node, name: str) -> None:
    """Ends one again, or has it wait again for its day. What its members may not have heard is told once more. Raises NotFound where the
    room is not there, or is gone already. Call it last in a unit."""
    found: Mapping[str, Any] = json.loads(name)
    row = rooms.by_id(session, found["end"]["room_id"])
    if row.state == PURGED:
        raise NotFound
    words = [(Said(row.uri, fact_texts.read("closed", word["said"])), word["activity"]) for word in found["words"]]
    rooms.learn(session, node, row.uri, words)
    ending.again(session, node, found["end"])
