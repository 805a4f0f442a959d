"""Decides what a backup means for referrals: one that came to nothing since does not come back with an older one (P11)."""

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.backup.erasures import Part
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session

from . import service
from .models import Referral
from .standing import learn
from .states import OPEN, RECIPIENT, REJECTED, REVOKED, SENDER, Word

NOTHING = {REJECTED: RECIPIENT, REVOKED: SENDER}  # who says so


def ended_since(session: Session, since: int) -> list[str]:
    """Those that were declined or taken back since: row, state, reason."""
    query = sa.select(Referral.id, Referral.state, Referral.code).where(Referral.state.in_(NOTHING), Referral.changed_at >= since)
    return [f"{row.id} {row.state} {row.code}".rstrip() for row in session.execute(query.order_by(Referral.id))]


def end_again(session: Session, node: Node, name: str) -> None:
    """Ends one again, without a word to anybody: they know. Raises NotFound where it is not there, or has ended."""
    referral_id, _, said = name.partition(" ")
    state, _, code = said.partition(" ")
    row = service.by_id(session, referral_id)
    if state not in NOTHING or row.state not in OPEN:
        raise NotFound
    learn(session, node, referral_id, Word(node.now(), state, NOTHING[state], code))
    if row.sent:
        service.end_sent(session, node, None, row)
    else:
        service.forget(session, node, row)


ERASURES = Part("referrals", ended_since, end_again)
