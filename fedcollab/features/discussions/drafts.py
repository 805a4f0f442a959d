"""Decides how long a form in mid-composition waits for its author: half a year."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY

from .models import Draft

KEPT = 180 * DAY


def forget_drafts(session: Session, node: Node) -> None:
    """Chore: drafts that nobody has touched for so long go."""
    session.execute(sa.delete(Draft).where(Draft.updated_at < node.now() - KEPT))
