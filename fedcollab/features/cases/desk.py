"""Decides how a case comes onto somebody's desk: opened, folded for what they need to know, put on record; and how one more entry is said.

Both bring the clear header up to date, and take back what entries of ours have had erased, in the same unit.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from aiohttp import web
from sqlalchemy.orm import Session

from fedcollab.access.viewer import CASEWORKER, GUEST, KEEPER, Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.errors import Gone, N_, NotFound
from fedcollab.base.statements import put
from fedcollab.feature import member_of
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import holding, naming, room_chain, room_content, room_sending, sealed_files, working
from fedcollab.sealing.carried import Carried
from fedcollab.sealing.facts import owner
from fedcollab.sealing.holding import Opened
from fedcollab.sealing.naming import Names
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.refusals import Outside
from fedcollab.sealing.room_content import Message
from fedcollab.sealing.room_models import CASE, ERASED, SealedMessage
from fedcollab.sealing.room_state import OPEN, Room
from fedcollab.sealing.unlocked import unlocked_of

from . import access, consented, handles, lateness, needs, visiting
from .access import Access
from .arriving import Arrived, Look
from .folding import fold
from .header import header
from .hiding import SUSPECTED
from .kinds import document
from .models import CaseRecord
from .record import Entry
from .shown import Case
from .visiting import GuestOut

OPENERS = frozenset({CASEWORKER, KEEPER})  # the roles of whom cases are opened by; both compel a second factor
READERS = OPENERS | {GUEST}  # a guest's too; what changes a case is for openers alone
Keys = list[PersonPrivate]


class NoLonger(Gone):
    """Somebody with a page of a case that they were taken off meanwhile."""

    text = N_("You are no longer on this case, so nothing was sent or changed. If that is a mistake, ask a keeper or somebody on it.")


@dataclass(frozen=True, repr=False)
class Desk:
    """A case open before one of our people. `row` is its clear header, None until its first entry could be read; `names` says who
    everybody in it is."""

    viewer: Viewer
    opened: Opened
    row: Any
    messages: tuple[Message, ...]
    case: Case
    look: Look
    names: Names
    access: Access

    @property
    def id(self) -> str:
        """As it stands in addresses."""
        return self.opened.room_id

    @property
    def path(self) -> str:
        return f"/cases/{self.opened.room_id}"

    def handle(self, name: str) -> str:
        """How an entry (its id) or a person (their code) stands in addresses."""
        return handles.handle(self.opened.room_id, name)

    @property
    def leads(self) -> bool:
        """Whether our organisation leads the case: by its terms, or as the owner of its room."""
        return self.access.leads or (self.case.terms is not None and self.case.terms.lead == self.look.organisation)


def open_desk(session: Session, node: Node, viewer: Viewer, keys: Keys, case_id: str) -> Desk:
    """The case for one of us who is on it, or a guest, in a unit that writes. Raises NotFound, NoLonger."""
    return _settled(session, node, look_at(session, node, viewer, keys, case_id), keys)


def _settled(session: Session, node: Node, desk: Desk, keys: Keys) -> Desk:
    if desk.viewer.is_guest:  # who hands nothing out
        return _kept(session, node, desk)
    working.settle(session, node, desk.opened, keys)
    desk = _kept(session, node, desk)
    for of in _ended(desk) if desk.access.state == OPEN else ():
        _, desk = add(session, node, desk, GuestOut(at=node.now(), of=of))
    return desk


def _ended(desk: Desk) -> list[str]:
    """By which entries the others still take somebody for a guest of ours who is one no more: told by whoever opens the case next, for it
    takes a key."""
    here = {one.who.uri for one in desk.access.guests if one.person_id}
    return [guest.id for guest in desk.case.guests if guest.organisation == desk.look.organisation and guest.entry.person not in here]


def look_at(session: Session, node: Node, viewer: Viewer, keys: Keys, case_id: str) -> Desk:
    """The same in a unit that only reads: a case of years takes longer to open than others may wait to write. Raises NotFound, NoLonger."""
    if not viewer.roles & READERS:
        raise NotFound
    try:
        opened = holding.open_room(session, node, viewer, keys, case_id)
    except NotFound:
        raise (NoLonger if holding.was_assigned(session, case_id, viewer.person_id) else NotFound) from None
    if opened.kind != CASE:
        raise NotFound
    me = actors.by_id(session, viewer.person_id).uri
    knows = needs.known(session, opened.room_id, viewer.person_id)
    look = Look(node.now(), owners(opened.room), me, opened.room.me, knows)
    desk = _folded(session, viewer, opened, tuple(room_content.read(session, opened)), look)
    table: Any = CaseRecord.__table__
    return replace(desk, row=session.execute(sa.select(table).where(table.c.room_id == desk.id)).one_or_none())


def say(session: Session, node: Node, viewer: Viewer, keys: Keys, case_id: str, make: Callable[[Desk], Entry]) -> str:
    """Adds the entry that `make` answers; its id. Raises what `open_desk` raises, what `make` does (Wrong), and Frozen, Ended, Outside."""
    desk = open_desk(session, node, viewer, keys, case_id)
    return add(session, node, desk, make(desk))[0]


def say_once(session: Session, node: Node, desk: Desk, keys: Keys, entry: Entry, once: str) -> str:
    """Adds an entry to a case that a reader has opened, by the form's own id: a form that is sent twice says it once. Raises NoLonger,
    Outside where the case key was turned meanwhile, and what `say` raises."""
    if not holding.is_assigned(session, desk.id, desk.viewer.person_id):
        raise NoLonger
    uri, said = room_content.by_form(session, node, desk.id, once)
    if said:
        return uri
    if not desk.viewer.is_guest:  # who hands nothing out
        working.settle(session, node, desk.opened, keys)
    return add(session, node, desk, entry, uri)[0]


def add(session: Session, node: Node, desk: Desk, entry: Entry, uri: str = "", *, files: Sequence[Carried] = ()) -> tuple[str, Desk]:
    """The same for a case that is open already, with sealed files that have come in here: the entry's id (`uri` where that was made
    before), and the desk with it. Raises Forbidden for what is not a guest's to say."""
    visiting.check(desk.viewer, entry)
    content = document(entry)
    made = room_content.write(session, node, desk.opened, content, uri, files=files)
    on_it = {one.who.uri for one in desk.access.organisations}
    consented.follow(session, node, desk.viewer, desk.id, desk.case, entry, on_it)
    message = Message(made, desk.look.person, desk.look.organisation, node.now(), 0, content)
    return made, _kept(session, node, _folded(session, desk.viewer, desk.opened, (*desk.messages, message), desk.look))


