"""Decides what servers outside are sent of a public group, what they may answer, and how our own nodes hear of it."""

from typing import Any

import sqlalchemy as sa

from fedcollab.access.models import CLEAR
from fedcollab.access.viewer import Viewer
from fedcollab.actors import keys
from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.errors import NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import announce, outbox, outside, profiles, proofs
from fedcollab.federation.models import OUTSIDE, Activity, Delivery, Partner
from fedcollab.federation.registry import Verified

from . import activities, groups
from .models import Post, Thread


def document(session: Session, node: Node, group: ActorData) -> dict[str, Any]:
    """A group of ours as servers outside see it, proved: without the list of who is inside, for who our partners are is for partners.
    Raises NotFound for another node's group."""
    kept = profiles.stored_document(session, group.id)
    if group.known != OWN or not kept:
        raise NotFound()
    shown = {name: part for name, part in kept.items() if name != ap.MEMBERS}
    return proofs.prove(shown, keys.signer(session, node, actors.own(session, node).id, keys.ED25519), node.now())


def reached(session: Session, node: Node, kind: str, uri: str) -> list[str]:
    """The servers outside that a change or deletion of our member's post goes to in their own name: all that were sent it."""
    if not node.settings.outside_servers or kind not in ("Update", "Delete"):
        return []
    public = sa.select(Post.id).where(Post.uri == uri, Post.label == CLEAR)
    if kind == "Update" and session.execute(public).first() is None:
        return []  # the new text is for partners only; what they have is taken back
    return sorted(outside.served(session, uri))


def announce_outside(session: Session, node: Node, group: ActorData, audience: groups.AudienceData, activity: Any, thread: str) -> None:
    """Passes a public post on to followers outside as others know it: an Announce of its id (FEP-1b12). What is deleted or public no
    more is taken back."""
    if not node.settings.outside_servers:
        return
    uri, kinds = ap.ident(activity.get("object")), set(ap.types(activity))
    label = session.scalar(sa.select(Post.label).where(Post.uri == uri, Post.deleted_at.is_(None)))
    if "Create" in kinds and label == audience.label == CLEAR:
        about = {"to": [ap.PUBLIC], "cc": [group.uri + "/followers"], "audience": group.uri}
        made = ap.activity("Announce", outbox.new_uri(node), group.uri, uri, **about)
        outbox.publish(session, node, group.id, made, to=outside.followers(session, group.id), order_key=thread)
    elif "Delete" in kinds or ("Update" in kinds and label != CLEAR):
        take_back(session, node, group, uri, thread)


def narrow(session: Session, node: Node, viewer: Viewer, group_id: str) -> None:
    """`groups.narrow`; from servers outside, which confirm nothing, every post is taken back, and nothing else goes there any more."""
    groups.narrow(session, node, viewer, group_id)
    group, threads = actors.by_id(session, group_id), sa.select(Thread.uri).where(Thread.group_id == group_id)
    for organisation_id in session.scalars(sa.select(Partner.organisation_id).where(Partner.state == OUTSIDE).order_by(Partner.id)).all():
        outbox.drop(session, node, organisation_id, threads)
    sent = sa.select(Activity.object_uri, Activity.order_key).join(Delivery, Delivery.activity_id == Activity.id).distinct()
    sent = sent.join(Partner, Partner.id == Delivery.partner_id).where(Partner.state == OUTSIDE, Activity.type == "Announce")
    for uri, thread in session.execute(sent.where(Activity.actor_id == group_id).order_by(Activity.object_uri)).all():
        take_back(session, node, group, uri, thread)


def take_back(session: Session, node: Node, group: ActorData, uri: str, thread: str) -> None:
    """Undoes the newest Announce of a post to servers outside, wherever something of it went."""
    mine = sa.and_(Activity.actor_id == group.id, Activity.type == "Announce", Activity.object_uri == uri)
    sent = sa.select(Activity.uri).join(Delivery, Delivery.activity_id == Activity.id).join(Partner, Partner.id == Delivery.partner_id)
    announced = session.scalar(sent.where(mine, Partner.state == OUTSIDE).order_by(Activity.id.desc()).limit(1))
    if announced:
        told = {"id": announced, "type": "Announce", "actor": group.uri, "object": uri}
        undo = ap.activity("Undo", outbox.new_uri(node), group.uri, told, to=[ap.PUBLIC], cc=[group.uri + "/followers"])
        outbox.publish(session, node, group.id, undo, to=outside.served(session, uri), order_key=thread)


def check_answer(session: Session, group: ActorData, audience: groups.AudienceData, post: activities.PostData) -> None:
    """From outside a public post in a public group is answered, publicly; nothing else. Raises Refused."""
    if audience.label != CLEAR or post.label != CLEAR:
        raise Refused(reason="servers outside answer in public groups, publicly")
    answered = sa.select(Post.id).join(Thread, Thread.id == Post.thread_id)
    public = answered.where(Post.uri == post.reply_to, Post.label == CLEAR, Post.deleted_at.is_(None), Thread.group_id == group.id)
    if session.execute(public).first() is None:
        raise Refused(reason="servers outside answer what is there; they open no conversation")


def vouch(
    session: Session,
    node: Node,
    received: Verified,
    group: ActorData,
    audience: groups.AudienceData,
    thread: str,
    came_at: int,
    *,
    hold: bool = False,
) -> None:
    """Passes on to the partners inside what somebody outside has said, changed or deleted. What is on `hold` is put on record alone."""
    told: dict[str, Any] = {**received.object, "attributedTo": received.actor.uri}
    if "Delete" in ap.types(received.activity):
        told = {"id": ap.ident(received.object), "type": "Tombstone", "attributedTo": received.actor.uri}
    tell(session, node, group, audience, received.actor, told, thread, came_at, hold=hold)
    if not hold:
        announce_outside(session, node, group, audience, received.activity, thread)


def tell(
    session: Session,
    node: Node,
    group: ActorData,
    audience: groups.AudienceData,
    author: ActorData,
    told: dict[str, Any],
    thread: str,
    came_at: int,
    *,
    hold: bool = False,
) -> None:
    """Nothing proves to the partners inside what somebody outside says but our word: the group announces the thing itself, with its
    author's document beside."""
    me = actors.own(session, node)
    more = {"to": [group.uri + "/followers"], "audience": group.uri, ap.INTRODUCES: announce.introductions(session, author)}
    made = ap.activity("Announce", outbox.new_uri(node), group.uri, told, **more)
    inside = [] if hold else outbox.followers(session, audience.id, me.id, group.id, at=came_at)
    outbox.publish(session, node, group.id, made, to=inside, order_key=thread, about=ap.ident(told))
