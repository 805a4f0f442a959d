"""Decides how work reaches the database: units of work, plain functions on a Session, run in threads by `read` and `write`."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, OperationalError

from .errors import BadRequest, StorageFull, Unavailable
from .session import Session
from .tally import Tally

P = ParamSpec("P")
T = TypeVar("T")

TOPICS = "topics"


class Engine(Protocol):
    """What SQLite and PostgreSQL each bring: a way to run one unit, and to stop."""

    engine: sa.Engine
    tally: Tally

    @property
    def waiting(self) -> int:
        """Units that wait for their turn."""

    async def read(self, unit: Callable[[Session], T]) -> T: ...
    async def glance(self, unit: Callable[[Session], T]) -> T: ...
    async def look(self, query: sa.Select[Any], values: dict[str, Any]) -> Sequence[Sequence[Any]]: ...
    async def write(self, unit: Callable[[Session], T]) -> T: ...
    def watch(self) -> None: ...
    def close(self) -> None: ...


class Database:
    """The node's database. Units return plain values, never ORM objects; their only effect is rows."""

    def __init__(self, backend: Engine, wakes: "Wakes") -> None:
        self.backend = backend
        self.wakes = wakes

    @property
    def engine(self) -> sa.Engine:
        return self.backend.engine

    async def read(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `work(session, ...)` in a reader thread on one consistent snapshot; whatever it changed is thrown away."""
        return await self.backend.read(lambda session: work(session, *args, **kwargs))

    async def glance(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `read`, for what is small and found by its keys (a session, one page of posts): on SQLite without handing over to another
        thread, which costs more than such a read (docs/decisions/0002-synchronous-units.md)."""
        return await self.backend.glance(lambda session: work(session, *args, **kwargs))

    async def look(self, query: sa.Select[Any], values: dict[str, Any]) -> Sequence[Sequence[Any]]:
        """The rows of one statement that was built once and finds little by its keys, for what every request of a partner asks: on SQLite
        the driver is asked in place, at a tenth of what a glance costs."""
        return await self.backend.look(query, values)

    async def write(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `work(session, ...)` and answers after its commit.

        Raises what the work raised (then it has no effect), Unavailable when the queue is full, the unit was late or the commit
        failed, StorageFull on a full disk. Cancelled before it starts, the unit is dropped; after that it finishes."""
        return await self.backend.write(lambda session: work(session, *args, **kwargs))

    def watch(self) -> None:
        """Begins to see what other processes commit; `serve` and `worker` call it."""
        self.backend.watch()

    def close(self) -> None:
        """Refuses new units, finishes those that wait, closes the files."""
        self.backend.close()


class Wakes:
    """Events that tell workers that a commit, ours or another process's, has given them something to do."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def event(self, topic: str) -> asyncio.Event:
        """The event of one topic; call on the loop that waits for it."""
        self._loop = asyncio.get_running_loop()
        return self._events.setdefault(topic, asyncio.Event())

    def wake(self, topics: set[str] | None = None) -> None:
        """Called after a commit from any thread; None wakes all (another process wrote)."""
        if self._loop is not None and not self._loop.is_closed() and (topics is None or topics):
            self._loop.call_soon_threadsafe(self._set, topics)

    def _set(self, topics: set[str] | None) -> None:
        for topic, event in self._events.items():
            if topics is None or topic in topics:
                event.set()


def to_json(value: object) -> str:
    """A value as a JSON column keeps it."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # half a character, or a number of more than 64 bits
        return json.dumps(value)


def from_json(text: str) -> object:
    """Undoes `to_json`."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


JSON: Any = {"json_serializer": to_json, "json_deserializer": from_json}  # of every engine


def wake(session: Session, topic: str) -> None:
    """Marks that the unit's commit gives the workers of `topic` something to do."""
    session.info.setdefault(TOPICS, set()).add(topic)


def as_safe(error: BaseException) -> BaseException:
    """A database driver's error as one of ours, where it says something a person can act on."""
    if not isinstance(error, DBAPIError):
        return error
    words = str(error.orig).lower()
    if "disk is full" in words or "no space left" in words or "disk full" in words:
        return StorageFull(reason=words)
    if isinstance(error, DataError):  # PostgreSQL keeps no NUL in a text, and no number beyond its column's
        return BadRequest(reason="a value that the database does not take")
    operational = isinstance(error, OperationalError)  # SQLite calls wrong SQL so as well, PostgreSQL only what the server can't do now
    if str(getattr(error.orig, "sqlstate", None) or "").startswith("54"):  # beyond PostgreSQL's limits, now and ever
        return error
    if error.connection_invalidated or (operational and ("locked" in words or not isinstance(error.orig, sqlite3.Error))):
        return Unavailable(reason=words, retry_after=5)
    return error


def open_database(url: str, *, patient: bool = False) -> Database:
    """Opens SQLite (`sqlite:///path`) or PostgreSQL by URL. `patient` is for the command line beside a running node: it asks for
    the write lock every millisecond for up to 30 s."""
    wakes = Wakes()
    if url.startswith("sqlite:"):
        from .writer import SqliteEngine

        return Database(SqliteEngine(url, wakes, patient=patient), wakes)
    from .postgres import PostgresEngine

    return Database(PostgresEngine(url, wakes), wakes)


def run_sync(database: Database, work: Callable[[Session], T], *, write: bool = True) -> T:
    """For the command line: one unit from a plain function."""

    async def one() -> T:
        return await (database.write(work) if write else database.read(work))

    return asyncio.run(one())
