"""Decides what may be done with files: put to something, learnt of from a partner, let go; and what is said of them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.addresses import host_of
from fedcollab.base.clock import DAY, new_id
from fedcollab.base.database import wake
from fedcollab.base.errors import BadRequest, N_, NotFound
from fedcollab.base.session import Session

from .kinds import BY_TYPE
from .models import AWAY, CACHED, FETCHING, GONE, HERE, OWN, REFUSED, File, GoneBytes

TOPIC = "files"  # wakes what removes bytes
UNHELD = DAY  # how long a file may wait to be put to something
REASONS = {
    "hash": N_("The file that came is not the one that its organisation has named: its hash is another. It was refused."),
    "type": N_("The file that came is of another type than its organisation has said, or of none that is taken here. It was refused."),
    "size": N_("The file that came is larger than its organisation has said. It was refused."),
    "malware": N_("The scanner of this node takes the file for malware. It was refused."),
}


@dataclass(frozen=True)
class FileData:
    """A file as plain values. `state` is `here`, `away` or `fetching` (a partner's, which is fetched when somebody opens it), `refused` (a
    partner's, `reason` says why: see REASONS) or `gone`."""

    id: str
    uri: str
    name: str
    media_type: str
    size: int
    sha256: str
    organisation_id: str
    state: str
    reason: str = ""
    preview: str = ""
    width: int | None = None
    height: int | None = None
    pages: int | None = None

    @property
    def word(self) -> str:
        """What people call this kind of file, as a message id; empty for one that is none of ours."""
        kind = BY_TYPE.get(self.media_type)
        return kind.word if kind else ""

    @property
    def why(self) -> str:
        """Why a partner's was refused, as a message id."""
        return why_refused(self)

    @property
    def path(self) -> str:
        """Where this node serves it."""
        return f"/files/{self.id}"


@dataclass(frozen=True)
class Attachment:
    """A file as a document names it. What it does not say is empty or 0; `sha256` in hexadecimal."""

    uri: str
    name: str
    media_type: str = ""
    size: int = 0
    sha256: str = ""
    width: int | None = None
    height: int | None = None


COLUMNS = tuple(getattr(File, name) for name in FileData.__dataclass_fields__)


def of(session: Session, ids: Iterable[str]) -> dict[str, FileData]:
    """Files by their ids; those that are not there are left out. Whether somebody may see them is what holds them to know."""
    return {row.id: FileData(*row) for row in session.execute(sa.select(*COLUMNS).where(File.id.in_(list(ids))))}


def attachable(session: Session, node: Node, viewer: Viewer, file_id: str) -> FileData:
    """A file that `viewer` has uploaded and may put to something, in this unit. Raises NotFound for everybody else's, and for one that is
    no longer here."""
    mine = sa.and_(File.id == file_id, File.by_id == (viewer.person_id or ""), File.state == HERE)
    now = node.now()
    # The row is changed, so that whoever looks at the same time whether it is still held waits for this unit.
    kept = sa.update(File).where(mine).values(look_at=now + UNHELD, attached_at=sa.func.coalesce(File.attached_at, now))
    row = session.execute(kept.returning(*COLUMNS)).one_or_none()
    if row is None:
        raise NotFound(N_("This file is not there any more. Upload it again."))
    return FileData(*row)


def learn(session: Session, node: Node, organisation_id: str, said: Attachment, *, through_id: str | None = None) -> str:
    """Keeps what a partner says of a file of its own; answers the file's id here. What it says anew replaces what it said before, and the
    bytes of another content go. `through_id` is the group that it came through, where another organisation keeps that; what we have
    had from its own organisation stays so. Raises BadRequest for a file on somebody else's host."""
    host = session.scalar(sa.select(Actor.host).where(Actor.id == organisation_id))
    if host is None or host == node.host or host_of(said.uri) != host:
        raise BadRequest(reason="a file on another host than its organisation's")
    row = session.execute(sa.select(File.id, File.sha256, File.through_id).where(File.uri == said.uri)).one_or_none()
    through = dict(through_id=through_id) if through_id and (row is None or row.through_id is not None) else {}
    values = dict(name=said.name, media_type=said.media_type, size=said.size, sha256=said.sha256, width=said.width, height=said.height)
    if row is None:
        made = new_id(node.now())
        values |= dict(id=made, uri=said.uri, organisation_id=organisation_id, state=AWAY, created_at=node.now(), used_at=node.now())
        session.execute(sa.insert(File).values(**values, **through, look_at=node.now() + UNHELD))
        return made
    if not said.sha256 or row.sha256 == said.sha256:
        values = {"name": said.name}
    else:
        drop_bytes(session, node, [row.id], CACHED)
        values |= dict(state=AWAY, reason="", pages=None)
    session.execute(sa.update(File).where(File.id == row.id).values(**values, **through))
    return str(row.id)


def let_go(session: Session, node: Node, ids: Iterable[str]) -> None:
    """For whatever holds files no longer, in the same commit: they are looked at now, and go where nothing else holds them."""
    listed = list(ids)
    if listed:
        session.execute(sa.update(File).where(File.id.in_(listed)).values(look_at=node.now()))
        wake(session, TOPIC)


def preview_of(key: str) -> str:
    """The key of the preview of a file whose bytes lie under `key`: so it is found and removed with them whatever happened between."""
    return hashlib.sha256(f"preview {key}".encode()).hexdigest()[:32]


def drop_bytes(session: Session, node: Node, ids: Iterable[str], place: str) -> None:
    """Marks the bytes of files, previews too: they are removed after the commit."""
    listed = list(ids)
    rows = session.execute(sa.select(File.id, File.key).where(File.id.in_(listed), File.key != "")).all()
    gone = [dict(key=key, file_id=row.id, place=place, at=node.now()) for row in rows for key in (row.key, preview_of(row.key))]
    if gone:
        session.execute(sa.insert(GoneBytes), gone)
    session.execute(sa.update(File).where(File.id.in_(listed)).values(key="", preview=""))
    wake(session, TOPIC)


def take_away(session: Session, node: Node, ids: Iterable[str]) -> None:
    """Takes files away for good: nothing is left of them but that they were there."""
    listed = list(ids)
    for place, of_place in ((OWN, File.by_id.is_not(None)), (CACHED, File.by_id.is_(None))):
        drop_bytes(session, node, session.scalars(sa.select(File.id).where(File.id.in_(listed), of_place)).all(), place)
    nothing = dict(state=GONE, name="", sha256="", size=0, width=None, height=None, pages=None, look_at=node.now())
    session.execute(sa.update(File).where(File.id.in_(listed)).values(**nothing))


def why_refused(file: FileData) -> str:
    """Why a partner's file was refused, as a message id; empty for one that was not."""
    return REASONS.get(file.reason, REASONS["type"]) if file.state == REFUSED else ""


__all__ = ["AWAY", "FETCHING", "GONE", "HERE", "REASONS", "REFUSED", "Attachment", "FileData", "attachable", "learn", "let_go", "of"]
