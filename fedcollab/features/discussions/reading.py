"""Decides what a viewer reads: groups, threads and posts, each query carrying the viewer's clause; what is not visible is not found.

Queries of the pages that are seen most are built once and run with the viewer's values: building one takes longer than running it."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.models import Audience
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN, Actor
from fedcollab.actors.service import ActorData
from fedcollab.base.errors import NotFound
from fedcollab.base.model import aliased
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared

from .models import LAST, Draft, Post, PostRevision, Thread, ThreadRead
from .moderation.models import Mute

THREADS = 30
POSTS = 50


@dataclass(frozen=True)
class GroupData:
    """A group as a page shows it; `host` is empty for our own."""

    actor: ActorData
    label: str
    history: bool
    organisation: str
    document: dict[str, Any] | None


@dataclass(frozen=True)
class ThreadData:
    """A thread; its `title` is its opener's and None for those who may not see that one, or where moderators took it away. `locked` is why
    its moderators have ended it, or None."""

    id: str
    uri: str
    group_id: str
    title: str | None
    language: str
    label: str
    posts: int
    last_post_at: int
    locked: str | None


@dataclass(frozen=True)
class ListedThread(ThreadData):
    """A thread in a list; `unread` says that it has posts which the viewer has not seen yet."""

    unread: bool


Listed = TypeVar("Listed", bound=ThreadData)
TITLE = sa.case((sa.and_(policy.visible(Thread), Thread.untitled.is_(False)), Thread.title), else_=None).label("title")
THREAD: list[Any] = [TITLE if name == "title" else getattr(Thread, name) for name in ThreadData.__dataclass_fields__]


@dataclass(frozen=True)
class Around:
    """What stands around a thread's posts; `draft`, `read_place` and whether they have muted anything at all are the viewer's own."""

    thread: ThreadData
    group: GroupData
    draft: str
    read_place: int
    mutes: bool


class PostView(NamedTuple):
    """A post as a page shows it: who, from where, how their key is known. What moderators have `removed` or `hidden` (why) has its text
    for its author and for moderators alone; `refused` is why its host did not take it; `touched` says that one of them is the case."""

    id: str
    uri: str
    html: str
    language: str
    label: str
    posted_at: int
    edited_at: int | None
    deleted_at: int | None
    confirmed_at: int | None
    place: int
    author_id: str
    author: str
    known: str
    host: str
    organisation: str
    through: str | None
    removed: str | None
    hidden: str | None
    refused: str | None
    touched: bool


def groups(session: Session, viewer: Viewer) -> list[GroupData]:
    """The groups a viewer may know of, ours first, then by name."""
    return [_group_data(row) for row in prepared(session, _groups_query(), policy.asked_by(viewer)).all()]


def group(session: Session, viewer: Viewer, group_id: str) -> GroupData:
    """One group. Raises NotFound, whether it does not exist or is not for this viewer."""
    row = prepared(session, _group_query(), policy.asked_by(viewer) | {"group": group_id}).one_or_none()
    if row is None:
        raise NotFound()
    return _group_data(row)


@cache
def _groups_query() -> sa.Select[Any]:
    organisation = aliased(Actor)
    columns = [*actors.COLUMNS, Audience.label, Audience.history, organisation.name.label("organisation"), Actor.document]
    query = sa.select(*columns).join(Audience, Audience.group_id == Actor.id).join(organisation, organisation.id == Actor.organisation_id)
    query = query.where(policy.sees_group(), policy.of_group(), Actor.disabled_at.is_(None))
    return query.order_by(Actor.known != OWN, Actor.name, Actor.id)


@cache
def _group_query() -> sa.Select[Any]:
    return _groups_query().where(Actor.id == sa.bindparam("group"))


def _group_data(row: Any) -> GroupData:
    """From a row of `_groups_query`."""
    count = len(actors.COLUMNS)
    return GroupData(ActorData(*row[:count]), *row[count:])


def threads(
    session: Session, viewer: Viewer, group_id: str, before: tuple[int, str] | None = None, limit: int = THREADS, *, muted: bool = True
) -> list[ListedThread]:
    """A page of a group's threads, newest first, after the key (last_post_at, id) of the page before; with those that the viewer has
    muted, or without."""
    key = dict(zip(("before_at", "before_id"), before, strict=True)) if before else {}
    values = policy.asked_by(viewer) | {"group": group_id, "limit": limit, "person": viewer.person_id} | key
    return [ListedThread(*row) for row in prepared(session, _threads_query(paged=bool(before), muted=muted), values).rows]


@cache
def _threads_query(*, paged: bool, muted: bool) -> sa.Select[Any]:
    query = _thread_query().add_columns(Thread.posts > sa.func.coalesce(ThreadRead.read_place, 0)).outerjoin(ThreadRead, _has_read())
    query = query.where(Thread.group_id == sa.bindparam("group"))
    if not muted:
        query = query.where(~sa.exists().where(Mute.person_id == sa.bindparam("person"), Mute.subject_id == Thread.id))
    if paged:
        query = query.where(sa.tuple_(Thread.last_post_at, Thread.id) < sa.tuple_(sa.bindparam("before_at"), sa.bindparam("before_id")))
    return query.order_by(Thread.last_post_at.desc(), Thread.id.desc()).limit(sa.bindparam("limit"))


def newest(session: Session, viewer: Viewer, limit: int = 12) -> list[ListedThread]:
    """The threads with the newest posts in all groups that the viewer sees, without those that they have muted: a few of each, so that
    the cost does not grow."""
    found = [thread for g in groups(session, viewer) for thread in threads(session, viewer, g.actor.id, limit=limit, muted=False)]
    return sorted(found, key=lambda t: (t.last_post_at, t.id), reverse=True)[:limit]


def as_public(session: Session, viewer: Viewer, found: list[Listed]) -> list[Listed]:
    """Threads as who has not signed in reads them: the kept number and time count posts too that are for partners alone, and would tell
    that there are some, and when. Everybody else's stay as they are."""
    if viewer.organisation_id:
        return found
    there = sa.and_(Post.thread_id.in_([thread.id for thread in found]), policy.visible(Post, viewer), Post.place < LAST)
    query = sa.select(Post.thread_id, sa.func.count(), sa.func.max(Post.confirmed_at)).where(there).group_by(Post.thread_id)
    figures = {thread_id: (number, last or 0) for thread_id, number, last in session.execute(query)}
    told = [(thread, *figures.get(thread.id, (0, thread.last_post_at))) for thread in found]
    return [replace(thread, posts=number, last_post_at=last) for thread, number, last in told]


