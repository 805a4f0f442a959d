"""Decides when a case is late: a task or the review is overdue while it is worked on. Its clear header says so; no key is needed."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.actors.node import Node
from fedcollab.base.clock import iso

from .grounds import ENDED
from .models import CaseRecord


def is_late(header: Mapping[str, str], today: str) -> bool:
    """Whether something in a case with these days is overdue."""
    if header["status"] in ENDED:
        return False
    return any(header[day] and header[day] < today for day in ("due", "review"))


def mark(session: Session, node: Node) -> None:
    """A chore: marks what became late as days passed; what is late no longer is unmarked by the entry that says so."""
    row: Any = CaseRecord.__table__.c
    today = iso(node.now())[:10]
    overdue = sa.or_(*(sa.and_(day != "", day < today) for day in (row.due, row.review)))
    fresh = sa.and_(row.late.is_(False), row.status.not_in(list(ENDED)), overdue)
    if session.execute(sa.select(row.room_id).where(fresh).limit(1)).first() is not None:
        session.execute(sa.update(CaseRecord.__table__).where(fresh).values(late=True))
