"""Decides what of the inbox is due, and in which order: a lane is what one host sent in one conversation, and waits for its head."""

from collections import Counter
from collections.abc import Collection, Iterable
from functools import cache
from itertools import takewhile
from typing import Any

import sqlalchemy as sa

from fedcollab.base.session import Session
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
    rows = prepared(session, _first_query()).all()
    found = _free(rows, now, busy)
    if not found and len(rows) == PAGE and busy:
        rows = prepared(session, _rest_query(), {"busy": list(busy), "full": _full(busy)}).all()
        found = _free(rows, now, busy)
    return found if found or len(rows) < PAGE else due(session, now, busy=busy)


def _full(busy: Collection[str]) -> list[str]:
    """The hosts that have as many lanes as they may."""
    return [of for of, number in by_host(busy).items() if of and number >= PER_HOST]


def _free(rows: Iterable[Any], now: int, busy: Collection[str]) -> Lanes:
    lanes, full = dict[str, list[Any]](), _full(busy)
    for row in rows:
        if row.host not in full:
            lanes.setdefault(f"{row.host} {row.order_key}", []).append(row)
    return {lane: items for lane, one in lanes.items() if lane not in busy and (items := _in_order(one, now))}


@cache
def _first_query() -> sa.Select[Any]:
    columns: list[Any] = [InboxItem.id, InboxItem.host, InboxItem.order_key, InboxItem.next_try_at, InboxItem.epoch, InboxItem.seq]
    return sa.select(*columns).where(is_open(InboxItem, WAITING)).order_by(InboxItem.id).limit(PAGE)


def _others() -> sa.ColumnElement[bool]:
    """What is of no lane in `busy` and of no host in `full`."""
    busy: Any = sa.bindparam("busy", expanding=True)
    full: Any = sa.bindparam("full", expanding=True)
    return sa.and_((InboxItem.host + " " + InboxItem.order_key).not_in(busy), InboxItem.host.not_in(full))


@cache
def _rest_query() -> sa.Select[Any]:
    return _first_query().where(_others())


def due(session: Session, now: int, *, busy: Collection[str] = (), most: int = 16) -> Lanes:
    """{lane: its next items}, for at most so many lanes: those whose heads came first, without those that are busy or whose head waits
    for its next try, and without hosts that have as many as they may. However much one lane holds, the others are seen beside it."""
    found = prepared(session, _due_query(), {"busy": list(busy), "full": _full(busy), "now": now, "most": most})
    return {f"{of} {order_key}": _of_lane(session, of, order_key, now) for of, order_key in found}


@cache
def _due_query() -> sa.Select[Any]:
    heads = sa.select(sa.func.min(InboxItem.id).label("id")).where(is_open(InboxItem, WAITING), _others())
    first = heads.group_by(InboxItem.host, InboxItem.order_key).subquery()
    columns: list[Any] = [InboxItem.host, InboxItem.order_key]
    query = sa.select(*columns).join(first, first.c.id == InboxItem.id)
    return query.where(InboxItem.next_try_at <= sa.bindparam("now")).order_by(InboxItem.id).limit(sa.bindparam("most"))


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


def next_early(session: Session, busy: Collection[str] = ()) -> int | None:
    """When the next item that came too early is tried again, of hosts whose early ones are not `busy`, in microseconds since 1970; None
    where there is none."""
    return min((at for of, at in prepared(session, _early_query()) if early_lane(of) not in busy), default=None)


@cache
def _early_query() -> sa.Select[Any]:
    columns: list[Any] = [InboxItem.host, sa.func.min(InboxItem.next_try_at)]
    return sa.select(*columns).where(is_open(InboxItem, EARLY)).group_by(InboxItem.host)


def early_lane(of: str) -> str:
    """The lane of what came too early from one host: no conversation's, and no part of the host's share."""
    return f" {of}"


def early(session: Session, now: int, *, busy: Collection[str] = ()) -> Lanes:
    """{lane: what came too early and is tried again now}, one a host: nobody waits for another's documents."""
    hosts = [of for of, at in prepared(session, _early_query()) if at <= now and early_lane(of) not in busy]
    query = sa.select(InboxItem.id).where(is_open(InboxItem, EARLY), InboxItem.next_try_at <= now)
    query = query.order_by(InboxItem.next_try_at, InboxItem.id).limit(BATCH)
    return {early_lane(of): list(session.scalars(query.where(InboxItem.host == of))) for of in hosts}