def thread_row(session: Session, viewer: Viewer, thread_id: str) -> ThreadData:
    """One thread. Raises NotFound as `group` does."""
    row = prepared(session, _one_thread_query(), policy.asked_by(viewer) | {"thread": thread_id}).one_or_none()
    if row is None:
        raise NotFound()
    return ThreadData(*row)


def around(session: Session, viewer: Viewer, thread_id: str) -> Around:
    """What stands around a thread's posts. Raises NotFound as `group` does."""
    values = policy.asked_by(viewer) | {"thread": thread_id, "person": viewer.person_id}
    row = prepared(session, _around_query(), values).one_or_none()
    if row is None:
        raise NotFound()
    return Around(
        ThreadData(*row[: len(THREAD)]), _group_data(row[len(THREAD) : -3]), row.draft or "", row.read_place or 0, bool(row.mutes)
    )


@cache
def _around_query() -> sa.Select[Any]:
    """One thread, its group, and what the viewer has drafted and read in it."""
    drafted = sa.and_(Draft.person_id == sa.bindparam("person"), Draft.place == Thread.id)
    query = _groups_query().order_by(None).join(Thread, Thread.audience_id == Audience.id)
    mutes = sa.exists().where(Mute.person_id == sa.bindparam("person")).label("mutes")
    columns: list[Any] = [*THREAD, *query.selected_columns, Draft.text.label("draft"), ThreadRead.read_place, mutes]
    query = query.with_only_columns(*columns)
    query = query.outerjoin(Draft, drafted).outerjoin(ThreadRead, _has_read())
    return query.where(Thread.id == sa.bindparam("thread"), _has_visible_posts())


def _has_read() -> sa.ColumnElement[bool]:
    return sa.and_(ThreadRead.person_id == sa.bindparam("person"), ThreadRead.thread_id == Thread.id)


@cache
def _one_thread_query() -> sa.Select[Any]:
    return _thread_query().where(Thread.id == sa.bindparam("thread"))


def _thread_query() -> sa.Select[Any]:
    """Threads whose group the viewer may know of; which posts of them show is decided post by post."""
    return sa.select(*THREAD).join(Audience, Audience.id == Thread.audience_id).where(policy.sees_group(), _has_visible_posts())


def _has_visible_posts() -> sa.ColumnElement[bool]:
    return sa.exists().where(Post.thread_id == Thread.id, policy.visible(Post))


THERE = sa.and_(Post.removed.is_(None), Post.hidden.is_(None))
READS_ALL = sa.or_(Post.author_id == sa.bindparam("reader"), sa.bindparam("moderates", type_=sa.Integer()) == 1)
TEXT = sa.case((sa.or_(THERE, READS_ALL), Post.html), else_="").label("html")


def _reads_all(viewer: Viewer) -> dict[str, object]:
    """Who reads what moderators took away: its author and moderators, as far as its text is on this node."""
    return {"reader": viewer.person_id, "moderates": int(viewer.moderates)}


def posts(session: Session, viewer: Viewer, thread_id: str, page: int = 1) -> list[PostView]:
    """A page of 50 posts in the host's order; own ones that wait for the host come last."""
    values = policy.asked_by(viewer) | _reads_all(viewer) | {"thread": thread_id, "start": (page - 1) * POSTS}
    return prepared(session, _posts_query(), values).of(PostView)