def owners(room: Room) -> frozenset[str]:
    """The organisations that own the room or have owned it."""
    return frozenset(owner(key) for key in room.line.keys)


def _folded(session: Session, viewer: Viewer, opened: Opened, messages: tuple[Message, ...], look: Look) -> Desk:
    case = fold((Arrived(one.id, one.author, one.organisation, one.at, one.content, one.lacks) for one in messages), look)
    names = naming.names(session, {look.person, *_spoken_of(case, messages), *access.uris(opened.room)})
    return Desk(viewer, opened, None, messages, case, look, names, access.access(session, opened, names, case.guests))


def _spoken_of(case: Case, messages: tuple[Message, ...]) -> Iterator[str]:
    """Whom the pages of a case name."""
    for one in messages:
        yield from (one.author, one.organisation)
    yield from (work.entry.owner for work in (*case.tasks, *case.plan) if work.entry)
    yield from (share.entry.to for share in case.shares if share.entry)
    yield from (consent.entry.to for consent in case.consents if consent.entry)
    yield from (guest.entry.person for guest in case.guests)
    yield case.terms.lead if case.terms else ""


def _kept(session: Session, node: Node, desk: Desk) -> Desk:
    """Brings the clear header up to date, and what is to be destroyed of ours goes: others' own nodes see to theirs."""
    table: Any = CaseRecord.__table__
    before = session.execute(sa.select(table).where(table.c.room_id == desk.id)).one_or_none()
    values = _header(desk)
    consented.catch_up(session, node, desk.viewer, desk.case)
    if before is None and values["opened_id"]:
        put(session, CaseRecord, room_id=desk.id, **values)
    elif before is not None and values["opened_id"] and values != {name: getattr(before, name) for name in values}:
        session.execute(sa.update(table).where(table.c.room_id == desk.id).values(**values))
    for one in desk.messages:
        if one.id in desk.case.gone and one.organisation == desk.look.organisation and one.lacks != ERASED:
            _take_back(session, node, desk, one.id)
    if marked := [shown.id for shown in desk.case.files if shown.state == SUSPECTED]:
        sealed_files.mark(session, node, marked)
    row = session.execute(sa.select(table).where(table.c.room_id == desk.id)).one_or_none()
    return replace(desk, row=row)


def _take_back(session: Session, node: Node, desk: Desk, uri: str) -> None:
    there = sa.select(SealedMessage.id).where(SealedMessage.uri == uri, SealedMessage.state != ERASED)
    if session.execute(there).first() is not None:
        room_sending.take_back(session, node, desk.viewer, uri)


def _header(desk: Desk) -> dict[str, Any]:
    opened = next((one.id for one in desk.case.timeline if one.kind == "opened" and not one.void), "")
    days = header(desk.case)
    return {"opened_id": opened, **days, "late": lateness.is_late(days, desk.look.today)}


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
    keys, kernel = await unlocked_of(request), request.app[KERNEL]
    desk = await kernel.database.read(look_at, kernel.node, viewer, keys, request.match_info["id"])
    return await kernel.database.write(_note, kernel.node, desk, keys)


def _note(session: Session, node: Node, desk: Desk, keys: Keys) -> Desk:
    if not holding.is_assigned(session, desk.id, desk.viewer.person_id):  # taken off while it was opened
        raise NoLonger
    desk = _settled(session, node, desk, keys)
    room_chain.add(session, node, desk.id, desk.viewer, "case.read")
    return desk


async def speak(request: web.Request, make: Callable[[Desk], Entry], once: str) -> str:
    """Says the entry that `make` answers for the case of a form's address: opened by a reader, so that the writer is held for the entry
    alone; once more where the case key was turned in between. A form is read before this. Raises what `desk_of` and `say_once` raise."""
    viewer = reader_of(request)
    keys, kernel = await unlocked_of(request), request.app[KERNEL]
    for last in (False, True):
        desk = await kernel.database.read(look_at, kernel.node, viewer, keys, request.match_info["id"])
        try:
            return await kernel.database.write(say_once, kernel.node, desk, keys, make(desk), once)
        except Outside:
            if last:
                raise
    raise AssertionError


async def acted(request: web.Request, work: Callable[..., Any], *args: Any) -> Any:
    """What `work(session, node, viewer, keys, case id, ...)` answers, as one unit, for whoever is signed in and has unlocked their keys. A
    form is read before this."""
    viewer = reader_of(request)
    keys, kernel = await unlocked_of(request), request.app[KERNEL]
    return await kernel.database.write(work, kernel.node, viewer, keys, request.match_info["id"], *args)
