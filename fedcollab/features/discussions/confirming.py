"""Decides who confirms a deletion or a narrowed label to whom: each node to the group's host, the host to the author's node."""

from typing import Any

import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.errors import Refused
from fedcollab.base.markup import plain
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import announce, outbox, receipts
from fedcollab.federation.registry import Verified

from .models import Post, Thread

MOST = 2000


def asked(session: Session, node: Node, activity: dict[str, Any], to: set[str], author: ActorData, *, old: bool) -> list[dict[str, str]]:
    """Whom the announced deletion asks: the organisations that may have the post, less the author's own. Remembered here, and said in the
    Announce so that the author's node can show it."""
    uri = ap.ident(activity["object"])
    those = (to if old else to & receipts.may_have(session, uri)) - {author.organisation_id}
    rows = session.execute(sa.select(Actor.uri, Actor.name).where(Actor.id.in_(those)).order_by(Actor.uri)).all()
    receipts.ask(session, node, activity["id"], uri, [(row.uri, row.name) for row in rows])
    return [{"id": row.uri, "name": row.name} for row in rows]


def echo(session: Session, node: Node, received: Verified) -> None:
    """The host has taken our member's deletion: it is the first that confirms, and says whom else it has asked."""
    if received.through is None or received.outer is None:
        return
    listed = received.outer.get(ap.ASKED)
    named = [one for one in (listed if isinstance(listed, list) else [])[:MOST] if isinstance(one, dict) and ap.ident(one)]
    others = [(ap.ident(one), plain(ap.text(one, "name"), 200) or ap.ident(one)) for one in named]
    uri, host = ap.ident(received.activity), actors.by_id(session, received.through.organisation_id)
    receipts.ask(session, node, uri, ap.ident(received.object), [(host.uri, host.name), *others])
    receipts.confirm(session, node, uri, host.uri)


def done(session: Session, node: Node, received: Verified, thread_uri: str) -> None:
    """Tells the group's host that what it passed on has been done here."""
    if received.through is not None:
        receipts.answer(session, node, received.activity, to=received.through.organisation_id, order_key=thread_uri)


def receive_accept(session: Session, node: Node, received: Verified) -> None:
    """An organisation confirms. Where we keep the group and the author is elsewhere, their node is told."""
    if received.actor.id != received.actor.organisation_id:
        raise Refused(reason="organisations confirm, people don't")
    about = receipts.confirm(session, node, ap.ident(received.object), received.actor.uri, reason=received.activity.get(ap.REASON))
    query = sa.select(Thread.group_id, Thread.uri, Post.author_id).join(Post, Post.thread_id == Thread.id)
    row = session.execute(query.where(Post.uri == about)).one_or_none() if about and received.through is None else None
    if row is None:
        return
    group, author = actors.by_id(session, row.group_id), actors.by_id(session, row.author_id)
    if group.known == OWN and author.known != OWN and received.proved:
        more = {"audience": group.uri, ap.INTRODUCES: announce.introductions(session, received.actor)}
        made = ap.activity("Announce", outbox.new_uri(node), group.uri, received.activity, **more)
        outbox.publish(session, node, group.id, made, to=[author.organisation_id], order_key=row.uri)
