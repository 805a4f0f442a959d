"""Decides what a partner's posts, edits and deletions do here: stored in their group, and passed on where we host it."""

from dataclasses import replace
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.models import CLEAR
from fedcollab.access.viewer import partner
from fedcollab.actors import service as actors
from fedcollab.actors.models import GROUP, OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.clock import new_id
from fedcollab.base.errors import Refused
from fedcollab.base.markup import first_words
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared, put
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import proofs
from fedcollab.federation.registry import BOTH, Handler, Verified

from . import activities, attaching, backfill, confirming, finding, groups, mentions, progress, public, service
from .models import Post, Thread
from .moderation import late, state
from .moderation import receiving as moderation

MOST_GROUPS = 20  # of ours that one activity may be addressed to before we stop looking


def receive_create(session: Session, node: Node, received: Verified) -> None:
    """A post by a partner's member: to a group of ours directly, or passed on by the group's host. Known ones only confirm."""
    document = received.object
    post = activities.parse(document, received.actor.uri, node.now(), carries=_carries(received))
    group = _group(session, node, received, post)
    audience = groups.audience_of(session, group.id)
    _check_place(session, received, group, audience, post)
    there = prepared(session, _post_query(), {"uri": post.uri}).one_or_none()
    if there is not None:
        if there.group_id != group.id:
            raise Refused(reason="it stands in another group")
        if received.through is not None and there.confirmed_at is None:
            _confirm(session, node, there.id, there.thread_id)
        if received.through is not None:
            _refill(session, node, received, there.id, post)
        if received.through is not None and not proofs.key_uri(received.activity) and post.edited_at is not None:
            receive_update(session, node, received)  # the thing itself, announced again: as its author has changed it
        return
    if received.actor.known == OWN and not proofs.key_uri(received.activity):
        raise Refused(reason="nobody here has written this")
    known = state.before(session, post.uri)
    if (state.DELETE, received.actor.id) in known:
        raise Refused(reason="its author deleted it before it came")
    try:
        post_id, thread = _store(session, node, received, group, audience, post)
        _take_files(session, node, received, post_id, post, fresh=True)
    except late.Locked as locked:
        late.refuse(session, node, received, locked)
        return
    if known:
        state.settle_post(session, node, post.uri)
    mentions.receive(session, node, received, post_id, fresh=True)
    pass_on(session, node, received, group, audience, post.uri, thread, node.now())
    audit.record(session, node.now(), partner(received.actor.organisation_id), "post.receive", post_id)


def _carries(received: Verified) -> bool:
    """Whether what a post names is its files: nothing is fetched from a server outside."""
    return not received.outside and not received.unproved


def _take_files(session: Session, node: Node, received: Verified, post_id: str, post: activities.PostData, *, fresh: bool = False) -> bool:
    """Whether a post carries other files now."""
    whose = (received.actor, received.through)
    return _carries(received) and attaching.receive(session, node, post_id, *whose, post.files, fresh=fresh)


def _refill(session: Session, node: Node, received: Verified, post_id: str, post: activities.PostData) -> None:
    """A post that was emptied and restored since has its text again, and its files."""
    if moderation.refill(session, post_id, post):
        _take_files(session, node, received, post_id, post)


@cache
def _post_query() -> sa.Select[Any]:
    columns: list[Any] = [Post.id, Post.thread_id, Post.confirmed_at, Thread.group_id]
    return sa.select(*columns).join(Thread, Thread.id == Post.thread_id).where(Post.uri == sa.bindparam("uri"))


def _group(session: Session, node: Node, received: Verified, post: activities.PostData) -> ActorData:
    """The group a post belongs to: the one that announces it, else the one of ours it is addressed to or replies in."""
    if received.through is not None:
        return received.through
    ours = node.settings.uri("/groups/")  # however many are addressed, only those that may be ours are looked up
    candidates = [post.group, *sorted(ap.addressed(received.activity) | ap.addressed(received.object))]
    for uri in [uri for uri in candidates if uri.startswith(ours)][:MOST_GROUPS]:
        found = actors.by_uri(session, uri.removesuffix("/followers"))
        if found is not None and found.kind == GROUP and found.known == OWN:
            return found
    return _group_of_thread(session, post, first_hand=received.first_hand)


