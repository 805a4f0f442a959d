"""Decides how the key ring is reached: a database of its own, one writer at a time, in whose files nothing is left of what was destroyed.

It is written by units of the node's database, before their own commit: `with node.ring.begin() as ring:` commits on leaving. A unit may
be run again, so what is written twice has to be the same as once (`wraps`); what a unit wrote that then failed is an orphan, which
`sweeping` takes away."""

import asyncio
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from fedcollab.actors.node import Node
from fedcollab.base import migrate, writer
from fedcollab.base.config import Settings
from fedcollab.base.crash import reach
from fedcollab.base.database import as_safe
from fedcollab.base.errors import Unavailable
from fedcollab.base.paths import NodeFiles

from .ring_models import RingModel

SIZE, WAIT = 4, 5.0  # connections, seconds that a unit waits for its turn
BRIEFLY = 250  # milliseconds that emptying the log waits for readers; the next to leave does it where they stay longer
TURN = "SELECT pg_advisory_xact_lock(7017280452245743465)"  # any number but the database's, the same in all processes of a node
SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
WHICH = "SELECT oid, pg_postmaster_start_time() FROM pg_database WHERE datname = current_database()"
LESS, LOCKED = "less", "locked"  # in a connection's info: the unit has taken boxes away, or what only a browser could open
log = logging.getLogger(__name__)


class Ring:
    """The key ring at `url`. Nothing of it may be asked on the event loop's thread, where it would wait for others."""

    def __init__(self, url: str) -> None:
        self.sqlite = url.startswith("sqlite:")
        self.engine = _sqlite(url) if self.sqlite else _postgres(url)
        self._turn = threading.RLock()
        self._mine = threading.local()
        self._left = False  # bytes of what was destroyed are in the files yet
        self._locked = False  # bytes of what ended sessions had unlocked are: those wait for a minute's chore

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction of its own that commits on leaving; inside another one of the same thread, a part of that. Raises Unavailable
        where others don't leave in time."""
        with self._in_turn():
            inside = getattr(self._mine, "connection", None)
            if inside is not None:
                with inside.begin_nested():
                    yield inside
                return
            with self._written() as connection:
                yield connection
            self.finish()

    @contextmanager
    def look(self) -> Iterator[sa.Connection]:
        """The ring as it is, to read; inside a transaction of the same thread, as that has made it. Be brief: as long as somebody looks,
        what is destroyed stays in the log."""
        _off_the_loop()
        inside = getattr(self._mine, "connection", None)
        if inside is not None:
            yield inside
            return
        with self._begun("BEGIN" if self.sqlite else SNAPSHOT) as connection:
            yield connection
        self.finish()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        _off_the_loop()
        if not self._turn.acquire(timeout=WAIT):
            raise Unavailable(reason="the key ring is busy", retry_after=5)
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def _written(self) -> Iterator[sa.Connection]:
        with self._begun("BEGIN IMMEDIATE" if self.sqlite else TURN) as connection:
            connection.info.pop(LESS, None)
            connection.info.pop(LOCKED, None)
            self._mine.connection = connection
            try:
                yield connection
                connection.commit()
            finally:
                self._mine.connection = None
            self._left = LESS in connection.info or self._left
            self._locked = LOCKED in connection.info or self._locked
            reach("ring.committed")

    @contextmanager
    def _begun(self, words: str) -> Iterator[sa.Connection]:
        """A connection in a transaction that `words` have begun. Raises Unavailable where there is no way in."""
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(self.engine.connect())
                connection.exec_driver_sql(words)
            except DBAPIError as error:
                raise as_safe(error) from error
            except PoolTimeout:
                raise Unavailable(reason="the key ring is busy", retry_after=5) from None
            yield connection

    def finish(self, *, all_of_it: bool = False) -> bool:
        """Scrubs the files if that is due and nobody writes; whether nothing is left to do. `all_of_it`: also of what ended sessions had
        unlocked."""
        if not (self._left or (all_of_it and self._locked)):
            return True
        if not self._turn.acquire(blocking=False):
            return False  # whoever has the turn does it on leaving
        try:
            return self.scrub()
        finally:
            self._turn.release()

    def scrub(self) -> bool:
        """Takes what was destroyed out of the files as well; whether it is. Where a reader or a full disk stands in the way the next to
        leave does it, and every start."""
        with self._in_turn():
            try:
                self._left = not (_emptied(self.engine) if self.sqlite else _rewritten(self.engine))
            except (DBAPIError, sqlite3.Error) as error:
                self._left = True
                log.warning("the key ring's files could not be scrubbed", extra={"reason": type(error).__name__})
            self._locked = self._left
            reach("ring.scrubbed")
            return not self._left

    def is_in(self, other: sa.Engine) -> bool:
        """Whether the ring lies in that database, however the two are addressed."""
        return not self.sqlite and other.dialect.name == self.engine.dialect.name and _identity(self.engine) == _identity(other)

    def close(self) -> None:
        self.engine.dispose()


def open_ring(settings: Settings, files: NodeFiles) -> Ring:
    """The node's key ring; nothing is asked of it yet."""
    return Ring(settings.ring_url or f"sqlite:///{files.ring}")


def start(node: Node) -> None:
    """Before a node serves: what a crash has left in the files goes. Raises Misconfigured where the ring is not at this program's step."""
    migrate.check(node.ring.engine, migrate.RING)
    node.ring.scrub()


def finish(_session: Any, node: Node) -> None:
    """A chore: what stood in the way of scrubbing may be gone."""
    node.ring.finish(all_of_it=True)


def _off_the_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("the key ring is for units of work, which run in threads: here it would hold up the event loop")


def _sqlite(url: str) -> sa.Engine:
    engine = writer.connect(url, poolclass=sa.pool.QueuePool, pool_size=SIZE, max_overflow=0, pool_timeout=WAIT)

    @sa.event.listens_for(engine, "do_connect")
    def _closed_to_others(_dialect: Any, _record: Any, arguments: list[Any], _more: Any) -> None:
        os.close(os.open(arguments[0], os.O_RDWR | os.O_CREAT, 0o600))  # SQLite's other files take their rights from this one

    return engine


def _postgres(url: str) -> sa.Engine:
    from fedcollab.base.postgres import connect

    return connect(url, SIZE, WAIT)


def _identity(engine: sa.Engine) -> tuple[object, ...]:
    with engine.connect() as connection:
        return tuple(connection.exec_driver_sql(WHICH).one())


def _emptied(engine: sa.Engine) -> bool:
    """Writes the file anew and empties the log into it. `secure_delete` alone is not enough: where SQLite spreads the rows of a page over
    others, copies of them stay in what it does not use (docs/decisions/0025-the-ring-is-written-anew.md)."""
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        raw.execute("VACUUM")
        raw.execute(f"PRAGMA busy_timeout={BRIEFLY}")
        try:
            [(busy, _, _)] = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            raw.execute(f"PRAGMA busy_timeout={writer.BUSY}")
    return not busy


def _rewritten(engine: sa.Engine) -> bool:
    """Every table in a file of its own anew: VACUUM alone leaves the bytes of what is gone on pages that hold other rows."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in RingModel.metadata.tables:
            connection.exec_driver_sql(f"VACUUM (FULL) {name}")
    return True
