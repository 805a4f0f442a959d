"""Decides how a sealed group ends for good: by whoever leads it, or when the time is over that it is kept."""

from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, iso
from fedcollab.base.errors import N_, Refused
from fedcollab.base.session import Session
from fedcollab.sealing import holding, working
from fedcollab.sealing.made_ready import Write
from fedcollab.sealing.room_models import GROUP, Room
from fedcollab.sealing.room_state import CLOSED, FROZEN, OPEN, PURGED

from . import acting
from .models import GroupEntry, GroupNamed, GroupSeen
from .opening import LEADERS, Here, Keys

SOON = 30 * DAY
STANDS = (OPEN, FROZEN, CLOSED)  # frozen too: who freezes a group does not lengthen its time
NOT_OURS = N_("Only the organisation that manages this group can end it for all. Yours can leave it.")


def why_not(here: Here) -> str:
    """What keeps a group from being ended by whoever looks; empty where nothing does."""
    if not here.leads:
        return NOT_OURS
    return "" if here.may_lead else acting.NOT_YOURS


def purge(_session: Session, node: Node, here: Here, _keys: Keys) -> Write:
    """Ends a group everywhere. Raises Refused."""
    if text := why_not(here):
        raise Refused(text)

    def write(session: Session) -> None:
        forget(session, here.id)
        working.purge(session, node, here.viewer, here.id)

    return write


def forget(session: Session, room_id: str) -> None:
    """What this node has noted of a group goes with it."""
    for model in (GroupEntry, GroupNamed, GroupSeen):
        session.execute(sa.delete(model).where(model.room_id == room_id))


def end_due(session: Session, node: Node) -> None:
    """A chore: a group of ours whose time is over ends, one at a time. The day is in clear, so no key is needed."""
    over = sa.and_(GroupNamed.retention != "", GroupNamed.retention < iso(node.now())[:10])
    due = sa.select(Room.id).join(GroupNamed, GroupNamed.room_id == Room.id).where(over, _ours(node))
    room_id = session.execute(due.order_by(GroupNamed.retention).limit(1)).scalar_one_or_none()
    if room_id is not None:
        forget(session, room_id)
        working.purge(session, node, None, room_id)


def forget_gone(session: Session, _node: Node) -> None:
    """A chore: what was noted of groups that others have ended, once they are gone here."""
    there = sa.or_(*(sa.exists().where(model.room_id == Room.id) for model in (GroupEntry, GroupNamed, GroupSeen)))
    for room_id in session.scalars(sa.select(Room.id).where(Room.kind == GROUP, Room.state == PURGED, there).limit(50)).all():
        forget(session, room_id)


def soon(session: Session, node: Node, viewer: Viewer) -> int | None:
    """How many groups end within thirty days, for the home of those who lead them for us: those that they are in; None for none."""
    if not viewer.roles & LEADERS:
        return None
    within = sa.and_(GroupNamed.retention != "", GroupNamed.retention <= iso(node.now() + SOON)[:10])
    mine: Any = Room.id.in_(holding.mine(session, viewer.person_id))
    query = sa.select(sa.func.count()).select_from(Room).join(GroupNamed, GroupNamed.room_id == Room.id)
    return session.execute(query.where(within, mine, _ours(node))).scalar_one() or None


def _ours(node: Node) -> sa.ColumnElement[bool]:
    return sa.and_(Room.owner == node.actor_uri, Room.state.in_(STANDS), Room.kind == GROUP)
