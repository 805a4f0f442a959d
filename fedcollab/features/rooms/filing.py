"""Decides which files of a sealed group somebody sees and opens: those that stand with a post that is there; how one comes with a post, and
what it takes to mark one that may show the abuse of a child."""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.sealing import acting, filed, room_chain, room_content, sealed_files
from fedcollab.sealing.carried import Carried
from fedcollab.sealing.chunks import FileSecret
from fedcollab.sealing.entries import Entry
from fedcollab.sealing.filed import SUSPECTED
from fedcollab.sealing.made_ready import Write
from fedcollab.sealing.room_models import SealedFile

from . import attached, opening, places, reading
from .attached import Listed
from .entries import File, Reply, Suspected, Thread
from .folding import FILES, THERE
from .opening import Here, Keys
from .places import RESOURCE

TOO_MANY = N_("This post carries as many files as one can. Write another one for the next.")


@dataclass(frozen=True, repr=False)
class Came:
    """A file that has come in, sealed: how it is called, its type, what opens it."""

    name: str
    media: str
    secret: FileSecret
    carried: Carried


def find(session: Session, _node: Node, here: Here, _keys: Keys, file_id: str) -> Write:
    """A file by its address, and its group. Raises NotFound, also where its post is gone."""
    found = _find(session, here, file_id)
    return lambda _session: (here, found)


def _find(session: Session, here: Here, file_id: str) -> Listed:
    there = sa.select(SealedFile.message_id).where(SealedFile.id == file_id, SealedFile.room_id == here.id)
    message = session.execute(there).scalar()
    post = places.about_of(session, here.id, message) if message else ""
    row = places.rows_of(session, here.id, [post]).get(post) if post else None
    own = reading.own(session, here, row) if row else None
    files = attached.beside(session, here, [own.post] if own else []).values()
    found = next((one for listed in files for one in listed if one.id == file_id), None)
    if found is None:
        raise NotFound
    return found


def opened(session: Session, node: Node, here: Here, _keys: Keys, file_id: str) -> Write:
    """The file that somebody opens, which goes on record first; one that is not here is asked for."""
    found = _find(session, here, file_id)

    def write(session: Session) -> Listed:
        filed.open_(session, node, here.viewer, here.id, found.attached.uri, found.row, found.state)
        return found

    return write


def check_takes(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str) -> None:
    """Whether something can be sent to a group by whoever brings a file, before any of it comes in. Raises NotFound, NoLonger, Frozen,
    Ended, Outside."""
    acting.check_open(opening.opened_by(session, node, viewer, keys, room_id).room)


def says(
    session: Session, node: Node, here: Here, _keys: Keys, make: Callable[[Here], Entry], once: str = "", came: Came | None = None
) -> Write:
    """The entry that `make` answers, with its file where it brings one, in one step; the message's row. A form that is sent twice, known by
    `once`, says it once. Raises what `make` does; the act raises Frozen, Ended, Outside."""
    uri, said = room_content.by_form(session, node, here.id, once)
    entry = None if said else make(here)

    def write(session: Session) -> str:
        if entry is None:
            sealed_files.forget(session, node, [came.carried.key] if came else [])
            return places.rows_of(session, here.id, [uri])[uri]
        row = opening.add(session, node, here, entry, uri)
        if came:
            thread = uri if isinstance(entry, Thread) else entry.thread if isinstance(entry, Reply) else ""
            _attach(session, node, here, uri, thread, came)
        return row

    return write


def attach(session: Session, node: Node, here: Here, _keys: Keys, row: str, came: Came) -> Write:
    """One more file for an own post. Raises NotFound for what somebody else wrote or is gone, Refused for one too many."""
    own = reading.own(session, here, row)
    check_own(own)
    if len(own.post.files) >= FILES:
        raise Refused(TOO_MANY)
    return lambda session: _attach(session, node, here, own.post.uri, "" if own.place == RESOURCE else own.place, came)


def check_own(own: reading.Own) -> None:
    """What somebody else wrote, or what is gone, is not there to be changed. Raises NotFound."""
    if own.post.author != own.here.person or own.post.state != THERE:
        raise NotFound


def _attach(session: Session, node: Node, here: Here, post: str, thread: str, came: Came) -> None:
    file = came.carried
    entry = File(at=node.now(), of=post, thread=thread, uri=file.uri, name=came.name, media=came.media, secret=came.secret)
    opening.add(session, node, here, entry, files=[file])


def mark(session: Session, node: Node, here: Here, _keys: Keys, file_id: str) -> Write:
    """P23, in one step and for good: no node opens it or hands it out from now on. Nothing of it is destroyed."""
    found = _find(session, here, file_id)

    def write(session: Session) -> None:
        if found.state != SUSPECTED:
            opening.add(session, node, here, Suspected(at=node.now(), of=found.attached.uri))
            room_chain.add(session, node, here.id, here.viewer, "room.file_mark", found.attached.uri)

    return write
