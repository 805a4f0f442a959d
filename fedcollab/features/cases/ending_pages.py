"""Decides the pages of a case's end: what goes and what stays out there, the password once more; what others asked to let go, which may be
held; and what was answered, when a case is gone."""

from typing import Any

from aiohttp import web

from fedcollab.base.clock import DAY
from fedcollab.base.errors import FedcollabError, Refused
from fedcollab.base.web import redirect, words_of
from fedcollab.feature import page, read_grave_form
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import ended
from fedcollab.sealing import ending as endings
from fedcollab.sealing.room_models import CASE as KIND

from . import ending
from .acting import acted, desk_of, worker_of
from .checking import Wrong
from .framing import ACCESS, CASE, show

ENDED = "/cases/ended"


async def show_end(request: web.Request) -> web.Response:
    """What the end of a case does, and what it can't."""
    return await _end(request)


async def _end(request: web.Request, error: FedcollabError | None = None, typed: str = "") -> web.Response:
    desk = await desk_of(request)
    others = await request.app[KERNEL].database.read(ended.asked, desk.opened.room)
    values: dict[str, Any] = dict(why_not=ending.why_not(desk), others=others, typed=typed, within=endings.WAITS // DAY)
    return show(request, desk, "cases/end.html", ACCESS, error=error, **values)


async def end(request: web.Request) -> web.Response:
    """Ends a case for all."""
    fields = await read_grave_form(request)
    typed = fields.get("code", "")[:100]
    try:
        await acted(request, ending.purge, typed)
    except Wrong as error:
        return await _end(request, error, typed)
    return redirect(ENDED)


async def show_ended(request: web.Request) -> web.Response:
    """What is to be gone, and what is."""
    return await _ended(request)


async def _ended(request: web.Request, error: FedcollabError | None = None, at: str = "", until: str = "") -> web.Response:
    viewer, kernel = worker_of(request), request.app[KERNEL]
    found = await kernel.database.read(ended.endings, kernel.node, viewer, KIND)
    errors = {at: error.in_words(words_of(request))} if error is not None else {}
    shown = dict(found=found, errors=errors, until=until, HOLDS=endings.HOLDS)
    return page(request, "cases/ended.html", status=error.status if error is not None else 200, **shown)


async def hold_end(request: web.Request) -> web.Response:
    """Keeps a case that others asked to let go."""
    viewer, fields, kernel, case_id = worker_of(request), await read_grave_form(request), request.app[KERNEL], request.match_info["id"]
    until = fields.get("until", "")[:20]
    try:
        await kernel.database.write(endings.hold, kernel.node, viewer, case_id, fields.get("why", ""), endings.until(until))
    except Refused as error:
        return await _ended(request, error, f"hold-{case_id}", until)
    return redirect(ENDED)


async def let_go(request: web.Request) -> web.Response:
    """A case that was kept goes when it was due."""
    viewer, kernel = worker_of(request), request.app[KERNEL]
    await read_grave_form(request)
    await kernel.database.write(endings.lift, kernel.node, viewer, request.match_info["id"])
    return redirect(ENDED)


ROUTES = (
    web.get(ENDED, show_ended),
    web.get(CASE + "/end", show_end),
    web.post(CASE + "/end", end),
    web.post(CASE + "/end/hold", hold_end),
    web.post(CASE + "/end/let-go", let_go),
)
