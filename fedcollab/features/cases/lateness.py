"""Decides when a case is late: a task or the review is overdue while it is worked on; and when a consent in it ends soon. Its clear header
says so; no key is needed."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import CASEWORKER, KEEPER, Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, iso
from fedcollab.base.session import Session
from fedcollab.feature import HomeNote
from fedcollab.sealing import holding

from .grounds import ENDED
from .models import CaseRecord

SOON = 14 * DAY


def is_late(header: Mapping[str, str], today: str) -> bool:
    """Whether something in a case with these days is overdue."""
    if header["status"] in ENDED:
        return False
    return any(header[day] and header[day] < today for day in ("due", "review"))


def soon(now: int) -> str:
    """The day until which a consent that ends then ends soon."""
    return iso(now + SOON)[:10]


def consents_end(session: Session, node: Node, viewer: Viewer) -> int | None:
    """For people's home: in how many of the cases that they are on a consent ends soon; None for none. The clear header says so."""
    row: Any = CaseRecord.__table__.c
    mine = row.room_id.in_(holding.mine(session, viewer.person_id))
    within = sa.and_(mine, row.consent_end >= iso(node.now())[:10], row.consent_end <= soon(node.now()), row.status.not_in(list(ENDED)))
    return session.execute(sa.select(sa.func.count()).select_from(CaseRecord).where(within)).scalar_one() or None


def mark(session: Session, node: Node) -> None:
    """A chore: marks what became late as days passed; what is late no longer is unmarked by the entry that says so."""
    row: Any = CaseRecord.__table__.c
    today = iso(node.now())[:10]
    overdue = sa.or_(*(sa.and_(day != "", day < today) for day in (row.due, row.review)))
    fresh = sa.and_(row.late.is_(False), row.status.not_in(list(ENDED)), overdue)
    if session.execute(sa.select(row.room_id).where(fresh).limit(1)).first() is not None:
        session.execute(sa.update(CaseRecord.__table__).where(fresh).values(late=True))


NOTE = HomeNote("cases/consents_at_home.html", CASEWORKER, consents_end, personal=True, or_role=KEEPER)
