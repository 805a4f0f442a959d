"""Decides what others' moderation does here: the home group's moderators are obeyed in their group, and nobody else anywhere."""

from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import partner
from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.addresses import LONGEST, host_of
from fedcollab.base.errors import Refused
from fedcollab.base.session import Session
from fedcollab.features.discussions import finding
from fedcollab.features.discussions.activities import PostData
from fedcollab.features.discussions.models import Post, Thread
from fedcollab.federation import activitystreams as ap
from fedcollab.federation.registry import Handler, Verified

from . import flags, state, wire
from .state import DELETE, LOCK, REMOVE, Act


def is_removal(session: Session, received: Verified) -> bool:
    """Whether a Delete is a moderator's: it says why, and is not about a post of their own."""
    if "summary" not in received.activity:
        return False
    return session.scalar(sa.select(Post.author_id).where(Post.uri == ap.ident(received.object))) != received.actor.id


def receive_remove(session: Session, node: Node, received: Verified) -> None:
    """The home group's moderators take a post away, be it here yet or not. Raises Refused."""
    group, uri = _group(received), ap.ident(received.object)
    act = _act(session, node, received, group, REMOVE, received.activity["id"], _check_id(uri))
    if state.begin(session, node, act):
        post_id = session.scalar(sa.select(Post.id).where(Post.uri == uri))
        if post_id is not None:
            flags.close(session, node, None, post_id, wire.REMOVED, act.reason)
        audit.record(session, node.now(), partner(received.actor.organisation_id), "post.receive_remove", post_id or uri)


def receive_restore(session: Session, node: Node, received: Verified) -> None:
    """They bring it back; its text comes after it."""
    uri = _check_id(ap.ident(received.object.get("object")))
    if _undo(session, node, received, REMOVE, uri):
        audit.record(session, node.now(), partner(received.actor.organisation_id), "post.receive_restore", uri)


def receive_lock(session: Session, node: Node, received: Verified) -> None:
    """They end a conversation."""
    group = _group(received)
    act = _act(session, node, received, group, LOCK, received.activity["id"], _thread_uri(session, received.activity))
    if state.begin(session, node, act):
        audit.record(session, node.now(), partner(received.actor.organisation_id), "thread.receive_lock", act.object_uri)


def receive_unlock(session: Session, node: Node, received: Verified) -> None:
    """They open it again."""
    uri = _thread_uri(session, received.object | {"context": received.object.get("context") or received.activity.get("context")})
    if _undo(session, node, received, LOCK, uri):
        audit.record(session, node.now(), partner(received.actor.organisation_id), "thread.receive_unlock", uri)


def _group(received: Verified) -> ActorData:
    """The group whose word this is: its home organisation's people speak through it. Raises Refused for everybody else."""
    group = received.through
    if group is None or group.known == OWN or received.actor.organisation_id != group.organisation_id:
        raise Refused(reason="not by the group's own organisation, through the group")
    return group


def _check_id(uri: str) -> str:
    if not uri or len(uri.encode()) > LONGEST:
        raise Refused(reason="names nothing")
    return uri


def _thread_uri(session: Session, document: dict[str, Any]) -> str:
    """The conversation that a Lock is about: by its id, or by its opener as other software names it; its context, where neither is here."""
    about = ap.ident(document.get("object"))
    by_post = sa.select(Post.thread_id).where(Post.uri == about)
    found = session.scalar(sa.select(Thread.uri).where(sa.or_(Thread.uri == about, Thread.id.in_(by_post))).limit(1))
    return _check_id(found or ap.ident(document.get("context")) or about)


def _act(session: Session, node: Node, received: Verified, group: ActorData, kind: str, uri: str, about: str) -> Act:
    """Raises Refused where what it is about stands in another group."""
    if kind == LOCK:
        homes, context = session.scalars(sa.select(Thread.group_id).where(Thread.uri == about)).all(), about
    else:
        query = sa.select(Thread.group_id, Thread.uri).join(Post, Post.thread_id == Thread.id).where(Post.uri == about)
        row = session.execute(query).one_or_none()
        homes, context = ([row.group_id], row.uri) if row else ([], ap.ident(received.activity.get("context")))
    if homes and group.id not in homes:
        raise Refused(reason="announced by another group than it stands in")
    reason, at = wire.reason(received.activity), wire.done_at(received.activity, node.now())
    return Act(uri, kind, about, context, group.id, received.actor.id, reason, at)


def _undo(session: Session, node: Node, received: Verified, kind: str, about: str) -> bool:
    group, undone = _group(received), _check_id(ap.ident(received.object))
    if host_of(undone) != received.actor.host:
        raise Refused(reason="undoes what another node did")
    return state.end(session, node, _act(session, node, received, group, kind, undone, about))


def remember_deletion(session: Session, node: Node, received: Verified) -> bool:
    """A deletion by its author that comes before the post: kept, so that the post is not taken when it comes. False where it is about
    something else."""
    uri = ap.ident(received.object)
    if not uri or len(uri.encode()) > LONGEST or actors.by_uri(session, uri) is not None:
        return False
    if session.scalar(sa.select(Post.id).where(Post.uri == uri)) is not None or host_of(uri) != received.actor.host:
        return False
    group_id = received.through.id if received.through else None
    context = ap.ident(received.object.get("context"))
    return state.begin(session, node, Act(received.activity["id"], DELETE, uri, context, group_id, received.actor.id, "", node.now()))


def refill(session: Session, post_id: str, post: PostData) -> bool:
    """The text of a post that was emptied by a removal and restored since: what its author signed last, and nothing older. Whether it was
    such a post."""
    query = sa.select(Post.html, Post.removed, Post.deleted_at, Post.edited_at, Post.thread_id, Post.reply_to).where(Post.id == post_id)
    row = session.execute(query).one()
    if row.html or row.removed is not None or row.deleted_at is not None or (post.edited_at or 0) < (row.edited_at or 0):
        return False
    session.execute(sa.update(Post).where(Post.id == post_id).values(html=post.html, edited_at=post.edited_at))
    if post.title and not row.reply_to:
        session.execute(sa.update(Thread).where(Thread.id == row.thread_id, Thread.title == "").values(title=post.title))
    finding.follow(session, post_id)
    return True


HANDLERS = (
    Handler("Undo", ("Delete",), receive_restore, announced=True),
    Handler("Lock", (), receive_lock, announced=True),
    Handler("Undo", ("Lock",), receive_unlock, announced=True),
)
