"""Decides how a case ends for good: by whoever manages access to it, with its code typed once more, or when its time is over."""

from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, iso
from fedcollab.base.errors import N_, Refused
from fedcollab.base.session import Session
from fedcollab.sealing import consents, holding, working
from fedcollab.sealing.made_ready import Write
from fedcollab.sealing.room_models import CASE, Room
from fedcollab.sealing.room_state import CLOSED, FROZEN, OPEN, PURGED

from . import codes
from .checking import Wrong
from .desk import Desk, Keys, in_full
from .header import held_to
from .models import CaseNeed, CaseRecord

SOON = 30 * DAY
STANDS = (OPEN, FROZEN, CLOSED)  # frozen too: who freezes a case does not lengthen its time
NOT_OURS = N_(
    "Only the organisation that manages access to this case can end it for all. Yours can leave it, or ask for the erasure of what it "
    "wrote."
)
HELD = N_("Something in this case is held back from erasure. It ends when the hold does, or is lifted.")
OTHER = N_("Type the code of this case, as it stands above, so that the right one goes.")


def why_not(desk: Desk) -> str:
    """What keeps a case from being ended by whoever looks; empty where nothing does."""
    if not desk.opened.room.leads:
        return NOT_OURS
    held = max((held_to(desk.case, hold, in_full(desk)) for hold in desk.case.holds), default="")
    return HELD if held >= desk.look.today else ""


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