def _group_of_thread(session: Session, post: activities.PostData, *, first_hand: bool) -> ActorData:
    """Our group in which the post that is answered stands; else, where the author itself has sent it here, the only one that has a
    conversation of this context."""
    replied = sa.select(Thread.group_id).join(Post, Post.thread_id == Thread.id).where(Post.uri == post.reply_to)
    spoken = sa.select(Thread.group_id).join(Actor, Actor.id == Thread.group_id).where(Thread.uri == post.context, Actor.known == OWN)
    found = session.scalars(replied).all() or (session.scalars(spoken.limit(2)).all() if first_hand else [])
    group = actors.by_id(session, found[0]) if len(found) == 1 else None
    if group is None or group.known != OWN:
        raise Refused(reason="addressed to no group of this node")
    return group


def _check_place(session: Session, received: Verified, group: ActorData, audience: groups.AudienceData, post: activities.PostData) -> None:
    """Only organisations inside write in our groups; nothing is addressed wider than its group; an announced post names its group."""
    policy.check_leaves(audience.label)
    if policy.is_wider(post.label, audience.label):
        raise Refused(reason="addressed wider than its group")
    if policy.narrowest(post.label, audience.label) != audience.label:
        policy.check_leaves(post.label)
    if received.through is not None:
        if received.sender.organisation_id != group.organisation_id or (post.group and post.group != group.uri):
            raise Refused(reason="announced by another group than it is addressed to")
        if received.unproved and post.label != CLEAR:
            raise Refused(reason="a host's word alone carries what is public alone")
        return
    if not received.first_hand and post.group and post.group != group.uri:
        raise Refused(reason="brought to another group than it is addressed to")
    if received.outside:
        public.check_answer(session, group, audience, post)
        return
    if not policy.is_inside(session, audience.id, received.actor.organisation_id):
        raise Refused(reason="the author's organisation is not inside the group")


def _store(
    session: Session, node: Node, received: Verified, group: ActorData, audience: groups.AudienceData, post: activities.PostData
) -> tuple[str, str]:
    """Its row id, and its thread's uri."""
    now, post_id, author = node.now(), new_id(node.now()), received.actor
    label = policy.narrowest(post.label, audience.label)
    shared = dict(
        audience_id=audience.id, label=label, author_id=author.id, organisation_id=author.organisation_id, posted_at=post.posted_at
    )
    thread_id, thread, reply_to = _thread(session, node, group, post, shared, direct=received.through is None)
    row = dict(
        id=post_id,
        uri=post.uri,
        thread_id=thread_id,
        reply_to=reply_to,
        html=post.html,
        language=post.language,
        edited_at=post.edited_at,
    )
    place = service.next_place(session, thread_id, now)
    put(session, Post, **row, **shared, source="", place=place, confirmed_at=now)
    finding.follow(session, post_id, fresh=True)
    return post_id, thread


def _thread(
    session: Session, node: Node, group: ActorData, post: activities.PostData, shared: dict[str, Any], *, direct: bool
) -> tuple[str, str, str]:
    """The thread's row id and uri, by its context or by what is replied to; else a new one, named by the opener (a late reply's own has no
    name here). An opener without a context is a context itself. With it what the post answers: the opener, where it stands in a
    conversation that has one and does not say. Raises Locked, before anything is stored, for what comes `direct` to a locked one."""
    uri = post.context or post.uri
    found = prepared(session, _thread_query(), {"group": group.id, "uri": uri}).one_or_none()
    if found is None and post.reply_to:
        found = prepared(session, _replied_query(), {"uri": post.reply_to}).one_or_none()
    if found is None:
        row = dict(
            id=new_id(node.now()), uri=uri, group_id=group.id, title=_titled(post), language=post.language, posts=0, last_post_at=node.now()
        )
        put(session, Thread, **row, **shared)
        state.settle_new(session, str(row["id"]), uri, group.id)
        return str(row["id"]), uri, post.reply_to
    if found.group_id != group.id:
        raise Refused(reason="its thread is in another group")
    if direct and found.locked is not None:
        raise late.Locked(found.uri, found.locked)
    if post.reply_to:
        return str(found.id), str(found.uri), post.reply_to
    if found.title or found.untitled:  # a second opener would have the first one's title in its hands
        first = sa.select(Post.uri).where(Post.thread_id == found.id).order_by(Post.place, Post.id).limit(1)
        return str(found.id), str(found.uri), session.scalar(first) or ""
    session.execute(sa.update(Thread).where(Thread.id == found.id).values(title=_titled(post)))  # the opener after its answers
    return str(found.id), str(found.uri), ""


