"""Decides what happens to referrals by time alone: one that was not answered by its day is marked late, on both sides."""

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.sealing.consents import today

from . import service
from .models import Referral
from .states import IN_PROGRESS

AT_ONCE = 100


def mark_late(session: Session, node: Node) -> None:
    """Once each: who looks after it is told on their pages, without a word of what it is about."""
    over = sa.and_(Referral.state == IN_PROGRESS, Referral.late_at.is_(None), Referral.deadline != "", Referral.deadline < today(node))
    for referral_id in session.scalars(sa.select(Referral.id).where(over).limit(AT_ONCE)).all():
        session.execute(sa.update(Referral).where(Referral.id == referral_id).values(late_at=node.now()))
        service.on_record(session, node, service.by_id(session, referral_id), None, "referral.late")
