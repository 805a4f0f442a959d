"""Decides how a case is opened for an act that a reader makes ready and the writer carries out (sealing/made_ready.py): what such an act
rests on, and what is due whenever a case is opened."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aiohttp import web

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.crypto import stored
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.base.web import read_cookie
from fedcollab.feature import member_of
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import crossing, holding, made_ready, room_chain, room_content, working
from fedcollab.sealing.made_ready import Make, Moved, Plan, Write
from fedcollab.sealing.room_state import OPEN
from fedcollab.sealing.unlocked import Locked, unlocked_of

from . import desk
from .desk import OPENERS, READERS, Desk, Keys, NoLonger, Said, look_at, saying
from .kept import Kept
from .memory import MEMORY, Place
from .record import Entry
from .rests import rests
from .visiting import GuestOut

Ready = made_ready.Ready[Desk]
Found = Callable[[Session, Node, Kept], None]  # hears of a case that was as it is still, in the unit that writes


def ready(
    session: Session,
    node: Node,
    viewer: Viewer,
    keys: Keys,
    case_id: str,
    plan: Plan,
    args: tuple[Any, ...],
    before: Kept | None = None,
    found: Found | None = None,
) -> Ready:
    """Opens a case and makes an act ready, in a unit that may only read. Raises what `look_at` raises, and what the plan does."""
    at = told = look_at(session, node, viewer, keys, case_id, before)
    first = list[Said]()
    if at.access.state == OPEN and not viewer.is_guest:  # who tells nothing but their own
        for of in desk.ended(at):
            first.append(saying(session, node, told, GuestOut(at=node.now(), of=of)))
            told = first[-1].after

    def due(session: Session) -> Desk:
        if found is not None:
            found(session, node, at.kept)
        return _settle(session, node, keys, at, first)

    return Ready(at, lambda session: rests(session, viewer, case_id), at.rests, due, plan(session, node, told, keys, *args))


def at_once(session: Session, node: Node, viewer: Viewer, keys: Keys, case_id: str, plan: Plan, *args: Any) -> Any:
    """An act in one unit: for a case that has just begun."""
    return made_ready.in_full(session, ready(session, node, viewer, keys, case_id, plan, args))


def _settle(session: Session, node: Node, keys: Keys, at: Desk, first: list[Said]) -> Desk:
    """What is due whenever a case is opened: keys that others lack, its clear header, what is to be told first."""
    if not at.viewer.is_guest:  # who hands nothing out
        working.settle(session, node, at.opened, keys)
    at = desk.bring_up(session, node, at)
    for said in first:
        at = desk.add(session, node, said)
    return at


def says(session: Session, node: Node, at: Desk, _keys: Keys, make: Callable[[Desk], Entry], once: str = "") -> Write:
    """The plan of saying the entry that `make` answers, once by the form's own id; it answers the entry's id. Raises what `make` does; the
    act raises Frozen, Ended, Outside."""
    uri, there = room_content.by_form(session, node, at.id, once)
    said = None if there else saying(session, node, at, make(at), uri)

    def write(session: Session) -> str:
        if said is not None:
            desk.add(session, node, said)
        return uri

    return write


def worker_of(request: web.Request) -> Viewer:
    """Whoever is signed in, where cases can be for them at all: before a form is read. Raises Unauthorized, NotFound."""
    viewer = member_of(request)
    if not viewer.roles & OPENERS:
        raise NotFound
    return viewer


def reader_of(request: web.Request) -> Viewer:
    """The same, and guests."""
    viewer = member_of(request)
    if not viewer.roles & READERS:
        raise NotFound
    return viewer


async def desk_of(request: web.Request) -> Desk:
    """The case of a page's address, read by whoever is signed in and has unlocked their keys; that they read it is on record. Raises
    Unauthorized, Locked, NotFound, NoLonger."""
    kernel, (prepare, _) = request.app[KERNEL], await _prepared(request, _looks, ())

    def note(session: Session, made: Ready, last: bool) -> Desk:
        return _note(session, kernel.node, made, last=last)

    found: Desk = await made_ready.looked(kernel.database, prepare, note)
    return found


def _looks(_session: Session, _node: Node, _at: Desk, _keys: Keys) -> Write:
    return lambda _session: None


def _note(session: Session, node: Node, made: Ready, *, last: bool) -> Desk:
    """What somebody reads is on record. Where more comes all the time, what is due is done with another look."""
    at, viewer = made.found, made.found.viewer
    crossing.check(session, viewer.person_id)
    if not holding.is_assigned(session, at.id, viewer.person_id):  # taken off while it was opened
        raise NoLonger
    if made.stands(session):
        at = made.due(session)
    elif not last:
        raise Moved
    room_chain.add(session, node, at.id, viewer, "case.read")
    return at


async def acted(request: web.Request, plan: Plan, *args: Any) -> Any:
    """What an act answers in the case of a form's address, for whoever is signed in and has unlocked their keys. A form is read before
    this. Raises what `desk_of` raises, and what the act does."""
    return await made_ready.acted(request.app[KERNEL].database, *await _prepared(request, plan, args))


async def _prepared(
    request: web.Request, plan: Plan, args: tuple[Any, ...]
) -> tuple[Callable[[Desk | None], Awaitable[Ready]], Make[Desk]]:
    """How an act is made ready by a reader, and where one stands already."""
    viewer, memory, place = reader_of(request), request.app[MEMORY], _place(request)
    kernel, keys = request.app[KERNEL], await _keys(request, place)
    there = memory.get(place, kernel.node.now())

    def make(session: Session, before: Desk | None) -> Ready:
        what = there if before is None else before.kept
        return ready(session, kernel.node, viewer, keys, place.case, plan, args, what, partial(memory.put, place=place))

    return lambda before: kernel.database.read(make, before), make


def _place(request: web.Request) -> Place:
    return Place(stored(read_cookie(request, "session")), reader_of(request).person_id, request.match_info["id"])


async def _keys(request: web.Request, place: Place) -> Keys:
    try:
        return await unlocked_of(request)
    except Locked:
        request.app[MEMORY].drop(place)
        raise


async def speak(request: web.Request, make: Callable[[Desk], Entry], once: str) -> str:
    """Says the entry that `make` answers for the case of a form's address. A form is read before this."""
    return str(await acted(request, says, make, once))
