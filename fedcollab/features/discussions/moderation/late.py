"""Decides what becomes of an answer that reaches a locked conversation: the host does not take it, and its author reads why."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.access import audit
from fedcollab.access.viewer import partner
from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN
from fedcollab.actors.node import Node
from fedcollab.base.errors import Refused
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
    """Tells the author's node that an answer came too late: a Reject of its Create by our Organization."""
    me, post = actors.own(session, node), ap.ident(received.object)
    about = {"id": received.activity["id"], "type": "Create", "actor": received.actor.uri, "object": post}
    reject = ap.activity("Reject", outbox.new_uri(node), me.uri, about, summary=locked.why, context=locked.context)
    outbox.publish(session, node, me.id, reject, to=[received.actor.organisation_id], order_key=locked.context, about=reject["id"])
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
