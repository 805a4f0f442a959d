"""Decides how guests are asked, come and end, as far as it is ours alone to say; accounts and cases are joined to this in flows/."""

import secrets
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.access.models import AMBER
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, iso, new_id
from fedcollab.base.crypto import new_token, stored
from fedcollab.base.errors import Gone, N_, NotFound, Refused
from fedcollab.base.markup import plain
from fedcollab.base.model import aliased
from fedcollab.base.session import Session
from fedcollab.base.statements import put
from fedcollab.sealing import holding, room_chain, rooms
from fedcollab.sealing.fields import Day
from fedcollab.sealing.locked import derive, lock, unlock
from fedcollab.sealing.room_models import CASE, Room, RoomPerson
from fedcollab.sealing.room_state import CLOSED, OPEN, OUT, PURGED

from .models import Guest

GOOD_FOR, KEPT = 7 * DAY, 30 * DAY  # an invitation; the row of one that nobody came by
INVITED, LATE, JOINED, IN, ENDED = "invited", "late", "joined", "in", "ended"
NAME, LONGEST, PREVIEW, TYPED = 80, 120, 500, 10_000  # letters; of what is looked at to see whether it is too long
DIGITS = 8  # of a code
LABEL = AMBER  # not the strict one, and where people are inside by name they are
OVER = (CLOSED, PURGED, OUT)
USED = N_("This invitation was used already, was taken back, or is too old. Ask whoever gave it to you for a new one.")
TOO_LONG = N_("This is longer than its field holds. Shorten it; nothing was kept or sent.")
NOT_HERE = N_("Under this label no guest comes in: it is for the own people of the organisations named.")


class Wrong(Refused):
    """A field of the invitation; `field` is its name."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, repr=False)
class GuestData:
    """A guest as plain values; `by` is who asked them."""

    id: str
    room_id: str
    name: str
    works_for: str
    type: str
    until: str
    expires_at: int
    by: str
    at: int
    person_id: str | None
    joined_at: int | None
    let_in_at: int | None
    ended_at: int | None

    def state(self, now: int) -> str:
        """`invited`, `late` (nobody came by the invitation in time), `joined` (has an account and reads nothing yet), `in`, `ended`."""
        if self.ended_at is not None:
            return ENDED
        if self.person_id is None:
            return INVITED if now < self.expires_at else LATE
        return JOINED if self.let_in_at is None else IN

    @property
    def said(self) -> str:
        """Name and organisation, as they stand wherever the guest's words do."""
        return f"{self.name}, {self.works_for}"


COLUMNS = ("id", "room_id", "name", "works_for", "type", "until", "expires_at")
LATER = ("at", "person_id", "joined_at", "let_in_at", "ended_at")


@dataclass(frozen=True, repr=False)
class Asked:
    """Whom somebody asks in: their name, the organisation that they work for, the code of what it is, the last day or nothing; what they
    see of the case before they answer, or nothing."""

    name: str
    works_for: str
    type: str
    until: str = ""
    preview: str = ""


@dataclass(frozen=True, repr=False)
class Bound:
    """What an invitation is part of, whose id it has: then it takes a code too, which they get by another way than the link, it is good
    until `expires_at`, and before the answer it opens `secret`."""

    id: str
    code: str
    expires_at: int
    secret: bytes


def kept(asked: Asked) -> Asked:
    """The same as it is kept."""
    return Asked(plain(asked.name, NAME), plain(asked.works_for, LONGEST), asked.type, asked.until.strip(), plain(asked.preview, PREVIEW))


def problems(node: Node, asked: Asked) -> Iterator[tuple[str, str]]:
    """(The field, what is wrong with it) of what somebody typed, as they typed it: nothing is kept that was cut."""
    tidy, day = kept(asked), Day()
    for field, most in (("name", NAME), ("works_for", LONGEST), ("preview", PREVIEW)):
        if len(plain(getattr(asked, field), TYPED)) > most:
            yield field, TOO_LONG
    if not tidy.name:
        yield "name", N_("Write the name of the person. A guest is somebody by name.")
    if not tidy.works_for:
        yield "works_for", N_("Write for which organisation they work. It stands wherever their words stand.")
    try:
        if day.typed([asked.until]) and tidy.until < iso(node.now())[:10]:
            yield "until", N_("This day has passed.")
    except Refused as error:
        yield "until", error.text


