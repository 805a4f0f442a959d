"""Decides what our moderators do: remove and restore a post, lock and open a conversation, each with its reason, told to all that carry it.

In a group of ours it goes to everybody inside, by the group; in somebody else's group a post is hidden on this node alone."""

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.models import STRICT
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.errors import Forbidden, N_, NotFound, Refused
from fedcollab.base.markup import plain
from fedcollab.base.session import Session
from fedcollab.features.discussions import groups, public, service
from fedcollab.features.discussions.models import Post, Thread
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import announce, outbox
from fedcollab.federation.models import Activity

from . import flags, state, wire
from .state import HIDE, LOCK, REMOVE, Act
from .wire import Place


@dataclass(frozen=True)
class Subject:
    """A post or a conversation under a moderator's hands; `post_id` is empty for a conversation. `came_at` is when its (newest) post came
    in: who was inside then carries it."""

    post_id: str
    thread_id: str
    group: ActorData
    place: Place
    author_id: str
    came_at: int
    deleted: bool

    @property
    def ours(self) -> bool:
        """Whether its group is kept by this node."""
        return self.group.known == OWN


def remove(session: Session, node: Node, viewer: Viewer, post_id: str, reason: str) -> Subject:
    """Takes a post away wherever it is, or in somebody else's group hides it here. Raises NotFound, Forbidden, Refused."""
    why, subject = _check(viewer, reason), post(session, viewer, post_id)
    if subject.deleted:
        raise Refused(N_("Its author has deleted this post already."))
    if subject.author_id == viewer.person_id:
        raise Refused(N_("This is your own post: you can delete it, and another moderator can remove it."))
    kind = REMOVE if subject.ours else HIDE
    if not _acts(session, subject, kind):
        if subject.ours:
            outbox.withhold(session, node, subject.place.object_uri, "removed before it was sent")
        _begin(session, node, viewer, subject, kind, why)
        if subject.ours:
            public.take_back(session, node, subject.group, subject.place.object_uri, subject.place.context)
        flags.close(session, node, viewer, post_id, wire.REMOVED if subject.ours else wire.ACTED, why)
        if subject.ours:
            audit.record(session, node.now(), viewer, "post.remove", post_id)
        else:
            audit.record(session, node.now(), viewer, "post.hide", post_id)
    return subject


def restore(session: Session, node: Node, viewer: Viewer, post_id: str, reason: str) -> Subject:
    """Brings a removed or hidden post back; where it had been taken away everywhere, its text is sent again."""
    why, subject = _check(viewer, reason), post(session, viewer, post_id)
    kind = REMOVE if subject.ours else HIDE
    if _acts(session, subject, kind):
        _end(session, node, viewer, subject, kind, why)
        if subject.ours and not subject.deleted:
            _send_again(session, node, subject)
        if subject.ours:
            audit.record(session, node.now(), viewer, "post.restore", post_id)
        else:
            audit.record(session, node.now(), viewer, "post.show", post_id)
    return subject


def lock(session: Session, node: Node, viewer: Viewer, thread_id: str, reason: str) -> Subject:
    """Ends a conversation of a group of ours: nobody answers any more. Raises NotFound, Forbidden, Refused."""
    why, subject = _check(viewer, reason), _ours(thread(session, viewer, thread_id))
    if not _acts(session, subject, LOCK):
        _begin(session, node, viewer, subject, LOCK, why)
        audit.record(session, node.now(), viewer, "thread.lock", thread_id)
    return subject


def unlock(session: Session, node: Node, viewer: Viewer, thread_id: str, reason: str) -> Subject:
    """Opens a locked conversation again."""
    why, subject = _check(viewer, reason), _ours(thread(session, viewer, thread_id))
    if _acts(session, subject, LOCK):
        _end(session, node, viewer, subject, LOCK, why)
        audit.record(session, node.now(), viewer, "thread.unlock", thread_id)
    return subject


def _check(viewer: Viewer, reason: str) -> str:
    if not viewer.moderates:
        raise Forbidden(N_("Only moderators can do this."))
    why = plain(reason, wire.REASON)
    if not why:
        raise Refused(N_("Say why: the reason stands in the log that everybody in the conversation can read."))
    return why


def _ours(subject: Subject) -> Subject:
    if not subject.ours:
        raise Forbidden(N_("Only the moderators of the organisation that keeps the group can lock its conversations."))
    return subject


def post(session: Session, viewer: Viewer, post_id: str) -> Subject:
    """A visible post. Raises NotFound."""
    columns = (Post.uri, Post.thread_id, Post.author_id, Post.confirmed_at, Post.posted_at, Post.deleted_at, Thread.group_id)
    query = sa.select(*columns, Thread.uri.label("context")).join(Thread, Thread.id == Post.thread_id)
    row = session.execute(query.where(Post.id == post_id, policy.visible(Post, viewer))).one_or_none()
    if row is None:
        raise NotFound()
    group = actors.by_id(session, row.group_id)
    place = Place(row.uri, row.context, group.uri)
    came_at, deleted = row.confirmed_at or row.posted_at, row.deleted_at is not None
    return Subject(post_id, row.thread_id, group, place, row.author_id, came_at, deleted)


def thread(session: Session, viewer: Viewer, thread_id: str) -> Subject:
    """A conversation with posts that the viewer sees. Raises NotFound."""
    newest = sa.select(sa.func.max(Post.confirmed_at)).where(Post.thread_id == thread_id, policy.visible(Post, viewer))
    row = session.execute(sa.select(Thread.uri, Thread.group_id, Thread.author_id).where(Thread.id == thread_id)).one_or_none()
    came_at = session.scalar(newest)
    if row is None or came_at is None:
        raise NotFound()
    group = actors.by_id(session, row.group_id)
    return Subject("", thread_id, group, Place(row.uri, row.uri, group.uri), row.author_id, came_at, deleted=False)


