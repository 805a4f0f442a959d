"""Decides how a record's form in mid-composition is kept: by its person, for half a year."""

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY
from fedcollab.base.session import Session

from . import service
from .models import RecordDraft

KEPT = 180 * DAY
FIELD = 30_000  # characters of one field


def kept(session: Session, viewer: Viewer, place: str) -> dict[str, str]:
    """What was typed into a form; nothing where none is kept."""
    mine = sa.and_(RecordDraft.person_id == viewer.person_id, RecordDraft.place == place)
    return session.scalar(sa.select(RecordDraft.fields).where(mine)) or {}


def keep(session: Session, node: Node, viewer: Viewer, place: str, fields: dict[str, str]) -> None:
    """Keeps a form: of a new record (`place` is empty), or of a record of ours. An empty one is forgotten. Raises NotFound, Forbidden,
    StorageFull."""
    if place:
        service.own(session, viewer, place)
    service.forget_draft(session, viewer, place)
    said = {name: value[:FIELD] for name, value in fields.items() if value.strip()}
    if said:
        node.room.need()
        row = dict(person_id=viewer.person_id, place=place, fields=said, updated_at=node.now())
        session.execute(sa.insert(RecordDraft).values(row))


def forget_drafts(session: Session, node: Node) -> None:
    """Chore: drafts that nobody has touched for so long go."""
    session.execute(sa.delete(RecordDraft).where(RecordDraft.updated_at < node.now() - KEPT))
