"""Decides how conversations and groups are listed for other servers: collections in pages by key, as far as the asking partner may see."""

import json
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from fedcollab.access import policy
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN
from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import outbox
from fedcollab.federation.kernel import KERNEL
from fedcollab.federation.models import Activity
from fedcollab.federation.views import document_answer, partner_viewer

from . import groups, reading
from .models import LAST, Post

POSTS, ANNOUNCES = 100, 40
NEWEST = "newest"


async def get_conversation(request: web.Request) -> web.Response:
    """What a `context` of ours resolves to (FEP-7888, f228): how many posts there are, whose group it is in, where the first page is."""
    return await _answer(request, conversation)


async def get_posts(request: web.Request) -> web.Response:
    """A page of a conversation: its posts' ids in the group's order."""
    return await _answer(request, posts, request.query.get("after", ""))


async def get_followers(request: web.Request) -> web.Response:
    """How many organisations follow a group of ours; which ones stands in its signed list alone."""
    return await _answer(request, followers)


async def get_outbox(request: web.Request) -> web.Response:
    """What a group of ours has announced, newest first, each with its proof; a page, or where the first one is."""
    return await _answer(request, announced, request.query.get("before", ""))


async def _answer(request: web.Request, read: Any, *key: str) -> web.Response:
    viewer, kernel = await partner_viewer(request), request.app[KERNEL]
    return document_answer(await kernel.database.read(read, kernel.node, viewer, request.match_info["id"], *key))


def conversation(session: Session, node: Node, viewer: Viewer, thread_id: str) -> dict[str, Any]:
    """The collection of a conversation whose id is ours. Raises NotFound."""
    thread = _own_thread(session, node, viewer, thread_id)
    group = actors.by_id(session, thread.group_id)
    named = {"name": thread.title} if thread.title else {}
    there = sa.select(sa.func.count()).select_from(Post).where(*_seen(viewer, thread_id))
    return {
        "@context": ap.CONTEXT,
        "id": thread.uri,
        "type": "OrderedCollection",
        **named,
        "attributedTo": group.uri,
        "audience": group.uri,
        "totalItems": session.execute(there).scalar_one(),
        "first": thread.uri + "/posts",
    }


def posts(session: Session, node: Node, viewer: Viewer, thread_id: str, after: str = "") -> dict[str, Any]:
    """The page after the key `place-id`. Raises NotFound."""
    thread = _own_thread(session, node, viewer, thread_id)
    place, _, row_id = after.partition("-")
    query = sa.select(Post.uri, Post.place, Post.id).where(*_seen(viewer, thread_id))
    if place.isascii() and place.isdigit() and len(place) < 19:
        query = query.where(sa.tuple_(Post.place, Post.id) > sa.tuple_(sa.literal(int(place)), sa.literal(row_id[:36])))
    rows = session.execute(query.order_by(Post.place, Post.id).limit(POSTS)).all()
    uri = thread.uri + "/posts"
    following = {"next": f"{uri}?after={rows[-1].place}-{rows[-1].id}"} if len(rows) == POSTS else {}
    return _page(uri + (f"?after={after}" if after else ""), thread.uri, [row.uri for row in rows], following)


def _own_thread(session: Session, node: Node, viewer: Viewer, thread_id: str) -> reading.ThreadData:
    """A conversation by the address that is its id; under another server's id it is not ours to list."""
    thread = reading.thread_row(session, viewer, thread_id)
    if thread.uri != node.settings.uri(f"/threads/{thread_id}"):
        raise NotFound()
    return thread


def _seen(viewer: Viewer, thread_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return Post.thread_id == thread_id, Post.place < LAST, Post.deleted_at.is_(None), policy.visible(Post, viewer)


def followers(session: Session, node: Node, viewer: Viewer, group_id: str) -> dict[str, Any]:
    """A group's followers as a number. Raises NotFound."""
    group = _own_group(session, viewer, group_id)
    audience, me = groups.audience_of(session, group_id), actors.own(session, node)
    number = len(outbox.followers(session, audience.id, me.id, group_id))
    return {"@context": ap.CONTEXT, "id": group.uri + "/followers", "type": "OrderedCollection", "totalItems": number}


def announced(session: Session, node: Node, viewer: Viewer, group_id: str, before: str = "") -> dict[str, Any]:
    """A group's outbox or, after the key `before` (an activity's row id), a page of it. It holds what `viewer` may see of the next 40,
    so that a page costs the same whatever is hidden: one may be empty and have a next. Raises NotFound."""
    uri = _own_group(session, viewer, group_id).uri + "/outbox"
    if not before:
        return {"@context": ap.CONTEXT, "id": uri, "type": "OrderedCollection", "first": f"{uri}?before={NEWEST}"}
    query = sa.select(Activity.id, Activity.object_uri, Activity.body).where(Activity.actor_id == group_id, Activity.type == "Announce")
    if before != NEWEST:
        query = query.where(Activity.id < before[:36])
    rows = session.execute(query.order_by(Activity.id.desc()).limit(ANNOUNCES)).all()
    about = Post.uri.in_({row.object_uri for row in rows})
    there = sa.and_(Post.deleted_at.is_(None), Post.removed.is_(None))
    open_to = set(session.scalars(sa.select(Post.uri).where(about, there, policy.visible(Post, viewer))))
    following = {"next": f"{uri}?before={rows[-1].id}"} if len(rows) == ANNOUNCES else {}
    bodies = [json.loads(row.body) for row in rows if row.object_uri in open_to and row.body]
    form = dict if viewer.organisation_id else str  # partners are told activities, servers outside what they are about
    return _page(f"{uri}?before={before}", uri, [body for body in bodies if isinstance(body["object"], form)], following)


def _own_group(session: Session, viewer: Viewer, group_id: str) -> actors.ActorData:
    group = reading.group(session, viewer, group_id).actor
    if group.known != OWN:
        raise NotFound()
    return group


def _page(uri: str, whole: str, items: list[Any], following: dict[str, str]) -> dict[str, Any]:
    return {"@context": ap.CONTEXT, "id": uri, "type": "OrderedCollectionPage", "partOf": whole, **following, "orderedItems": items}


ROUTES = (
    web.get("/threads/{id}/posts", get_posts),
    web.get("/groups/{id}/followers", get_followers),
    web.get("/groups/{id}/outbox", get_outbox),
)
