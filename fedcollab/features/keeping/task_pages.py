"""Decides the pages of what waits for keepers: the list with the one act each, and who is inside a room that does not go on by itself."""

from typing import Any

from aiohttp import web

from fedcollab.base.errors import FedcollabError, N_, NotFound, Refused
from fedcollab.base.web import redirect, words_of
from fedcollab.feature import keeper_of, page, read_grave_form
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing.unlocked import Locked, unlocked_of

from . import standing, tasks

TASKS = "/keepers/tasks"
NOT_COMPARED = N_("Say that you have compared the lists with the others by phone.")


async def show_tasks(request: web.Request) -> web.Response:
    """All that waits."""
    return await _page(request)


async def do_task(request: web.Request) -> web.Response:
    """The act of one task, asked for by whoever has given their password lately: many of them hand keys out."""
    viewer, fields, kernel = keeper_of(request), await read_grave_form(request), request.app[KERNEL]
    task_id = request.match_info["id"]
    try:
        kind = await kernel.database.read(tasks.kind_of, task_id)
        keys = await unlocked_of(request) if kind in tasks.NEED_KEYS else []
        while await kernel.database.write(tasks.do, kernel.node, viewer, keys, task_id, fields.get("person", "")):
            pass
    except Locked:
        raise
    except Refused as error:
        return await _page(request, error, task_id)
    return redirect(TASKS)


async def _page(request: web.Request, error: FedcollabError | None = None, about: str = "") -> web.Response:
    viewer, kernel = keeper_of(request), request.app[KERNEL]
    found = await kernel.database.read(tasks.look, kernel.node, viewer)
    errors = {f"t-{about}": error.in_words(words_of(request))} if error is not None else {}
    return page(request, "keeping/tasks.html", status=error.status if error is not None else 200, found=found, errors=errors)


async def show_room(request: web.Request) -> web.Response:
    """Who is inside a room, and in a freeze both lists."""
    return await _room(request)


async def mend(request: web.Request) -> web.Response:
    """One of the acts that let a room go on; `act` says which."""
    viewer, fields, kernel = keeper_of(request), await read_grave_form(request), request.app[KERNEL]
    room_id, act = request.match_info["id"], fields.get("act", "")
    try:
        if act in (standing.AGREE, standing.HEAL) and fields.get("same") != "yes":
            raise Refused(NOT_COMPARED)
        await kernel.database.write(
            standing.do, kernel.node, viewer, room_id, act, fields.get("to", "")[:500], out=fields.get("out") == "yes"
        )
    except NotFound:
        raise
    except Refused as error:
        return await _room(request, error, act)
    return redirect(f"/keepers/rooms/{room_id}")


async def _room(request: web.Request, error: FedcollabError | None = None, act: str = "") -> web.Response:
    viewer, kernel = keeper_of(request), request.app[KERNEL]
    found: Any = await kernel.database.read(standing.look, kernel.node, viewer, request.match_info["id"])
    errors = {act: error.in_words(words_of(request))} if error is not None else {}
    status = error.status if error is not None else 200
    return page(request, "keeping/room.html", status=status, found=found, errors=errors, ROLES=standing.ROLES)
