"""Decides whether cases are on at this node: from then on people get keys at their next password login, and nothing turns it off."""

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.session import Session

from .person_models import SealingState

ONE = 1


def is_on(session: Session) -> bool:
    """Whether people get keys here."""
    return session.execute(sa.select(SealingState.id)).first() is not None


def turn_on(session: Session, node: Node, by_id: str | None) -> None:
    """Cases are on from now on; again changes nothing. Whoever does it has it put on record."""
    if not is_on(session):
        session.execute(sa.insert(SealingState).values(id=ONE, on_at=node.now(), by_id=by_id))
