"""Decides what an admin sees of the talk with partners: one line each, and the strangers that knocked."""

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.federation import delivery, partners, queue
from fedcollab.federation.models import PARKED, REFUSED, WAITING, InboxItem


def status(session: Session) -> dict[str, Any]:
    """Partners with their queues (`queue` says more of each), organisations met through them, applications, what was given up, and what
    came in and is not done, by state."""
    counts = delivery.counts(session)
    lines = []
    for partner in partners.listed(session):
        mine = counts.get(partner.id, {})
        lines.append(asdict(partner) | {state: mine.get(state, 0) for state in ("waiting", "parked", "refused")})
    query = sa.select(InboxItem.state, sa.func.count()).where(InboxItem.state.in_((WAITING, PARKED, REFUSED))).group_by(InboxItem.state)
    inbox = {row[0]: row[1] for row in session.execute(query)}
    return {
        "partners": lines,
        "introduced": [asdict(one) for one in partners.introduced(session)],
        "applications": partners.applications(session),
        "inbox": inbox,
        "queue": [asdict(line) for line in queue.lines(session)],
        "given_up": [asdict(one) for one in queue.given_up(session)],
        "stuck": [asdict(one) for one in queue.stuck(session)],
    }
