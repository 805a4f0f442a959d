"""Decides what of the inbox is due, and in which order: a lane is what one host sent in one conversation, and waits for its head."""

from collections import Counter
from collections.abc import Collection, Iterable
from functools import cache
from itertools import takewhile
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.base.statements import prepared

from .models import EARLY, WAITING, InboxItem, is_open

BATCH = 100  # items of a lane
PAGE = 200  # items of all lanes
PER_HOST = 8  # lanes of one host that go on by themselves: what it sends keeps nobody else's waiting
Lanes = dict[str, list[int]]


def host(lane: str) -> str:
    """Whose lane it is."""
    return lane.partition(" ")[0]


def by_host(busy: Collection[str]) -> Counter[str]:
    """How many lanes of each host are busy."""
    return Counter(map(host, busy))


def ready(session: Session, now: int, *, busy: Collection[str] = ()) -> Lanes:
    """{lane: its next items}, of what came first, without busy lanes and hosts that have as many as they may. It costs the same however
    much waits, except where all that came first is left out. Only what came among the first is put in its sender's order: what is
    beyond is a later turn's, and what it lacks then comes too early."""
    lanes, rows, number = dict[str, list[Any]](), prepared(session, _first_query()).all(), by_host(busy)
    for row in rows:
        lanes.setdefault(f"{row.host} {row.order_key}", []).append(row)
    free = {lane: one for lane, one in lanes.items() if lane not in busy and number[one[0].host] < PER_HOST}
    found = {lane: items for lane, one in free.items() if (items := _in_order(one, now))}
    return found if found or len(rows) < PAGE else due(session, now, busy=busy)


@cache
def _first_query() -> sa.Select[Any]:
    columns: list[Any] = [InboxItem.id, InboxItem.host, InboxItem.order_key, InboxItem.next_try_at, InboxItem.epoch, InboxItem.seq]
    return sa.select(*columns).where(is_open(InboxItem, WAITING)).order_by(InboxItem.id).limit(PAGE)


def due(session: Session, now: int, *, busy: Collection[str] = (), most: int = 16) -> Lanes:
    """{lane: its next items}, for at most so many lanes: those whose heads came first, without those that are busy or whose head waits
    for its next try, and without hosts that have as many as they may. However much one lane holds, the others are seen beside it."""
    number = by_host(busy)
    heads = sa.select(sa.func.min(InboxItem.id).label("id")).where(is_open(InboxItem, WAITING))
    first = heads.group_by(InboxItem.host, InboxItem.order_key).subquery()
    query = sa.select(InboxItem.host, InboxItem.order_key).join(first, first.c.id == InboxItem.id).where(InboxItem.next_try_at <= now)
    lanes = [(f"{row.host} {row.order_key}", row) for row in session.execute(query.order_by(InboxItem.id))]
    free = [(lane, row) for lane, row in lanes if lane not in busy and number[row.host] < PER_HOST]
    return {lane: _of_lane(session, row.host, row.order_key, now) for lane, row in free[:most]}


def _of_lane(session: Session, of: str, order_key: str, now: int) -> list[int]:
    lane = sa.and_(InboxItem.host == of, InboxItem.order_key == order_key, is_open(InboxItem, WAITING))
    query = sa.select(InboxItem.id, InboxItem.next_try_at, InboxItem.epoch, InboxItem.seq).where(lane).order_by(InboxItem.id).limit(BATCH)
    return _in_order(session.execute(query), now)


def _in_order(rows: Iterable[Any], now: int) -> list[int]:
    """A lane's items from its head to the first that waits for its next try; where their sender has numbered all of them, as it did."""
    found = list(takewhile(lambda row: row.next_try_at <= now, rows))
    if all(row.seq is not None for row in found):
        found.sort(key=lambda row: (row.epoch or 0, row.seq or 0))
    return [row.id for row in found]


def next_early(session: Session) -> int | None:
    """When the next item that came too early is tried again, in microseconds since 1970; None where there is none."""
    at: int | None = prepared(session, _early_query()).scalar_one()
    return at


@cache
def _early_query() -> sa.Select[Any]:
    return sa.select(sa.func.min(InboxItem.next_try_at)).where(is_open(InboxItem, EARLY))


def early(session: Session, now: int) -> list[int]:
    """What came too early and is tried again now."""
    query = sa.select(InboxItem.id).where(is_open(InboxItem, EARLY), InboxItem.next_try_at <= now)
    return list(session.scalars(query.order_by(InboxItem.next_try_at, InboxItem.id).limit(BATCH)))
