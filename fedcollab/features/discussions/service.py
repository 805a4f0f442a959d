"""Decides how posts come to be, change and go: each with its activity, its deliveries and its audit in one commit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.models import STRICT, AudienceMember
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base import markup
from fedcollab.base.clock import HOUR, new_id
from fedcollab.base.errors import Forbidden, N_, NotFound, Refused, TooMany
from fedcollab.base.model import aliased
from fedcollab.base.once import row_id
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import announce, outbox, partners, receipts

from . import activities, attaching, confirming, drafts, finding, groups, mentions, public, reading
from .models import LAST, Mention, Post, PostRevision, Thanks, Thread
from .progress import own_post_read

TITLE = 200
CHANGES, CHANGES_AN_HOUR = 500, 50  # of one post: each stays in its history, and goes to every partner inside
AUTHOR, GROUP = aliased(Actor), aliased(Actor)  # made once: an alias copies every column


@dataclass(frozen=True)
class Posted:
    """What a new post is called: its thread's and its own row id, and its uri."""

    thread_id: str
    post_id: str
    uri: str


def post_thread(
    session: Session,
    node: Node,
    viewer: Viewer,
    group_id: str,
    *,
    title: str,
    text: str,
    language: str = "",
    once: str = "",
    label: str = "",
    files: Sequence[str] = (),
) -> Posted:
    """Opens a conversation in a group that the viewer sees; a form sent twice (`once` is its id) posts once. A `label` narrower than the
    group's may be asked for. It carries the viewer's own `files`.

    Raises NotFound, Forbidden, Refused, TooLarge, StorageFull."""
    group = reading.group(session, viewer, group_id)
    name = markup.plain(title, TITLE)
    if not name or not text.strip():
        raise Refused(N_("A conversation needs a title and a text."))
    if again := _again(session, viewer, once):
        return again
    node.room.need()
    now, thread_id = node.now(), new_id(node.now())
    audience = _narrowed(may_write(session, viewer, group_id), label)
    row = dict(
        id=thread_id,
        uri=node.settings.uri(f"/threads/{thread_id}"),
        group_id=group_id,
        title=name,
        language=language,
        posts=0,
        last_post_at=now,
    )
    session.execute(sa.insert(Thread).values(**row, **_shared(viewer, audience, now)))
    written = dict(title=name, text=text, language=language, reply_to="", once=once)
    return _post(session, node, viewer, group.actor, audience, thread_id, **written, files=files)


def post_reply(
    session: Session,
    node: Node,
    viewer: Viewer,
    thread_id: str,
    *,
    text: str,
    language: str = "",
    reply_to: str = "",
    once: str = "",
    label: str = "",
    files: Sequence[str] = (),
) -> Posted:
    """Answers in a thread; `reply_to` is a post's uri, else the opener's; `label` and `files` as in `post_thread`.

    Raises NotFound, Forbidden, Refused, TooLarge, StorageFull."""
    thread = reading.thread_row(session, viewer, thread_id)
    if not text.strip():
        raise Refused(N_("The answer is empty. Write something first."))
    if again := _again(session, viewer, once):
        return again
    node.room.need()
    if thread.locked is not None:
        raise Refused(N_("Moderators have locked this conversation, so it takes no more answers. Your text is still in the form."))
    audience = _narrowed(may_write(session, viewer, thread.group_id), policy.narrowest(thread.label, label or thread.label))
    first = session.execute(
        sa.select(Post.uri).where(Post.thread_id == thread_id).order_by(Post.place, Post.id).limit(1)
    ).scalar_one_or_none()
    known = session.execute(sa.select(Post.uri).where(Post.thread_id == thread_id, Post.uri == reply_to)).scalar_one_or_none()
    group = actors.by_id(session, thread.group_id)
    written = dict(title="", text=text, language=language, reply_to=known or first or "", once=once)
    return _post(session, node, viewer, group, audience, thread_id, **written, files=files)


def _again(session: Session, viewer: Viewer, once: str) -> Posted | None:
    """The post that this very form has made already."""
    row = session.execute(
        sa.select(Post.thread_id, Post.id, Post.uri).where(Post.id == once, Post.author_id == viewer.person_id)
    ).one_or_none()
    return Posted(row.thread_id, row.id, row.uri) if row else None


