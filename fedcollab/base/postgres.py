"""Decides how PostgreSQL is used: writing units one after the other (docs/decisions/0014-one-after-the-other.md), reading ones in a pool of
threads, other processes' commits heard by LISTEN/NOTIFY."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from .crash import reach
from .database import JSON, TOPICS, Wakes, as_safe
from .errors import Unavailable
from .model import Model
from .session import Session
from .statements import prepared
from .tally import Tally

T = TypeVar("T")
READERS = 7
TRIES = 5
AGAIN = ("40001", "40P01")  # serialization failure, deadlock with a tool that locks tables: run again
TURN = "SELECT pg_advisory_xact_lock(7017280452245743464)"  # any number, the same in all processes of a node
CHANNEL = "fedcollab"
LOCKED = 5000  # milliseconds that a unit waits for its turn or a lock, as on SQLite
STOPPED = 30_000  # milliseconds after which the server takes the turn back from a process that stands still inside it
QUEUE, LATE = 1000, 10.0  # as many units may wait as on SQLite, for as many seconds


def _set_up(raw: Any, _record: object) -> None:
    raw.autocommit = True
    raw.execute(f"SET lock_timeout = {LOCKED}")
    raw.execute(f"SET idle_in_transaction_session_timeout = {STOPPED}")
    raw.execute("SET jit = off")  # compiling a statement takes longer than any of ours runs
    raw.autocommit = False


def _conditions() -> None:
    """Indexes of some rows alone say which for SQLite; here they are for these rows too. (Said in the models, PostgreSQL's dialect would be
    loaded on every node: 2 MiB.)"""
    for table in Model.metadata.tables.values():
        for index in table.indexes:
            index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]


def connect(url: str, size: int, patience: float = 30.0) -> sa.Engine:
    """An engine with at most `size` connections, none of which waits for a lock or stands still inside one for ever; for a free one
    `patience` seconds are waited."""
    plain = url.split("://", 1)[1]
    engine = sa.create_engine(
        f"postgresql+psycopg://{plain}", pool_size=size, max_overflow=0, pool_pre_ping=True, pool_timeout=patience, **JSON
    )
    sa.event.listen(engine, "connect", _set_up)
    return engine


class PostgresEngine:
    """Each unit is one transaction: one that writes in the writer's thread, and with no other process's beside it."""

    def __init__(self, url: str, wakes: Wakes) -> None:
        self.engine = connect(url, READERS + 1)
        _conditions()
        self.tally = Tally()
        self._wakes = wakes
        self._readers = ThreadPoolExecutor(READERS, "reader")
        self._writer = ThreadPoolExecutor(1, "writer")
        self._asked = 0
        self._closed = threading.Event()
        self._listener: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        return self._asked

    async def read(self, unit: Callable[[Session], T]) -> T:
        return await self._run(self._readers, self._read, unit)

    async def glance(self, unit: Callable[[Session], T]) -> T:
        return await self.read(unit)

    async def look(self, query: sa.Select[Any], values: dict[str, Any]) -> Sequence[Sequence[Any]]:
        return await self.read(lambda session: prepared(session, query, values).all())

    async def write(self, unit: Callable[[Session], T]) -> T:
        return await self._run(self._writer, self._write, unit)

    async def _run(self, threads: ThreadPoolExecutor, how: Callable[[Callable[[Session], T]], T], unit: Callable[[Session], T]) -> T:
        if self._closed.is_set():
            raise Unavailable(reason="the node is shutting down", retry_after=10)
        if self._asked >= QUEUE:
            raise Unavailable(reason="too many units wait for the database", retry_after=5)
        self._asked += 1  # on the loop's thread alone
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, self._in_time, how, unit, time.monotonic() + LATE)
        finally:
            self._asked -= 1

    def _in_time(self, how: Callable[[Callable[[Session], T]], T], unit: Callable[[Session], T], until: float) -> T:
        if time.monotonic() > until:
            raise Unavailable(reason="the unit waited too long for its turn", retry_after=5)
        return how(unit)

    def _read(self, unit: Callable[[Session], T]) -> T:
        try:
            with self.engine.connect() as connection:
                connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
                return unit(Session(connection))
        except DBAPIError as error:
            raise as_safe(error) from error

    def _write(self, unit: Callable[[Session], T]) -> T:
        """Runs a unit again where a lock of somebody else's was in its way: it had no effect."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._once(unit)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in AGAIN or attempt == TRIES:
                    raise as_safe(error) from error
            time.sleep(0.005 * 2**attempt)

    def _once(self, unit: Callable[[Session], T]) -> T:
        began = time.perf_counter()
        with self.engine.connect() as connection:
            connection.exec_driver_sql(TURN)  # each later statement sees all that was committed before it
            session = Session(connection)
            result = unit(session)  # whatever it raises, the transaction ends and takes back what was done
            topics: set[str] = session.info.get(TOPICS, set())
            if topics:
                connection.execute(sa.text("SELECT pg_notify(:channel, :topics)"), {"channel": CHANNEL, "topics": ",".join(sorted(topics))})
            reach("commit.before")
            connection.commit()
            reach("commit.after")
        self.tally.add(time.perf_counter() - began, 1)
        self._wakes.wake(topics)
        return result

    def watch(self) -> None:
        """Starts to hear other processes' commits."""
        self._listener = threading.Thread(target=self._listen, name="listener", daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        import psycopg

        address = self.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        while not self._closed.is_set():
            try:
                with psycopg.connect(address, autocommit=True) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._wakes.wake()  # whatever was committed while nobody listened
                    while not self._closed.is_set():
                        for notice in connection.notifies(timeout=0.5):
                            self._wakes.wake(set(notice.payload.split(",")))
            except psycopg.Error:
                self._closed.wait(1.0)

    def close(self) -> None:
        self._closed.set()
        self._writer.shutdown()
        self._readers.shutdown()
        if self._listener is not None:
            self._listener.join()
        self.engine.dispose()
