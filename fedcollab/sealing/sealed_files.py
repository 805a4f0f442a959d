"""Decides what is kept of a sealed file: coming in, here or away with its message, marked, gone with it; its bytes go after the commit that
says so. How much may be stored: as for other files, what members' nodes bring beside what partners' files may take."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.blobs import new_key
from fedcollab.base.clock import DAY, new_id
from fedcollab.base.database import wake
from fedcollab.base.errors import N_, NotFound, Refused, TooMany
from fedcollab.base.model import aliased
from fedcollab.base.room import MEGABYTE
from fedcollab.base.session import Session
from fedcollab.files import quotas
from fedcollab.files.models import SEALED, GoneBytes
from fedcollab.files.service import TOPIC

from . import carried, room_chain, room_quotas
from .carried import Carried
from .room_models import AWAY, GONE, HERE, SealedFile, SealedMessage, SealedUpload

ASKING = "sealed-files"  # wakes what asks members' nodes for files
FEW = 1000  # messages that are named in a query
KEPT = DAY  # after which nothing comes any more of what has begun to come in
CHANGED, HASH, ROOM, SIZE = "changed", "hash", "room", "size"
BROKEN_OFF = N_("This upload was given up meanwhile. Send the file again.")


class FileRow(NamedTuple):
    """A sealed file as it is kept."""

    id: str
    uri: str
    room_id: str
    message_id: str
    size: int
    key: str
    state: str
    digest: str
    reason: str
    next_at: int | None
    marked_at: int | None


COLUMNS = tuple(getattr(SealedFile, name) for name in FileRow._fields)


def of(session: Session, room_id: str, messages: Collection[str] = ()) -> dict[tuple[str, str], FileRow]:
    """The files of a room, of a few of its messages alone where they are named: each by the id of its message and its own, on the wire."""
    query = sa.select(*COLUMNS, SealedMessage.uri).join(SealedMessage, SealedMessage.id == SealedFile.message_id)
    query = query.where(SealedFile.room_id == room_id)
    query = query.where(SealedMessage.uri.in_(messages)) if 0 < len(messages) <= FEW else query
    return {(row[-1], row[1]): FileRow(*row[:-1]) for row in session.execute(query)}


def begin(session: Session, node: Node, viewer: Viewer, size: int) -> str:
    """A file of at most `size` bytes is coming in; the key under which its ciphertext grows. Raises Refused, TooLarge, TooMany,
    StorageFull."""
    quotas.check(session, node, viewer, size)
    key = new_key()
    session.execute(sa.insert(SealedUpload).values(key=key, person_id=viewer.person_id, size=size, at=node.now()))
    return key


def forget(session: Session, node: Node, keys: Iterable[str]) -> None:
    """What has begun to come in is given up."""
    rows = session.execute(sa.delete(SealedUpload).where(SealedUpload.key.in_(list(keys))).returning(SealedUpload.key)).all()
    _drop(session, node, [("", row.key) for row in rows])


def stale(session: Session, before: int) -> list[str]:
    """The keys of what has begun to come in before, and belongs to no message yet."""
    return list(session.scalars(sa.select(SealedUpload.key).where(SealedUpload.at < before)))


def keep(session: Session, node: Node, message: str, files: Sequence[Carried]) -> None:
    """The files of a message that was stored in this unit: those that have come in here are here, the others are asked for. Raises NotFound
    for one that was given up meanwhile."""
    if not files:
        return
    row = session.execute(sa.select(SealedMessage.id, SealedMessage.room_id).where(SealedMessage.uri == message)).one()
    there = set(session.scalars(sa.select(SealedFile.uri).where(SealedFile.message_id == row.id)))
    for one in files:
        if one.uri in there:
            raise Refused(reason="sealing: a file stands twice beside a message")
        there.add(one.uri)
        came = sa.delete(SealedUpload).where(SealedUpload.key == one.key).returning(SealedUpload.key)
        if one.key and session.execute(came).first() is None:
            raise NotFound(BROKEN_OFF)
        where: dict[str, Any] = dict(state=HERE, next_at=None) if one.key else dict(state=AWAY, next_at=node.now())
        if _is_marked(session, row.room_id, one.digest):
            where |= dict(marked_at=node.now(), next_at=None)
        what = dict(uri=one.uri, size=one.size, digest=one.digest, key=one.key, reason="", tries=0, at=node.now())
        session.execute(sa.insert(SealedFile).values(id=new_id(node.now()), room_id=row.room_id, message_id=row.id, **what, **where))
    wake(session, ASKING)


def keep_others(session: Session, node: Node, message: str, files: Sequence[Carried]) -> None:
    """The same for a message that has come before: those of its files that are not known yet. Raises TooMany where that would be more than
    a message has, however often it comes."""
    ours = sa.select(SealedFile.uri).join(SealedMessage, SealedMessage.id == SealedFile.message_id).where(SealedMessage.uri == message)
    there = set(session.scalars(ours))
    fresh = [one for one in files if one.uri not in there]
    if fresh and len(there) + len(fresh) > carried.MOST:
        raise TooMany(reason="sealing: more files than stand beside a message")
    keep(session, node, message, fresh)


def _is_marked(session: Session, room_id: str, digest: str) -> bool:
    """Whether these bytes were marked in this room beside another message: naming them again undoes that for nobody."""
    same = sa.select(SealedFile.id).where(SealedFile.room_id == room_id, SealedFile.digest == digest, SealedFile.marked_at.is_not(None))
    return session.execute(same.limit(1)).first() is not None


def key_of(file_id: str) -> str:
    """Where a member's file lies once it was fetched: so it is found and removed with its row whatever happened between."""
    return hashlib.sha256(f"sealed {file_id}".encode()).hexdigest()[:32]


