"""Decides what the moderators' answer to open reports does: nothing, the post removed (or hidden here), or its conversation locked."""

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import Forbidden, N_, Refused
from fedcollab.base.markup import plain
from fedcollab.base.session import Session

from . import acting, flags, records, wire

ACTS = ("nothing", "remove", "lock")


def decide(session: Session, node: Node, viewer: Viewer, post_id: str, act: str, reason: str) -> None:
    """Answers all open reports of a post; the reason goes back with the answer. Raises NotFound, Forbidden, Refused."""
    if not viewer.moderates:
        raise Forbidden(N_("Only moderators can do this."))
    why, post = plain(reason, wire.REASON), records.one(session, viewer, post_id, reported=True)
    if act not in ACTS:
        raise Refused(N_("Choose what to do about the reports."))
    if not why:
        raise Refused(N_("Say why: whoever reported it is told, and what is done stands in the log."))
    outcome = wire.NOTHING
    if act == "remove":
        acting.remove(session, node, viewer, post_id, reason)
        outcome = wire.REMOVED if post.ours else wire.ACTED
    elif act == "lock":
        acting.lock(session, node, viewer, post.thread_id, reason)
        outcome = wire.LOCKED
    flags.close(session, node, viewer, post_id, outcome, why)
    audit.record(session, node.now(), viewer, "flag.close", post_id)
