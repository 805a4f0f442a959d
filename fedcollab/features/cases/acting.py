"""Decides how something is done in a case without holding up whoever else writes: a reader opens the case and makes the act ready; the
writer makes sure that what that rests on still stands, and carries it out. Where it does not stand, all of it is done once more.

An act is a plan: a function of the open case that changes nothing, and answers with what is to be written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from aiohttp import web
from sqlalchemy.orm import Session

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import Conflict, NotFound
from fedcollab.feature import member_of
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import consents, crossing, holding, people, room_chain, room_content, working
from fedcollab.sealing.room_models import ERASED, WAITS, MemberKey, Room, RoomFact, RoomKey, SealedMessage
from fedcollab.sealing.room_state import OPEN
from fedcollab.sealing.unlocked import unlocked_of

from . import desk, needs
from .desk import OPENERS, READERS, Desk, Keys, NoLonger, Said, look_at, saying
from .record import Entry
from .visiting import GuestOut

Write = Callable[[Session], Any]
Plan = Callable[..., Write]  # of (session, node, open case, unlocked keys, ...)
TRIES = 3  # the last one holds the writer, and opens no more than what came since the one before


class Moved(Conflict):
    """What an act rests on is no longer so. Nobody is shown this: the act is made ready once more."""


@dataclass(frozen=True, repr=False)
class Ready:
    """An act as a reader has made it ready: the case as it was found, what that rests on, what is to be told in it first, and the act."""

    found: Desk
    rests: tuple[Any, ...]
    first: tuple[Said, ...]
    write: Write


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
    return Ready(found, _rests(session, viewer, found.id), tuple(first), plan(session, node, at, keys, *args))


def carry_out(session: Session, node: Node, keys: Keys, made: Ready) -> Any:
    """Writes what was made ready. Raises Moved where it has to be made ready again, and what the act raises."""
    if made.rests != _rests(session, made.found.viewer, made.found.id):
        raise Moved
    _settle(session, node, keys, made)
    return made.write(session)


def at_once(
    session: Session, node: Node, viewer: Viewer, keys: Keys, case_id: str, plan: Plan, *args: Any, before: Desk | None = None
) -> Any:
    """An act in one unit: for a case that has just begun, or of which all that was read `before` need not be opened again."""
    made = ready(session, node, viewer, keys, case_id, plan, args, before)
    _settle(session, node, keys, made)
    return made.write(session)


def _settle(session: Session, node: Node, keys: Keys, made: Ready) -> Desk:
    """What is due whenever a case is opened: keys that others lack, its clear header, what is to be told."""
    at = made.found
    if not at.viewer.is_guest:  # who hands nothing out
        working.settle(session, node, at.opened, keys)
    at = desk.keep(session, node, at)
    for said in made.first:
        at = desk.add(session, node, said)
    return at


def _rests(session: Session, viewer: Viewer, case_id: str) -> tuple[Any, ...]:
    """All that changes what somebody has before them of a case, in a few numbers: each of them differs once something has come or gone."""
    key = people.current(session, viewer.person_id)
    room = session.execute(sa.select(Room.state, Room.owner, Room.ck).where(Room.id == case_id)).one_or_none()
    mine = (holding.assigned(session, case_id), needs.known(session, case_id, viewer.person_id), consents.stopped_in(session, case_id))
    counts = session.execute(_counts(case_id)).one()
    return key.kid if key else "", crossing.is_locked(session, viewer.person_id), room and tuple(room), *mine, tuple(counts)


def _counts(case_id: str) -> sa.Select[Any]:
    def number(model: Any, *which: Any) -> Any:
        return sa.select(sa.func.count()).select_from(model).where(model.room_id == case_id, *which).scalar_subquery()

    last = sa.select(sa.func.max(SealedMessage.id)).where(SealedMessage.room_id == case_id).scalar_subquery()
    states = [number(SealedMessage, SealedMessage.state == state) for state in (ERASED, WAITS)]  # each is counted in an index
    return sa.select(last, number(SealedMessage), *states, number(RoomFact), number(RoomKey), number(MemberKey))


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
    viewer = reader_of(request)
    keys, kernel, before = await unlocked_of(request), request.app[KERNEL], None
    for left in reversed(range(TRIES)):
        made = await kernel.database.read(ready, kernel.node, viewer, keys, request.match_info["id"], _looks, (), before)
        try:
            return await kernel.database.write(_note, kernel.node, keys, made, last=not left)
        except Moved:
            before = made.found
    raise AssertionError


def _looks(_session: Session, _node: Node, _at: Desk, _keys: Keys) -> Write:
    return lambda _session: None


def _note(session: Session, node: Node, keys: Keys, made: Ready, *, last: bool) -> Desk:
    """What somebody reads is on record. Where more comes all the time, what is due is done with another look."""
    at, viewer = made.found, made.found.viewer
    crossing.check(session, viewer.person_id)
    if not holding.is_assigned(session, at.id, viewer.person_id):  # taken off while it was opened
        raise NoLonger
    if made.rests == _rests(session, viewer, at.id):
        at = _settle(session, node, keys, made)
    elif not last:
        raise Moved
    room_chain.add(session, node, at.id, viewer, "case.read")
    return at


async def acted(request: web.Request, plan: Plan, *args: Any) -> Any:
    """What an act answers in the case of a form's address, for whoever is signed in and has unlocked their keys. A form is read before
    this. Raises what `desk_of` raises, and what the act does."""
    viewer = reader_of(request)
    keys, kernel, case_id = await unlocked_of(request), request.app[KERNEL], request.match_info["id"]
    before: Desk | None = None
    for _ in range(TRIES - 1):
        made = await kernel.database.read(ready, kernel.node, viewer, keys, case_id, plan, args, before)
        try:
            return await kernel.database.write(carry_out, kernel.node, keys, made)
        except Moved:
            before = made.found
    return await kernel.database.write(at_once, kernel.node, viewer, keys, case_id, plan, *args, before=before)


async def speak(request: web.Request, make: Callable[[Desk], Entry], once: str) -> str:
    """Says the entry that `make` answers for the case of a form's address. A form is read before this."""
    return str(await acted(request, says, make, once))
