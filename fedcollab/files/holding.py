"""Decides who reads a file: whoever reads something that holds it, and as long as nothing does, the person who uploaded it."""

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from aiohttp import web

from fedcollab.access.viewer import ANYBODY, Viewer
from fedcollab.base.session import Session

from .models import HERE, File

# For a viewer, the ids of the files that they may read through a feature's things; for None, of all that its things hold.
Holds = Callable[[Viewer | None], sa.Select[str]]
HOLDS: web.AppKey[Sequence[Holds]] = web.AppKey("holds")


def held(session: Session, holds: Sequence[Holds], viewer: Viewer | None, ids: Sequence[str]) -> set[str]:
    """Those of `ids` that `viewer` may read because something holds them; None for those that are held at all."""
    found: set[str] = set()
    for one in holds:
        listed = one(viewer).subquery()
        column = next(iter(listed.c))
        found.update(session.scalars(sa.select(column).where(column.in_(ids))))
    return found


def reads(session: Session, holds: Sequence[Holds], viewer: Viewer, file_id: str) -> bool:
    """Whether `viewer` may read a file."""
    if held(session, holds, viewer, [file_id]):
        return True
    mine = sa.select(File.id).where(File.id == file_id, File.by_id == (viewer.person_id or ""), File.state == HERE)
    return session.execute(mine).first() is not None and not held(session, holds, None, [file_id])


def is_public(session: Session, holds: Sequence[Holds], file_id: str) -> bool:
    """Whether anybody may read it."""
    return bool(held(session, holds, ANYBODY, [file_id]))
