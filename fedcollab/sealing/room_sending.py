"""Decides how what is sealed leaves: to the organisations of its case key's list and nobody else, the same bytes however often it is sent;
how it is taken back, and how whoever leads a room passes on what members sent."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import announce, outbox, receipts
from fedcollab.federation.registry import Verified

from . import acting, authors, consents, room_activities, room_chain, rooms, sealed_files, telling
from .carried import Carried
from .facts import organisations
from .messages import Sealed
from .refusals import Outside
from .room_models import ERASED, THERE, SealedMessage
from .room_state import Room


def send(session: Session, node: Node, viewer: Viewer, message: Sealed, files: Sequence[Carried] = ()) -> None:
    """Keeps and publishes a message that one of our people has sealed under the newest case key, with files that have come in here. Raises
    Frozen, Ended, Outside; Outside too where the key was turned meanwhile: it is sealed again, under another id; Stopped
    where the consent for the room has ended. Whoever it was named to on a consent that has ended does not get it."""
    room = rooms.load(session, node, message.room)
    head = acting.check_open(room)
    if not consents.is_delivered(session, message.room):
        raise consents.Stopped
    if (message.epoch, message.ck) != (head.epoch, head.ck):
        raise Outside(reason="sealed under an older case key")
    rooms.keep(session, node, message, room.me, THERE)
    sealed_files.keep(session, node, message.id, files)
    room_id, author = rooms.row(session, room.id).id, actors.by_id(session, viewer.person_id)
    without, me = consents.not_for(session, room_id, message.id), actors.own(session, node)
    to = {uri: one for uri, one in telling.reached(session, organisations(head) - {room.me}).items() if one not in without}
    made = room_activities.sealed(outbox.new_uri(node), me.uri, message, files) | authors.introduced(session, node, room_id, author, to)
    outbox.publish(session, node, me.id, made, to=to.values(), order_key=room.id, about=message.id, share=node.host)
    room_chain.add(session, node, room_id, viewer, "room.send", message.id)


def take_back(session: Session, node: Node, viewer: Viewer, uri: str) -> None:
    """A message of ours goes: here at once, everywhere else on our word, and each confirms it. Raises NotFound."""
    mine = sa.and_(SealedMessage.uri == uri, SealedMessage.organisation == node.actor_uri, SealedMessage.state != ERASED)
    found = session.execute(sa.select(SealedMessage.id, SealedMessage.room_id, SealedMessage.ck).where(mine)).one_or_none()
    if found is None:
        raise NotFound
    room = rooms.by_row(session, node, found.room_id)
    key, me = room.key(found.ck), actors.own(session, node)
    to = telling.reached(session, (organisations(key) if key else set()) - {room.me})
    outbox.forget(session, node, uri)
    rooms.erase(session, node, found.id)
    made = room_activities.erased(outbox.new_uri(node), me.uri, uri, room.id)
    outbox.publish(session, node, me.id, made, to=to.values(), order_key=room.id, about=uri)
    receipts.ask(session, node, made["id"], uri, [(there, there) for there in to])
    room_chain.add(session, node, found.room_id, viewer, "room.take_back", uri)


def pass_on(session: Session, node: Node, room: Room, received: Verified, about: str, to: Iterable[str], share: str = "") -> None:
    """As who leads the room: to the other members, who may be no partners of the sender's. `share` as in outbox.publish."""
    if not room.leads or not received.first_hand or not received.proved:
        return
    me, whom = actors.own(session, node), telling.reached(session, set(to) - {room.me, received.actor.uri})
    around = {ap.INTRODUCES: announce.introductions(session, received.actor)}
    made = ap.activity("Announce", outbox.new_uri(node), me.uri, received.activity, **around)
    outbox.publish(session, node, me.id, made, to=whom.values(), order_key=room.id, about=about, share=share)
