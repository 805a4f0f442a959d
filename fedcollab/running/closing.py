"""Decides who still gets in while the node is being worked on: admins, whoever signs in, and the machine that asks how it is."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from aiohttp import web

from fedcollab.access import audit
from fedcollab.access.viewer import VIEWER, Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import EPOCH, HOUR, MICROSECONDS, MINUTE
from fedcollab.base.errors import BadRequest, N_
from fedcollab.base.maintenance import Closed
from fedcollab.base.session import Session
from fedcollab.base.web import Handler
from fedcollab.federation import catchup
from fedcollab.federation.kernel import KERNEL, Kernel

OPEN = ("/login", "/link/", "/logout", "/static/", "/language/", "/healthz", "/readyz", "/metrics")
LONGEST = 7 * 24 * HOUR
UNTIL = N_("Write until when as a time such as 21:30, or for how long, such as 20m or 2h.")


@web.middleware
async def closed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """503 with Retry-After for members and partners while the node is being worked on; it stands behind the middleware that finds out who
    is looking, so that it answers in their language."""
    node = request.app[KERNEL].node
    if node.maintenance.state() is not None and not request.path.startswith(OPEN):
        viewer: Viewer | None = request.get(VIEWER)
        if viewer is None or not viewer.is_admin:
            node.maintenance.check(node.now())
    return await handler(request)


async def close(kernel: Kernel, viewer: Viewer | None, until: int | None, words: str = "") -> Closed:
    """Closes the node, on record. `until` in microseconds, where it is known. Raises Misconfigured where the file can't be written."""
    made = Closed(kernel.node.now(), until, words.strip())
    await kernel.database.write(_closed, kernel.node, viewer)
    kernel.node.maintenance.begin(made)
    return made


async def open_again(kernel: Kernel, viewer: Viewer | None) -> None:
    """Opens the node first, so that a full disk does not keep it closed; then puts it on record."""
    was = kernel.node.maintenance.state()
    kernel.node.maintenance.end()
    if was is not None:
        await kernel.database.write(_opened, kernel.node, viewer)


def _closed(session: Session, node: Node, viewer: Viewer | None) -> None:
    audit.record(session, node.now(), viewer, "node.close", node.host)


def _opened(session: Session, node: Node, viewer: Viewer | None) -> None:
    """Partners were told to come again later; we ask them now for what they have kept."""
    catchup.want(session, node)
    audit.record(session, node.now(), viewer, "node.open", node.host)


def when(said: str, now: int, time_zone: str) -> int | None:
    """The moment that somebody means by "21:30" (the next time that it is so there), "20m" or "2h"; None for nothing. Raises BadRequest."""
    text = said.strip()
    if not text:
        return None
    if found := re.fullmatch(r"([0-9]{1,4}) ?([mh])", text):
        left = int(found[1]) * (MINUTE if found[2] == "m" else HOUR)
        if not 0 < left <= LONGEST:
            raise BadRequest(UNTIL)
        return now + left
    if not (found := re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", text)):
        raise BadRequest(UNTIL)
    here = (EPOCH + timedelta(microseconds=now)).astimezone(ZoneInfo(time_zone))
    then = here.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
    then = then if then > here else then + timedelta(days=1)
    return int((then.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)) * MICROSECONDS