def may_write(session: Session, viewer: Viewer, group_id: str) -> groups.AudienceData:
    """The audience of a group that the viewer may write in. Raises Refused, Forbidden."""
    audience, group = groups.audience_of(session, group_id), actors.by_id(session, group_id)
    if closed := groups.closed(session, group):
        raise Refused(closed)
    inside = sa.select(AudienceMember.since).where(
        AudienceMember.audience_id == audience.id, AudienceMember.organisation_id == viewer.organisation_id
    )
    if not viewer.signed_in or session.execute(inside).first() is None:
        raise Forbidden(N_("Only members of the organisations in this group can write in it."))
    return audience


def _narrowed(audience: groups.AudienceData, label: str) -> groups.AudienceData:
    """The audience under the narrower of two labels; one that does not leave the node is not for a group that others are in.

    Raises Refused."""
    narrow = policy.narrowest(audience.label, label) if label else audience.label
    return audience if narrow == audience.label else replace(audience, label=policy.check_leaves(narrow))


def _shared(viewer: Viewer, audience: groups.AudienceData, now: int) -> dict[str, Any]:
    return dict(
        audience_id=audience.id, label=audience.label, author_id=viewer.person_id, organisation_id=viewer.organisation_id, posted_at=now
    )


def _post(
    session: Session,
    node: Node,
    viewer: Viewer,
    group: ActorData,
    audience: groups.AudienceData,
    thread_id: str,
    *,
    title: str,
    text: str,
    language: str,
    reply_to: str,
    once: str,
    files: Sequence[str],
) -> Posted:
    now = node.now()
    post_id = row_id(session, Post, once, now)
    html, named = mentions.render(session, group, text)
    uri = node.settings.uri(f"/posts/{post_id}")
    ours = group.known == OWN
    row = dict(id=post_id, uri=uri, thread_id=thread_id, reply_to=reply_to, source=text, html=html, language=language)
    place = next_place(session, thread_id, now) if ours else LAST
    state = dict(place=place, confirmed_at=now if ours else None)
    session.execute(sa.insert(Post).values(**row, **state, **_shared(viewer, audience, now)))
    finding.follow(session, post_id, fresh=True)
    mentions.keep(session, node, post_id, viewer.person_id, [one.id for one in named], fresh=True)
    attaching.put(session, node, viewer, post_id, files)
    if ours:
        own_post_read(session, viewer.person_id, thread_id, place)
    if once:  # it came from the form: what a tool has sent meanwhile empties nobody's
        drafts.forget(session, node, viewer, group.id if title else thread_id)
    send(session, node, group, audience, "Create", post_id, activities.to_object(data(session, post_id, title=title)))
    audit.record(session, now, viewer, "post.create", post_id)
    return Posted(thread_id, post_id, uri)


def next_place(session: Session, thread_id: str, now: int) -> int:
    """The next number in a thread; the thread rises in its group."""
    return int(prepared(session, _next_place(), {"thread": thread_id, "now": now}).scalar_one())


@cache
def _next_place() -> sa.UpdateBase:
    table: Any = Thread.__table__
    values = dict(posts=table.c.posts + 1, last_post_at=sa.bindparam("now"))
    return sa.update(table).where(table.c.id == sa.bindparam("thread")).values(**values).returning(table.c.posts)


def data(session: Session, post_id: str, *, title: str = "") -> activities.PostData:
    """A stored post as the mapping takes it."""
    query = (
        sa.select(Post, Thread.uri.label("context"), AUTHOR.uri.label("author"), GROUP.uri.label("group"))
        .join(Thread, Thread.id == Post.thread_id)
        .join(AUTHOR, AUTHOR.id == Post.author_id)
        .join(GROUP, GROUP.id == Thread.group_id)
    )
    row = session.execute(query.where(Post.id == post_id)).one()
    return replace(as_data(row, title), mentions=mentions.tags(session, post_id), attachments=attaching.documents(session, post_id))


def as_data(row: Any, title: str) -> activities.PostData:
    """A post as its document says it, from a row of its columns and context, author, group, without whom it names."""
    return activities.PostData(
        uri=row.uri,
        context=row.context,
        reply_to=row.reply_to,
        author=row.author,
        group=row.group,
        label=row.label,
        title=title,
        html=row.html,
        source=row.source,
        language=row.language,
        posted_at=row.posted_at,
        edited_at=row.edited_at,
    )