def take_away(session: Session, node: Node, message_ids: Sequence[str]) -> None:
    """For messages that go: their files' bytes go as well."""
    rows = session.execute(sa.select(SealedFile.id, SealedFile.key).where(SealedFile.message_id.in_(message_ids))).all()
    _drop(session, node, [(row.id, key) for row in rows for key in {row.key, key_of(row.id)} - {""}])
    nothing = dict(state=GONE, key="", digest="", reason="", next_at=None)
    session.execute(sa.update(SealedFile).where(SealedFile.id.in_([row.id for row in rows])).values(**nothing))


def _drop(session: Session, node: Node, going: Sequence[tuple[str, str]]) -> None:
    """Marks bytes, (file, key): they are removed after the commit."""
    if going:
        session.execute(sa.insert(GoneBytes), [dict(key=key, file_id=of_file, place=SEALED, at=node.now()) for of_file, key in going])
        wake(session, TOPIC)


def message_of(file_id: str) -> sa.Select[str, str]:
    """(room, id of the message on the wire) of a file."""
    query = sa.select(SealedFile.room_id, SealedMessage.uri).join(SealedMessage, SealedMessage.id == SealedFile.message_id)
    return query.where(SealedFile.id == file_id)


def changed(session: Session, node: Node, file_id: str) -> None:
    """Its bytes here are not what was shared: the members' nodes are asked for it. What is here stays until it has come."""
    same = sa.and_(SealedFile.id == file_id, SealedFile.state == HERE, SealedFile.reason == "")
    found = sa.update(SealedFile).where(same).values(reason=CHANGED, tries=0, next_at=node.now()).returning(SealedFile.id)
    if session.execute(found).first() is not None:
        row = session.execute(message_of(file_id)).one()
        room_chain.add(session, node, row.room_id, None, "room.file_changed", row.uri)
        wake(session, ASKING)


def is_marked(session: Session, file_id: str) -> bool:
    """Whether somebody has marked a file by now (P23)."""
    return session.execute(sa.select(SealedFile.id).where(SealedFile.id == file_id, SealedFile.marked_at.is_not(None))).first() is not None


