"""Decides how a form in mid-composition is kept, its files with it, and how long it waits for its author: half a year."""

from collections.abc import Sequence
from functools import cache

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared

from . import attaching, reading
from .models import Draft

KEPT = 180 * DAY
TITLE = 200


def save_draft(session: Session, node: Node, viewer: Viewer, place: str, *, title: str, text: str, files: Sequence[str] = ()) -> None:
    """Keeps a form in mid-composition with its files, for a thread or group that the viewer sees; an empty one is forgotten. Raises
    NotFound, StorageFull."""
    reading.group_of(session, viewer, place)
    forget(session, node, viewer, place, files)
    if title.strip() or text.strip() or files:
        node.room.need()
        row = dict(person_id=viewer.person_id, place=place, title=title[:TITLE], text=text, updated_at=node.now())
        session.execute(sa.insert(Draft).values(row))


def forget(session: Session, node: Node, viewer: Viewer, place: str, but: Sequence[str] = ()) -> None:
    """The draft is no more, nor its files `but` these."""
    prepared(session, _one(), {"person": viewer.person_id, "place": place})
    attaching.keep(session, node, viewer, place, but)


@cache
def _one() -> sa.Delete:
    return sa.delete(Draft).where(Draft.person_id == sa.bindparam("person"), Draft.place == sa.bindparam("place"))


def forget_drafts(session: Session, node: Node) -> None:
    """Chore: drafts that nobody has touched for so long go, with the files that wait with them."""
    session.execute(sa.delete(Draft).where(Draft.updated_at < node.now() - KEPT))
    attaching.forget_draft_files(session, node)
