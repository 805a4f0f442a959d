"""Decides how a case comes onto somebody's desk: opened, folded for what they need to know; and how one more entry is said.

With both the clear header is brought up to date, and what entries of ours have had erased is taken back.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import CASEWORKER, GUEST, KEEPER, Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.errors import Gone, N_, NotFound
from fedcollab.base.session import Session
from fedcollab.base.statements import put
from fedcollab.sealing import going, holding, naming, room_content, room_sending, sealed_files
from fedcollab.sealing.carried import Carried
from fedcollab.sealing.facts import owner
from fedcollab.sealing.holding import Opened
from fedcollab.sealing.lessened import lessened
from fedcollab.sealing.naming import Names
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.room_content import Message
from fedcollab.sealing.room_models import CASE, ERASED, SealedMessage
from fedcollab.sealing.room_state import Room

from . import access, consented, handles, lateness, needs, visiting
from .access import Access
from .arriving import Arrived, Look, read
from .folding import added, fold
from .header import header
from .hiding import SUSPECTED
from .kept import Kept, keep
from .kinds import document
from .mending import Hiding
from .models import CaseRecord
from .record import Entry
from .rests import Rests, rests
from .sharing import Withdrawn
from .shown import Case

OPENERS = frozenset({CASEWORKER, KEEPER})  # the roles of whom cases are opened by; both compel a second factor
READERS = OPENERS | {GUEST}  # a guest's too; what changes a case is for openers alone
Keys = list[PersonPrivate]


class NoLonger(Gone):
    """Somebody with a page of a case that they were taken off meanwhile."""

    text = N_("You are no longer on this case, so nothing was sent or changed. If that is a mistake, ask a keeper or somebody on it.")


@dataclass(frozen=True, repr=False)
class Desk:
    """A case open before one of our people. `row` is its clear header, None until its first entry could be read; `names` says who
    everybody in it is; `kept` is what they may take up again, as long as what it `rests` on stands."""

    viewer: Viewer
    opened: Opened
    row: Any
    messages: tuple[Arrived, ...]
    case: Case
    look: Look
    names: Names
    access: Access
    kept: Kept

    @property
    def rests(self) -> Rests:
        """What it is to be compared with before anything is written."""
        return self.kept.rests

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


def ended(desk: Desk) -> list[str]:
    """By which entries the others still take somebody for a guest of ours who is one no more: told by whoever opens the case next, for it
    takes a key."""
    here = {one.who.uri for one in desk.access.guests if one.person_id}
    return [guest.id for guest in desk.case.guests if guest.organisation == desk.look.organisation and guest.entry.person not in here]


def look_at(session: Session, node: Node, viewer: Viewer, keys: Keys, case_id: str, before: Kept | None = None) -> Desk:
    """The case for one of us who is on it, or a guest. Changes nothing, so that a unit that only reads can do it: a case of years takes
    longer to open than others may wait to write. What the same person had `before` them is taken up again where it may still be read.
    Raises NotFound, NoLonger."""
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
    kept = _kept(session, opened, look, rests(session, viewer, opened.room_id), before)
    desk = _desk(session, viewer, opened, kept.arrived, kept.case, look, kept)
    return replace(desk, row=row_of(session, desk.id))


def _kept(session: Session, opened: Opened, look: Look, now: Rests, before: Kept | None) -> Kept:
    """A case as it stands, folded out of what there was before where that may still be read, and of what came since."""
    if before is not None:
        signs = room_content.signers(session, {who for who, _key in before.signers})
        before = before if before.serves(now, look, opened.secrets) and signs == before.signers else None
    if before is not None and before.is_all(now, look, opened.secrets):
        return before
    news = room_content.since(session, opened, before.had(now)) if before is not None else None
    before = before if news is not None else None
    fresh = _read(news if news is not None else room_content.read(session, opened))
    signs = room_content.signers(session, {one.author for one in (*(before.arrived if before is not None else ()), *fresh)})
    if before is not None and before.stands(look, opened.secrets) and (case := added(before.case, fresh, look)) is not None:
        return before.grown(now, look, signs, fresh, case)
    again = _again(session, opened, before) if before is not None else ()
    case = fold(messages := (*again, *fresh), look, before.case.timeline if before is not None else ())
    return keep(now, look, opened.secrets, signs, messages, case, before)


def _again(session: Session, opened: Opened, before: Kept) -> tuple[Arrived, ...]:
    """All that there was before, those opened again of which nothing was kept."""
    found = {one.id: one for one in _read(room_content.named(session, opened, before.again))}
    return tuple(found.get(one.id, one) for one in before.arrived)


def _read(found: Iterable[Message]) -> list[Arrived]:
    return [Arrived(one.id, one.author, one.organisation, one.at, *read(one.content, one.lacks)) for one in found]


@dataclass(frozen=True, repr=False)
class Said:
    """An entry that is to be added: made ready with what comes of it, so that whoever writes it neither opens nor folds anything."""

    entry: Entry
    content: dict[str, Any]
    uri: str
    before: Desk
    after: Desk


def saying(session: Session, node: Node, desk: Desk, entry: Entry, uri: str = "") -> Said:
    """Makes an entry ready for a case as it stands; `uri` is its id where that was made before. Raises Forbidden for what is not a
    guest's to say."""
    visiting.check(desk.viewer, entry)
    content, uri = document(entry), uri or room_content.new_uri(node)
    message = Arrived(uri, desk.look.person, desk.look.organisation, node.now(), *read(content, ""))
    case, messages = added(desk.case, [message], desk.look), (*desk.messages, message)
    if case is None:
        again = {one.id: one for one in _again(session, desk.opened, desk.kept)} if desk.kept.again else {}
        messages = tuple(again.get(one.id, one) for one in messages)
        case = fold(messages, desk.look, desk.case.timeline)
    return Said(entry, content, uri, desk, _desk(session, desk.viewer, desk.opened, messages, case, desk.look, desk.kept))


