"""Decides how a file comes in from a member: begun, received in as many goes as the network needs, whole, looked at, and then a file."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa
from aiohttp import ClientPayloadError, web

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.blobs import PIECE, Growing, new_key
from fedcollab.base.clock import DAY, new_id
from fedcollab.base.crash import reach
from fedcollab.base.database import wake
from fedcollab.base.errors import BadRequest, N_, NotFound, Refused, StorageFull, TooLarge, TooMany, Unavailable
from fedcollab.base.room import Room
from fedcollab.base.session import Session
from fedcollab.federation.kernel import Kernel

from . import arrival, kinds, picturing, quotas
from .arrival import Whole
from .decoding import Drawn
from .kinds import Kind
from .models import HERE, OWN, File, GoneBytes, Upload
from .naming import label
from .pace import Pace, Read
from .service import TOPIC, UNHELD, FileData, of, preview_of
from .shelves import SENDERS, SENDERS_EACH, Hand, Shelves

TURN = 10.0  # seconds that one sender waits for the one before to be gone
KEPT = DAY  # how long an upload that nobody goes on with is kept
HANDS = 200  # uploads that are open at once
SLOW = N_(
    "Almost nothing came of your file for a while, so the node has stopped waiting. Nothing is wrong with the file: send it again, where"
    " the connection is better if you can. Where your browser runs scripts, an upload goes on where it broke off."
)
MORE = N_("More came than the file was said to have. Choose it again.")
NO_ROOM = N_(
    "The node's disk is full. What has come of your file is kept for a day: tell your administrator, and choose the same file again"
    " once there is room."
)
UNKNOWN = N_("This upload is not there any more. Begin it again.")
CUT = (TimeoutError, ConnectionError, ClientPayloadError, web.RequestPayloadError)


class Cut(BadRequest):
    """What comes in broke off: its sender is gone, or silent."""


class Taking(Protocol):
    """What takes a file as it comes in: `size` bytes of it by now."""

    @property
    def size(self) -> int: ...

    async def add(self, data: bytes | bytearray, /) -> None: ...


@dataclass(frozen=True)
class UploadData:
    """An upload as plain values. `size` is 0 where it is not known before the end."""

    id: str
    person_id: str
    name: str
    size: int
    received: int
    key: str


COLUMNS = tuple(getattr(Upload, name) for name in UploadData.__dataclass_fields__)


def begin(session: Session, node: Node, viewer: Viewer, *, name: str, size: int) -> UploadData:
    """A new upload. Raises Refused, TooLarge, TooMany, StorageFull: see `quotas.check`."""
    quotas.check(session, node, viewer, size)
    made = UploadData(new_id(node.now()), viewer.person_id, label(name), size, 0, new_key())
    times = dict(created_at=node.now(), updated_at=node.now())
    session.execute(sa.insert(Upload).values(**{field: getattr(made, field) for field in UploadData.__dataclass_fields__}, **times))
    return made


def find(session: Session, viewer: Viewer, upload_id: str) -> UploadData | FileData:
    """Somebody's own upload, or the file that it has become. Raises NotFound."""
    row = session.execute(sa.select(*COLUMNS).where(Upload.id == upload_id, Upload.person_id == viewer.person_id)).one_or_none()
    if row is not None:
        return UploadData(*row)
    mine = sa.select(File.id).where(File.id == upload_id, File.by_id == viewer.person_id, File.state == HERE)
    if session.execute(mine).first() is None:
        raise NotFound(UNKNOWN)
    return of(session, [upload_id])[upload_id]


def note(session: Session, node: Node, upload_id: str, received: int) -> None:
    """So many bytes are safe."""
    session.execute(sa.update(Upload).where(Upload.id == upload_id).values(received=received, updated_at=node.now()))


