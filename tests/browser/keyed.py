"""Decides what the pages of keys show: cases are on; one person has a key, one waits to be readmitted, one came by a link; who keeps; and
that a partner's person has another key than before."""

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.passwords import pepper, tried
from fedcollab.base.session import Session
from fedcollab.features.members.models import Member
from fedcollab.sealing import keepers, pairs, people, recovery, state
from fedcollab.sealing.person_models import OLD, WAITING

if TYPE_CHECKING:
    from .scene import Scene


async def lock_up(made: "Scene", password: str) -> None:
    """Ruth and Nina have keys, Amal lost theirs; Mila keeps, and Sokha on the node without anything."""
    busy = made.busy
    await busy.write(_keys, made, password)
    await busy.write(_changed, made.places["partner"])
    for one, admin, name in ((busy, "ilse", "mila"), (made.empty, "sokha", "sokha")):
        await one.write(keepers.name, made.people[admin], made.people[name].person_id)


def _changed(session: Session, node: Node, person_id: str) -> None:
    for state_ in (OLD, WAITING):
        people.insert(session, person_id, pairs.generate().public, {}, state_, node.now())


def _keys(session: Session, node: Node, made: "Scene", password: str) -> None:
    state.turn_on(session, node, made.people["ilse"].person_id)
    hashed = session.scalars(sa.select(Member.password_hash).where(Member.username == "ruth")).one()
    unlock: Any = tried(hashed, password, pepper(node.master_key)).unlock
    with node.ring.begin() as ring:
        for name in ("ruth", "nina", "amal"):
            people.make(session, ring, node, made.people[name].person_id, unlock)
        recovery.begin_anew(session, ring, node, made.people["amal"].person_id, unlock)