def send(
    session: Session, node: Node, group: ActorData, audience: groups.AudienceData, kind: str, post_id: str, obj: dict[str, Any]
) -> str:
    """Our member's activity: announced by a group of ours, sent to the host of a partner's, to nobody where it is for us alone. Answers
    its id, empty for the last."""
    if audience.label == STRICT:
        return ""
    policy.check_leaves(audience.label)
    row = session.execute(sa.select(Post.author_id, Post.confirmed_at).where(Post.id == post_id)).one()
    author = actors.by_id(session, row.author_id)
    more = {name: obj[name] for name in ("to", "cc", "audience", "context", "published") if name in obj}
    made = ap.activity(kind, outbox.new_uri(node), author.uri, obj, **more)
    to = public.reached(session, node, kind, obj["id"]) if group.known == OWN else [group.organisation_id]
    proved = outbox.publish(session, node, author.id, made, to=to, order_key=obj["context"])
    if group.known == OWN:
        announce_to_group(session, node, group, audience, author, proved, obj["context"], about=obj["id"], came_at=row.confirmed_at)
    return str(proved["id"])


def announce_to_group(
    session: Session,
    node: Node,
    group: ActorData,
    audience: groups.AudienceData,
    author: ActorData,
    activity: dict[str, Any],
    thread: str,
    *,
    about: str,
    came_at: int,
    hold: bool = False,
) -> None:
    """Passes an activity on to all followers that were inside when its post came in, with its proof and its author's documents, in the
    order of the thread with this uri; the echo is the author's receipt. A deletion also goes to those that were served before, left and
    came back. What is on `hold` is put on record and goes to nobody. The post that it is `about` is the caller's to say: what its author
    has put inside of it decides nothing."""
    ours = (audience.id, group.organisation_id, group.id)
    to = set(outbox.followers(session, *ours, at=came_at))
    if "Delete" in ap.types(activity):
        returned = outbox.served(session, node, ap.ident(activity["object"]), came_at)
        to |= returned & set(outbox.followers(session, *ours))
    more = {"to": [group.uri + "/followers"], "audience": group.uri, ap.INTRODUCES: announce.introductions(session, author)}
    if "Delete" in ap.types(activity):
        more[ap.ASKED] = confirming.asked(session, node, activity, to, author, old=came_at < node.now() - outbox.KEPT)
    made = ap.activity("Announce", outbox.new_uri(node), group.uri, activity, **more)
    outbox.publish(session, node, group.id, made, to=set() if hold else to, order_key=thread, about=about)
    if not hold:
        public.announce_outside(session, node, group, audience, activity, thread)


def edit(session: Session, node: Node, viewer: Viewer, post_id: str, *, text: str, without: Sequence[str] = ()) -> str:
    """Changes an own post; what it said stays in its history, the files that it is to be `without` do not. Answers the
    thread's row id. Raises NotFound, Forbidden, Refused, StorageFull."""
    thread_id, group, audience = _own_post(session, viewer, post_id)
    if partners.talks_with(session, group.host) and (closed := groups.closed(session, group)):
        raise Refused(closed)
    if session.scalar(sa.select(Post.removed).where(Post.id == post_id)) is not None:
        raise Refused(N_("Moderators have removed this post, so it can't be changed. You can delete it."))
    if not text.strip():
        raise Refused(N_("The text is empty. To take a post away, delete it."))
    node.room.need()
    html, named = mentions.render(session, group, text)
    fewer = attaching.take_away(session, node, post_id, without)
    if not revise(session, post_id, html=html, source=text, now=node.now(), retitled=fewer):
        return thread_id  # saved as it was: nobody needs to hear of it
    finding.follow(session, post_id)
    mentions.keep(session, node, post_id, viewer.person_id, [one.id for one in named])
    send(session, node, group, audience, "Update", post_id, activities.to_object(data(session, post_id, title=_title(session, post_id))))
    audit.record(session, node.now(), viewer, "post.edit", post_id)
    return thread_id


