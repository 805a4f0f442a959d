"""Decides the page on which a group is ended for good: what goes and what stays out there, the password once more."""

from aiohttp import web

from fedcollab import room_ends
from fedcollab.base.web import redirect
from fedcollab.feature import member_of, read_grave_form
from fedcollab.sealing.room_models import GROUP as KIND

from . import ending
from .pages import GROUP, show
from .units import acted, here_of


async def show_end(request: web.Request) -> web.Response:
    """What the end of a group does, and what it can't."""
    here = await here_of(request)
    others = await room_ends.told(request, here.opened.room)
    return show(request, here, "rooms/end.html", why_not=ending.why_not(here), others=others, within=room_ends.WITHIN)


async def end(request: web.Request) -> web.Response:
    """Ends a group for all."""
    await read_grave_form(request)
    await acted(request, ending.purge)
    return redirect("/sealed/ended")


ROUTES = (
    *room_ends.routes(KIND, "/sealed", "rooms/ended.html", member_of),
    web.get(GROUP + "/end", show_end),
    web.post(GROUP + "/end", end),
)
