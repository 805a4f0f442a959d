"""Decides how somebody learns that another of us has put them on a case: how many at home and in the menu, and nothing of any, until they
have opened it."""

from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import CASEWORKER, KEEPER, Viewer
from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.feature import HomeNote
from fedcollab.sealing.chain_models import RoomEntry, RoomWho
from fedcollab.sealing.room_models import CASE, Room, RoomPerson
from fedcollab.sealing.room_reads import READ
from fedcollab.sealing.room_state import CLOSED, FROZEN, OPEN


def fresh(session: Session, viewer: Viewer) -> frozenset[str]:
    """The cases that others have put somebody on, who has not opened them since: seen from the record of reads, so nothing more is kept."""
    me = sa.and_(RoomWho.room_id == RoomEntry.room_id, RoomWho.who == RoomEntry.who, RoomWho.person_id == viewer.person_id)
    read = sa.and_(RoomEntry.room_id == RoomPerson.room_id, RoomEntry.action == READ, RoomEntry.at >= RoomPerson.since)
    looked: Any = sa.exists().where(read, me)
    query = sa.select(RoomPerson.room_id).join(Room, Room.id == RoomPerson.room_id)
    query = query.where(RoomPerson.person_id == viewer.person_id, RoomPerson.until.is_(None), RoomPerson.by_id != viewer.person_id)
    return frozenset(session.scalars(query.where(Room.kind == CASE, Room.state.in_((OPEN, FROZEN, CLOSED)), ~looked).limit(100)))


def at_home(session: Session, _node: Node, viewer: Viewer) -> int | None:
    """How many, for the note at home; None where there is none."""
    return len(fresh(session, viewer)) or None


NOTE = HomeNote("cases/put_on_note.html", CASEWORKER, at_home, personal=True, or_role=KEEPER)
