"""Decides how a file is served: to whom its holders let read it, as an attachment that no browser runs, whole or in part."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

import sqlalchemy as sa
from aiohttp import web

from fedcollab.access import audit
from fedcollab.access.viewer import ANYBODY, VIEWER, Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import HOUR
from fedcollab.base.errors import Gone, N_, NotFound, Unavailable
from fedcollab.base.session import Session
from fedcollab.base.web import OWN_POLICY, is_signed, local, read_form, redirect
from fedcollab.federation.kernel import KERNEL
from fedcollab.federation.views import partner_viewer

from . import fetching, holding, receiving
from .holding import HOLDS, Holds
from .models import AWAY, CACHED, FETCHING, GONE, OWN, REFUSED, File
from .ranges import part
from .service import FileData, of, why_refused
from .shelves import SHELVES

POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"
TAKEN_AWAY = N_("This file was taken away.")


class Readable(NamedTuple):
    """A file that somebody may read: where its bytes are, and whether anybody may."""

    file: FileData
    own: bool
    key: str
    used_at: int
    public: bool

    @property
    def place(self) -> str:
        return OWN if self.own else CACHED


async def viewer_of(request: web.Request) -> Viewer:
    """Who asks: a partner by signature, else a session or nobody. Raises Unauthorized."""
    if is_signed(request):
        return await partner_viewer(request)
    found: Viewer = request.get(VIEWER, ANYBODY)
    return found


def readable(session: Session, holds: Sequence[Holds], viewer: Viewer, file_id: str, *, relayed: bool = False) -> Readable:
    """Raises NotFound, whether the file is not there or not for them to see. A partner is given our own; another's only where it is
    `relayed`: asked for by its own address."""
    row = session.execute(sa.select(File.by_id, File.key, File.used_at).where(File.id == file_id)).one_or_none()
    if row is None or not holding.reads(session, holds, viewer, file_id):
        raise NotFound()
    own, public = row.by_id is not None, holding.is_public(session, holds, file_id)
    if not own and not viewer.signed_in and viewer.organisation_id and not relayed:
        raise NotFound()
    return Readable(of(session, [file_id])[file_id], own, row.key, row.used_at, public)


async def serve(request: web.Request) -> web.StreamResponse:
    """The file. A partner's that is not here is fetched for members; whoever has not signed in is sent to its own organisation, where what
    is public is served to anybody. Raises NotFound, Gone; Unavailable and its kin where a partner can't be asked just now."""
    viewer = await viewer_of(request)
    found = await request.app[KERNEL].database.read(readable, request.app[HOLDS], viewer, request.match_info["id"])
    if found.file.state in (AWAY, FETCHING) and not viewer.signed_in:
        return redirect(found.file.uri)
    return await _here(request, viewer, found)


async def relay(request: web.Request) -> web.StreamResponse:
    """The file whose own address is `uri`, for a partner that reads through us what holds it: it may not know whose file it is. It has to
    come from there itself, so that no chain of nodes asks each other. Raises NotFound."""
    if not is_signed(request):
        raise NotFound()
    viewer, uri = await viewer_of(request), request.query.get("uri", "")
    found = await request.app[KERNEL].database.read(_relayed, request.app[HOLDS], viewer, uri)
    return await _here(request, viewer, found)


def _relayed(session: Session, holds: Sequence[Holds], viewer: Viewer, uri: str) -> Readable:
    theirs = sa.select(File.id).where(File.uri == uri, File.by_id.is_(None), File.through_id.is_(None))
    file_id = session.scalar(theirs) if viewer.organisation_id else None
    if file_id is None:
        raise NotFound()
    return readable(session, holds, viewer, file_id, relayed=True)


async def _here(request: web.Request, viewer: Viewer, found: Readable) -> web.StreamResponse:
    """Sends it, once it is here."""
    kernel = request.app[KERNEL]
    if found.file.state == GONE:
        raise Gone(TAKEN_AWAY)
    if found.file.state == REFUSED:
        raise fetching.NotAsSaid(why_refused(found.file))
    if found.file.state in (AWAY, FETCHING):
        await fetching.bring(kernel, request.app[SHELVES], found.file.id)
        found = await kernel.database.read(readable, request.app[HOLDS], viewer, found.file.id, relayed=True)
    if kernel.node.now() - found.used_at > HOUR and not found.own:
        await kernel.database.write(_touch, kernel.node, found.file.id)
    return await send(request, found)


def _touch(session: Session, node: Node, file_id: str) -> None:
    session.execute(sa.update(File).where(File.id == file_id).values(used_at=node.now()))


async def send(request: web.Request, found: Readable) -> web.StreamResponse:
    """The bytes that are asked for. Raises OutOfRange."""
    file, tag = found.file, f'"{found.file.sha256}"'
    request[OWN_POLICY] = POLICY
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache" if found.public else "no-store"}
    if _knows(request.headers.get("If-None-Match", ""), tag):
        return web.Response(status=304, headers=headers)
    wanted = part(request.headers.get("Range", ""), file.size) if request.headers.get("If-Range", tag) == tag else None
    start, length = wanted or (0, file.size)
    if wanted:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{file.size}"
    headers |= {"Content-Type": file.media_type, "Content-Disposition": disposition(file.name), "Content-Length": str(length)}
    response = web.StreamResponse(status=206 if wanted else 200, headers=headers)
    pieces = request.app[SHELVES].store(found.place).read(found.key, start, length)
    first = await anext(pieces) if request.method != "HEAD" else b""  # what is missing is said before the answer begins
    await response.prepare(request)
    try:
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    except (ConnectionError, Unavailable, OSError):
        if request.transport is not None:  # the length is said already: only an end in the middle tells that something is missing
            request.transport.abort()
    finally:
        await pieces.aclose()
    return response


def _knows(said: str, tag: str) -> bool:
    return said.strip() == "*" or tag in (one.strip().removeprefix("W/") for one in said.split(","))


def disposition(name: str) -> str:
    """An attachment with a name in any script (RFC 6266)."""
    plain = "".join(letter if letter.isascii() and letter.isprintable() and letter not in '"\\%;' else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def ask_again(request: web.Request) -> web.StreamResponse:
    """A moderator has a partner's file fetched anew that was refused: its organisation may have mended it."""
    fields, viewer, kernel = await read_form(request), receiving.sender(request), request.app[KERNEL]
    if not viewer.moderates:
        raise NotFound()
    await kernel.database.write(_away_again, kernel.node, viewer, request.app[HOLDS], request.match_info["id"])
    return redirect(local(fields.get("next", "/")))


def _away_again(session: Session, node: Node, viewer: Viewer, holds: Sequence[Holds], file_id: str) -> None:
    if readable(session, holds, viewer, file_id).file.state == REFUSED:
        session.execute(sa.update(File).where(File.id == file_id, File.state == REFUSED).values(state=AWAY, reason=""))
        audit.record(session, node.now(), viewer, "file.again", file_id)


ROUTES = (*receiving.ROUTES, web.get("/files", relay), web.get("/files/{id}", serve), web.post("/files/{id}/again", ask_again))
