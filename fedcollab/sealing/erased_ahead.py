"""Decides what becomes of the erasure of a message that is not here: it holds at once and for good, so that nobody waits for an answer.
Whatever comes under that name later is not taken in (P29), and whoever has asked is told that it had not come."""

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.errors import TooMany
from fedcollab.base.session import Session
from fedcollab.base.statements import inserting

from .room_models import ErasedAhead

MOST = 5_000  # of one organisation in a room


def note(session: Session, node: Node, room_id: str, organisation: str, uri: str) -> None:
    """A message of an organisation is erased before it came; again changes nothing. Raises TooMany."""
    mine = sa.and_(ErasedAhead.room_id == room_id, ErasedAhead.organisation == organisation)
    others = sa.select(sa.func.count()).select_from(ErasedAhead).where(mine, ErasedAhead.uri != uri)
    if session.execute(others).scalar_one() >= MOST:
        raise TooMany(reason="an organisation erases more that never came than anybody writes")
    there = inserting(session.connection().dialect.name, ErasedAhead).values(
        uri=uri, room_id=room_id, organisation=organisation, at=node.now()
    )
    session.execute(there.on_conflict_do_nothing())


def is_noted(session: Session, uri: str) -> bool:
    """Whether a message was erased before it came."""
    return session.execute(sa.select(ErasedAhead.uri).where(ErasedAhead.uri == uri)).first() is not None


def forget(session: Session, room_id: str) -> None:
    """Into a room that is gone nothing comes any more."""
    session.execute(sa.delete(ErasedAhead).where(ErasedAhead.room_id == room_id))
