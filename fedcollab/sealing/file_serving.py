"""Decides to whom a sealed file's ciphertext is given: by a signed GET, to the organisations that the case key of its message is for; for
all others, of one that was marked (P23), and of one whose consent has ended, nothing is there."""

import contextlib
from typing import NamedTuple

import sqlalchemy as sa
from aiohttp import web

from fedcollab.access.viewer import partner
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.errors import BadRequest, NotFound, Unavailable
from fedcollab.base.session import Session
from fedcollab.base.web import OWN_POLICY, is_signed
from fedcollab.federation.authenticate import authenticate
from fedcollab.federation.kernel import KERNEL
from fedcollab.files.models import SEALED
from fedcollab.files.ranges import part
from fedcollab.files.shelves import SHELVES
from fedcollab.files.views import POLICY

from . import consents, handing, room_chain, rooms, texts
from .carried import MEDIA
from .refusals import NotInside
from .room_models import ERASED, HERE, SealedFile, SealedMessage
from .room_state import Room


class Given(NamedTuple):
    """Ciphertext that somebody may have."""

    file_id: str
    key: str
    size: int


async def get_file(request: web.Request) -> web.StreamResponse:
    """The ciphertext, or the part of it that is asked for. Raises NotFound, OutOfRange."""
    if not is_signed(request):
        raise NotFound()
    kernel = request.app[KERNEL]
    found = await authenticate(kernel, request, b"")
    of = found.actor, request.match_info["name"]
    given = await kernel.database.read(given_before, kernel.node, *of)
    if given is None:
        given = await kernel.database.write(give, kernel.node, *of)
    wanted = part(request.headers.get("Range", ""), given.size)
    start, length = wanted or (0, given.size)
    request[OWN_POLICY] = POLICY
    headers = {"Content-Type": MEDIA, "Content-Length": str(length), "Cache-Control": "no-store", "Accept-Ranges": "bytes"}
    headers |= {"Content-Range": f"bytes {start}-{start + length - 1}/{given.size}"} if wanted else {}
    return await _send(request, web.StreamResponse(status=206 if wanted else 200, headers=headers), given.key, start, length)


async def _send(request: web.Request, response: web.StreamResponse, key: str, start: int, length: int) -> web.StreamResponse:
    pieces = request.app[SHELVES].store(SEALED).read(key, start, length)
    try:
        first = await anext(pieces)
        await response.prepare(request)
        try:
            await response.write(first)
            async for piece in pieces:
                await response.write(piece)
            await response.write_eof()
        except (ConnectionError, Unavailable, OSError):
            if request.transport is not None:  # the length is said already
                request.transport.abort()
    finally:
        await pieces.aclose()
    return response


def give(session: Session, node: Node, to: ActorData, name: str) -> Given:
    """What the organisation `to` may have under this name; on record. Raises NotFound."""
    room_id, message, given = _may_have(session, node, to, name)
    if not room_chain.is_said(session, node, room_id, to.uri, "room.file_given", message):
        room_chain.add(session, node, room_id, partner(to.organisation_id), "room.file_given", message)
    return given


def given_before(session: Session, node: Node, to: ActorData, name: str) -> Given | None:
    """The same where it is on record already, for a reader: a file is asked for in many parts. None where it is to be written. Raises
    NotFound."""
    room_id, message, given = _may_have(session, node, to, name)
    return given if room_chain.is_said(session, node, room_id, to.uri, "room.file_given", message) else None


def _may_have(session: Session, node: Node, to: ActorData, name: str) -> tuple[str, str, Given]:
    """(room's row, message, file). Each room is looked at once, however many of its messages name these bytes."""
    back, rooms_of = consents.held_back(session, to.id), dict[str, Room | None]()
    for row in session.execute(_named(name)):
        if row.room_id not in rooms_of:
            room = rooms.by_row(session, node, row.room_id)
            rooms_of[row.room_id] = room if consents.is_delivered(session, room.id) else None
        found = rooms_of[row.room_id]
        key = found.key(row.ck) if found is not None else None
        if found is None or key is None or row.uri in back:
            continue
        with contextlib.suppress(NotInside):
            handing.entitled(found, to.uri, key)
            return row.room_id, row.uri, Given(row.id, row.key, row.size)
    raise NotFound


def _named(name: str) -> sa.Select[str, str, int, str, str, str]:
    try:
        digest = texts.read(name, texts.HASH, texts.HASH).hex()
    except BadRequest:
        raise NotFound from None
    query = sa.select(SealedFile.id, SealedFile.key, SealedFile.size, SealedFile.room_id, SealedMessage.ck, SealedMessage.uri)
    query = query.join(SealedMessage, SealedMessage.id == SealedFile.message_id)
    here = sa.and_(SealedFile.digest == digest, SealedFile.state == HERE, SealedFile.marked_at.is_(None), SealedFile.reason == "")
    return query.where(here, SealedMessage.state != ERASED)


ROUTES = (web.get("/rooms/files/{name}", get_file, allow_head=False),)
