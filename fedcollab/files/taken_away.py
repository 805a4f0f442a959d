"""Decides what a backup means for files: one that was taken away since does not come back, and bytes that no row knows do not stay."""

import shutil
from pathlib import Path

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.sealing.room_models import SealedFile, SealedUpload

from .models import AWAY, FETCHING, HERE, OWN, File, GoneBytes, Upload
from .service import take_away


def listed(session: Session, since: int) -> list[str]:
    """The files of ours that were taken away since, by their ids."""
    still = sa.exists().where(File.id == GoneBytes.file_id, File.state == HERE)
    gone = sa.select(GoneBytes.file_id).where(GoneBytes.at >= since, GoneBytes.place == OWN, ~still)
    return list(session.scalars(gone.distinct().order_by(GoneBytes.file_id)))


def take_again(session: Session, node: Node, name: str) -> None:
    """Takes one away again, whatever names it in the older database. Raises NotFound where it is not there."""
    if session.execute(sa.select(File.id).where(File.id == name, File.state == HERE)).first() is None:
        raise NotFound()
    take_away(session, node, [name])


def begin_anew(session: Session, node: Node, _taken_at: int) -> None:
    """For a database that comes out of a backup: partners' files and what was coming in are in none, and of ours those alone stay on this
    disk that it knows."""
    session.execute(sa.delete(Upload))
    session.execute(sa.delete(SealedUpload))
    others = sa.and_(File.by_id.is_(None), File.state.in_((HERE, FETCHING)))
    session.execute(sa.update(File).where(others).values(state=AWAY, key="", preview=""))
    if node.files.root == Path():
        return  # a node that lies nowhere
    for place in (node.files.cache, node.files.arriving):
        shutil.rmtree(place, ignore_errors=True)
    if not node.settings.s3_url:
        known = {key for row in session.execute(sa.select(File.key, File.preview)) for key in row}
        known |= set(session.scalars(sa.select(SealedFile.key)))
        for path in node.files.uploads.glob("??/*"):
            if path.name not in known:
                path.unlink()
