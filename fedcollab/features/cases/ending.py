"""Decides how a case ends for good: by whoever leads it, with its code typed once more, or when the time is over that it is kept; and what
of it is seen afterwards: days and organisations, and what each of them has answered."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, iso
from fedcollab.base.errors import N_, Refused
from fedcollab.federation import receipts
from fedcollab.federation.receipts import ReceiptData
from fedcollab.sealing import consents, duties, ending, holding, naming, organisation, working
from fedcollab.sealing.ending import Ending
from fedcollab.sealing.naming import Named
from fedcollab.sealing.room_models import CASE, Room
from fedcollab.sealing.room_state import CLOSED, FROZEN, OPEN, PURGED

from . import codes
from .acting import Write
from .checking import Wrong
from .desk import Desk, Keys
from .models import CaseNeed, CaseRecord

SOON = 30 * DAY
STANDS = (OPEN, FROZEN, CLOSED)  # frozen too: who freezes a case does not lengthen its time
SHOWN = 100  # cases that have ended, on their page
NOT_OURS = N_("Only the organisation that leads this case can end it for all. Yours can leave it, or ask for the erasure of what it wrote.")
HELD = N_("Something in this case is held back from erasure. It ends when the hold does, or is lifted.")
OTHER = N_("Type the code of this case, as it stands above, so that the right one goes.")


@dataclass(frozen=True, repr=False)
class Ended:
    """A case that is to be gone, or is: who asked, what is known of when, since when it was here, and what the others answered."""

    ending: Ending
    by: Named
    since: int
    receipts: list[ReceiptData]
    mine: bool


@dataclass(frozen=True, repr=False)
class Endings:
    """Those that wait, and those that are gone here."""

    waiting: list[Ended]
    gone: list[Ended]


def why_not(desk: Desk) -> str:
    """What keeps a case from being ended by whoever looks; empty where nothing does."""
    if not desk.opened.room.leads:
        return NOT_OURS
    return HELD if desk.case.holds else ""


def asked(session: Session, desk: Desk) -> list[Named]:
    """The organisations that are told when a case ends: all that were ever on it or invited, those that were removed too."""
    uris = duties.ever(desk.opened.room) - {desk.opened.room.me}
    return naming.listed(naming.names(session, uris), uris)


def purge(_session: Session, node: Node, desk: Desk, _keys: Keys, typed: str) -> Write:
    """Ends a case everywhere. Raises Refused, Wrong where another code was typed."""
    if text := why_not(desk):
        raise Refused(text)
    if codes.read(typed) != desk.case.code:
        raise Wrong("code", OTHER)

    def write(session: Session) -> None:
        forget(session, desk.id)
        working.purge(session, node, desk.viewer, desk.id)

    return write


def forget(session: Session, room_id: str) -> None:
    """The clear header of a case goes with it, and who needed to know what."""
    for model in (CaseNeed, CaseRecord):
        table: Any = model.__table__
        session.execute(sa.delete(table).where(table.c.room_id == room_id))


def end_due(session: Session, node: Node) -> None:
    """A chore: a case of ours whose time is over ends, one at a time. Holds are in the clear header's day, so no key is needed."""
    row: Any = CaseRecord.__table__.c
    over = sa.and_(row.retention != "", row.retention < iso(node.now())[:10])
    ours = sa.and_(Room.owner == node.actor_uri, Room.state.in_(STANDS), Room.kind == CASE)
    due = sa.select(Room.id).join(CaseRecord.__table__, row.room_id == Room.id).where(over, ours).order_by(row.retention).limit(1)
    room_id = session.execute(due).scalar_one_or_none()
    if room_id is not None:
        forget(session, room_id)
        working.purge(session, node, None, room_id)


def forget_gone(session: Session, node: Node) -> None:
    """A chore: the clear headers of cases that others have ended, or that were erased here with the end of a consent."""
    over = sa.or_(Room.state == PURGED, Room.id.in_(consents.erased_whole()))
    gone: Any = sa.select(Room.id).join(CaseRecord.__table__, CaseRecord.__table__.c.room_id == Room.id).where(over)
    for room_id in session.scalars(gone.limit(50)).all():
        forget(session, room_id)


def soon(session: Session, node: Node, viewer: Viewer) -> int | None:
    """How many cases end within thirty days, for people's home: those that they are on, for keepers all of ours; None for none."""
    row: Any = CaseRecord.__table__.c
    within = sa.and_(row.retention != "", row.retention <= iso(node.now() + SOON)[:10])
    ours = sa.and_(Room.owner == node.actor_uri, Room.state.in_(STANDS))
    if not viewer.is_keeper:
        ours = sa.and_(ours, Room.id.in_(holding.mine(session, viewer.person_id)))
    query = sa.select(sa.func.count()).select_from(Room).join(CaseRecord.__table__, row.room_id == Room.id).where(within, ours)
    return session.execute(query).scalar_one() or None


def endings(session: Session, node: Node, viewer: Viewer) -> Endings:
    """All that are to be gone and concern whoever looks, and the last that are gone: of cases that they were on, for keepers of all."""
    waiting = [one for one in ending.waiting(session) if holding.may_assign(session, one.room_id, viewer)]
    gone = ending.gone(session, SHOWN, None if viewer.person_id in organisation.holders(session) else viewer.person_id)
    ids = [one.room_id for one in (*waiting, *gone)]
    query = sa.select(Room.id, Room.uri, Room.created_at).where(Room.kind == CASE, Room.id.in_(ids))
    rows = {row.id: row for row in session.execute(query)}
    found = [one for one in (*waiting, *gone) if one.room_id in rows]
    said = receipts.of(session, node.now(), [rows[one.room_id].uri for one in found])
    listed = [receipt for answers in said.values() for receipt in answers]
    names = naming.names(session, {*(one.by for one in found), *(receipt.name for receipt in listed)})

    def ended(one: Ending) -> Ended:
        row = rows[one.room_id]
        answers = [_named(answer, names) for answer in said.get(row.uri, [])]
        return Ended(one, names[one.by], row.created_at, answers, one.by == node.actor_uri)

    return Endings([ended(one) for one in waiting if one.room_id in rows], [ended(one) for one in gone if one.room_id in rows])


def _named(answer: ReceiptData, names: naming.Names) -> ReceiptData:
    """An organisation by its name instead of its id."""
    return ReceiptData(names[answer.name].said, answer.sent_at, answer.confirmed_at, answer.late, answer.refused, answer.refused_at)
