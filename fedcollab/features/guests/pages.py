"""Decides what a guest comes home to: their case once they are let in, and until then what happens next."""

from typing import Any

from aiohttp import web
from sqlalchemy.orm import Session

from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.feature import member_of, page
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import people, words

from . import service


async def show_home(request: web.Request) -> web.Response:
    """A guest's own page."""
    viewer, kernel = member_of(request), request.app[KERNEL]
    if not viewer.is_guest:
        raise NotFound
    found = await kernel.database.read(_home, kernel.node, viewer)
    return page(request, "guests/home.html", **found)


def _home(session: Session, node: Node, viewer: Viewer) -> dict[str, Any]:
    guest, key = service.of_person(session, viewer.person_id), people.current(session, viewer.person_id)
    if guest is None:
        raise NotFound
    spoken = words.of_one(actors.by_id(session, viewer.person_id).uri, key.public) if key is not None else None
    return {"guest": guest, "state": guest.state(node.now()), "spoken": spoken}
