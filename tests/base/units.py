"""Units of work for the database's tests, which run on SQLite and on PostgreSQL."""

import sqlalchemy as sa

from fedcollab.base.errors import Refused
from fedcollab.base.session import Session


def put(session: Session, number: int, text: str = "x") -> int:
    session.execute(sa.text("INSERT INTO t VALUES (:n, :x)"), {"n": number, "x": text})
    return number


def refused(session: Session, number: int) -> None:
    put(session, number)
    raise Refused


def broken(session: Session, number: int) -> None:
    put(session, number)
    raise ValueError(number)


def unkept(session: Session, number: int) -> int:
    """Breaks a promise that is checked only at COMMIT, so that COMMIT itself fails."""
    session.execute(sa.text("INSERT INTO child VALUES (:n, 999999)"), {"n": number})
    return number


def tables(session: Session) -> None:
    session.execute(sa.text("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)"))
    session.execute(sa.text("CREATE TABLE child (id INTEGER PRIMARY KEY, t INTEGER REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)"))


def stored(session: Session) -> set[int]:
    return set(session.scalars(sa.text("SELECT id FROM t")))