def _titled(post: activities.PostData) -> str:
    """What a conversation is called after this post; nothing after an answer."""
    return post.title or ("" if post.reply_to else first_words(post.html, 80))


@cache
def _thread_query() -> sa.Select[Any]:
    columns: list[Any] = [Thread.id, Thread.uri, Thread.group_id, Thread.title, Thread.untitled, Thread.locked]
    return sa.select(*columns).where(Thread.group_id == sa.bindparam("group"), Thread.uri == sa.bindparam("uri"))


@cache
def _replied_query() -> sa.Select[Any]:
    columns: list[Any] = [Thread.id, Thread.uri, Thread.group_id, Thread.title, Thread.untitled, Thread.locked]
    return sa.select(*columns).join(Post, Post.thread_id == Thread.id).where(Post.uri == sa.bindparam("uri"))


def _confirm(session: Session, node: Node, post_id: str, thread_id: str) -> None:
    """The host's echo of our member's own post: its receipt, and its place among the others."""
    place = service.next_place(session, thread_id, node.now())
    confirmed = sa.update(Post).where(Post.id == post_id).values(place=place, confirmed_at=node.now())
    progress.own_post_read(session, session.execute(confirmed.returning(Post.author_id)).scalar_one(), thread_id, place)


def receive_update(session: Session, node: Node, received: Verified) -> None:
    """The author changes a post, its title, or makes its label narrower. Its group stays what it was; a change older than the text here
    has no effect, whoever brings it again."""
    post = activities.parse(received.object, received.actor.uri, node.now(), carries=_carries(received))
    if received.actor.known == OWN and not _is_news(session, received, post):
        return  # the host's echo of what our member has done here, and perhaps changed again meanwhile
    row = _known(session, received, post.uri)
    changed_at = _changed_at(received, post)
    if received.through is not None:
        if row.removed is not None:
            return  # it comes again when the post is restored
        _refill(session, node, received, row.id, replace(post, edited_at=changed_at))
    if row.edited_at is not None and changed_at is not None and changed_at <= row.edited_at:
        return
    group, audience = actors.by_id(session, row.group_id), groups.audience_of(session, row.group_id)
    if policy.is_wider(post.label, row.label):
        raise Refused(reason="addressed wider than before")
    addressed = ap.LABEL in received.object or ap.addressed(received.object)
    refiled = _take_files(session, node, received, row.id, post)
    if not _change(session, node, row, post, policy.check_leaves(post.label) if addressed else row.label, changed_at) and not refiled:
        return  # it says what is here already: nobody needs to hear of it
    mentions.receive(session, node, received, row.id)
    pass_on(session, node, received, group, audience, *place_of(session, row.id), hold=row.removed is not None)
    audit.record(session, node.now(), partner(received.actor.organisation_id), "post.receive_edit", row.id)


def _is_news(session: Session, received: Verified, post: activities.PostData) -> bool:
    """Whether our own member's change is newer than the text here: this node has come out of a backup."""
    mine = sa.select(Post.edited_at).where(Post.uri == post.uri, Post.author_id == received.actor.id, Post.deleted_at.is_(None))
    row = session.execute(mine).one_or_none()
    return row is not None and received.proved and post.edited_at is not None and post.edited_at > (row.edited_at or 0)


def _delete_again(session: Session, node: Node, received: Verified) -> None:
    """Our own member's deletion, of a post that has come back with a backup."""
    mine = sa.select(Post.id).where(Post.uri == ap.ident(received.object), Post.author_id == received.actor.id, Post.deleted_at.is_(None))
    post_id = session.scalar(mine)
    if post_id is not None and received.proved:
        service.bury(session, node, post_id)
        audit.record(session, node.now(), partner(received.sender.organisation_id), "post.receive_delete", post_id)


def _change(session: Session, node: Node, row: Any, post: activities.PostData, label: str, changed_at: int | None) -> bool:
    """Whether it reads otherwise now. Its time is kept also where it does not: what lies between then and now is old news."""
    mine = sa.and_(Thread.id == row.thread_id, Thread.author_id == row.author_id)
    titled = sa.select(Thread.id).where(mine, Thread.title != post.title)
    retitled = bool(post.title and not row.reply_to and session.execute(titled).first())
    changed = service.revise(session, row.id, html=post.html, source="", now=node.now(), edited_at=changed_at, retitled=retitled)
    session.execute(sa.update(Post).where(Post.id == row.id).values(edited_at=changed_at or node.now(), label=label))
    if not row.reply_to:
        named = {"title": post.title} if post.title else {}
        session.execute(sa.update(Thread).where(mine).values(label=label, **named))
    finding.follow(session, row.id)
    return changed or label != row.label


