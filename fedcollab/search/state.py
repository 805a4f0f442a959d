"""Decides what the index remembers of itself: how far it has come, and that deleted words wait to be cleared away."""

from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.base.clock import system_clock
from fedcollab.base.session import Session
from fedcollab.base.statements import inserting, prepared

from .models import SearchState

DELETED = "deleted words"  # since when some wait; done_at when the index was last without any
CLEARING, AGAIN = "clearing", "again"  # its key while they are being cleared away, and where more have come meanwhile


class State(NamedTuple):
    """One line: `at` is when it began, `done_at` when it ended, `number` how much was done."""

    name: str
    key: str
    number: int
    at: int
    done_at: int | None


def of(session: Session, name: str) -> State | None:
    row = prepared(session, _one(), {"name": name}).first()
    return State(*row) if row is not None else None


@cache
def _one() -> sa.Select[Any]:
    return sa.select(*(getattr(SearchState, name) for name in State._fields)).where(SearchState.name == sa.bindparam("name"))


def keep(session: Session, name: str, *, key: str = "", number: int = 0, at: int, done_at: int | None = None) -> None:
    """Writes one line anew."""
    values = dict(key=key, number=number, at=at, done_at=done_at)
    made = inserting(session.connection().dialect.name, SearchState).values(name=name, **values)
    session.execute(made.on_conflict_do_update(index_elements=["name"], set_=values))


def deleted(session: Session) -> None:
    """Notes that words were deleted, which may still lie in SQLite's pages."""
    there = of(session, DELETED)
    if there is None or there.done_at is not None:
        keep(session, DELETED, at=system_clock())
    elif there.key == CLEARING:
        keep(session, DELETED, key=AGAIN, at=there.at)
