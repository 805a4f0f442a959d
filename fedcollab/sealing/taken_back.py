"""Decides what a backup means for sealed messages: one that was erased since does not come back, nor do its files (P11)."""

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session

from . import rooms
from .room_models import ERASED, SealedMessage


def listed(session: Session, since: int) -> list[str]:
    """The messages that were erased since, by their rows."""
    query = sa.select(SealedMessage.id).where(SealedMessage.state == ERASED, SealedMessage.erased_at >= since)
    return list(session.scalars(query.order_by(SealedMessage.id)))


def take_again(session: Session, node: Node, message_id: str) -> None:
    """Erases one again. Raises NotFound where it is not there, or erased already."""
    there = sa.select(SealedMessage.id).where(SealedMessage.id == message_id, SealedMessage.state != ERASED)
    if session.execute(there).first() is None:
        raise NotFound()
    rooms.erase(session, node, message_id)
