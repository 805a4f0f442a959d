"""Decides what is remembered of backups: every run, its end, and how old the newest good one is."""

from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.session import Session
from fedcollab.base.statements import put

from .models import FAILED, VERIFIED, BackupRun

KEPT = 100  # runs: three months of nights


class Run(NamedTuple):
    """One attempt, as `BackupRun` keeps it."""

    at: int
    state: str
    place: str
    name: str
    size: int
    written: int
    why: str


def succeeded(session: Session, node: Node, place: str, name: str, size: int, written: int) -> None:
    """Puts a backup on record that was made and opened."""
    _add(session, node, state=VERIFIED, place=place, name=name, size=size, written=written)


def failed(session: Session, node: Node, place: str, why: str) -> None:
    """Puts on record that none was made, and why."""
    _add(session, node, state=FAILED, place=place, why=why[:500])


def _add(session: Session, node: Node, **run: Any) -> None:
    put(session, BackupRun, id=new_id(node.now()), at=node.now(), **run)
    kept = sa.select(BackupRun.id).order_by(BackupRun.at.desc(), BackupRun.id.desc()).limit(KEPT).scalar_subquery()
    session.execute(sa.delete(BackupRun).where(BackupRun.id.not_in(kept)))


def newest(session: Session, state: str = "") -> Run | None:
    """The newest run, or the newest that ended as `state`."""
    query = sa.select(*[getattr(BackupRun, name) for name in Run._fields]).order_by(BackupRun.at.desc(), BackupRun.id.desc()).limit(1)
    found = session.execute(query.where(BackupRun.state == state) if state else query).one_or_none()
    return None if found is None else Run._make(found)
