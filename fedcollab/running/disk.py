"""Decides how full the disk is and will be: a sample a day, a forecast from two weeks of them, and what goes first when room runs out."""

from dataclasses import dataclass
from itertools import combinations

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY
from fedcollab.base.session import Session
from fedcollab.base.statements import put
from fedcollab.federation import retention

from .models import DiskSample

EVERY, KEPT = DAY, 60  # a sample a day, two months of them
LOOKED_AT, ENOUGH = 14, 3  # samples that a forecast is made from, at most and at least
FAR = 3650  # days: what lies beyond is no forecast


@dataclass(frozen=True)
class Disk:
    """How things stand. Sizes in bytes; `days` until the reserve is reached, None where nothing says that it will be."""

    database: int
    free: int
    total: int
    reserve: int
    low: bool
    days: int | None


def look(session: Session, node: Node) -> Disk:
    """The disk now, and the forecast."""
    free, total = node.room.figures()
    return Disk(database_bytes(session, node), free, total, node.room.reserve, node.room.low, forecast(session, node.room.reserve))


def forecast(session: Session, reserve: int) -> int | None:
    """In how many days the newest samples say that the reserve is reached; None where they don't."""
    newest = session.execute(sa.select(DiskSample).order_by(DiskSample.at.desc()).limit(LOOKED_AT)).all()
    return full_in([(one.at, one.free + one.reusable) for one in reversed(newest)], reserve)


def full_in(samples: list[tuple[int, int]], reserve: int) -> int | None:
    """Whole days until the room sinks to the reserve, by the median slope of all pairs of samples (Theil and Sen): one night's large
    backup that goes again changes nothing. None with too few samples, room that grows, or a day that is too far to say."""
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(samples, 2) if b[0] > a[0])
    usual = slopes[len(slopes) // 2] if slopes else 0.0
    if len(samples) < ENOUGH or usual >= 0:
        return None
    days = int(max(0, samples[-1][1] - reserve) / -usual / DAY)
    return days if days <= FAR else None


def database_bytes(session: Session, node: Node) -> int:
    """Bytes of the database, on SQLite with its log."""
    if session.connection().dialect.name == "postgresql":
        return int(session.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one())
    main = node.files.database
    found = (main, main.with_name(main.name + "-wal"))
    return sum(path.stat().st_size for path in found if path.exists())


def reusable_bytes(session: Session) -> int:
    """Bytes inside SQLite's file that it fills before it grows. PostgreSQL does not say, and its disk may be another."""
    if session.connection().dialect.name == "postgresql":
        return 0
    pages, size = (int(session.execute(sa.text(f"PRAGMA {name}")).scalar_one()) for name in ("freelist_count", "page_size"))
    return pages * size


def sample(session: Session, node: Node) -> None:
    """Notes how things stand, once a day."""
    node.room.reusable = reusable_bytes(session)
    newest = session.scalar(sa.select(sa.func.max(DiskSample.at)))
    if node.room.place is None or (newest is not None and node.now() - newest < EVERY):
        return
    free = node.room.figures()[0]
    put(session, DiskSample, at=node.now(), database=database_bytes(session, node), free=free, reusable=node.room.reusable)
    kept = sa.select(DiskSample.at).order_by(DiskSample.at.desc()).limit(KEPT).scalar_subquery()
    session.execute(sa.delete(DiskSample).where(DiskSample.at.not_in(kept)))


def make_room(session: Session, node: Node) -> None:
    """Where the reserve is reached, what partners can do without goes earlier than elsewhere. The file does not shrink by it, but has room
    inside again."""
    if node.room.low:
        retention.purge_early(session, node)


CHORES = (sample, make_room)
