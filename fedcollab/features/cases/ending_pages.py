"""Decides the page on which a case is ended for good: what goes and what stays out there, its code and the password once more."""

from typing import Any

from aiohttp import web

from fedcollab import room_ends
from fedcollab.base.errors import FedcollabError
from fedcollab.base.web import redirect
from fedcollab.feature import read_grave_form
from fedcollab.sealing.room_models import CASE as KIND

from . import ending
from .acting import acted, desk_of, worker_of
from .checking import Wrong
from .framing import ACCESS, CASE, show


async def show_end(request: web.Request) -> web.Response:
    """What the end of a case does, and what it can't."""
    return await _end(request)


async def _end(request: web.Request, error: FedcollabError | None = None, typed: str = "") -> web.Response:
    desk = await desk_of(request)
    others = await room_ends.told(request, desk.opened.room)
    values: dict[str, Any] = dict(why_not=ending.why_not(desk), others=others, typed=typed, within=room_ends.WITHIN)
    return show(request, desk, "cases/end.html", ACCESS, error=error, **values)


async def end(request: web.Request) -> web.Response:
    """Ends a case for all."""
    fields = await read_grave_form(request)
    typed = fields.get("code", "")[:100]
    try:
        await acted(request, ending.purge, typed)
    except Wrong as error:
        return await _end(request, error, typed)
    return redirect("/cases/ended")


ROUTES = (
    *room_ends.routes(KIND, "/cases", "cases/ended.html", worker_of),
    web.get(CASE + "/end", show_end),
    web.post(CASE + "/end", end),
)
