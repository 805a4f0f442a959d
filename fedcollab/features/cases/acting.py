"""Decides how a case is opened for an act that a reader makes ready and the writer carries out (sealing/made_ready.py): what such an act
rests on, and what is due whenever a case is opened."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.feature import member_of
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import crossing, holding, made_ready, room_chain, room_content, working
from fedcollab.sealing.made_ready import Make, Moved, Plan, Write
from fedcollab.sealing.room_state import OPEN
from fedcollab.sealing.unlocked import unlocked_of

from . import desk, needs
from .desk import OPENERS, READERS, Desk, Keys, NoLonger, Said, look_at, saying
from .record import Entry
from .visiting import GuestOut

Ready = made_ready.Ready[Desk]


def ready(
    session: Session, node: Node, viewer: Viewer, keys: Keys, case_id: str, plan: Plan, args: tuple[Any, ...], before: Desk | None = None
) -> Ready:
    """Opens a case and makes an act ready, in a unit that may only read. Raises what `look_at` raises, and what the plan does."""
    found = at = look_at(session, node, viewer, keys, case_id, before)
    first = list[Said]()
    if at.access.state == OPEN and not viewer.is_guest:  # who tells nothing but their own
        for of in desk.ended(at):
            first.append(saying(session, node, at, GuestOut(at=node.now(), of=of)))
            at = first[-1].after

    def rests(session: Session) -> tuple[Any, ...]:
        return needs.known(session, found.id, viewer.person_id), *made_ready.rests(session, viewer, found.id)

    def due(session: Session) -> Desk:
        return _settle(session, node, keys, found, first)

    return Ready(found, rests, rests(session), due, plan(session, node, at, keys, *args))


def at_once(
    session: Session, node: Node, viewer: Viewer, keys: Keys, case_id: str, plan: Plan, *args: Any, before: Desk | None = None
) -> Any:
    """An act in one unit: for a case that has just begun, or of which all that was read `before` need not be opened again."""
    return made_ready.in_full(session, ready(session, node, viewer, keys, case_id, plan, args, before))


def _settle(session: Session, node: Node, keys: Keys, at: Desk, first: list[Said]) -> Desk:
    """What is due whenever a case is opened: keys that others lack, its clear header, what is to be told first."""
    if not at.viewer.is_guest:  # who hands nothing out
        working.settle(session, node, at.opened, keys)
    at = desk.keep(session, node, at)
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
    viewer = reader_of(request)
    keys, kernel, case_id = await unlocked_of(request), request.app[KERNEL], request.match_info["id"]

    def make(session: Session, before: Desk | None) -> Ready:
        return ready(session, kernel.node, viewer, keys, case_id, plan, args, before)

    return lambda before: kernel.database.read(make, before), make


async def speak(request: web.Request, make: Callable[[Desk], Entry], once: str) -> str:
    """Says the entry that `make` answers for the case of a form's address. A form is read before this."""
    return str(await acted(request, says, make, once))
