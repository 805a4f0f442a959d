"""Decides how a sealed group is opened for an act that a reader makes ready and the writer carries out (sealing/made_ready.py). What nobody
of ours has opened yet comes before that, some of it at a time: opened by readers, noted by the writer."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.feature import member_of
from fedcollab.federation.kernel import KERNEL, Kernel
from fedcollab.sealing import crossing, holding, made_ready
from fedcollab.sealing.made_ready import Moved, Plan, Write
from fedcollab.sealing.unlocked import unlocked_of

from . import opening, places
from .opening import Here, Keys, NoLonger
from .places import Notes

Ready = made_ready.Ready[Here]


def ready(
    session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str, plan: Plan, args: tuple[Any, ...], after: str = ""
) -> Ready | Notes:
    """Opens a group and makes an act ready, in a unit that may only read; what is to be noted first, where something has come behind the
    message `after`. Raises NotFound, NoLonger, and what the plan does."""
    opened = opening.opened_by(session, node, viewer, keys, room_id)
    if notes := places.fresh(session, opened, after):
        return notes
    here = opening.look_at(session, node, viewer, opened)

    def rests(session: Session) -> tuple[Any, ...]:
        return places.marks(session, here.id), *made_ready.rests(session, viewer, here.id)

    def due(session: Session) -> Here:
        opening.settle(session, node, here, keys)
        opening.on_record(session, node, here)
        return here

    return Ready(here, rests, rests(session), due, plan(session, node, here, keys, *args))


def at_once(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str, plan: Plan, *args: Any) -> Any:
    """An act in one unit: for a group that has just begun, or of which all but what came last is noted."""
    return made_ready.in_full(session, _at_once(session, node, viewer, keys, room_id, plan, args))


def _at_once(
    session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str, plan: Plan, args: tuple[Any, ...], after: str = ""
) -> Ready:
    while isinstance(made := ready(session, node, viewer, keys, room_id, plan, args, after), Notes):
        places.keep(session, node, made)
        after = made.last
    return made


async def acted(request: web.Request, plan: Plan, *args: Any) -> Any:
    """What an act answers in the group of a page's address, for whoever is signed in, is in it and has unlocked their keys. A form is read
    before this. Raises Unauthorized, Locked, NotFound, NoLonger, and what the act does."""
    kernel, viewer, keys = await _who(request)
    prepare, room_id = _prepared(request, kernel, viewer, keys, plan, args), request.match_info["id"]

    def here(session: Session, _before: Here | None) -> Ready:
        return _at_once(session, kernel.node, viewer, keys, room_id, plan, args)

    return await made_ready.acted(kernel.database, prepare, here)


async def looked(request: web.Request, plan: Plan, *args: Any) -> Any:
    """The same for what only shows something of a group: where more comes all the time, it shows what it has found."""
    kernel, viewer, keys = await _who(request)

    def note(session: Session, made: Ready, last: bool) -> Any:
        crossing.check(session, viewer.person_id)
        if not holding.is_assigned(session, made.found.id, viewer.person_id):  # taken off while it was opened
            raise NoLonger
        if made.stands(session):
            return made_ready.in_full(session, made)
        if not last:
            raise Moved
        opening.on_record(session, kernel.node, made.found)
        return made.write(session)

    return await made_ready.looked(kernel.database, _prepared(request, kernel, viewer, keys, plan, args), note)


def _prepared(
    request: web.Request, kernel: Kernel, viewer: Viewer, keys: Keys, plan: Plan, args: tuple[Any, ...]
) -> Callable[[Here | None], Awaitable[Ready]]:
    """How an act is made ready by readers, once all that has come is noted."""

    async def prepare(_before: Here | None) -> Ready:
        after, room_id = "", request.match_info["id"]
        while isinstance(made := await kernel.database.read(ready, kernel.node, viewer, keys, room_id, plan, args, after), Notes):
            await kernel.database.write(places.keep, kernel.node, made)
            after = made.last
        return made

    return prepare


async def done(request: web.Request, work: Callable[..., Any], *args: Any) -> Any:
    """What `work(session, node, viewer, keys, group id, ...)` answers, as one unit, for the same people: an act that opens no message."""
    kernel, viewer, keys = await _who(request)
    return await kernel.database.write(_done, kernel.node, viewer, keys, request.match_info["id"], work, args)


def _done(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str, work: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    crossing.check(session, viewer.person_id)  # they may have locked their access since their keys were looked for
    return work(session, node, viewer, keys, room_id, *args)


async def asked(request: web.Request, work: Callable[..., Any], *args: Any) -> Any:
    """The same in a unit that only reads."""
    kernel, viewer, keys = await _who(request)
    return await kernel.database.read(work, kernel.node, viewer, keys, request.match_info["id"], *args)


async def _who(request: web.Request) -> tuple[Kernel, Viewer, Keys]:
    """Whoever is signed in, has something to do with the group and has unlocked their keys. Raises Unauthorized, NotFound, Locked."""
    viewer, kernel = member_of(request), request.app[KERNEL]
    if not (viewer.is_keeper or await kernel.database.read(holding.was_assigned, request.match_info["id"], viewer.person_id)):
        raise NotFound
    return kernel, viewer, await unlocked_of(request)


def opens(_session: Session, _node: Node, here: Here, _keys: Keys) -> Write:
    """The plan of opening a group alone."""
    return lambda _session: here


async def here_of(request: web.Request) -> Here:
    """The group of a page's address. Raises as `acted`."""
    here: Here = await looked(request, opens)
    return here
