"""Decides how far somebody has read: never backwards, and their own post is not news to them."""

from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.base.session import Session
from fedcollab.base.statements import inserting, prepared

from .models import ThreadRead


def mark_read(session: Session, viewer: Viewer, thread_id: str, place: int) -> None:
    """Remembers how far a person has read; never backwards."""
    _read_to(session, viewer.person_id, thread_id, place)


def own_post_read(session: Session, author_id: str, thread_id: str, place: int) -> None:
    """What somebody of ours wrote is not new to them, unless something before it still is."""
    before = prepared(session, _read_place(), {"who": author_id, "what": thread_id}).scalars()
    if (before[0] if before else 0) == place - 1:
        _read_to(session, author_id, thread_id, place)


def _read_to(session: Session, person_id: str, thread_id: str, place: int) -> None:
    values = {"who": person_id, "what": thread_id, "until": place}
    prepared(session, _further(session.connection().dialect.name), values)


@cache
def _read_place() -> sa.Select[Any]:
    there = sa.and_(ThreadRead.person_id == sa.bindparam("who"), ThreadRead.thread_id == sa.bindparam("what"))
    return sa.select(ThreadRead.read_place).where(there)


@cache
def _further(dialect: str) -> sa.UpdateBase:
    """One statement: two pages of one person may be opened at once."""
    binds: dict[str, Any] = dict(person_id=sa.bindparam("who"), thread_id=sa.bindparam("what"), read_place=sa.bindparam("until"))
    made: Any = inserting(dialect, ThreadRead.__table__).values(**binds)
    place = made.excluded.read_place
    further = dict(set_={"read_place": place}, where=ThreadRead.__table__.c.read_place < place)
    found: sa.UpdateBase = made.on_conflict_do_update(index_elements=["person_id", "thread_id"], **further)
    return found