def invite(session: Session, node: Node, viewer: Viewer, room_id: str, asked: Asked, bound: Bound | None = None) -> tuple[str, str]:
    """Asks somebody of an organisation without a node: (the guest's row, the token for their link, good once within 7 days). They read
    nothing before somebody on the case has let them in. Raises NotFound for who is not on the case, Wrong, Refused."""
    check_case(session, viewer, room_id)
    for field, text in problems(node, asked):
        raise Wrong(field, text)
    asked, token, now = kept(asked), new_token(), node.now()
    guest_id, expires_at = (bound.id, bound.expires_at) if bound else (new_id(now), now + GOOD_FOR)
    whom = dict(name=asked.name, works_for=asked.works_for, type=asked.type, until=asked.until)
    preview = _sealed(token, guest_id, bound.secret if bound else asked.preview.encode(), bound.code if bound else "")
    row = dict(id=guest_id, room_id=room_id, by_id=viewer.person_id, at=now, expires_at=expires_at)
    put(session, Guest, **row, **whom, token_hash=stored(token), preview=preview, **_nothing_yet())
    room_chain.add(session, node, room_id, viewer, "guest.invite", guest_id)
    return guest_id, token


def _nothing_yet() -> dict[str, None]:
    return dict.fromkeys(("person_id", "joined_at", "let_in_at", "let_in_by_id", "ended_at", "ended_by_id"))


def _sealed(token: str, guest_id: str, preview: bytes, code: str = "") -> bytes:
    """Under a key that is in the link alone, or in link and code: neither the database nor its backup opens it."""
    return lock(_key(token, code), preview, f"preview for guest {guest_id}") if preview else b""


def preview(session: Session, guest: GuestData, token: str, code: str = "") -> bytes:
    """What somebody who has the link sees of the case before they answer, or what `Bound` has for them. Raises Shut for a wrong code."""
    sealed = session.execute(sa.select(Guest.preview).where(Guest.id == guest.id)).scalar_one()
    return unlock(_key(token, code), sealed, f"preview for guest {guest.id}") if sealed else b""


def new_code() -> str:
    """A code that is good with one link alone, short enough to be said by phone: trying is what the caller has to keep short."""
    return "".join(secrets.choice("0123456789") for _ in range(DIGITS))


def read_code(typed: str) -> str:
    """A code as somebody has typed it, in the digits of any script, with spaces or dashes."""
    return "".join(str(unicodedata.decimal(letter)) for letter in typed[:80] if letter.isdecimal())


def _key(token: str, code: str) -> bytes:
    return derive(token.encode(), code.encode(), b"fedcollab guest 1")


def check_case(session: Session, viewer: Viewer, room_id: str) -> None:
    """Raises NotFound unless it is a case that somebody of ours, no guest, is on; Refused where no guest may come in."""
    if viewer.is_guest or not holding.is_assigned(session, room_id, viewer.person_id):
        raise NotFound
    row = rooms.by_id(session, room_id)
    if row.kind != CASE:
        raise NotFound
    if row.label != LABEL:
        raise Refused(NOT_HERE)
    if row.state != OPEN:
        raise Refused(N_("Guests are asked into open cases alone."))


def invited(session: Session, node: Node, token: str) -> GuestData:
    """Whom an invitation is for. Raises Gone once it is used, taken back or too old, and where the case has ended."""
    good = sa.and_(Guest.token_hash == stored(token), Guest.person_id.is_(None), Guest.ended_at.is_(None), Guest.expires_at > node.now())
    found = _found(session, good)
    if not token or not found or rooms.by_id(session, found[0].room_id).state != OPEN:
        raise Gone(USED)
    return found[0]


def joined(session: Session, node: Node, guest: GuestData, person_id: str) -> None:
    """The invitation is used up: this account is the guest's. Raises Gone where somebody else was faster."""
    mine = sa.and_(Guest.id == guest.id, Guest.person_id.is_(None), Guest.ended_at.is_(None))
    used = sa.update(Guest).where(mine).values(person_id=person_id, joined_at=node.now(), token_hash="", preview=b"")
    if session.execute(used.returning(Guest.id)).first() is None:
        raise Gone(USED)
    room_chain.add(session, node, guest.room_id, Viewer(person_id=person_id), "guest.join", person_id)