def keep(
    session: Session, node: Node, viewer: Viewer, upload: UploadData, whole: Whole, kind: Kind, drawn: Drawn, preview: str
) -> FileData:
    """The upload is a file from now on. Raises what `quotas.check` raises, NotFound where it has been forgotten meanwhile."""
    gone = session.execute(sa.delete(Upload).where(Upload.id == upload.id).returning(Upload.id)).first()
    if gone is None:
        raise NotFound(UNKNOWN)
    quotas.check(session, node, viewer, whole.size, but=upload.id)
    now, name = node.now(), kinds.corrected(whole.name, kind)
    row = dict(id=upload.id, uri=node.settings.uri(f"/files/{upload.id}"), organisation_id=viewer.organisation_id, by_id=viewer.person_id)
    what = dict(name=name, media_type=kind.media_type, size=whole.size, sha256=whole.sha256, key=upload.key, state=HERE)
    what |= dict(width=drawn.width, height=drawn.height, pages=drawn.pages, preview=preview)
    session.execute(sa.insert(File).values(**row, **what, created_at=now, used_at=now, look_at=now + UNHELD))
    audit.record(session, now, viewer, "file.upload", upload.id)
    return of(session, [upload.id])[upload.id]


def forget(session: Session, node: Node, upload_ids: Sequence[str]) -> None:
    """Uploads that nobody goes on with, or that were refused, are no more. What may have reached the store already is removed there after
    the commit."""
    rows = session.execute(sa.delete(Upload).where(Upload.id.in_(upload_ids)).returning(Upload.id, Upload.key)).all()
    gone = [dict(key=key, file_id=row.id, place=OWN, at=node.now()) for row in rows for key in (row.key, preview_of(row.key))]
    if gone:
        session.execute(sa.insert(GoneBytes), gone)
        wake(session, TOPIC)


def stale(session: Session, before: int) -> list[UploadData]:
    """Uploads of which nothing has come since."""
    rows = session.execute(sa.select(*COLUMNS).where(Upload.updated_at < before).order_by(Upload.updated_at).limit(100))
    return [UploadData(*row) for row in rows]


@asynccontextmanager
async def sending(shelves: Shelves, viewer: Viewer) -> AsyncIterator[None]:
    """One of the places in which bodies are read. Raises Unavailable where all are taken, TooMany where this person has several."""
    if shelves.senders.total() >= SENDERS:
        raise Unavailable(reason="too many uploads at once", retry_after=5)
    if shelves.senders[viewer.person_id] >= SENDERS_EACH:
        raise TooMany(reason="one person sends too many files at once", retry_after=5)
    shelves.senders[viewer.person_id] += 1
    try:
        yield
    finally:
        shelves.senders[viewer.person_id] -= 1
        if not shelves.senders[viewer.person_id]:
            del shelves.senders[viewer.person_id]


@asynccontextmanager
async def in_hand(
    kernel: Kernel, shelves: Shelves, viewer: Viewer, upload_id: str, connection: asyncio.Transport | None
) -> AsyncIterator[tuple[Hand | None, UploadData | FileData]]:
    """The upload, for this connection alone: one over which it came before is given up, for whoever comes anew has lost it; but only where
    it is the viewer's. Without a hand where it is a file already. Raises NotFound; Unavailable where the one before does not end."""
    await kernel.database.read(find, viewer, upload_id)
    hand = _hand(shelves, upload_id)
    hand.waiting += 1
    if hand.connection is not None and hand.connection is not connection:
        hand.connection.abort()
    try:
        async with asyncio.timeout(TURN):
            await hand.turn.acquire()
    except TimeoutError:
        raise Unavailable(reason="an upload is still in other hands", retry_after=5) from None
    finally:
        hand.waiting -= 1
    try:
        hand.connection, hand.used = connection, asyncio.get_running_loop().time()
        found = await kernel.database.read(find, viewer, upload_id)
        if isinstance(found, UploadData):
            await _open(shelves, hand, found)
            yield hand, found
        else:
            yield None, found
    finally:
        hand.connection = None
        hand.turn.release()
        if hand.growing is None and not hand.waiting:
            shelves.hands.pop(upload_id, None)


def _hand(shelves: Shelves, upload_id: str) -> Hand:
    """The open upload; those that rest longest are closed where there are too many."""
    resting = sorted((one.used, name) for name, one in shelves.hands.items() if not one.turn.locked() and not one.waiting)
    for _, name in resting[: max(0, len(shelves.hands) - HANDS)]:
        close(shelves, name)
    return shelves.hands.setdefault(upload_id, Hand())


async def _open(shelves: Shelves, hand: Hand, upload: UploadData) -> None:
    """What another process, or this one before, has said to be safe is hashed again, and the rest forgotten."""
    if hand.growing is None:
        growing = shelves.arriving.growing(upload.key)
        await growing.begin(upload.received)
        hand.growing = growing


