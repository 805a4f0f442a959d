"""Decides where the private halves of our own keys for rooms lie: in the key ring (`mk:`), boxed to those who may open them."""

from typing import Any

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.session import Session

from . import wraps
from .room_models import MemberKey, Room
from .room_state import PURGED
from .sweeping import Naming

KEY = "mk:"


def kids(session: Session, node: Node, room_id: str) -> list[str]:
    """The names of our own keys for a room, the newest first."""
    ours = sa.and_(MemberKey.room_id == room_id, MemberKey.organisation == node.actor_uri)
    return list(session.scalars(sa.select(MemberKey.kid).where(ours).order_by(MemberKey.at.desc(), MemberKey.kid)))


def can_be_opened(session: Session, node: Node, room_id: str) -> bool:
    """Whether somebody here could open what is sealed to our keys: else a new case key would be made for nobody."""
    with node.ring.look() as ring:
        return any(wraps.wraps_of(ring, KEY + kid) for kid in kids(session, node, room_id))


def destroy(session: Session, node: Node, room_id: str) -> None:
    """Destroys our keys for a room for good: it is purged. Call it last in a unit."""
    with node.ring.begin() as ring:
        for kid in kids(session, node, room_id):
            wraps.destroy(ring, KEY + kid, node.now())


def _named(session: Session) -> list[str]:
    kept: Any = sa.select(MemberKey.kid).join(Room, Room.id == MemberKey.room_id).where(Room.state != PURGED)
    return [KEY + kid for kid in session.scalars(kept)]


NAMED_IN_RING = Naming(KEY, _named)
