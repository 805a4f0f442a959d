"""Decides how what members' own tools hand in becomes posts, by the same services as the pages and never seen by more people than there;
and how posts of others read to such a tool."""

import re
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.models import CLEAR, GREEN, LABELS
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base import markup
from fedcollab.base.errors import BadRequest, N_, Refused
from fedcollab.base.model import aliased
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation.clients import Arrival, HandedIn, Key, Taker, newest_about
from fedcollab.federation.models import Activity

from . import activities, attaching, groups, reading, service
from .models import Post, Thread
from .reach import reach

OTHER_TAGS = re.compile(r"<(?!/?p>|br\s*/?>)[a-z!/]", re.IGNORECASE)
WIDER = N_("This is addressed to more people than its group has. Address it to the group alone: put the group's id into “audience”.")
NO_GROUP = N_("Say where this belongs: put a group's id into “audience”, or the post that it answers into “inReplyTo”.")
NOT_MARKDOWN = N_("This node takes Markdown. Send the text in “source” or “content”, with the mediaType text/markdown.")
UNSURE = N_(
    "Some organisations in this group are no partners of ours, or blocked by us. To say that they may read this, "
    "send it again with ?sure=%(consent)s in the address."
)


def create(session: Session, node: Node, handed: HandedIn) -> str:
    """A new conversation, or an answer where it says to what. Raises NotFound, Forbidden, Refused, TooLarge."""
    viewer, written = handed.viewer, handed.object
    thread_id, reply_to = _answers(session, viewer, handed)
    group = reading.group(session, viewer, reading.group_of(session, viewer, thread_id) if thread_id else _group(session, viewer, handed))
    label = _label(session, handed, group.actor.uri, group.label)
    if thread_id:
        label = policy.narrowest(label, reading.thread_row(session, viewer, thread_id).label)
    consent = reach(session, group).consent
    if consent and handed.sure != consent:
        raise Refused(UNSURE, consent=consent)
    more: dict[str, Any] = dict(text=_text(written), language=ap.language(written), label=label)
    more |= dict(files=attaching.named(session, viewer, written))
    if thread_id:
        made = service.post_reply(session, node, viewer, thread_id, reply_to=reply_to, **more)
    else:
        made = service.post_thread(session, node, viewer, group.actor.id, title=ap.text(written, "name"), **more)
    return newest_about(session, viewer.person_id, made.uri)


def update(session: Session, node: Node, handed: HandedIn) -> str:
    """Changes the text of an own post, and takes away files that it names no more; its title, group and label stay what they were.

    Raises NotFound, Forbidden, Refused, TooLarge."""
    uri = ap.ident(handed.object)
    place = reading.post_by_uri(session, handed.viewer, uri)
    query = sa.select(Post.label, Post.reply_to, Thread.title, Actor.uri).join(Thread, Thread.id == Post.thread_id)
    row = session.execute(query.join(Actor, Actor.id == Thread.group_id).where(Post.id == place.id)).one()
    _label(session, handed, row.uri, row.label)
    name = markup.plain(ap.text(handed.object, "name"), service.TITLE)
    if name and (row.reply_to or name != row.title):
        raise Refused(N_("The title of a conversation cannot be changed. Leave “name” out."))
    without = attaching.left_out(session, place.id, handed.object)
    service.edit(session, node, handed.viewer, place.id, text=_text(handed.object), without=without)
    return newest_about(session, handed.viewer.person_id, uri)


def delete(session: Session, node: Node, handed: HandedIn) -> str:
    """Takes an own post away everywhere. Raises NotFound, Forbidden."""
    uri = ap.ident(handed.object)
    service.delete(session, node, handed.viewer, reading.post_by_uri(session, handed.viewer, uri).id)
    return newest_about(session, handed.viewer.person_id, uri)


def _answers(session: Session, viewer: Viewer, handed: HandedIn) -> tuple[str, str]:
    """(thread id, uri of the post that is answered) by `inReplyTo`, or by the conversation in `context`; empty for a new one."""
    written = handed.object
    reply_to = next(iter(ap.idents(written.get("inReplyTo"))), "")
    if reply_to:
        return reading.post_by_uri(session, viewer, reply_to).thread_id, reply_to
    context = ap.ident(written.get("context"))
    if not context:
        return "", ""
    found = session.execute(sa.select(Thread.id, Thread.group_id).where(Thread.uri == context)).all()
    if len(found) > 1:  # each group has its own conversation by this name
        home = _group(session, viewer, handed)
        found = [row for row in found if row.group_id == home]
    return reading.thread_row(session, viewer, found[0].id if found else "").id, ""