@cache
def _posts_query() -> sa.Select[Any]:
    author, organisation, through = aliased(Actor), aliased(Actor), aliased(Actor)
    columns: tuple[Any, ...] = (
        Post.id,
        Post.uri,
        TEXT,
        Post.language,
        Post.label,
        Post.posted_at,
        Post.edited_at,
        Post.deleted_at,
        Post.confirmed_at,
        Post.place,
        Post.author_id,
        author.name.label("author"),
        author.known,
        author.host,
        organisation.name.label("organisation"),
        through.name.label("through"),
        Post.removed,
        Post.hidden,
        Post.refused,
        sa.type_coerce(sa.or_(~THERE, Post.refused.is_not(None)), sa.Integer).label("touched"),  # 50 times a page
    )
    query = (
        sa.select(*columns)
        .join(author, author.id == Post.author_id)
        .join(organisation, organisation.id == Post.organisation_id)
        .outerjoin(through, through.id == author.through_id)
        .where(Post.thread_id == sa.bindparam("thread"), policy.visible(Post))
    )
    return query.order_by(Post.place, Post.id).limit(POSTS).offset(sa.bindparam("start"))


def post_by_uri(session: Session, viewer: Viewer, uri: str) -> Any:
    """(post id, thread id, place) of a visible post, by its uri. Raises NotFound."""
    row = session.execute(sa.select(Post.id, Post.thread_id, Post.place).where(Post.uri == uri, policy.visible(Post, viewer))).one_or_none()
    if row is None:
        raise NotFound()
    return row


def may_ask_about(session: Session, viewer: Viewer, uri: str, words: bool) -> bool:
    """Whether a partner may ask for an activity about a post: a visible one, and where the activity carries its `words` none that
    moderators took away (deleted ones have none left)."""
    there = sa.and_(Post.uri == uri, *([Post.removed.is_(None)] if words else []))
    return session.execute(sa.select(Post.id).where(there, policy.visible(Post, viewer))).first() is not None


def group_of(session: Session, viewer: Viewer, place: str) -> str:
    """The group's row id of a place to write in: a group itself, or a thread. Raises NotFound."""
    found = session.execute(sa.select(Thread.group_id).where(Thread.id == place)).scalar_one_or_none()
    return thread_row(session, viewer, place).group_id if found else group(session, viewer, place).actor.id


def revisions(session: Session, viewer: Viewer, post_id: str) -> list[tuple[int, str]]:
    """(replaced at, html) of what a visible post said before, newest first."""
    seen = sa.exists().where(Post.id == PostRevision.post_id, policy.visible(Post, viewer), sa.or_(THERE, READS_ALL))
    query = sa.select(PostRevision.replaced_at, PostRevision.html).where(PostRevision.post_id == post_id, seen)
    return [(row.replaced_at, row.html) for row in session.execute(query.order_by(PostRevision.replaced_at.desc()), _reads_all(viewer))]


def draft(session: Session, viewer: Viewer, place: str) -> tuple[str, str]:
    """(title, text) of a form in mid-composition; empty where there is none."""
    row = prepared(session, _draft_query(), {"person": viewer.person_id, "place": place}).one_or_none()
    return (row.title, row.text) if row else ("", "")


@cache
def _draft_query() -> sa.Select[Any]:
    columns: list[Any] = [Draft.title, Draft.text]
    return sa.select(*columns).where(Draft.person_id == sa.bindparam("person"), Draft.place == sa.bindparam("place"))


def post_row(session: Session, viewer: Viewer, post_id: str) -> Any:
    """(thread_id, place, before: how many visible posts precede it) of a visible post. Raises NotFound."""
    row = session.execute(sa.select(Post.thread_id, Post.place).where(Post.id == post_id, policy.visible(Post, viewer))).one_or_none()
    if row is None:
        raise NotFound()
    earlier = sa.select(sa.func.count()).select_from(Post).where(Post.thread_id == row.thread_id, Post.place < row.place)
    return Place(row.thread_id, row.place, session.execute(earlier.where(policy.visible(Post, viewer))).scalar_one())


@dataclass(frozen=True)
class OwnPost:
    """A post that the viewer wrote, as its author changes or deletes it, and its group."""

    thread_id: str
    source: str
    html: str
    language: str
    group: GroupData


def own_post(session: Session, viewer: Viewer, post_id: str) -> OwnPost:
    """A post of the viewer's in a group that they still see. Raises NotFound."""
    mine = sa.and_(Post.id == post_id, Post.author_id == viewer.person_id, Post.deleted_at.is_(None))
    query = sa.select(Post.thread_id, Post.source, Post.html, Post.language, Thread.group_id).join(Thread, Thread.id == Post.thread_id)
    row = session.execute(query.where(mine)).one_or_none()
    if row is None:
        raise NotFound()
    return OwnPost(row.thread_id, row.source, row.html, row.language, group(session, viewer, row.group_id))


@dataclass(frozen=True)
class Place:
    """Where a post stands: its thread, its number there, how many visible ones precede it."""

    thread_id: str
    place: int
    before: int
