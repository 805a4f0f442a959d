"""Decides what is remembered of backups: every run, its end, and how old the newest good one is."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id

from .models import FAILED, VERIFIED, BackupRun

KEPT = 100  # runs: three months of nights


def succeeded(session: Session, node: Node, place: str, name: str, size: int, written: int) -> None:
    """Puts a backup on record that was made and opened."""
    _add(session, node, BackupRun(state=VERIFIED, place=place, name=name, size=size, written=written))


def failed(session: Session, node: Node, place: str, why: str) -> None:
    """Puts on record that none was made, and why."""
    _add(session, node, BackupRun(state=FAILED, place=place, why=why[:500]))


def _add(session: Session, node: Node, run: BackupRun) -> None:
    run.id, run.at = new_id(node.now()), node.now()
    session.add(run)
    session.flush()
    kept = sa.select(BackupRun.id).order_by(BackupRun.at.desc(), BackupRun.id.desc()).limit(KEPT).scalar_subquery()
    session.execute(sa.delete(BackupRun).where(BackupRun.id.not_in(kept)))


def newest(session: Session, state: str = "") -> BackupRun | None:
    """The newest run, or the newest that ended as `state`."""
    query = sa.select(BackupRun).order_by(BackupRun.at.desc(), BackupRun.id.desc()).limit(1)
    return session.scalars(query.where(BackupRun.state == state) if state else query).first()