def add(session: Session, node: Node, said: Said, *, files: Sequence[Carried] = ()) -> Desk:
    """Adds it, with sealed files that have come in here: the desk with it. Raises Frozen, Ended, Outside."""
    desk = said.before
    consented.name(session, node, desk.viewer, desk.id, desk.case, said.entry, said.uri)
    room_content.write(session, node, desk.opened, said.content, said.uri, files=files)
    if isinstance(said.entry, Hiding | Withdrawn):
        lessened(session)
    on_it = {one.who.uri for one in desk.access.organisations}
    consented.follow(session, node, desk.viewer, desk.id, desk.case, said.entry, said.uri, on_it)
    return bring_up(session, node, said.after)


def owners(room: Room) -> frozenset[str]:
    """The organisations that own the room or have owned it."""
    return frozenset(owner(key) for key in room.line.keys)


def in_full(desk: Desk) -> frozenset[str]:
    """Whose holds keep a case as long as they say: ours, and those of whoever leads it."""
    return frozenset({desk.look.organisation, desk.opened.room.owner})


def _desk(session: Session, viewer: Viewer, opened: Opened, messages: tuple[Arrived, ...], case: Case, look: Look, kept: Kept) -> Desk:
    names = naming.names(session, {look.person, *_spoken_of(case, messages), *access.uris(opened.room)})
    return Desk(viewer, opened, None, messages, case, look, names, access.access(session, opened, names, case.guests), kept)


def _spoken_of(case: Case, messages: tuple[Arrived, ...]) -> Iterator[str]:
    """Whom the pages of a case name."""
    yield from {one.author for one in messages}
    yield from {one.organisation for one in messages}
    yield from (work.entry.owner for work in (*case.tasks, *case.plan) if work.entry)
    yield from (share.entry.to for share in case.shares if share.entry)
    yield from (consent.entry.to for consent in case.consents if consent.entry)
    yield from (guest.entry.person for guest in case.guests)
    yield case.terms.lead if case.terms else ""


def bring_up(session: Session, node: Node, desk: Desk) -> Desk:
    """Brings the clear header up to date, and what is to be destroyed of ours goes: others' own nodes see to theirs."""
    table: Any = CaseRecord.__table__
    before, values = row_of(session, desk.id), _header(desk)
    consented.catch_up(session, node, desk.viewer, desk.case)
    if before is None and values["opened_id"]:
        put(session, CaseRecord, room_id=desk.id, **values)
    elif before is not None and values["opened_id"] and values != {name: getattr(before, name) for name in values}:
        session.execute(sa.update(table).where(table.c.room_id == desk.id).values(**values))
    _going_on(session, node, desk)
    if marked := [shown.id for shown in desk.case.files if shown.state == SUSPECTED]:
        sealed_files.mark(session, node, marked)
    return replace(desk, row=row_of(session, desk.id))


def row_of(session: Session, case_id: str) -> Any:
    """The clear header of a case as it is kept; None before its first entry could be read."""
    table: Any = CaseRecord.__table__
    return session.execute(sa.select(table).where(table.c.room_id == case_id)).one_or_none()


def to_go(desk: Desk) -> list[str]:
    """What of ours is gone by what the case says, and is stored still."""
    if not desk.case.gone:  # most often
        return []
    ours = (one for one in desk.messages if one.organisation == desk.look.organisation and one.unread != ERASED)
    return [one.id for one in ours if one.id in desk.case.gone]


def _going_on(session: Session, node: Node, desk: Desk) -> None:
    """What of ours is to go does: a few entries at once, more of them by and by (going.py)."""
    gone = to_go(desk)
    if len(gone) > going.EACH:
        going.begin(session, node, desk.viewer, desk.id, gone)
        return
    for uri in gone:
        there = sa.select(SealedMessage.id).where(SealedMessage.uri == uri, SealedMessage.state != ERASED)
        if session.execute(there).first() is not None:
            room_sending.take_back(session, node, desk.viewer, uri)


def _header(desk: Desk) -> dict[str, Any]:
    opened = next((one.id for one in desk.case.timeline if one.kind == "opened" and not one.void), "")
    days = header(desk.case, in_full(desk))
    return {"opened_id": opened, **days, "late": lateness.is_late(days, desk.look.today)}
