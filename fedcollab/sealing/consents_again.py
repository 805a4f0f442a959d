"""Decides what a backup means for consents: one that has ended since does not hold again with an older one (P11)."""

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session

from .consent_models import GIVEN, ConsentMark
from .consents import stop


def ended_since(session: Session, since: int) -> list[str]:
    """Those that ended since: row and how."""
    query = sa.select(ConsentMark.id, ConsentMark.state).where(ConsentMark.state != GIVEN, ConsentMark.ended_at >= since)
    return [f"{row.id} {row.state}" for row in session.execute(query.order_by(ConsentMark.id))]


def end_again(session: Session, node: Node, name: str) -> None:
    """Ends one again: ours is delivered no more, as its recipient knows; a partner's is shown no more, and keepers are asked again.
    Raises NotFound where it is not there, or has ended."""
    mark_id, _, state = name.partition(" ")
    row = session.execute(sa.select(ConsentMark.ours).where(ConsentMark.id == mark_id, ConsentMark.state == GIVEN)).one_or_none()
    if row is None:
        raise NotFound
    if row.ours:
        session.execute(sa.update(ConsentMark).where(ConsentMark.id == mark_id).values(state=state, ended_at=node.now()))
    else:
        stop(session, node, mark_id, state)
