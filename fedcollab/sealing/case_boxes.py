"""Decides where the boxes of case keys lie: in the key ring, by the key's own name, for an epoch that was issued twice has two. Called in
units of work, for the ring is never asked on the loop; what is put is there before the unit commits."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.session import Session

from . import wraps
from .room_models import Room, RoomKey
from .room_state import PURGED
from .sweeping import Naming

KEY = "ck:"


def get(node: Node, ck: str, kid: str) -> bytes | None:
    """The box of a case key for the holder of the key `kid`."""
    with node.ring.look() as ring:
        return wraps.wrap(ring, KEY + ck, kid)


def found(node: Node, cks: Iterable[str], kids: Iterable[str]) -> dict[tuple[str, str], bytes]:
    """{(ck, kid): box} of all that there are of these case keys for the holders of these keys."""
    with node.ring.look() as ring:
        there = wraps.wraps_among(ring, (KEY + ck for ck in cks), kids)
    return {(of.removeprefix(KEY), kid): box for (of, kid), box in there.items()}


def put(node: Node, ck: str, kid: str, box: bytes) -> None:
    """Keeps a box. Raises Gone where the case key was destroyed."""
    put_all(node, {(ck, kid): box})


def put_all(node: Node, made: Mapping[tuple[str, str], bytes]) -> None:
    """Keeps boxes, {(ck, kid): box}, all of them or none. Raises Gone where a case key was destroyed."""
    if made:
        with node.ring.begin() as ring:
            for (ck, kid), box in made.items():
                wraps.put_wrap(ring, KEY + ck, kid, box, node.now())


def destroy(node: Node, cks: Iterable[str]) -> None:
    """Destroys all boxes of case keys, for good. Do it last in a unit: it holds even where the unit then fails."""
    with node.ring.begin() as ring:
        for ck in cks:
            wraps.destroy(ring, KEY + ck, node.now())


def _named(session: Session) -> list[str]:
    kept = sa.select(RoomKey.ck).join(Room, Room.id == RoomKey.room_id).where(Room.state != PURGED)
    return [KEY + ck for ck in session.scalars(kept)]


NAMED_IN_RING = Naming(KEY, _named)
