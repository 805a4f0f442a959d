"""Decides which tasks of keepers follow from where a room stands: an invitation, a freeze, a takeover that is backed or has
happened to us."""

import sqlalchemy as sa

from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY
from fedcollab.base.session import Session
from fedcollab.base.statements import put
from fedcollab.federation.models import ADMITTED, SUSPENDED, Partner

from . import keeper_tasks
from .aside_models import RoomAside
from .casekeys import DEPUTY
from .facts import Backed, of
from .keeper_tasks import BACKED, BOX_SHUT, BOX_TO_MAKE, FROZEN, INVITED, KEY_MISSING, NOBODY, OWNER_AWAY, TAKEN
from .refusals import Replaced
from .room_models import KeeperTask, RoomMember
from .room_models import Room as Row
from .room_state import FROZEN as TWO_LISTS
from .room_state import NOTHING, OPEN, OUT, PURGED, Room
from .seats import INVITED as ASKED_IN

SILENT = 7 * DAY  # how long whoever leads a room may not answer before its members are asked what to do


def settle(session: Session, node: Node, room_id: str, room: Room, led_by: str) -> None:
    """Brings the tasks of a room up to what follows from its facts; `led_by` is who led it until now."""
    standing = set(session.scalars(sa.select(KeeperTask.kind).where(KeeperTask.room_id == room_id, KeeperTask.done_at.is_(None))))
    wanted = {FROZEN: room.state == TWO_LISTS, INVITED: _is_invited(room) and not _is_aside(session, room_id), BACKED: is_backed(room)}
    if led_by == room.me and room.head is not None and room.owner != room.me and room.head.issuer != room.me:
        wanted[TAKEN] = True
    if room.owner == room.me:
        wanted |= {TAKEN: False, OWNER_AWAY: False}
    if room.state in (OUT, PURGED):
        wanted |= dict.fromkeys((NOBODY, BOX_TO_MAKE, KEY_MISSING, BOX_SHUT, OWNER_AWAY, TAKEN), False)
    for kind, is_so in wanted.items():
        if is_so and kind not in standing:
            keeper_tasks.wait(session, node, kind, room_id)
        elif not is_so and kind in standing:
            keeper_tasks.over(session, node, kind, room_id)


def _is_invited(room: Room) -> bool:
    """Whether our organisation as such is asked inside; an invitation of a person by name waits for that person."""
    asked = [seat for seat in room.seats if seat.state == ASKED_IN and seat.invitation.organisation == room.me]
    return room.state in (NOTHING, OUT) and any(not seat.invitation.person for seat in asked)


def _is_aside(session: Session, room_id: str) -> bool:
    return session.execute(sa.select(RoomAside.room_id).where(RoomAside.room_id == room_id)).first() is not None


def set_aside(session: Session, node: Node, room_id: str) -> None:
    """The invitation into a room came with something else and is answered with that: it waits for no keeper by itself."""
    put(session, RoomAside, room_id=room_id)
    keeper_tasks.over(session, node, INVITED, room_id)


def is_backed(room: Room) -> bool:
    """Whether another member wants us, a deputy, to take the room over from where it stands."""
    head = room.head
    if head is None or room.state != OPEN or room.me not in head.deputies:
        return False
    others = room.inside - {room.me, room.owner}
    return any(word.deputy == room.me and word.ck == head.ck and word.by in others for word in of(room.facts, Backed))


def refused(session: Session, node: Node, room_id: str, room: Room, ck: str) -> None:
    """A case key was found not to count: somebody has issued it who may not, or named us without our yes. What was given up when two lists
    were mended is no such thing, nor is what we have issued ourselves."""
    key = room.key(ck)
    if room.line.refused.get(ck) is not Replaced and key is not None and key.issuer != room.me:
        keeper_tasks.wait(session, node, keeper_tasks.REFUSED_KEY, room_id)


def look_for_owners(session: Session, node: Node) -> None:
    """A chore: rooms whose leading node has not answered for a week, and where a deputy could take over."""
    quiet = sa.func.coalesce(Partner.last_success_at, Partner.decided_at, Partner.created_at) < node.now() - SILENT
    away = sa.or_(Partner.state == SUSPENDED, sa.and_(Partner.state == ADMITTED, Partner.last_error != "", quiet))
    deputy = sa.exists().where(RoomMember.room_id == Row.id, RoomMember.role == DEPUTY, RoomMember.state == "in")
    gone = sa.select(Row.id).join(Actor, Actor.uri == Row.owner).join(Partner, Partner.organisation_id == Actor.id)
    there = set(session.scalars(gone.where(Row.state == OPEN, away, deputy)))
    open_ = sa.select(KeeperTask.room_id).where(KeeperTask.kind == OWNER_AWAY, KeeperTask.done_at.is_(None))
    told = {room_id for room_id in session.scalars(open_) if room_id}
    for room_id in sorted(there - told):
        keeper_tasks.wait(session, node, OWNER_AWAY, room_id)
    for room_id in told - there:
        keeper_tasks.over(session, node, OWNER_AWAY, room_id)
