"""Decides what state a post and a conversation are in: by the acts that are in force, in whatever order acts and undoings come."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.actors.models import OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.errors import Refused
from fedcollab.base.model import aliased
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.features.discussions import attaching, finding
from fedcollab.features.discussions.models import Post, PostRevision, Thread

from .models import ModerationAct

# A post: removed by the group's home, hidden on this node alone, not taken by its host, deleted by its author before it came here.
REMOVE, HIDE, LATE, DELETE = "remove", "hide", "late", "delete"
LOCK = "lock"


@dataclass(frozen=True)
class Act:
    """An act as it is recorded. `uri` is its activity's id, `context` its conversation's uri, `at` when it was done."""

    uri: str
    kind: str
    object_uri: str
    context: str
    group_id: str | None
    by_id: str | None
    reason: str
    at: int


def begin(session: Session, node: Node, act: Act) -> bool:
    """Records an act and gives it its effect; False where it was known. One that was undone before it came has none.

    Raises Refused where its id is taken by another act."""
    there = _by_uri(session, act.uri, act.kind, act.object_uri, act.group_id)
    if there is not None and there.at is not None:
        return False
    author_id = session.scalar(sa.select(Post.author_id).where(Post.uri == act.object_uri))
    values = dict(by_id=act.by_id, reason=act.reason, at=act.at, context=act.context, author_id=author_id)
    if there is None:
        fixed = dict(id=new_id(node.now()), uri=act.uri, kind=act.kind, object_uri=act.object_uri, group_id=act.group_id)
        session.execute(sa.insert(ModerationAct).values(**fixed, **values))
    else:
        session.execute(sa.update(ModerationAct).where(ModerationAct.uri == act.uri).values(**values))
    _settle(session, node, act.kind, act.object_uri)
    return True


def end(session: Session, node: Node, act: Act) -> bool:
    """Undoes the act of this `uri`, for `act.reason`, also before it has come; False where it was undone already."""
    there = _by_uri(session, act.uri, act.kind, act.object_uri, act.group_id)
    if there is not None and there.undone_at is not None:
        return False
    values = dict(undone_at=act.at, undone_reason=act.reason, told_at=None)
    if there is None:
        fixed = dict(id=new_id(node.now()), uri=act.uri, kind=act.kind, object_uri=act.object_uri, group_id=act.group_id)
        session.execute(sa.insert(ModerationAct).values(**fixed, **values, context=act.context))
    else:
        session.execute(sa.update(ModerationAct).where(ModerationAct.uri == act.uri).values(**values))
    _settle(session, node, act.kind, act.object_uri)
    return True


def _by_uri(session: Session, uri: str, kind: str, object_uri: str, group_id: str | None) -> Any:
    columns = (ModerationAct.kind, ModerationAct.object_uri, ModerationAct.group_id, ModerationAct.at, ModerationAct.undone_at)
    row = session.execute(sa.select(*columns).where(ModerationAct.uri == uri)).one_or_none()
    if row is not None and (row.kind, row.object_uri, row.group_id) != (kind, object_uri, group_id):
        raise Refused(reason="another act has this id")
    return row


def _settle(session: Session, node: Node, kind: str, object_uri: str) -> None:
    if kind == LOCK:
        settle_thread(session, object_uri)
    else:
        settle_post(session, node, object_uri)


def in_force(session: Session, object_uri: str, group_id: str | None) -> list[tuple[str, str, str]]:
    """(kind, reason, uri) of the acts in force on a post or a conversation of this group, oldest first."""
    rows = prepared(session, _in_force_query(), {"uri": object_uri, "group": group_id})
    return [(row.kind, row.reason, row.uri) for row in rows]


@cache
def _in_force_query() -> sa.Select[Any]:
    columns: list[Any] = [ModerationAct.kind, ModerationAct.reason, ModerationAct.uri]
    stands = sa.and_(ModerationAct.object_uri == sa.bindparam("uri"), ModerationAct.at.is_not(None), ModerationAct.undone_at.is_(None))
    here = ModerationAct.group_id.is_not_distinct_from(sa.bindparam("group"))
    return sa.select(*columns).where(stands, here).order_by(ModerationAct.at, ModerationAct.id)


def before(session: Session, post_uri: str) -> list[tuple[str, str | None]]:
    """(kind, who) of all that was done about a post, be it here or not."""
    return [tuple(row) for row in prepared(session, _before_query(), {"uri": post_uri}).all()]


@cache
def _before_query() -> sa.Select[Any]:
    columns: list[Any] = [ModerationAct.kind, ModerationAct.by_id]
    return sa.select(*columns).where(ModerationAct.object_uri == sa.bindparam("uri"))


def settle_post(session: Session, node: Node, post_uri: str) -> None:
    """Brings a post to the state that its acts say. A removal empties it where neither its author nor the group is of this node; the
    home group sends the text again with the restoring."""
    author, group = aliased(Actor), aliased(Actor)
    columns = (
        Post.id,
        Post.thread_id,
        Post.reply_to,
        Post.deleted_at,
        Thread.group_id,
        author.known.label("author"),
        group.known.label("group"),
    )
    query = sa.select(*columns).join(Thread, Thread.id == Post.thread_id).join(author, author.id == Post.author_id)
    row = session.execute(query.join(group, group.id == Thread.group_id).where(Post.uri == post_uri)).one_or_none()
    if row is None:
        return
    why: dict[str, str] = {}
    for kind, reason, _ in in_force(session, post_uri, row.group_id):
        why.setdefault(kind, reason)
    values: dict[str, Any] = dict(removed=why.get(REMOVE), hidden=why.get(HIDE), refused=why.get(LATE))
    emptied = REMOVE in why and OWN not in (row.author, row.group)
    if emptied:
        values |= dict(html="", source="")
        session.execute(sa.delete(PostRevision).where(PostRevision.post_id == row.id))
        attaching.drop(session, node, row.id)
    session.execute(sa.update(Post).where(Post.id == row.id).values(**values))
    if not row.reply_to:
        title = dict(title="") if emptied else {}
        untitled = REMOVE in why or HIDE in why or row.deleted_at is not None
        session.execute(sa.update(Thread).where(Thread.id == row.thread_id).values(untitled=untitled, **title))
    finding.follow(session, row.id)


def settle_thread(session: Session, thread_uri: str) -> None:
    """Brings a conversation to the state that its acts say, in each group that has one by this name."""
    for thread_id, group_id, locked in prepared(session, _named_query(), {"uri": thread_uri}):
        why = next((reason for kind, reason, _ in in_force(session, thread_uri, group_id) if kind == LOCK), None)
        if why != locked:
            session.execute(sa.update(Thread).where(Thread.id == thread_id).values(locked=why))


def settle_new(session: Session, thread_id: str, thread_uri: str, group_id: str) -> None:
    """As `settle_thread`, for one that has just been made: its acts may have come before it."""
    for kind, reason, _ in in_force(session, thread_uri, group_id):
        if kind == LOCK:
            session.execute(sa.update(Thread).where(Thread.id == thread_id).values(locked=reason))
            return


@cache
def _named_query() -> sa.Select[Any]:
    columns: list[Any] = [Thread.id, Thread.group_id, Thread.locked]
    return sa.select(*columns).where(Thread.uri == sa.bindparam("uri"))
