"""Decides how SQLite is written: one writer thread with group commit, and a few reader threads (docs/decisions/0001-one-writer.md)."""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError

from .crash import reach
from .database import JSON, TOPICS, Wakes, as_safe
from .errors import Refused, Unavailable
from .session import Session
from .statements import DRIVER, as_sqlalchemy, prepared, statement
from .tally import Tally

T = TypeVar("T")

QUEUE = 1000
GROUP = 64
LATE = 10.0
PAUSE = 0.001
LOOK = 0.2
BUSY = 5000  # milliseconds
PATIENCE = 30.0
READERS = 3


@dataclass
class Unit:
    work: Callable[[Session], Any]
    until: float
    future: "Future[Any]" = field(default_factory=Future)
    result: Any = None
    error: BaseException | None = None
    topics: set[str] = field(default_factory=set)

    def starts(self) -> bool:
        """Marks the unit as running; False where it was cancelled or is too late, and is dropped."""
        if not self.future.set_running_or_notify_cancel():
            return False
        if time.monotonic() > self.until:
            self.future.set_exception(Unavailable(reason="the unit waited too long for the writer", retry_after=5))
            return False
        return True

    def answer(self, failure: BaseException | None = None) -> None:
        error = failure or self.error
        if error is not None:
            self.future.set_exception(as_safe(error))
        else:
            self.future.set_result(self.result)


def connect(url: str, **pool: Any) -> sa.Engine:
    """An engine whose connections leave BEGIN to us: the driver's own transactions lose increments without an error. `pool` is how it
    keeps them; without a word it keeps none."""
    connect_args = {"check_same_thread": False, "isolation_level": None, "timeout": BUSY / 1000}
    engine = sa.create_engine(url, **pool or {"poolclass": sa.pool.NullPool}, connect_args=connect_args, **JSON)

    @sa.event.listens_for(engine, "connect")
    def _set_up(raw: sqlite3.Connection, _record: object) -> None:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY}",
            "cache_size=-8000",
            "secure_delete=ON",
        ):
            raw.execute(f"PRAGMA {pragma}")
        raw.execute("PRAGMA temp_store=MEMORY")  # else pages as they were go to /var/tmp; where that can't be written, units fail

    return engine