def delete(session: Session, node: Node, viewer: Viewer, post_id: str) -> str:
    """Takes an own post away here and on every node that has it; a Tombstone stays. Answers the thread's row id."""
    thread_id, group, audience = _own_post(session, viewer, post_id)
    bury(session, node, post_id)
    gone = activities.to_tombstone(data(session, post_id), node.now())
    made = send(session, node, group, audience, "Delete", post_id, gone)
    if made and group.known != OWN:
        host = actors.by_id(session, group.organisation_id)
        receipts.ask(session, node, made, gone["id"], [(host.uri, host.name)])
    audit.record(session, node.now(), viewer, "post.delete", post_id)
    return thread_id


def _own_post(session: Session, viewer: Viewer, post_id: str) -> tuple[str, ActorData, groups.AudienceData]:
    query = sa.select(Post.author_id, Post.thread_id, Thread.group_id).join(Thread, Thread.id == Post.thread_id)
    row = session.execute(query.where(Post.id == post_id, Post.deleted_at.is_(None), policy.visible(Post, viewer))).one_or_none()
    if row is None:
        raise NotFound()
    if row.author_id != viewer.person_id:
        raise Forbidden(N_("Only its author can change a post."))
    return row.thread_id, actors.by_id(session, row.group_id), groups.audience_of(session, row.group_id)


def _title(session: Session, post_id: str) -> str:
    """The thread's title where the post is its opener, else nothing."""
    row = session.execute(sa.select(Thread.title, Post.reply_to).join(Post, Post.thread_id == Thread.id).where(Post.id == post_id)).one()
    return "" if row.reply_to else row.title


def revise(
    session: Session, post_id: str, *, html: str, source: str, now: int, edited_at: int | None = None, retitled: bool = False
) -> bool:
    """Replaces a post's text and keeps the one before; False where both read the same and nothing beside it (`retitled`) is new either.
    `edited_at` is when its author changed it, else it is now, and later than the change before: a clock that was set back would have
    others take the newer text for the older one. Raises TooMany where that happens too often."""
    before, changed_at = session.execute(sa.select(Post.html, Post.edited_at).where(Post.id == post_id)).one()
    if before == html and not retitled:
        return False
    _check_pace(session, post_id, now)
    session.execute(sa.insert(PostRevision).values(id=new_id(now), post_id=post_id, html=before, replaced_at=now))
    at = edited_at or max(now, (changed_at or 0) + 1000)
    session.execute(sa.update(Post).where(Post.id == post_id).values(html=html, source=source, edited_at=at))
    return True


def _check_pace(session: Session, post_id: str, now: int) -> None:
    kept, lately = sa.func.count(), sa.func.count().filter(PostRevision.replaced_at > now - HOUR)
    of_post = sa.select(kept, lately).select_from(PostRevision).where(PostRevision.post_id == post_id)
    changes, within_an_hour = session.execute(of_post).one()
    if changes >= CHANGES or within_an_hour >= CHANGES_AN_HOUR:
        raise TooMany(
            N_("This post has been changed too often. Nothing was changed; answer it instead, or delete it."), reason="changed too often"
        )


def bury(session: Session, node: Node, post_id: str) -> None:
    """Empties a post, its history, its thanks, mentions and files, and the activities that carried it; with an opener goes its title."""
    attaching.drop(session, node, post_id)
    for model in (PostRevision, Mention, Thanks):
        session.execute(sa.delete(model).where(model.post_id == post_id))
    buried = sa.update(Post).where(Post.id == post_id).values(html="", source="", deleted_at=node.now())
    row = session.execute(buried.returning(Post.uri, Post.thread_id, Post.reply_to)).one()
    if not row.reply_to:
        session.execute(sa.update(Thread).where(Thread.id == row.thread_id).values(title="", untitled=True))
    finding.follow(session, post_id)
    outbox.forget(session, node, row.uri)


def document(session: Session, post_id: str) -> dict[str, Any]:
    """A post as partners fetch it: the object, or the Tombstone of one that was deleted or that moderators removed."""
    row = session.execute(sa.select(Post.deleted_at, Post.removed, Post.confirmed_at).where(Post.id == post_id)).one()
    gone_at = row.deleted_at or (None if row.removed is None else row.confirmed_at)
    found, deleted = data(session, post_id, title=_title(session, post_id)), gone_at
    return {"@context": ap.CONTEXT} | (activities.to_tombstone(found, deleted) if deleted else activities.to_object(found))
