"""Decides what somebody is told once a week of the rooms that they are on: who read, opened files and took copies along, how often; and
whether they have looked at it."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.actors.models import Actor
from fedcollab.base.clock import DAY
from fedcollab.base.session import Session

from .chain_models import RoomEntry, RoomWho, WeekRead
from .room_models import CASE, Room, RoomPerson

WEEK = 7 * DAY
MONDAY = 4 * DAY  # of the first week since the epoch, which began on a Thursday
READ, FILE, _ = READS = ("case.read", "room.file_read", "case.export")


class Reads(NamedTuple):
    """What one person did in one room within a week; `name` is empty where it is no longer kept, `last` when it was last."""

    who: str
    name: str
    reads: int
    files: int
    exports: int
    last: int


def ended(now: int) -> int:
    """When the last whole week ended: a Monday, 0:00 UTC."""
    return (now - MONDAY) // WEEK * WEEK + MONDAY


def waits(session: Session, person_id: str, now: int) -> bool:
    """Whether in the last whole week somebody read a case that this person is on, and they have not looked at that yet."""
    until = ended(now)
    seen = sa.exists().where(WeekRead.person_id == person_id, WeekRead.until >= until)
    within = sa.and_(RoomEntry.at >= until - WEEK, RoomEntry.at < until, RoomEntry.action.in_(READS))
    there = sa.exists().where(RoomEntry.room_id == RoomPerson.room_id, within)
    mine = sa.select(RoomPerson.room_id).join(Room, sa.and_(Room.id == RoomPerson.room_id, Room.kind == CASE))
    mine = mine.where(RoomPerson.person_id == person_id, RoomPerson.until.is_(None), there, ~seen)
    return session.execute(mine.limit(1)).first() is not None


def looked(session: Session, person_id: str, until: int) -> None:
    """They have seen the weeks up to this time."""
    mine = sa.update(WeekRead).where(WeekRead.person_id == person_id)
    if session.execute(mine.values(until=sa.case((WeekRead.until < until, until), else_=WeekRead.until))).rowcount == 0:
        session.execute(sa.insert(WeekRead).values(person_id=person_id, until=until))


def of(session: Session, rooms: Iterable[str], until: int) -> dict[str, list[Reads]]:
    """{room: of cases, who read in it in the week before `until`}, whoever did most first; rooms in which nobody did are left out."""
    within = sa.and_(RoomEntry.room_id.in_(list(rooms)), RoomEntry.at >= until - WEEK, RoomEntry.at < until, RoomEntry.action.in_(READS))
    columns = (RoomEntry.room_id, RoomEntry.who, RoomEntry.action, sa.func.count(), sa.func.max(RoomEntry.at))
    within = sa.and_(within, sa.exists().where(Room.id == RoomEntry.room_id, Room.kind == CASE))
    rows = session.execute(sa.select(*columns).where(within).group_by(*columns[:3])).all()
    found: defaultdict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for room_id, who, action, times, last in rows:
        found[room_id, who][action] = times, last
    names = _names(session, {who for _, who in found})
    made: defaultdict[str, list[Reads]] = defaultdict(list)
    for (room_id, who), acts in found.items():
        reads, files, exports = (acts.get(action, (0, 0))[0] for action in READS)
        last = max(at for _, at in acts.values())
        made[room_id].append(Reads(who, names.get(who, ""), reads, files, exports, last))
    return {room_id: sorted(one, key=lambda read: (-read.reads, -read.last, read.who)) for room_id, one in made.items()}


def _names(session: Session, ids: set[str]) -> dict[str, str]:
    query = sa.select(RoomWho.who, Actor.name).join(Actor, Actor.id == RoomWho.person_id).where(RoomWho.who.in_(sorted(ids)))
    return {row.who: row.name for row in session.execute(query)}
