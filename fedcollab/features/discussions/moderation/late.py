"""Decides what becomes of a post that its host does not take, in a locked conversation, say: its author is told, and reads why."""

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import partner
from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN
from fedcollab.actors.node import Node
from fedcollab.base.errors import Refused
from fedcollab.base.session import Session
from fedcollab.features.discussions.models import Post, Thread
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import outbox
from fedcollab.federation.registry import Handler, Verified

from . import state, wire
from .state import LATE, Act


class Locked(Refused):
    """The conversation that something was written in is locked; `why` is its moderators' reason."""

    def __init__(self, context: str, why: str) -> None:
        super().__init__(reason="its conversation is locked")
        self.context = context
        self.why = why


def refuse(session: Session, node: Node, received: Verified, locked: Locked) -> None:
    """Tells the author's node that an answer came too late."""
    _reject(session, node, received, why=locked.why, context=locked.context)


def turn_away(session: Session, node: Node, received: Verified) -> None:
    """Tells the author's node that its organisation may not take part in discussions here, where the post was meant for a group of ours
    and the organisation itself has sent it: otherwise its author would wait for us for ever. No reason is given, as none is kept."""
    ours = node.settings.uri("/groups/")
    meant = any(uri.startswith(ours) for uri in ap.addressed(received.activity) | ap.addressed(received.object))
    if meant and received.through is None and received.actor.organisation_id == received.sender.organisation_id:
        _reject(session, node, received)


def _reject(session: Session, node: Node, received: Verified, *, why: str = "", context: str = "") -> None:
    """A Reject of the Create by our Organization."""
    me, post = actors.own(session, node), ap.ident(received.object)
    about = {"id": received.activity["id"], "type": "Create", "actor": received.actor.uri, "object": post}
    reject = ap.activity("Reject", outbox.new_uri(node), me.uri, about, summary=why, context=context)
    outbox.publish(session, node, me.id, reject, to=[received.actor.organisation_id], order_key=context, about=reject["id"])
    audit.record(session, node.now(), partner(received.actor.organisation_id), "post.refuse", post)


def receive_refusal(session: Session, node: Node, received: Verified) -> None:
    """The host of a group did not take a post of ours. Raises Refused where somebody else says so, or the post is long confirmed."""
    uri = ap.ident(received.object.get("object"))
    query = sa.select(Post.id, Post.author_id, Post.confirmed_at, Thread.group_id, Thread.uri).join(Thread, Thread.id == Post.thread_id)
    row = session.execute(query.where(Post.uri == uri)).one_or_none()
    if row is None or row.confirmed_at is not None or actors.by_id(session, row.author_id).known != OWN:
        raise Refused(reason="no post of ours that waits for its host")
    if actors.by_id(session, row.group_id).organisation_id != received.actor.organisation_id:
        raise Refused(reason="not by the host of its group")
    why, at = wire.reason(received.activity), wire.done_at(received.activity, node.now())
    if state.begin(session, node, Act(received.activity["id"], LATE, uri, row.uri, row.group_id, received.actor.id, why, at)):
        audit.record(session, node.now(), partner(received.actor.organisation_id), "post.receive_refusal", row.id)


HANDLERS = (Handler("Reject", ("Create",), receive_refusal),)
