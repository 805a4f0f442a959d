"""Decides what is read of moderation: a conversation's log, the moderators' queue, what a member has reported and was told."""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import OWN, Actor
from fedcollab.base.errors import NotFound
from fedcollab.base.model import aliased
from fedcollab.base.session import Session
from fedcollab.features.discussions import reading
from fedcollab.features.discussions.models import Post, Thread

from .models import Flag, FlagReceiver, ModerationAct
from .state import HIDE, LATE, LOCK, REMOVE

MOST = 50
NEWEST = 100


@dataclass(frozen=True)
class Entry:
    """One act in a log and its undoing. `post_id` is empty for a conversation, and for a post that is not here."""

    kind: str
    at: int | None
    reason: str
    undone_at: int | None
    undone_reason: str
    post_id: str | None
    author: str | None


def log(session: Session, viewer: Viewer, thread_id: str) -> list[Entry]:
    """What moderators did in a conversation, newest first, but for posts that the viewer may not see."""
    found = sa.select(Thread.uri, Thread.group_id).where(Thread.id == thread_id)
    row = session.execute(found).one_or_none()
    if row is None:
        raise NotFound()
    columns: list[Any] = [getattr(ModerationAct, name) for name in Entry.__dataclass_fields__ if name not in ("post_id", "author")]
    query = sa.select(*columns, Post.id, Actor.name).outerjoin(Post, Post.uri == ModerationAct.object_uri)
    query = query.outerjoin(Actor, Actor.id == Post.author_id).where(
        ModerationAct.context == row.uri,
        ModerationAct.group_id == row.group_id,
        ModerationAct.kind.in_((REMOVE, HIDE, LOCK)),
        sa.or_(Post.id.is_(None), policy.visible(Post, viewer)),
    )
    newest = sa.func.coalesce(ModerationAct.at, ModerationAct.undone_at).desc()
    rows: list[Any] = list(session.execute(query.order_by(newest, ModerationAct.id.desc()).limit(NEWEST)))
    return [Entry(*row) for row in rows]


@dataclass(frozen=True)
class Report:
    """One organisation's words about a post."""

    organisation: str
    host: str
    own: bool
    reason: str
    text: str
    at: int


@dataclass(frozen=True)
class Reported:
    """A post with open reports and its context; `ours` says that its group is kept by this node, `seen` that it is still read here, which
    one of an organisation that was blocked since is not."""

    id: str
    html: str
    language: str
    posted_at: int
    deleted_at: int | None
    removed: str | None
    hidden: str | None
    author_id: str
    author: str
    author_host: str
    known: str
    thread_id: str
    title: str
    locked: str | None
    group: str
    ours: bool
    seen: bool
    reports: list[Report] = field(default_factory=list)


def open_posts(session: Session, organisation_id: str) -> int:
    """How many posts have reports that our moderators have not closed."""
    found = sa.select(sa.func.count(sa.distinct(Flag.post_id))).join_from(Flag, FlagReceiver)
    return session.execute(found.where(_open(organisation_id))).scalar_one()


