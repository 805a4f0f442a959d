"""Decides that what our organisation has said of rooms stays provable: once its signing keys have changed, each of its facts is proved anew
under the same id, told to those who had it, and kept by them for newcomers, who know the new keys alone."""

from typing import Any

import sqlalchemy as sa

from fedcollab.actors import keys
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import announce, outbox, proofs
from fedcollab.federation.registry import Verified

from . import rooms, state, telling
from .facts import Fact, by
from .room_activities import Said
from .room_models import Room as Row
from .room_state import CLOSED, FROZEN, OPEN, Room

AT_ONCE = 5  # rooms in one unit


def prove_anew(session: Session, node: Node) -> None:
    """A chore: rooms in which something of ours is proved by a key that we sign with no more."""
    if not state.is_on(session):
        return
    me = actors.own(session, node)
    signer = keys.signer(session, node, me.id, keys.ED25519)
    there = sa.and_(Row.proved_by != signer.uri, Row.state.in_((OPEN, FROZEN, CLOSED)))
    for room_id in session.scalars(sa.select(Row.id).where(there).order_by(Row.id).limit(AT_ONCE)).all():
        room = rooms.by_row(session, node, room_id)
        for fact in sorted((one for one in room.facts if by(one) == room.me), key=telling.in_order):
            said = telling.activity_of(session, room_id, fact)
            if said and proofs.key_uri(said) != signer.uri:
                fresh = proofs.prove(said, signer, node.now())
                telling.keep(session, room_id, fact, fresh)
                _carry(session, node, room_id, room, fact, fresh, me)
        session.execute(sa.update(Row).where(Row.id == room_id).values(proved_by=signer.uri))


def renewed(session: Session, node: Node, room: Room, said: Said, received: Verified) -> None:
    """A fact that is known here came with another proof of its author's, under the same id and later than the one that is kept: that one is
    kept from now on, and as who leads the room we give it to those whom we had told, who may be no partners of the author."""
    room_id, fact, activity = rooms.row(session, room.id).id, said.fact, dict(received.activity)
    kept = telling.activity_of(session, room_id, fact)
    if by(fact) == room.me or not kept or kept.get("id") != activity.get("id") or not _is_later(activity, kept):
        return
    telling.keep(session, room_id, fact, activity)
    if room.leads and received.sender.id == received.actor.id:
        _carry(session, node, room_id, room, fact, activity, received.actor)


def _is_later(activity: dict[str, Any], kept: dict[str, Any]) -> bool:
    """A proof by another key, and made after the one that is kept: an old one that is brought again takes nobody back."""
    at, before = proofs.created(activity), proofs.created(kept)
    return proofs.key_uri(activity) != proofs.key_uri(kept) and at is not None and before is not None and at > before


def _carry(session: Session, node: Node, room_id: str, room: Room, fact: Fact, activity: dict[str, Any], author: actors.ActorData) -> None:
    """As a new activity around the one that has its old id, which nobody takes twice by that alone."""
    told = set(telling.told(session, room_id, fact)) - {room.me, author.uri}
    to = telling.reached(session, told)
    if to:
        me = actors.own(session, node)
        made = ap.activity("Announce", outbox.new_uri(node), me.uri, activity, **{ap.INTRODUCES: announce.introductions(session, author)})
        outbox.publish(session, node, me.id, made, to=to.values(), order_key=room.id, about=room.id)
