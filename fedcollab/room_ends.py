"""Decides the page of the sealed rooms of a kind that are to be gone or are, and holding one back that others asked to let go."""

from collections.abc import Callable, Sequence

from aiohttp import web

from fedcollab.access.viewer import Viewer
from fedcollab.base.clock import DAY
from fedcollab.base.errors import FedcollabError, Refused
from fedcollab.base.web import redirect, words_of
from fedcollab.feature import page, read_grave_form
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import ended, ending
from fedcollab.sealing.naming import Named
from fedcollab.sealing.room_state import Room

WITHIN = ending.WAITS // DAY  # days after which goes what others wrote


async def told(request: web.Request, room: Room) -> list[Named]:
    """Who is told when a room ends, for the page on which somebody ends it."""
    return await request.app[KERNEL].database.read(ended.asked, room)


def routes(kind: str, base: str, template: str, viewer_of: Callable[[web.Request], Viewer]) -> Sequence[web.RouteDef]:
    """What a feature serves below its address `base`: the page in its own words, for whom `viewer_of` lets in, and its two forms."""
    there = f"{base}/ended"

    async def show(request: web.Request) -> web.Response:
        """What is to be gone, and what is."""
        return await shown(request)

    async def shown(request: web.Request, error: FedcollabError | None = None, at: str = "", until: str = "") -> web.Response:
        viewer, kernel = viewer_of(request), request.app[KERNEL]
        found = await kernel.database.read(ended.endings, kernel.node, viewer, kind)
        errors = {at: error.in_words(words_of(request))} if error is not None else {}
        values = dict(found=found, errors=errors, until=until, base=base, HOLDS=ending.HOLDS)
        return page(request, template, status=error.status if error is not None else 200, **values)

    async def hold(request: web.Request) -> web.Response:
        """Keeps a room that others asked to let go."""
        viewer, fields, kernel, room_id = viewer_of(request), await read_grave_form(request), request.app[KERNEL], request.match_info["id"]
        until = fields.get("until", "")[:20]
        try:
            await kernel.database.write(ending.hold, kernel.node, viewer, room_id, fields.get("why", ""), ending.until(until))
        except Refused as error:
            return await shown(request, error, f"hold-{room_id}", until)
        return redirect(there)

    async def let_go(request: web.Request) -> web.Response:
        """A room that was kept goes when it was due."""
        viewer, kernel = viewer_of(request), request.app[KERNEL]
        await read_grave_form(request)
        await kernel.database.write(ending.lift, kernel.node, viewer, request.match_info["id"])
        return redirect(there)

    return web.get(there, show), web.post(f"{base}/{{id}}/end/hold", hold), web.post(f"{base}/{{id}}/end/let-go", let_go)
