"""Decides what an admin's menu counts: what was given up and waits for somebody to look; read once in ten seconds, not for each page."""

from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from fedcollab.base.clock import MICROSECONDS
from fedcollab.feature import ATTENTION, viewer_of
from fedcollab.federation import queue
from fedcollab.federation.kernel import KERNEL

AGE = 10 * MICROSECONDS
PLACE = "/admin/federation"


@dataclass
class Counted:
    """The last count and when it was made."""

    number: int = 0
    at: int = 0


COUNTED = web.AppKey("counted", Counted)


@web.middleware
async def count_attention(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Puts the count beside the request of an admin; on the page of the queue itself it is always made anew."""
    if viewer_of(request).is_admin and not request.path.startswith("/static/"):
        kernel, last = request.app[KERNEL], request.app[COUNTED]
        now = kernel.node.now()
        if request.path == PLACE or abs(now - last.at) > AGE:
            last.number, last.at = await kernel.database.glance(queue.attention), now
        request[ATTENTION] = last.number
    return await handler(request)