def ask_now(session: Session, node: Node, file_id: str) -> None:
    """Somebody wants to open one that is away: it is asked for now."""
    same = sa.and_(SealedFile.id == file_id, SealedFile.state == AWAY, SealedFile.marked_at.is_(None))
    session.execute(sa.update(SealedFile).where(same).values(next_at=node.now()))
    wake(session, ASKING)


def mark(session: Session, node: Node, messages: Iterable[str]) -> list[str]:
    """The files of these messages, by their ids on the wire, are opened and handed out no more (P23), nor the same bytes beside others of
    the room; the row ids of those that were not marked yet. Their ciphertext stays untouched, for the authority that asks for it."""
    of_them = aliased(SealedFile)
    named = sa.select(SealedMessage.id).where(SealedMessage.uri.in_(list(messages)))
    same = sa.and_(of_them.room_id == SealedFile.room_id, of_them.digest == SealedFile.digest, of_them.digest != "")
    copies = sa.exists().where(of_them.message_id.in_(named), same).correlate(SealedFile)
    which = sa.and_(sa.or_(SealedFile.message_id.in_(named), copies), SealedFile.marked_at.is_(None))
    done = sa.update(SealedFile).where(which).values(marked_at=node.now(), next_at=None).returning(SealedFile.id)
    return list(session.scalars(done))


def marked(session: Session, room_id: str, messages: Collection[str]) -> set[str]:
    """Those of these messages of a room, by their ids on the wire, of which a file was marked."""
    found = of(session, room_id, messages) if messages else {}
    return {message for (message, _uri), row in found.items() if row.marked_at is not None and message in messages}


def arrived(session: Session, node: Node, file_id: str, key: str) -> bool:
    """Its bytes lie under `key` now, instead of where they lay; False where it went meanwhile. Another process may have brought it too."""
    before = session.execute(sa.select(SealedFile.key, SealedFile.state).where(_wanted(file_id))).one_or_none()
    if before is None:
        there = sa.select(SealedFile.id).where(SealedFile.id == file_id, SealedFile.key == key, SealedFile.state == HERE)
        return session.execute(there).first() is not None
    _drop(session, node, [(file_id, before.key)] if before.key not in ("", key) else [])
    if before.state == AWAY:
        room_quotas.file_came(session, file_id)
    what = dict(key=key, state=HERE, reason="", next_at=None, tries=0)
    return session.execute(sa.update(SealedFile).where(_wanted(file_id)).values(**what).returning(SealedFile.id)).first() is not None


def later(session: Session, file_id: str, next_at: int, reason: str) -> None:
    """It could not be had; what is here and has changed stays named so."""
    told = sa.case((SealedFile.state == HERE, SealedFile.reason), else_=reason)
    session.execute(sa.update(SealedFile).where(_wanted(file_id)).values(next_at=next_at, tries=SealedFile.tries + 1, reason=told))


def _wanted(file_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(SealedFile.id == file_id, SealedFile.state.in_((AWAY, HERE)), SealedFile.next_at.is_not(None))


def need_room(session: Session, node: Node, file_id: str, organisation: str, size: int) -> str:
    """Why a member's file of so many bytes can't be taken in: SIZE, ROOM, or nothing. Raises StorageFull."""
    share = node.settings.cache_quota * MEGABYTE * node.settings.cache_share // 100
    if size > min(share, 2 * quotas.limit(node.settings)):
        return SIZE
    node.room.need_for_file(size)
    if not room_quotas.has_room_for_file(session, node, file_id):
        return ROOM
    full = theirs(session, node, organisation) + size > share or theirs(session, node) + size > node.settings.cache_quota * MEGABYTE
    return ROOM if full else ""


def theirs(session: Session, node: Node, organisation: str = "") -> int:
    """Bytes of sealed files here that other organisations have shared, or one of them."""
    query = sa.select(sa.func.sum(SealedFile.size)).join(SealedMessage, SealedMessage.id == SealedFile.message_id)
    whose = SealedMessage.organisation == organisation if organisation else SealedMessage.organisation != node.actor_uri
    return int(session.scalar(query.where(whose, SealedFile.state == HERE)) or 0)
