"""Decides what an author reads of where a post has got to: how many have it, for whom it waits and since when, who did not take it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import Actor
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.federation import receipts
from fedcollab.federation.models import DONE, DROPPED, GIVEN_UP, WAITING, Activity, Delivery, Partner
from fedcollab.federation.receipts import ReceiptData

from .models import Post, Thread
from .reading import PostView

LOOKED, TOLD = 200, 5
HAS, WAITS, GAVE_UP = 0, 1, 2


@dataclass(frozen=True)
class Late:
    """An organisation that does not have all of a post: since when it waits, or, where it was given up, the last answer's status."""

    name: str
    given_up: bool
    since: int
    status: int | None


@dataclass
class Fate:
    """To how many organisations' nodes a post goes, how many have it, and what is the matter with the others."""

    all: int = 0
    have: int = 0
    late: list[Late] = field(default_factory=list)
    receipts: list[ReceiptData] = field(default_factory=list)

    @property
    def confirmed(self) -> int:
        """How many organisations have confirmed the post's deletion."""
        return sum(one.confirmed_at is not None for one in self.receipts)


def of(session: Session, viewer: Viewer, posts: Sequence[PostView], now: int) -> dict[str, Fate]:
    """{post's row id: fate} of the viewer's own posts among these; those that went to nobody, or long ago, have none."""
    mine = {post.uri: post.id for post in posts if post.author_id == viewer.person_id}
    if not mine:
        return {}
    found: dict[str, Fate] = {}
    gone = [post.uri for post in posts if post.uri in mine and post.deleted_at]
    for uri, said in (receipts.of(session, now, gone) if gone else {}).items():
        found.setdefault(mine[uri], Fate()).receipts = said
    for uri, state, number in prepared(session, _counts_query(), {"uris": list(mine)}):
        fate = found.setdefault(mine[uri], Fate())
        fate.all += number
        fate.have += number if state == HAS else 0
    late = [uri for uri, post_id in mine.items() if post_id in found and found[post_id].have < found[post_id].all]
    if late:
        for row in prepared(session, _late_query(), {"uris": late}):
            found[mine[row.object_uri]].late.append(Late(row.name, row.worst == GAVE_UP, row.since, row.status))
    return found


def _authors_own() -> sa.ColumnElement[bool]:
    """Activities that carry what the author did. Others' thanks are about the post as well, and nobody lacks it who lacks those. Our own
    posts' activities are made by us, so that nothing else in them reads so."""
    return ~Activity.body.contains('"type":"Like"', autoescape=True)


def _worst() -> sa.ColumnElement[Any]:
    return sa.func.max(sa.case((Delivery.state == DONE, HAS), (Delivery.state == WAITING, WAITS), else_=GAVE_UP))


@cache
def _counts_query() -> sa.Select[Any]:
    """How many partners have all that was sent of each post, wait for some, or have not taken some."""
    each = sa.select(Activity.object_uri, _worst().label("worst")).join(Delivery, Delivery.activity_id == Activity.id)
    each = each.where(Activity.object_uri.in_(sa.bindparam("uris", expanding=True)), _authors_own(), Delivery.state != DROPPED)
    one = each.group_by(Activity.object_uri, Delivery.partner_id).subquery()
    return sa.select(one.c.object_uri, one.c.worst, sa.func.count()).group_by(one.c.object_uri, one.c.worst)


@cache
def _late_query() -> sa.Select[Any]:
    not_there = Delivery.state.not_in((DONE, DROPPED))
    columns: tuple[Any, ...] = (
        Activity.object_uri,
        Actor.name,
        _worst().label("worst"),
        sa.func.min(Activity.created_at).label("since"),
        sa.func.max(Delivery.status).label("status"),
    )
    query = sa.select(*columns).join(Delivery, Delivery.activity_id == Activity.id).join(Partner, Partner.id == Delivery.partner_id)
    query = query.join(Actor, Actor.id == Partner.organisation_id).group_by(Activity.object_uri, Actor.id, Actor.name)
    return query.where(Activity.object_uri.in_(sa.bindparam("uris", expanding=True)), _authors_own(), not_there).order_by(Actor.name)


@dataclass(frozen=True)
class Undelivered:
    """A post of the viewer's that somebody did not take, or on which their node failed; its conversation's `title` as elsewhere None for
    who may not see the opener, or where moderators took it away."""

    post_id: str
    title: str | None
    names: tuple[str, ...]


def undelivered(session: Session, viewer: Viewer) -> list[Undelivered]:
    """The viewer's newest posts that were given up for some organisation and not put away by an admin. Looked for from the queue, which
    has few of them, not from the posts."""
    gave_up = sa.select(Delivery.activity_id, Actor.name).select_from(Partner).join(Delivery, Delivery.partner_id == Partner.id)
    gave_up = gave_up.join(Actor, Actor.id == Partner.organisation_id).where(Delivery.state.in_(GIVEN_UP))
    who: dict[str, set[str]] = {}
    for activity_id, name in session.execute(gave_up.order_by(Delivery.activity_id.desc()).limit(LOOKED)):
        who.setdefault(activity_id, set()).add(name)
    if not who:
        return []
    title = sa.case((sa.and_(policy.visible(Thread, viewer), Thread.untitled.is_(False)), Thread.title), else_=None).label("title")
    query = sa.select(Post.id, title, Activity.id.label("activity_id")).join(Thread, Thread.id == Post.thread_id)
    query = query.join(Activity, Activity.object_uri == Post.uri).where(
        Activity.id.in_(who), Post.author_id == viewer.person_id, _authors_own()
    )
    found: dict[str, tuple[str | None, set[str]]] = {}
    for row in session.execute(query.order_by(Post.posted_at.desc(), Post.id)):
        found.setdefault(row.id, (row.title, set()))[1].update(who[row.activity_id])
    return [Undelivered(post_id, title, tuple(sorted(names))) for post_id, (title, names) in list(found.items())[:TOLD]]
