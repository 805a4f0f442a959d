"""Decides how a room is taken along: one signed file with what somebody may read of it, a part at a time, on record before it begins."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple

from aiohttp import web

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.federation.kernel import KERNEL
from fedcollab.files.models import SEALED
from fedcollab.files.shelves import SHELVES

from . import bundle_making, bundles, chains, room_chain, sealed_files, texts
from .access_list import Access
from .bundle_files import PIECE
from .chains import Place
from .holding import Opened
from .room_models import HERE


class Named(NamedTuple):
    """A file that goes along: the id of its message, and its own."""

    message: str
    uri: str


class Begun(NamedTuple):
    """An export as it stood when it was put on record: what stands before the record and the messages, up to where those go, and why each
    message that may be named is left out (empty where it is not)."""

    opened: Opened
    first: dict[str, Any]
    around: list[bundle_making.Value]
    begins: Place
    ends: Place
    shown: Mapping[str, str]
    files: Sequence[Named]


def begin(
    session: Session,
    node: Node,
    viewer: Viewer,
    action: str,
    opened: Opened,
    first: dict[str, Any],
    around: list[bundle_making.Value],
    shown: Mapping[str, str],
    files: Sequence[Named],
) -> Begun:
    """Puts the export on record by its `action`, and each file that goes along, before any of it goes. `around` is what
    `bundle_making.around` has found."""
    for one in files:
        room_chain.add(session, node, opened.room_id, viewer, "room.file_read", one.message)
    room_chain.add(session, node, opened.room_id, viewer, action)
    begins, ends = room_chain.begins(session, opened.room_id), room_chain.end(session, opened.room_id)
    return Begun(opened, first, around, begins, ends, shown, files)


def first(node: Node, opened: Opened, access: Access, person: str, code: str = "") -> dict[str, Any]:
    """The head of the file: which room under which label, and who could read it when the file was made."""
    found = [
        {"organisation": one.who.uri, "name": one.who.said, "role": one.role, "state": one.state}
        | {"people": [who.said for who in one.people]}
        for one in access.organisations
    ]
    ours = [{"name": one.name, "id": one.uri} for one in access.ours]
    room = {"room": opened.uri, "room_kind": opened.kind, "label": opened.label} | ({"code": code} if code else {})
    made = {"node": node.actor_uri, "at": node.now(), "by": person}
    return {"form": bundles.FORM, "v": bundles.VERSION} | room | made | {"access": found, "ours": ours}


async def send(request: web.Request, begun: Begun, name: str) -> web.StreamResponse:
    """The file. Once it has begun, what fails ends the connection: a file without its last line is seen to be cut."""
    headers = {"Content-Type": "application/jsonl", "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    answer = web.StreamResponse(headers=headers)
    await answer.prepare(request)
    await _write(request, answer, begun)
    await answer.write_eof()
    return answer


async def _write(request: web.Request, answer: web.StreamResponse, begun: Begun) -> None:
    kernel = request.app[KERNEL]
    made, opened, node, read = bundles.Writer(), begun.opened, kernel.node, kernel.database.read
    for kind, value in [(bundles.FIRST, begun.first), *begun.around]:
        await answer.write(made.line(kind, value))
    place, last = begun.begins, begun.ends.seq
    while place.seq < last and (lines := await read(bundle_making.entries, node, opened.room_id, place, last)):
        await answer.write(b"".join(made.line(*one) for one in lines))
        place = chains.parse(lines[-1][1]).place
    after = ""
    while True:
        after, lines = await read(bundle_making.page, opened, begun.shown, after)
        await answer.write(b"".join(made.line(*one) for one in lines))
        if not after:
            break
    for one in begun.files:
        async with aclosing(_sealed(request, opened.room_id, one)) as pieces:
            async for piece in pieces:
                await answer.write(made.line(bundles.PIECE, {"of": one.message, "data": texts.written(piece)}))
    ended = await read(bundle_making.end, node, opened.uri, made)
    await answer.write(made.line(bundles.END, ended))


async def _sealed(request: web.Request, room_id: str, one: Named) -> AsyncGenerator[bytes, None]:
    """The sealed bytes of a file, as many as a line takes at a time: what opens them stands in its entry. Nothing of one that is not here,
    was changed, or has been marked meanwhile (P23)."""
    row = (await request.app[KERNEL].database.read(sealed_files.of, room_id)).get((one.message, one.uri))
    if row is None or row.state != HERE or row.marked_at is not None or row.reason:
        return
    held = bytearray()
    async with aclosing(request.app[SHELVES].store(SEALED).read(row.key, 0, row.size)) as sealed:
        async for piece in sealed:
            held += piece
            while len(held) >= PIECE:
                yield bytes(held[:PIECE])
                del held[:PIECE]
    if held:
        yield bytes(held)
