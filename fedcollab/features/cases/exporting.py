"""Decides what somebody takes along of a case: what they may read of it, with its files where they want them."""

from aiohttp import web

from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.feature import read_grave_form
from fedcollab.sealing import bundle_making, bundle_sending
from fedcollab.sealing.bundle_sending import Begun, Named
from fedcollab.sealing.made_ready import Write

from . import filing
from .acting import acted, desk_of, worker_of
from .desk import Desk, Keys
from .framing import CASE, RECORD, show
from .shown import THERE


async def show_export(request: web.Request) -> web.Response:
    """What is in such a file, what it proves, and what it does not protect."""
    desk = await desk_of(request)
    left_out = sum(one.state != THERE for one in desk.case.timeline)
    return show(request, desk, "cases/export.html", RECORD, command="fedcollab verify case.jsonl", left_out=left_out)


async def export(request: web.Request) -> web.StreamResponse:
    """The file."""
    worker_of(request)
    fields = await read_grave_form(request)
    begun: Begun = await acted(request, begin, fields.get("files") == "yes")
    return await bundle_sending.send(request, begun, "case.jsonl")


def begin(session: Session, node: Node, desk: Desk, _keys: Keys, with_files: bool = False) -> Write:
    """What goes into it, on record."""
    listed = reversed(filing.listed(session, desk)) if with_files else ()
    files = [Named(one.shown.id, one.entry.uri) for one in listed if one.state == THERE and one.entry]
    authors = {one.author for one in desk.case.timeline if one.state == THERE}
    shown = {one.id: "" if one.state == THERE else one.state for one in desk.case.timeline}
    first = bundle_sending.first(node, desk.opened, desk.access, desk.look.person, desk.case.code)
    around = bundle_making.around(session, node, desk.opened, authors)

    def write(session: Session) -> Begun:
        return bundle_sending.begin(session, node, desk.viewer, "case.export", desk.opened, first, around, shown, files)

    return write


ROUTES = (web.get(CASE + "/export", show_export), web.post(CASE + "/export", export))
