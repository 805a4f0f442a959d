"""Decides what is listed of referrals, for whom: those that came for keepers and whoever they were handed to, those we sent for people on
their case; and what stands at the top of somebody's home."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.sealing import consent_marks, holding, organisation
from fedcollab.sealing.chain_models import RoomEntry
from fedcollab.sealing.consents import today
from fedcollab.sealing.room_models import Room, RoomPerson

from .models import Referral, ReferralPerson
from .outside import TRIES
from .states import ACCEPTED, IN_PROGRESS, OPEN
from .words import NOT_YOURS

EACH, MOST = 50, 1_000  # of a page; that are counted for somebody's home
BOX_MADE, LET_IN = (
    "room.box_made",
    "guest.let_in",
)  # since then they can read it: somebody with the keys has opened the room, or let them in


@dataclass(frozen=True)
class Listed:
    """A referral in a list, with nothing of what it is about: with whom, where it stands and since when (microseconds), by which day an
    answer is asked for. `room_id` is our row of its room where whoever looks is on it, `case_id` that of the case it comes from; `unread`
    that the other side cannot read yet what was handed over; `outside` that they have no node (and no `name` any more where it came to
    nothing), `shut` that their link is good for nothing though they have not answered; `people` the names of those of us who look at it."""

    id: str
    sent: bool
    name: str
    host: str
    state: str
    code: str
    deadline: str
    late: bool
    at: int
    changed_at: int
    room_id: str
    case_id: str
    unread: bool
    outside: bool = False
    shut: bool = False
    people: tuple[str, ...] = ()


class Part(NamedTuple):
    """A page of a list, and whether there is another one behind it."""

    rows: list[Listed]
    more: bool


def came(session: Session, node: Node, viewer: Viewer, number: int = 1) -> Part:
    """Those that came, what waits first."""
    return _part(session, node, viewer, _came(session, viewer), number)


def sent(session: Session, node: Node, viewer: Viewer, number: int = 1) -> Part:
    """Those that we have sent from cases that the viewer is on."""
    return _part(session, node, viewer, _sent(session, viewer), number)


def one(session: Session, node: Node, viewer: Viewer, referral_id: str) -> Listed:
    """One that the viewer may know of. Raises NotFound."""
    theirs = sa.or_(_came(session, viewer), _sent(session, viewer))
    found = _listed(session, node, viewer, sa.and_(Referral.id == referral_id, theirs))
    if not found:
        raise NotFound(NOT_YOURS)
    return found[0]


def count(session: Session, viewer: Viewer) -> int:
    """How many wait for an answer of ours, by whoever looks: for the menu."""
    waiting = sa.and_(_came(session, viewer), Referral.state == IN_PROGRESS)
    return session.execute(sa.select(sa.func.count()).select_from(Referral).where(waiting)).scalar_one()


def _came(session: Session, viewer: Viewer) -> sa.ColumnElement[bool]:
    """All for keepers who hold the key, else those handed to the viewer, or whose room they are on."""
    handed = sa.select(ReferralPerson.referral_id).where(ReferralPerson.person_id == viewer.person_id)
    rooms = sa.select(Room.uri).where(Room.id.in_(holding.mine(session, viewer.person_id)))
    mine = sa.or_(Referral.id.in_(handed), Referral.room.in_(rooms))
    sees = sa.true() if viewer.person_id in organisation.holders(session) else mine
    return sa.and_(~Referral.sent, sees)


def _sent(session: Session, viewer: Viewer) -> sa.ColumnElement[bool]:
    return sa.and_(Referral.sent, Referral.case_id.in_(holding.mine(session, viewer.person_id)))


def _part(session: Session, node: Node, viewer: Viewer, which: sa.ColumnElement[bool], number: int) -> Part:
    found = _listed(session, node, viewer, which, EACH + 1, (number - 1) * EACH)
    return Part(found[:EACH], len(found) > EACH)


def _listed(session: Session, node: Node, viewer: Viewer, which: sa.ColumnElement[bool], most: int = MOST, after: int = 0) -> list[Listed]:
    on_it = sa.and_(RoomPerson.room_id == Room.id, RoomPerson.person_id == viewer.person_id, RoomPerson.until.is_(None))
    reads = sa.case((Referral.organisation_id.is_(None), LET_IN), else_=BOX_MADE)
    made = sa.exists().where(RoomEntry.room_id == Room.id, RoomEntry.action == reads)
    name, host = sa.func.coalesce(Actor.name, Referral.outside).label("name"), sa.func.coalesce(Actor.host, "").label("host")
    columns = (Referral.id, Referral.sent, name, host, Referral.state, Referral.code, Referral.deadline, Referral.at, Referral.tries)
    query = sa.select(*columns, Referral.changed_at, Referral.case_id, Referral.organisation_id, RoomPerson.room_id, made.label("made"))
    query = query.outerjoin(Actor, Actor.id == Referral.organisation_id).outerjoin(Room, Room.uri == Referral.room)
    query = query.outerjoin(RoomPerson, on_it)
    order = sa.case((Referral.state == IN_PROGRESS, 0), (Referral.state == ACCEPTED, 1), else_=2)
    rows = session.execute(query.where(which).order_by(order, Referral.at.desc(), Referral.id.desc()).limit(most).offset(after)).all()
    people = _people(session, [row.id for row in rows])
    return [
        Listed(
            row.id,
            row.sent,
            row.name,
            row.host,
            row.state,
            row.code,
            row.deadline,
            _late(node, row),
            row.at,
            row.changed_at,
            row.room_id or "",
            row.case_id or "",
            row.sent and row.state == ACCEPTED and bool(row.room_id) and not row.made,
            row.organisation_id is None,
            row.organisation_id is None and row.state == IN_PROGRESS and (_late(node, row) or row.tries >= TRIES),
            people.get(row.id, ()),
        )
        for row in rows
    ]


def _late(node: Node, row: Any) -> bool:
    return row.state == IN_PROGRESS and bool(row.deadline) and row.deadline < today(node)


def _people(session: Session, ids: list[str]) -> dict[str, tuple[str, ...]]:
    query = sa.select(ReferralPerson.referral_id, Actor.name).join(Actor, Actor.id == ReferralPerson.person_id)
    found: dict[str, tuple[str, ...]] = {}
    for row in session.execute(query.where(ReferralPerson.referral_id.in_(ids)).order_by(ReferralPerson.since, Actor.name)):
        found[row.referral_id] = (*found.get(row.referral_id, ()), row.name)
    return found


@dataclass(frozen=True)
class Note:
    """What stands at the top of somebody's home: how many wait for an answer of ours, of those how many are late; how many of ours are
    late, were answered lately, or cannot be read by the other side yet; how much is to be erased."""

    waiting: int
    late: int
    ours_late: int
    unread: int
    erase: int


def at_home(session: Session, node: Node, viewer: Viewer) -> Note | None:
    """None where nothing waits for this person."""
    waiting = _listed(session, node, viewer, sa.and_(_came(session, viewer), Referral.state == IN_PROGRESS))
    ours = _listed(session, node, viewer, sa.and_(_sent(session, viewer), Referral.state.in_(OPEN)))
    erase = len(consent_marks.to_erase(session)) if viewer.person_id in organisation.holders(session) else 0
    late = sum(one.late for one in waiting), sum(one.late for one in ours)
    found = Note(len(waiting), *late, sum(one.unread for one in ours), erase)
    return found if any((found.waiting, found.ours_late, found.unread, found.erase)) else None
