"""Decides how somebody takes a case along: one signed file with what they may read of it, a part at a time, on record before it begins."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, NamedTuple

from aiohttp import web
from sqlalchemy.orm import Session

from fedcollab.actors.node import Node
from fedcollab.feature import read_grave_form
from fedcollab.federation.kernel import KERNEL
from fedcollab.files.models import SEALED
from fedcollab.files.shelves import SHELVES
from fedcollab.sealing import bundle_making, bundles, chains, room_chain, sealed_files, texts
from fedcollab.sealing.bundle_files import PIECE
from fedcollab.sealing.chains import Place
from fedcollab.sealing.room_models import HERE

from . import filing
from .acting import Write, acted, desk_of, worker_of
from .desk import Desk, Keys
from .framing import CASE, RECORD, show
from .shown import THERE, Shown
from .work import File


class Begun(NamedTuple):
    """An export as it stood when it was put on record: what stands before the record and the messages, and up to where those go."""

    desk: Desk
    first: dict[str, Any]
    around: list[bundle_making.Value]
    begins: Place
    ends: Place
    files: list[Shown]


async def show_export(request: web.Request) -> web.Response:
    """What is in such a file, what it proves, and what it does not protect."""
    desk = await desk_of(request)
    left_out = sum(one.state != THERE for one in desk.case.timeline)
    return show(request, desk, "cases/export.html", RECORD, command="fedcollab verify case.jsonl", left_out=left_out)


async def export(request: web.Request) -> web.StreamResponse:
    """The file. Once it has begun, what fails ends the connection: a file without its last line is seen to be cut."""
    worker_of(request)
    fields = await read_grave_form(request)
    begun: Begun = await acted(request, begin, fields.get("files") == "yes")
    headers = {"Content-Type": "application/jsonl", "Content-Disposition": 'attachment; filename="case.jsonl"', "Cache-Control": "no-store"}
    answer = web.StreamResponse(headers=headers)
    await answer.prepare(request)
    await _write(request, answer, begun)
    await answer.write_eof()
    return answer


def begin(session: Session, node: Node, desk: Desk, _keys: Keys, with_files: bool = False) -> Write:
    """Puts the export on record, and each file that goes along, before any of it goes."""
    files = [one.shown for one in reversed(filing.listed(session, desk)) if one.state == THERE] if with_files else []
    authors = {one.author for one in desk.case.timeline if one.state == THERE}
    around = bundle_making.around(session, node, desk.opened, authors)
    first = _first(node, desk)

    def write(session: Session) -> Begun:
        for one in files:
            room_chain.add(session, node, desk.id, desk.viewer, "room.file_read", one.id)
        room_chain.add(session, node, desk.id, desk.viewer, "case.export")
        return Begun(desk, first, around, room_chain.begins(session, desk.id), room_chain.end(session, desk.id), files)

    return write


def _first(node: Node, desk: Desk) -> dict[str, Any]:
    """The head of the file: which case under which label, and who could read it when the file was made."""
    access = [
        {"organisation": one.who.uri, "name": one.who.said, "role": one.role, "state": one.state}
        | {"people": [who.said for who in one.people]}
        for one in desk.access.organisations
    ]
    ours = [{"name": one.name, "id": one.uri} for one in desk.access.ours]
    room = {"room": desk.opened.uri, "room_kind": desk.opened.kind, "label": desk.opened.label, "code": desk.case.code}
    made = {"node": node.actor_uri, "at": node.now(), "by": desk.look.person}
    return {"form": bundles.FORM, "v": bundles.VERSION} | room | made | {"access": access, "ours": ours}


async def _write(request: web.Request, answer: web.StreamResponse, begun: Begun) -> None:
    kernel = request.app[KERNEL]
    made, desk, node, read = bundles.Writer(), begun.desk, kernel.node, kernel.database.read
    for kind, value in [(bundles.FIRST, begun.first), *begun.around]:
        await answer.write(made.line(kind, value))
    place, last = begun.begins, begun.ends.seq
    while place.seq < last and (lines := await read(bundle_making.entries, node, desk.id, place, last)):
        await answer.write(b"".join(made.line(*one) for one in lines))
        place = chains.parse(lines[-1][1]).place
    shown = {one.id: "" if one.state == THERE else one.state for one in desk.case.timeline}
    after = ""
    while True:
        after, lines = await read(bundle_making.page, desk.opened, shown, after)
        await answer.write(b"".join(made.line(*one) for one in lines))
        if not after:
            break
    for one in begun.files:
        async with aclosing(_sealed(request, begun, one)) as pieces:
            async for piece in pieces:
                await answer.write(made.line(bundles.PIECE, {"of": one.id, "data": texts.written(piece)}))
    ended = await read(bundle_making.end, node, desk.opened.uri, made)
    await answer.write(made.line(bundles.END, ended))


async def _sealed(request: web.Request, begun: Begun, one: Shown) -> AsyncGenerator[bytes, None]:
    """The sealed bytes of a file, as many as a line takes at a time: what opens them stands in its entry. Nothing of one that is not here,
    was changed, or has been marked meanwhile (P23)."""
    rows = await request.app[KERNEL].database.read(sealed_files.of, begun.desk.id)
    entry = one.entry
    row = rows.get((one.id, entry.uri)) if isinstance(entry, File) else None
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


ROUTES = (web.get(CASE + "/export", show_export), web.post(CASE + "/export", export))