def _changed_at(received: Verified, post: activities.PostData) -> int | None:
    """When the author made a change: as it says or, where somebody passes it on, as its proof does. Raises Refused where neither does."""
    if post.edited_at is not None or received.first_hand:
        return post.edited_at
    proved_at = proofs.created(received.activity)
    if proved_at is None:
        raise Refused(reason="a change that does not say when it was made")
    return proved_at


def receive_delete(session: Session, node: Node, received: Verified) -> None:
    """The author takes a post away; whoever else asks is refused."""
    if received.actor.known == OWN:
        confirming.echo(session, node, received)
        _delete_again(session, node, received)
        return
    if moderation.is_removal(session, received):
        moderation.receive_remove(session, node, received)
        return
    if not received.unproved and moderation.remember_deletion(session, node, received):
        return
    row = _known(session, received, ap.ident(received.object))
    service.bury(session, node, row.id)
    confirming.done(session, node, received, session.execute(sa.select(Thread.uri).where(Thread.id == row.thread_id)).scalar_one())
    group, audience = actors.by_id(session, row.group_id), groups.audience_of(session, row.group_id)
    pass_on(session, node, received, group, audience, *place_of(session, row.id))
    audit.record(session, node.now(), partner(received.actor.organisation_id), "post.receive_delete", row.id)


def _known(session: Session, received: Verified, uri: str) -> Any:
    columns: tuple[Any, ...] = (Post.id, Post.thread_id, Post.label, Post.reply_to, Post.author_id, Post.edited_at, Post.confirmed_at)
    query = sa.select(*columns, Post.removed, Thread.group_id).join(Thread, Thread.id == Post.thread_id)
    row = session.execute(query.where(Post.uri == uri, Post.deleted_at.is_(None))).one_or_none()
    if row is None:
        there = session.execute(sa.select(Post.id).where(Post.uri == uri)).first()
        raise Refused(reason="deleted here before" if there else "no such post here")
    if received.through is not None and received.through.id != row.group_id:
        raise Refused(reason="announced by another group than it stands in")
    if row.author_id != received.actor.id:
        raise Refused(reason="somebody else's post")
    return row


def pass_on(
    session: Session,
    node: Node,
    received: Verified,
    group: ActorData,
    audience: groups.AudienceData,
    about: str,
    thread: str,
    came_at: int | None,
    *,
    hold: bool = False,
) -> None:
    """Announces a partner's activity about a post that came in `came_at` to the others inside our group, its author's node included.
    Without a good proof it stays here: nobody else could believe it. What is on `hold` waits for the day on which its post is restored."""
    if group.known != OWN or received.through is not None:
        return
    if received.outside:
        public.vouch(session, node, received, group, audience, thread, came_at or node.now(), hold=hold)
    elif received.proved:
        at = came_at or node.now()
        what = (received.actor, received.activity, thread)
        service.announce_to_group(session, node, group, audience, *what, about=about, came_at=at, hold=hold)


def place_of(session: Session, post_id: str) -> tuple[str, str, int | None]:
    """A post's uri, that of the thread that it stands in, and when it came in there."""
    row = prepared(session, _place_query(), {"post": post_id}).one()
    return row.post, row.uri, row.confirmed_at


@cache
def _place_query() -> sa.Select[Any]:
    columns: list[Any] = [Post.uri.label("post"), Thread.uri, Post.confirmed_at]
    return sa.select(*columns).join(Post, Post.thread_id == Thread.id).where(Post.id == sa.bindparam("post"))


HANDLERS = (
    Handler("Follow", (), groups.introduce_to_follower),
    Handler("Follow", (), backfill.receive_follow),
    Handler("Update", ("Group",), groups.receive),
    Handler("Create", activities.TYPES, receive_create, announced=True, by=BOTH, turned_away=late.turn_away),
    Handler("Update", activities.TYPES, receive_update, announced=True, by=BOTH),
    Handler("Delete", (), receive_delete, announced=True, withdraws=True, by=BOTH),
    Handler("Accept", ("Delete", "Update"), confirming.receive_accept, announced=True),
)
