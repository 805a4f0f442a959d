"""Decides how a statement that was built once is run: on SQLite by the driver alone (docs/decisions/0015-past-the-toolkit.md), elsewhere
by SQLAlchemy's core."""

import re
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from itertools import chain
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound

from .database import JSON
from .errors import Unavailable
from .model import Model
from .session import Session

DRIVER: Final = "driver"  # in a session's info: the driver's own connection, where statements may go past SQLAlchemy
KEPT = 1000  # statements whose text is kept; each function that builds one builds it once
LIST = re.compile(r"__\[POSTCOMPILE_(\w+)\]")  # as SQLAlchemy leaves the place of a list of values
SQLITE = SQLiteDialect_pysqlite(paramstyle="qmark", **JSON)
Processor = Callable[[Any], Any]
T = TypeVar("T")


def inserting(dialect: str, model: Any) -> Any:
    """An INSERT that knows ON CONFLICT, of that database's kind; a node on SQLite doesn't load the other one."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(model)
    return sqlite.insert(model)


class Rows:
    """What a statement has found, in memory; each row has its columns by name as well (`name` gives it them)."""

    def __init__(self, rows: Sequence[Any], name: Callable[[Any], Any] | None = None) -> None:
        self.rows, self.name = rows, name

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows if self.name is None else map(self.name, self.rows))

    def all(self) -> list[Any]:
        return list(self)

    def of(self, kind: type[T]) -> list[T]:
        """The rows as named tuples of this kind, which has their columns in their order."""
        return list(map(kind._make, self.rows))  # type: ignore[attr-defined]  # of named tuples

    def first(self) -> Any:
        return next(iter(self), None)

    def one_or_none(self) -> Any:
        """Raises MultipleResultsFound."""
        if len(self.rows) > 1:
            raise MultipleResultsFound("more than one row")
        return self.first()

    def one(self) -> Any:
        """Raises NoResultFound, MultipleResultsFound."""
        if not self.rows:
            raise NoResultFound("no row")
        return self.one_or_none()

    def scalar_one(self) -> Any:
        return self.one()[0]

    def scalars(self) -> list[Any]:
        return [row[0] for row in self.rows]


class Statement:
    """A statement as SQLite's driver takes it: its text, where its values come from, and what its rows are made of. `lists` are the values
    of which there may be any number: their places in the text are made when it is run."""

    def __init__(self, query: sa.Executable, keys: list[str] | None = None) -> None:
        made: Any = query.compile(dialect=SQLITE, column_keys=keys)  # type: ignore[attr-defined]  # of every statement
        binds: dict[str, Processor] = made._bind_processors
        params = {name: made.binds[name] for name in made.positiontup}
        fixed = {name: param.effective_value for name, param in params.items() if not param.required}
        fixed |= {column.key: column.default.arg for column in made.insert_prefetch}
        self.lists = frozenset(name for name, param in params.items() if param.expanding)
        self.text, *self.rest = LIST.split(LIST.sub(lambda place: place[0] if place[1] in self.lists else "?", made.string))
        self.values: list[tuple[str, Any, Processor]] = []
        for name in made.positiontup:
            bind = _each(binds.get(name)) if name in self.lists else binds.get(name, _same)
            self.values.append((name, bind(fixed[name]) if name in fixed else None, bind))
        self.fixed = frozenset(fixed)
        self.simple = None if fixed or binds or self.lists else tuple(made.positiontup)
        columns = made._result_columns
        read = [column.type._cached_result_processor(SQLITE, None) for column in columns]
        self.read = [(at, one) for at, one in enumerate(read) if one is not None]
        names = [column.keyname for column in columns]
        self.name: Any = namedtuple("Row", names, rename=True)._make if names else None  # type: ignore[attr-defined]  # noqa: PYI024  # the names are the query's

    def arguments(self, given: dict[str, Any]) -> list[Any]:
        """The driver's values in their order, lists as lists. Raises KeyError for one that is missing."""
        if self.simple is not None:
            return [given[name] for name in self.simple]
        fixed = self.fixed
        return [value if name in fixed and name not in given else bind(given[name]) for name, value, bind in self.values]

    def run(self, driver: sqlite3.Connection, given: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Its rows. Raises what the driver raises."""
        text, values = self.text, self.arguments(given)
        if self.lists:
            lists = {name: value for (name, _, _), value in zip(self.values, values, strict=True) if name in self.lists}
            text += "".join([",".join("?" * len(lists[name])) + more for name, more in zip(self.rest[::2], self.rest[1::2], strict=True)])
            values = list(chain.from_iterable(value if type(value) is list else (value,) for value in values))
        found = driver.execute(text, values).fetchall()
        if self.read:
            found = [self._processed(row) for row in found]
        return found

    def _processed(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        made = list(row)
        for at, read in self.read:
            made[at] = read(made[at])
        return tuple(made)


statement = lru_cache(KEPT)(Statement)


def _same(value: Any) -> Any:
    return value


def _each(bind: Processor | None) -> Processor:
    """What a list of values is made of."""
    return list if bind is None else lambda values: [bind(value) for value in values]


def prepared(session: Session, query: sa.Executable, values: dict[str, Any] | None = None) -> Rows:
    """The plain rows of a statement that was built once, run in the session's transaction with `values`. It goes past the session's own
    `execute`, which prepares for entities at every call: of no use here, and most of the cost of a small read or write."""
    driver = session.info.get(DRIVER)
    if driver is None:
        found = session.connection().execute(query, values)
        return Rows(found.all() if found.returns_rows else ())
    quick = statement(query)
    try:
        return Rows(quick.run(driver, values or {}), quick.name)
    except sqlite3.Error as error:
        raise as_sqlalchemy(quick.text, error) from error


def put(session: Session, model: type[Model], *rows: dict[str, Any], **row: Any) -> None:
    """Inserts one row, or several alike, by a statement that was built once; columns that are not named take their defaults."""
    put_by(session, _insert(model), list(rows) or [row])


def put_by(session: Session, query: sa.Insert, rows: list[dict[str, Any]]) -> None:
    """Inserts rows alike, one at least, by an INSERT that was built once."""
    driver = session.info.get(DRIVER)
    if driver is None:
        session.connection().execute(query, rows)
        return
    quick = _insert_of(query, tuple(rows[0]))
    try:
        driver.executemany(quick.text, [quick.arguments(one) for one in rows])
    except sqlite3.Error as error:
        raise as_sqlalchemy(quick.text, error) from error


@cache
def _insert(model: type[Model]) -> sa.Insert:
    return sa.insert(model.__table__)


@cache
def _insert_of(query: sa.Insert, columns: tuple[str, ...]) -> Statement:
    return Statement(query, list(columns))


class Lost(Unavailable):
    """The transaction was rolled back under a unit, as a full disk does: nothing may go on in it."""


@contextmanager
def part(session: Session) -> Iterator[None]:
    """A part of a unit that has no effect where it raises, while the unit goes on; of statements alone. Raises Lost
    where it cannot."""
    driver = session.info.get(DRIVER)
    if driver is None:
        with session.connection().begin_nested():
            yield
        return
    driver.execute("SAVEPOINT part")
    try:
        yield
    except BaseException as error:
        if not driver.in_transaction:
            raise Lost(reason="the transaction was rolled back under the unit") from error
        driver.execute("ROLLBACK TO part")
        driver.execute("RELEASE part")
        raise
    driver.execute("RELEASE part")


def as_sqlalchemy(text: str, error: sqlite3.Error) -> Exception:
    """The driver's error as the one that SQLAlchemy would have raised."""
    made: Exception = DBAPIError.instance(text, None, error, sqlite3.Error)
    return made
