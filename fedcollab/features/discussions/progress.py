"""Decides how far somebody has read: never backwards, and their own post is not news to them."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.access.viewer import Viewer

from .models import ThreadRead


def mark_read(session: Session, viewer: Viewer, thread_id: str, place: int) -> None:
    """Remembers how far a person has read; never backwards."""
    _read_to(session, viewer.person_id, thread_id, place)


def own_post_read(session: Session, author_id: str, thread_id: str, place: int) -> None:
    """What somebody of ours wrote is not new to them, unless something before it still is."""
    there = sa.and_(ThreadRead.person_id == author_id, ThreadRead.thread_id == thread_id)
    if (session.scalar(sa.select(ThreadRead.read_place).where(there)) or 0) == place - 1:
        _read_to(session, author_id, thread_id, place)


def _read_to(session: Session, person_id: str, thread_id: str, place: int) -> None:
    there = sa.and_(ThreadRead.person_id == person_id, ThreadRead.thread_id == thread_id)
    if session.execute(sa.select(ThreadRead.read_place).where(there)).one_or_none() is None:
        session.execute(sa.insert(ThreadRead).values(person_id=person_id, thread_id=thread_id, read_place=place))
    else:
        session.execute(sa.update(ThreadRead).where(there, ThreadRead.read_place < place).values(read_place=place))