def close(shelves: Shelves, upload_id: str) -> None:
    """Gives the file of an upload back to the system; it can be gone on with all the same."""
    hand = shelves.hands.pop(upload_id, None)
    if hand is not None and hand.growing is not None:
        hand.growing.close()
        hand.growing = None


async def pour(growing: Taking, read: Read, most: int, room: Room, *, piece: int = PIECE) -> None:
    """Writes what `read` brings until it is empty; what has come is safe also where it breaks off. `most` are the bytes that the file may
    have; the disk is looked at all the while, for others fill it as well. Raises TooLarge, StorageFull, and Cut where it breaks off."""
    held, waiting, pace = list[bytes](), 0, Pace(read)
    try:
        while True:
            chunk = await pace.read()
            held.append(chunk)
            waiting += len(chunk)
            if growing.size + waiting > most:
                raise TooLarge(MORE)
            if waiting and (waiting >= piece or not chunk):
                room.need_for_file(waiting)
                await growing.add(b"".join(held))
                held, waiting = [], 0
            if not chunk:
                return
    except CUT as error:
        await growing.add(b"".join(held))
        raise _cut(error) from None


def _cut(error: Exception) -> Cut:
    made = Cut(SLOW if isinstance(error, TimeoutError) else "", reason=f"an upload was cut: {type(error).__name__}")
    made.status = 408 if isinstance(error, TimeoutError) else made.status
    return made


async def receive(
    kernel: Kernel, shelves: Shelves, viewer: Viewer, upload: UploadData, growing: Growing, read: Read, *, whole: bool = False
) -> FileData | None:
    """Takes what `read` brings; the file once all of it is there, or `whole` says that no more will come. Of what was cut all is kept that
    has come; of what finds no room, what had come before this. Raises Cut, TooLarge, StorageFull, and what `finish`
    raises."""
    most, before = quotas.limit(kernel.node.settings) if whole else upload.size, growing.mark()
    try:
        await pour(growing, read, most, kernel.node.room)
    except TooLarge:
        await drop(kernel, shelves, [upload])
        raise
    except StorageFull as full:
        await growing.back_to(before)
        raise full if whole else StorageFull(NO_ROOM, reason=full.reason, retry_after=full.retry_after) from None
    except Cut:
        await _safe(kernel, upload, growing)
        raise
    if not whole and growing.size < upload.size:
        await _safe(kernel, upload, growing)
        return None
    found = await finish(kernel, shelves, viewer, upload, growing)
    close(shelves, upload.id)
    return found


async def _safe(kernel: Kernel, upload: UploadData, growing: Growing) -> None:
    await growing.safe()
    await kernel.database.write(note, kernel.node, upload.id, growing.size)


async def finish(kernel: Kernel, shelves: Shelves, viewer: Viewer, upload: UploadData, growing: Growing) -> FileData:
    """What is whole is looked at, and becomes a file, or is gone. Raises Refused; Unavailable, StorageFull where the same can be tried
    again, but not once the store has it."""
    await growing.safe()
    whole = Whole(growing.path, upload.name, growing.size, growing.sha256())
    try:
        kind = await arrival.look(shelves, whole)
        async with picturing.prepared(shelves, whole, kind) as (kept, drawn):
            await shelves.own.take(kept.path, upload.key, kept.sha256)
            preview = await picturing.store(shelves, OWN, upload.key, drawn)
            reach("upload.stored")
            found = await kernel.database.write(keep, kernel.node, viewer, upload, kept, kind, drawn, preview)
        await shelves.arriving.remove(upload.key)  # a picture as it came
        return found
    except Refused:
        await drop(kernel, shelves, [upload])
        raise
    except Unavailable:
        if not await shelves.disk.do(growing.path.exists):
            await drop(kernel, shelves, [upload])
        raise


async def drop(kernel: Kernel, shelves: Shelves, uploads: Sequence[UploadData]) -> None:
    """Forgets uploads, after what has come of them was removed: also where the disk is too full to say so in the database."""
    for one in uploads:
        close(shelves, one.id)
        await shelves.arriving.remove(one.key)
    await kernel.database.write(forget, kernel.node, [one.id for one in uploads])
