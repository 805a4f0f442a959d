"""Decides the pages of a group's end: what goes and what stays out there, the password once more; what others asked to let go, which may be
held; and what was answered, when a group is gone."""

from aiohttp import web

from fedcollab.base.clock import DAY
from fedcollab.base.errors import FedcollabError, Refused
from fedcollab.base.web import redirect, words_of
from fedcollab.feature import member_of, page, read_grave_form
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import ended
from fedcollab.sealing import ending as endings
from fedcollab.sealing.room_models import GROUP as KIND

from . import ending
from .pages import GROUP, show
from .units import acted, here_of

ENDED = "/sealed/ended"


async def show_end(request: web.Request) -> web.Response:
    """What the end of a group does, and what it can't."""
    here = await here_of(request)
    others = await request.app[KERNEL].database.read(ended.asked, here.opened.room)
    return show(request, here, "rooms/end.html", why_not=ending.why_not(here), others=others, within=endings.WAITS // DAY)


async def end(request: web.Request) -> web.Response:
    """Ends a group for all."""
    await read_grave_form(request)
    await acted(request, ending.purge)
    return redirect(ENDED)


async def show_ended(request: web.Request) -> web.Response:
    """What is to be gone, and what is."""
    return await _ended(request)


async def _ended(request: web.Request, error: FedcollabError | None = None, at: str = "", until: str = "") -> web.Response:
    viewer, kernel = member_of(request), request.app[KERNEL]
    found = await kernel.database.read(ended.endings, kernel.node, viewer, KIND)
    errors = {at: error.in_words(words_of(request))} if error is not None else {}
    shown = dict(found=found, errors=errors, until=until, HOLDS=endings.HOLDS)
    return page(request, "rooms/ended.html", status=error.status if error is not None else 200, **shown)


async def hold_end(request: web.Request) -> web.Response:
    """Keeps a group that others asked to let go."""
    viewer, fields, kernel, room_id = member_of(request), await read_grave_form(request), request.app[KERNEL], request.match_info["id"]
    until = fields.get("until", "")[:20]
    try:
        await kernel.database.write(endings.hold, kernel.node, viewer, room_id, fields.get("why", ""), endings.until(until))
    except Refused as error:
        return await _ended(request, error, f"hold-{room_id}", until)
    return redirect(ENDED)


async def let_go(request: web.Request) -> web.Response:
    """A group that was kept goes when it was due."""
    viewer, kernel = member_of(request), request.app[KERNEL]
    await read_grave_form(request)
    await kernel.database.write(endings.lift, kernel.node, viewer, request.match_info["id"])
    return redirect(ENDED)


ROUTES = (
    web.get(ENDED, show_ended),
    web.get(GROUP + "/end", show_end),
    web.post(GROUP + "/end", end),
    web.post(GROUP + "/end/hold", hold_end),
    web.post(GROUP + "/end/let-go", let_go),
)
