"""Decides how somebody takes a case along: one signed file with what they may read of it, a part at a time, on record before it begins."""

from typing import Any, NamedTuple

from aiohttp import web
from sqlalchemy.orm import Session

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.feature import read_grave_form
from fedcollab.federation.kernel import KERNEL, Kernel
from fedcollab.sealing import bundle_making, bundles, chains, room_chain
from fedcollab.sealing.chains import Place

from .desk import Desk, Keys, acted, desk_of, open_desk, worker_of
from .framing import CASE, RECORD, show
from .shown import THERE


class Begun(NamedTuple):
    """An export as it stood when it was put on record: what stands before the record and the messages, and up to where those go."""

    desk: Desk
    first: dict[str, Any]
    around: list[bundle_making.Value]
    begins: Place
    ends: Place


async def show_export(request: web.Request) -> web.Response:
    """What is in such a file, what it proves, and what it does not protect."""
    desk = await desk_of(request)
    left_out = sum(one.state != THERE for one in desk.case.timeline)
    return show(request, desk, "cases/export.html", RECORD, left_out=left_out)


async def export(request: web.Request) -> web.StreamResponse:
    """The file. Once it has begun, what fails ends the connection: a file without its last line is seen to be cut."""
    worker_of(request)
    await read_grave_form(request)
    begun: Begun = await acted(request, begin)
    headers = {"Content-Type": "application/jsonl", "Content-Disposition": 'attachment; filename="case.jsonl"', "Cache-Control": "no-store"}
    answer = web.StreamResponse(headers=headers)
    await answer.prepare(request)
    await _write(request.app[KERNEL], answer, begun)
    await answer.write_eof()
    return answer


def begin(session: Session, node: Node, viewer: Viewer, keys: Keys, case_id: str) -> Begun:
    """Puts the export on record, in the unit that looks what goes into it."""
    desk = open_desk(session, node, viewer, keys, case_id)
    room_chain.add(session, node, case_id, viewer, "case.export")
    authors = {one.author for one in desk.case.timeline if one.state == THERE}
    around = bundle_making.around(session, node, desk.opened, authors)
    return Begun(desk, _first(node, desk), around, room_chain.begins(session, case_id), room_chain.end(session, case_id))


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


async def _write(kernel: Kernel, answer: web.StreamResponse, begun: Begun) -> None:
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
    ended = await read(bundle_making.end, node, desk.opened.uri, made)
    await answer.write(made.line(bundles.END, ended))


ROUTES = (web.get(CASE + "/export", show_export), web.post(CASE + "/export", export))