def _group(session: Session, viewer: Viewer, handed: HandedIn) -> str:
    """The group that something is addressed to, by its id or its followers', wherever that stands."""
    named = {uri.removesuffix("/followers") for uri in handed.addressed}
    found = [group.actor.id for group in reading.groups(session, viewer) if group.actor.uri in named]
    if not found:
        raise Refused(NO_GROUP)
    return found[0]


def _label(session: Session, handed: HandedIn, group_uri: str, ceiling: str) -> str:
    """The narrowest of the label term, the addressing and `ceiling`. Raises Refused where one of the first two is wider than that."""
    said = handed.object.get(ap.LABEL, handed.activity.get(ap.LABEL)) or ceiling
    if said not in LABELS:
        raise BadRequest(N_("The label must be one of TLP:CLEAR, TLP:GREEN, TLP:AMBER+STRICT."))
    addressed = handed.addressed
    public = bool(addressed & set(ap.PUBLIC_NAMES))
    others = addressed - {*ap.PUBLIC_NAMES, group_uri, group_uri + "/followers"}
    if policy.is_wider(said, ceiling) or (public and ceiling != CLEAR) or not others <= _inside(session, group_uri, others):
        raise Refused(WIDER)
    named = addressed - {group_uri}
    return policy.narrowest(said, ceiling, *([GREEN] if named and not public else []))


def _inside(session: Session, group_uri: str, uris: set[str]) -> set[str]:
    """Those of these actors whose organisation is in the group: naming them reaches nobody who is not there already."""
    document = session.execute(sa.select(Actor.document).where(Actor.uri == group_uri)).scalar_one_or_none()
    organisations = {one.uri for one in groups.inside(session, document)}
    owner = aliased(Actor)
    known = sa.select(Actor.uri).join(owner, owner.id == Actor.organisation_id).where(Actor.uri.in_(uris), owner.uri.in_(organisations))
    return set(session.scalars(known))


def _text(written: dict[str, Any]) -> str:
    """The Markdown in `source` or `content`; as HTML, what has paragraphs and line breaks alone. Raises Refused for other tags."""
    source = written.get("source")
    if isinstance(source, dict) and source.get("mediaType") == "text/markdown" and isinstance(source.get("content"), str):
        return str(source["content"])
    content = ap.text(written, "content")
    if written.get("mediaType") in ("text/markdown", "text/plain"):
        return content
    if OTHER_TAGS.search(content):
        raise Refused(NOT_MARKDOWN)
    return markup.as_text(re.sub(r"<br\s*/>", "<br>", content))


def arrivals(session: Session, node: Node, viewer: Viewer, before: Key | None, limit: int) -> list[Arrival]:
    """Others' posts that the viewer may see, the latest to arrive first: each as its author's Create, or its Delete."""
    author, group = aliased(Actor), aliased(Actor)
    columns: list[Any] = [
        Post,
        Thread.uri.label("context"),
        Thread.title,
        author.uri.label("author"),
        group.uri.label("group"),
        Activity.uri.label("sent"),
    ]
    query = (
        sa.select(*columns)
        .join(Thread, Thread.id == Post.thread_id)
        .join(author, author.id == Post.author_id)
        .join(group, group.id == Thread.group_id)
        .outerjoin(Activity, sa.and_(Activity.object_uri == Post.uri, Activity.actor_id == Post.author_id, Activity.type == "Create"))
        .where(policy.visible(Post, viewer), Post.author_id != viewer.person_id, Post.confirmed_at.is_not(None))
    )
    if before:
        query = query.where(sa.tuple_(Post.confirmed_at, Post.id) < sa.tuple_(sa.literal(before[0]), sa.literal(before[1])))
    rows = session.execute(query.order_by(Post.confirmed_at.desc(), Post.id.desc()).limit(limit)).all()
    carried = attaching.of_posts(session, [row.id for row in rows])
    return [Arrival(row.confirmed_at, row.id, _arrived(node, row, carried.get(row.id, ()))) for row in rows]


def _arrived(node: Node, row: Any, carried: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """What another node's people wrote is known by an address of this node: their activity's own id is not kept. What moderators took
    away reads as what its author did: nothing of it is left."""
    gone_at = row.deleted_at or (None if row.removed is None and row.hidden is None else row.confirmed_at)
    found = replace(service.as_data(row, "" if row.reply_to else row.title), attachments=carried)
    local = node.settings.uri(f"/posts/{row.id}")
    if gone_at:
        return ap.activity("Delete", local + "#deleted", row.author, activities.to_tombstone(found, gone_at))
    shown = activities.to_object(found)
    more = {name: shown[name] for name in ("to", "audience", "context", "published")}
    return ap.activity("Create", row.sent or local + "#arrived", row.author, shown, **more)


TAKERS = (
    Taker("Create", ("Note", "Article"), create),
    Taker("Update", ("Note", "Article"), update),
    Taker("Delete", (), delete),
)