class SqliteEngine:
    """The writer drains its queue, begins IMMEDIATE, gives each unit a savepoint, commits once, then answers all."""

    def __init__(self, url: str, wakes: Wakes, *, patient: bool = False) -> None:
        self.engine = connect(url)
        self.tally = Tally()
        self._wakes = wakes
        self._patient = patient
        self._queue: queue.Queue[Unit | None] = queue.Queue(QUEUE)
        self._closed = False
        self._lock = threading.Lock()
        self._local = threading.local()
        self._glancing: sa.Connection | None = None
        self._looking: sqlite3.Connection | None = None
        self._readers = ThreadPoolExecutor(READERS, "reader")
        self._thread: threading.Thread | None = None
        self._version = 0

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    async def read(self, unit: Callable[[Session], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, unit)

    async def glance(self, unit: Callable[[Session], T]) -> T:
        """On the loop's own thread, for handing over costs more than a small read; where the file is busy, a reader thread waits."""
        try:
            return self._read_on(self._in_place(), unit)
        except (Unavailable, OperationalError):
            return await self.read(unit)

    async def look(self, query: sa.Select[Any], values: dict[str, Any]) -> Sequence[Sequence[Any]]:
        """As `glance`, by the driver alone: one statement sees one state of the file without a BEGIN."""
        try:
            return statement(query).run(self._looking or self._look_in_place(), values)
        except (sqlite3.OperationalError, OperationalError):
            return await self.read(lambda session: prepared(session, query, values).all())

    def _look_in_place(self) -> sqlite3.Connection:
        self._looking = _driver(self._in_place())
        return self._looking

    def _in_place(self) -> sa.Connection:
        if self._glancing is None:
            self._glancing = self._never_waiting()
        return self._glancing

    def _never_waiting(self) -> sa.Connection:
        """A connection that is refused at once where another one would wait for a lock."""
        connection = self.engine.connect()
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
        connection.rollback()
        return connection

    def _read(self, unit: Callable[[Session], T]) -> T:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self.engine.connect()
        return self._read_on(connection, unit)

    def _read_on(self, connection: sa.Connection, unit: Callable[[Session], T]) -> T:
        """Most units ask the driver alone (`statements.prepared`), and SQLAlchemy's own transaction never begins."""
        try:
            _say(connection, "BEGIN")
            return unit(Session(connection, {DRIVER: _driver(connection)}))
        except OperationalError as error:
            raise as_safe(error) from error
        finally:
            if connection.in_transaction():
                connection.rollback()
            if _open(connection):
                _driver(connection).rollback()

    async def write(self, unit: Callable[[Session], T]) -> T:
        made = Unit(unit, time.monotonic() + (PATIENCE * 2 if self._patient else LATE))
        with self._lock:
            if self._closed:
                raise Unavailable(reason="the node is shutting down", retry_after=10)
            self._start()
            try:
                self._queue.put_nowait(made)
            except queue.Full:
                raise Unavailable(reason="the writer's queue is full", retry_after=5) from None
        answer: T = await asyncio.wrap_future(made.future)
        return answer

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
            self._thread.start()

    def watch(self) -> None:
        """Starts the writer, so that other processes' commits are seen from now on."""
        with self._lock:
            self._start()

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
        self._readers.shutdown()
        if self._glancing is not None:
            self._glancing.close()
        self.engine.dispose()

    # What follows runs in the writer thread.

    def _run(self) -> None:
        """Nothing ends it but `close`: were it gone, whoever writes would wait for ever."""
        connection, looked, last = None, 0.0, False
        while not last:
            group, last = self._drain()
            units = [unit for unit in group if unit.starts()]
            try:
                connection = connection or self._connect()
                if units:
                    began = time.perf_counter()
                    self._commit_group(connection, units)
                    self.tally.add(time.perf_counter() - began, len(units))
                if time.monotonic() - looked > LOOK:
                    looked = time.monotonic()
                    self._look(connection)
            except DBAPIError as error:  # the file can't be opened or read just now
                self._answer([unit for unit in units if not unit.future.done()], error)
            if group:
                time.sleep(PAUSE)
        if connection is not None:
            connection.close()

    def _connect(self) -> sa.Connection:
        """The writer's connection, which sees what others commit from now on. A patient one asks for the lock itself, and more often
        than SQLite would."""
        connection = self._never_waiting() if self._patient else self.engine.connect()
        self._look(connection)
        return connection

    def _drain(self) -> tuple[list[Unit], bool]:
        group: list[Unit] = []
        try:
            first = self._queue.get(timeout=LOOK)
            while first is not None:
                group.append(first)
                if len(group) == GROUP:
                    return group, False
                first = self._queue.get_nowait()
            return group, True
        except queue.Empty:
            return group, False

    def _look(self, connection: sa.Connection) -> None:
        """`data_version` changes on this connection only when another process has committed."""
        version = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
        connection.rollback()
        if self._version and version != self._version:
            self._wakes.wake()
        self._version = version

    def _commit_group(self, connection: sa.Connection, group: list[Unit]) -> None:
        """One transaction for all; where anything but a refusal happens, each again in a transaction of its own."""
        if not group:
            return
        try:
            self._begin(connection)
            whole = all(self._attempt(connection, unit) for unit in group)
            if whole:
                self._commit(connection)
        except BaseException as error:  # noqa: BLE001  # a failed BEGIN or COMMIT: nobody's unit is stored, so all are told
            self._undo(connection)
            self._answer(group, error)
            return
        if whole:
            self._answer(group)
            return
        self._undo(connection)
        if len(group) == 1:
            self._answer(group)
            return
        for unit in group:
            unit.result, unit.error, unit.topics = None, None, set()
            self._commit_group(connection, [unit])

    def _begin(self, connection: sa.Connection) -> None:
        until = time.monotonic() + (PATIENCE if self._patient else 0)
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return
            except OperationalError as error:
                connection.rollback()
                if "locked" not in str(error.orig) or time.monotonic() >= until:
                    raise
                time.sleep(PAUSE)

    def _attempt(self, connection: sa.Connection, unit: Unit) -> bool:
        """Runs one unit in its savepoint; False where the whole transaction has to go."""
        _say(connection, "SAVEPOINT unit")
        session = Session(connection, {DRIVER: _driver(connection)})
        try:
            unit.result = unit.work(session)
        except BaseException as error:  # noqa: BLE001  # whatever a unit raises is its caller's to see
            unit.error = error
        unit.topics = session.info.get(TOPICS, set())
        if not _open(connection):
            unit.error = unit.error or Unavailable(reason="the transaction was rolled back under the unit")
            return False
        if unit.error is None:
            _say(connection, "RELEASE unit")
            return True
        if not isinstance(unit.error, Refused):
            return False
        unit.topics = set()
        connection.exec_driver_sql("ROLLBACK TO unit")
        connection.exec_driver_sql("RELEASE unit")
        return True

    def _commit(self, connection: sa.Connection) -> None:
        reach("commit.before")
        _say(connection, "COMMIT")
        reach("commit.after")
        connection.rollback()

    def _undo(self, connection: sa.Connection) -> None:
        if _open(connection):
            connection.exec_driver_sql("ROLLBACK")
        connection.rollback()

    def _answer(self, group: list[Unit], error: BaseException | None = None) -> None:
        topics = set() if error else set().union(*(unit.topics for unit in group if unit.error is None))
        self._wakes.wake(topics)
        for unit in group:
            unit.answer(error)


def _say(connection: sa.Connection, words: str) -> None:
    """A statement without values or rows, past SQLAlchemy's preparations for both: they cost ten times the statement."""
    try:
        _driver(connection).execute(words)
    except sqlite3.Error as error:
        raise as_sqlalchemy(words, error) from error


def _driver(connection: sa.Connection) -> sqlite3.Connection:
    raw: Any = connection.connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


def _open(connection: sa.Connection) -> bool:
    """Whether SQLite still is inside the transaction: a full disk ends it without a word."""
    raw = connection.connection.dbapi_connection
    return bool(raw is not None and raw.in_transaction)
