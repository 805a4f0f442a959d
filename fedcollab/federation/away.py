"""Decides when a partner that does not answer is no longer tried: after 45 days it is suspended in sight of the admin, its queue kept."""

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY
from fedcollab.base.session import Session

from . import partners
from .models import ADMITTED, SUSPENDED, InboxItem, Partner

AWAY = 45 * DAY
AT_ONCE = 5


def suspend_away(session: Session, node: Node) -> None:
    """Suspends partners of which nothing was heard for 45 days while we tried; one action of the admin takes the talk up again."""
    limit = node.now() - AWAY
    answered = sa.func.coalesce(Partner.last_success_at, Partner.decided_at, Partner.created_at)
    spoke = sa.exists().where(InboxItem.host == Partner.host, InboxItem.received_at > limit)
    gone = sa.and_(Partner.state == ADMITTED, Partner.last_error != "", answered < limit, ~spoke)
    for host in session.scalars(sa.select(Partner.host).where(gone).order_by(Partner.id).limit(AT_ONCE)).all():
        partners.move(session, node, None, partners.find(session, host), SUSPENDED)
        session.execute(sa.update(Partner).where(Partner.host == host).values(suspended_for=partners.FOR_SILENCE))
        audit.record(session, node.now(), None, "partner.away", host)