def _open(organisation_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(FlagReceiver.organisation_id == organisation_id, FlagReceiver.outcome == "")


def queue(session: Session, viewer: Viewer) -> list[Reported]:
    """Posts with open reports, at most 50, those reported first before the others."""
    first = sa.select(Flag.post_id, sa.func.min(Flag.at).label("at")).join_from(Flag, FlagReceiver).where(_open(viewer.organisation_id))
    page = first.group_by(Flag.post_id).order_by(sa.literal_column("at"), Flag.post_id).limit(MOST).subquery()
    posts = _posts(viewer).join(page, page.c.post_id == Post.id).order_by(page.c.at, Post.id)
    found = {row.id: _reported(row) for row in session.execute(posts)}
    by = aliased(Actor)
    columns = (Flag.post_id, by.name, by.host, (by.known == OWN).label("own"), Flag.reason, Flag.text, Flag.at)
    reports = sa.select(*columns).join_from(Flag, FlagReceiver).join(by, by.id == Flag.organisation_id).where(_open(viewer.organisation_id))
    for row in session.execute(reports.where(Flag.post_id.in_(list(found))).order_by(Flag.at, Flag.id)):
        found[row.post_id].reports.append(Report(*row[1:]))
    return list(found.values())


def one(session: Session, viewer: Viewer, post_id: str, *, reported: bool = False) -> Reported:
    """A post as moderators read it; one that has been `reported` also where it is seen by nobody any more. Raises NotFound."""
    told = sa.exists().where(Flag.post_id == Post.id, FlagReceiver.flag_id == Flag.id, _open(viewer.organisation_id))
    there = sa.or_(policy.visible(Post, viewer), told) if reported else policy.visible(Post, viewer)
    row = session.execute(_posts(viewer).where(Post.id == post_id, there)).one_or_none()
    if row is None:
        raise NotFound()
    return _reported(row)


def _posts(viewer: Viewer) -> sa.Select[Any]:
    """Posts with their context. What moderators took away is read by its author and by moderators alone."""
    author, group = aliased(Actor), aliased(Actor)
    there = sa.true() if viewer.moderates else sa.or_(reading.THERE, Post.author_id == viewer.person_id)
    html = sa.case((sa.and_(policy.visible(Post, viewer), there), Post.html), else_="").label("html")
    said: list[Any] = [Post.id, html, Post.language, Post.posted_at, Post.deleted_at, Post.removed, Post.hidden]
    columns = [
        *said,
        Post.author_id,
        author.name,
        author.host,
        author.known,
        Post.thread_id,
        Thread.title,
        Thread.locked,
        group.name,
        group.known == OWN,
        sa.case((policy.visible(Post, viewer), True), else_=False),
    ]
    query = sa.select(*columns).join(Thread, Thread.id == Post.thread_id).join(author, author.id == Post.author_id)
    return query.join(group, group.id == Thread.group_id)


def _reported(row: Any) -> Reported:
    return Reported(*row[:17])


@dataclass(frozen=True)
class Answer:
    """What became of a report with one of those who have it. `direct` is False where the group's host passes it on."""

    organisation: str
    own: bool
    direct: bool
    outcome: str
    why: str
    closed_at: int | None


@dataclass(frozen=True)
class Made:
    """A report of a member's own."""

    post_id: str
    author: str
    reason: str
    text: str
    at: int
    answers: list[Answer] = field(default_factory=list)


def made(session: Session, viewer: Viewer) -> list[Made]:
    """What a member has reported, newest first, and what became of it."""
    query = sa.select(Flag.id, Flag.post_id, Actor.name, Flag.reason, Flag.text, Flag.at).join(Post, Post.id == Flag.post_id)
    query = query.join(Actor, Actor.id == Post.author_id).where(Flag.person_id == viewer.person_id)
    found = {row.id: Made(*row[1:]) for row in session.execute(query.order_by(Flag.at.desc(), Flag.id.desc()).limit(NEWEST))}
    became = (FlagReceiver.uri, FlagReceiver.outcome, FlagReceiver.why, FlagReceiver.closed_at)
    answers = (
        sa.select(FlagReceiver.flag_id, Actor.name, Actor.known, *became)
        .join(Actor, Actor.id == FlagReceiver.organisation_id)
        .where(FlagReceiver.flag_id.in_(list(found)))
    )
    for row in session.execute(answers.order_by(Actor.known != OWN, Actor.name)):
        own = row.known == OWN
        found[row.flag_id].answers.append(Answer(row.name, own, own or bool(row.uri), row.outcome, row.why, row.closed_at))
    return list(found.values())


@dataclass(frozen=True)
class Told:
    """What moderators did with a member's own post; `by` is the organisation that keeps the group, or ours for what is hidden here."""

    id: str
    post_id: str
    kind: str
    at: int | None
    reason: str
    undone_at: int | None
    undone_reason: str
    by: str
    told_at: int | None


def told(session: Session, viewer: Viewer, *, fresh: bool = False) -> list[Told]:
    """What moderators did with the viewer's posts, newest first; `fresh` is what they have not said to have read."""
    host = aliased(Actor)
    group = aliased(Actor)
    columns: list[Any] = [getattr(ModerationAct, name) for name in ("kind", "at", "reason", "undone_at", "undone_reason")]
    query = sa.select(ModerationAct.id, Post.id, *columns, host.name, ModerationAct.told_at)
    query = (
        query.join(Post, Post.uri == ModerationAct.object_uri)
        .join(group, group.id == ModerationAct.group_id)
        .join(host, host.id == group.organisation_id)
    )
    mine = sa.and_(ModerationAct.author_id == viewer.person_id, ModerationAct.kind.in_((REMOVE, HIDE, LATE)))
    query = query.where(mine, ModerationAct.told_at.is_(None)) if fresh else query.where(mine)
    return [Told(*row) for row in session.execute(query.order_by(ModerationAct.id.desc()).limit(NEWEST))]


def read_by_author(session: Session, viewer: Viewer, now: int) -> None:
    """The author of posts has read what was done with them."""
    mine = sa.and_(ModerationAct.author_id == viewer.person_id, ModerationAct.told_at.is_(None))
    session.execute(sa.update(ModerationAct).where(mine).values(told_at=now))