def declined(session: Session, node: Node, token: str) -> None:
    """They do not come. That they were asked stays on the case's record; who it was goes from here."""
    guest = invited(session, node, token)
    room_chain.add(session, node, guest.room_id, None, "guest.decline", guest.id)
    session.execute(sa.delete(Guest).where(Guest.id == guest.id))


def let_in(session: Session, node: Node, viewer: Viewer, guest: GuestData) -> None:
    """They read the case from now on."""
    values = dict(let_in_at=node.now(), let_in_by_id=viewer.person_id)
    session.execute(sa.update(Guest).where(Guest.id == guest.id).values(values))
    room_chain.add(session, node, guest.room_id, viewer, "guest.let_in", guest.person_id or guest.id)


def ended(session: Session, node: Node, viewer: Viewer | None, guest: GuestData) -> None:
    """Notes that a guest is one no more; `viewer` is None where the case, their time or their account is over. An invitation that nobody
    came by leaves nothing of whom it was for."""
    if guest.person_id is None:
        session.execute(sa.delete(Guest).where(Guest.id == guest.id))
    else:
        over = dict(ended_at=node.now(), ended_by_id=viewer.person_id if viewer else None)
        session.execute(sa.update(Guest).where(Guest.id == guest.id).values(over))
    room_chain.add(session, node, guest.room_id, viewer, "guest.end", guest.person_id or guest.id)


def of_case(session: Session, room_id: str) -> list[GuestData]:
    """All guests of ours on a case, the last asked first; those who have ended too."""
    return _found(session, Guest.room_id == room_id)


def on_case(session: Session, room_id: str, guest_id: str) -> GuestData:
    """One of them. Raises NotFound."""
    found = _found(session, sa.and_(Guest.room_id == room_id, Guest.id == guest_id))
    if not found:
        raise NotFound
    return found[0]


def find(session: Session, guest_id: str) -> GuestData | None:
    """One of any case."""
    found = _found(session, Guest.id == guest_id)
    return found[0] if found else None


def of_person(session: Session, person_id: str) -> GuestData | None:
    """What somebody is a guest for; None for who is none."""
    found = _found(session, Guest.person_id == person_id)
    return found[0] if found else None


def over(session: Session, node: Node) -> list[GuestData]:
    """Those who have to end: the case has, their last day has passed, they were taken off it, or their account was ended."""
    late = sa.and_(Guest.until != "", Guest.until < iso(node.now())[:10])
    person = aliased(Actor)
    gone = sa.exists().where(person.id == Guest.person_id, person.disabled_at.is_not(None))
    case = sa.exists().where(Room.id == Guest.room_id, Room.state.in_(OVER))
    there = sa.exists().where(RoomPerson.room_id == Guest.room_id, RoomPerson.person_id == Guest.person_id, RoomPerson.until.is_(None))
    off = sa.and_(Guest.let_in_at.is_not(None), ~there)
    return _found(session, sa.and_(Guest.ended_at.is_(None), sa.or_(late, gone, case, off)))


def forget_late(session: Session, node: Node) -> None:
    """A chore: who was asked and never came is forgotten 30 days later, who has ended with their case's room."""
    session.execute(sa.delete(Guest).where(Guest.person_id.is_(None), Guest.expires_at < node.now() - KEPT))
    purged = sa.exists().where(Room.id == Guest.room_id, Room.state == PURGED)
    session.execute(sa.delete(Guest).where(Guest.ended_at.is_not(None), purged))


def end_invitations(session: Session, _node: Node, _made_at: int) -> None:
    """In a node that comes out of a backup some live that were used or taken back since: all end."""
    session.execute(sa.update(Guest).where(Guest.person_id.is_(None)).values(token_hash="", preview=b"", expires_at=0))


def _found(session: Session, which: sa.ColumnElement[bool]) -> list[GuestData]:
    columns = [*(getattr(Guest, name) for name in COLUMNS), Actor.name.label("by"), *(getattr(Guest, name) for name in LATER)]
    query = sa.select(*columns).join(Actor, Actor.id == Guest.by_id).where(which).order_by(Guest.at.desc(), Guest.id.desc())
    return [GuestData(*row) for row in session.execute(query)]