def _acts(session: Session, subject: Subject, kind: str) -> list[str]:
    """The ids of the acts of this kind that are in force."""
    return [uri for found, _, uri in state.in_force(session, subject.place.object_uri, subject.group.id) if found == kind]


def _begin(session: Session, node: Node, viewer: Viewer, subject: Subject, kind: str, why: str) -> None:
    moderator, now = actors.by_id(session, viewer.person_id), node.now()
    made = wire.act(kind, outbox.new_uri(node), moderator.uri, subject.place, why, now) if kind != HIDE else {"id": outbox.new_uri(node)}
    place = subject.place
    state.begin(session, node, Act(made["id"], kind, place.object_uri, place.context, subject.group.id, moderator.id, why, now))
    if kind != HIDE:
        _announce(session, node, subject, moderator, made)


def _end(session: Session, node: Node, viewer: Viewer, subject: Subject, kind: str, why: str) -> None:
    moderator, now, place = actors.by_id(session, viewer.person_id), node.now(), subject.place
    for uri in _acts(session, subject, kind):
        state.end(session, node, Act(uri, kind, place.object_uri, place.context, subject.group.id, moderator.id, why, now))
        if kind != HIDE:
            _announce(session, node, subject, moderator, wire.undo(kind, outbox.new_uri(node), moderator.uri, place, uri, why, now))


def _announce(session: Session, node: Node, subject: Subject, moderator: ActorData, made: dict[str, Any]) -> None:
    """The group passes its moderator's act on, as it does with posts, to all that carry what it is about. It is on record under its own
    id, so that a deletion of the post leaves the reasons where they are."""
    audience, me = groups.audience_of(session, subject.group.id), actors.own(session, node)
    if audience.label == STRICT:
        return
    order, about = subject.place.context, made["id"]
    to = set(outbox.followers(session, audience.id, me.id, subject.group.id, at=subject.came_at))
    had = outbox.served(session, node, subject.place.object_uri, subject.came_at)
    returned = had & set(outbox.followers(session, audience.id, me.id, subject.group.id))
    proved = outbox.publish(session, node, moderator.id, made, to=[], order_key=order, about=about)
    more = {"to": [subject.group.uri + "/followers"], "audience": subject.group.uri}
    carried = ap.activity(
        "Announce", outbox.new_uri(node), subject.group.uri, proved, **more, **{ap.INTRODUCES: announce.introductions(session, moderator)}
    )
    outbox.publish(session, node, subject.group.id, carried, to=to | returned, order_key=order, about=about)


def _send_again(session: Session, node: Node, subject: Subject) -> None:
    """What the post's author has signed goes out once more: the nodes that emptied it have nothing else to read it from."""
    author, audience = actors.by_id(session, subject.author_id), groups.audience_of(session, subject.group.id)
    if audience.label == STRICT:
        return
    about, at = subject.place.object_uri, subject.came_at
    told = vouched_text(session, about, author.uri)
    if told is not None:
        public.tell(session, node, subject.group, audience, author, told, subject.place.context, at)
        public.announce_outside(session, node, subject.group, audience, {"type": "Create", "object": told}, subject.place.context)
    texts = signed_texts(session, about, author.uri)
    if not texts and author.known == OWN:  # the record of what was sent is too old: our own member's words can be signed anew
        written = {name: value for name, value in service.document(session, subject.post_id).items() if name != "@context"}
        service.send(session, node, subject.group, audience, "Create", subject.post_id, written)
    for activity in texts:
        service.announce_to_group(session, node, subject.group, audience, author, activity, subject.place.context, about=about, came_at=at)


def comes_back(session: Session, viewer: Viewer, post_id: str) -> bool:
    """Whether a removed post of a group of ours can be restored on other nodes too. Raises NotFound."""
    subject = post(session, viewer, post_id)
    author, uri = actors.by_id(session, subject.author_id), subject.place.object_uri
    return author.known == OWN or bool(signed_texts(session, uri, author.uri)) or vouched_text(session, uri, author.uri) is not None


def vouched_text(session: Session, post_uri: str, author_uri: str) -> dict[str, Any] | None:
    """The newest of what our group has passed on of somebody outside, who signs nothing that travels; None for everybody else's."""
    query = sa.select(Activity.body).where(Activity.object_uri == post_uri, Activity.type == "Announce", Activity.body != "")
    for body in session.scalars(query.order_by(Activity.created_at.desc(), Activity.id.desc())):
        inner = json.loads(body).get("object")
        if isinstance(inner, dict) and "actor" not in inner and ap.ident(inner) == post_uri and inner.get("attributedTo") == author_uri:
            return inner
    return None


def signed_texts(session: Session, post_uri: str, author_uri: str) -> list[dict[str, Any]]:
    """A post's Create and its newest Update as its author signed them and our group passed them on, from our own record."""
    query = sa.select(Activity.body).where(Activity.object_uri == post_uri, Activity.type == "Announce", Activity.body != "")
    found: dict[str, dict[str, Any]] = {}
    for body in session.scalars(query.order_by(Activity.created_at, Activity.id)):
        inner = json.loads(body).get("object")
        if isinstance(inner, dict) and ap.ident(inner.get("actor")) == author_uri and set(ap.types(inner)) & {"Create", "Update"}:
            found.setdefault(ap.ident(inner), inner)
    made = list(found.values())
    return [one for one in made if "Create" in ap.types(one)][:1] + [one for one in made if "Update" in ap.types(one)][-1:]
