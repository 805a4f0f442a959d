"""Decides how a resource gets a conversation: in a group whose people may all read the resource, and tied to it on both pages."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from fedcollab.access import policy
from fedcollab.access.models import CLEAR, GREEN, STRICT
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import OWN
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.errors import FedcollabError, N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.base.web import read_fields, redirect, words_of
from fedcollab.feature import Beside, came_back, member_of, page
from fedcollab.features.discussions import groups, reading
from fedcollab.features.discussions import service as discussions
from fedcollab.features.discussions.composing import ASK
from fedcollab.features.discussions.models import Thread
from fedcollab.features.discussions.reach import Reach, reach
from fedcollab.features.resources import service as library
from fedcollab.features.resources import shelves
from fedcollab.features.resources.models import Resource
from fedcollab.federation.kernel import KERNEL

from .models import ResourceThread

MOST = 20  # resources beside a conversation, and the other way round


@dataclass(frozen=True)
class Topic:
    """A resource to be talked about, and the groups in which nobody would hear of it who may not see it."""

    id: str
    uri: str
    title: str
    language: str
    label: str
    groups: tuple[tuple[reading.GroupData, Reach], ...]


def look(session: Session, node: Node, viewer: Viewer, resource_id: str) -> Topic:
    """A resource that the viewer sees. Raises NotFound."""
    there = sa.and_(Resource.id == resource_id, Resource.deleted_at.is_(None), policy.visible(Resource, viewer))
    columns = (Resource.id, Resource.uri, Resource.title, Resource.language, Resource.label, Resource.organisation_id)
    row = session.execute(sa.select(*columns).where(there)).one_or_none()
    if row is None or not viewer.signed_in:
        raise NotFound()
    ours = row.organisation_id == viewer.organisation_id
    fit = [group for group in reading.groups(session, viewer) if _fits(session, node, group, row.label, ours=ours)]
    open_ones = [group for group in fit if not groups.closed(session, group.actor)]
    return Topic(row.id, row.uri, row.title, row.language, row.label, tuple((group, reach(session, group)) for group in open_ones))


def _fits(session: Session, node: Node, group: reading.GroupData, label: str, *, ours: bool) -> bool:
    """Whether everybody in a group may see a resource. Who may see a partner's, only that partner knows: it is talked of among us."""
    if label == CLEAR:
        return True
    if group.actor.known != OWN:
        return False
    if group.label == STRICT:
        return True
    if label != GREEN or not ours or group.label == CLEAR:
        return False
    inside = {uri for uri, _ in shelves.inside(session, node)}
    return all(one.uri in inside for one in groups.inside(session, group.document))


def begin(session: Session, node: Node, viewer: Viewer, resource_id: str, group_id: str, *, title: str, text: str, once: str) -> str:
    """Opens the conversation, with the resource's address at its end. Answers the thread's id. Raises NotFound, Refused, Forbidden."""
    topic = look(session, node, viewer, resource_id)
    labels = {group.actor.id: group.label for group, _ in topic.groups}
    if group_id not in labels:
        raise Refused(N_("Choose one of the groups in the list: in the others there are people who may not see this resource."))
    said = f"{text.strip()}\n\n{topic.uri}" if text.strip() else ""
    posted = discussions.post_thread(session, node, viewer, group_id, title=title, text=said, language=topic.language, once=once)
    tied = sa.select(ResourceThread.thread_id).where(
        ResourceThread.resource_id == resource_id, ResourceThread.thread_id == posted.thread_id
    )
    if session.execute(tied).first() is None:
        session.execute(sa.insert(ResourceThread).values(resource_id=resource_id, thread_id=posted.thread_id, grew=False))
        uri = session.execute(sa.select(Thread.uri).where(Thread.id == posted.thread_id)).scalar_one()
        if labels[group_id] != STRICT:  # of what is ours alone not even the address leaves the node
            library.tie(session, node, viewer, resource_id, uri)
    return posted.thread_id


def of_resource(session: Session, viewer: Viewer, uri: str) -> list[Beside]:
    """The conversations about a resource that the viewer sees: for its page."""
    row = session.execute(sa.select(Resource.id, Resource.discussion).where(Resource.uri == uri)).one_or_none()
    if row is None:
        return []
    mine = sa.select(ResourceThread.thread_id, ResourceThread.grew).where(ResourceThread.resource_id == row.id)
    newest = mine.order_by(ResourceThread.grew.desc(), ResourceThread.thread_id.desc()).limit(MOST)
    tied = dict(session.execute(newest).all())
    named = session.scalars(sa.select(Thread.id).where(Thread.uri == row.discussion)).all() if row.discussion else []
    found = []
    for thread_id in [*tied, *(one for one in named if one not in tied)]:
        try:
            thread = reading.thread_row(session, viewer, thread_id)
        except NotFound:
            continue
        word = N_("The discussion it grew from") if tied.get(thread_id) else N_("A discussion about it")
        found.append(Beside(f"/threads/{thread.id}", thread.title or "", thread.language, word))
    return found


def of_thread(session: Session, viewer: Viewer, uri: str) -> list[Beside]:
    """The resources that a conversation belongs to and the viewer sees: for its page."""
    rows = prepared(session, _of_thread(), policy.asked_by(viewer) | {"uri": uri})
    return [Beside(f"/library/{row.id}", row.title, row.language, N_("In the library")) for row in rows]


@cache
def _of_thread() -> sa.Select[Any]:
    threads = sa.select(Thread.id).where(Thread.uri == sa.bindparam("uri"))
    tied = sa.select(ResourceThread.resource_id).where(ResourceThread.thread_id.in_(threads))
    named = sa.select(Resource.id).where(Resource.discussion == sa.bindparam("uri"), Resource.discussion != "")
    columns: list[Any] = [Resource.id, Resource.title, Resource.language]
    there = sa.and_(Resource.id.in_(tied.union(named)), Resource.deleted_at.is_(None))
    return sa.select(*columns).where(there, policy.visible(Resource)).limit(MOST)


async def discuss_resource(request: web.Request) -> web.Response:
    """The form: in which group, and the first words; whatever goes wrong, what was typed stays."""
    fields = await read_fields(request) if request.method == "POST" else None
    viewer, kernel, resource_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    topic = await kernel.database.read(look, kernel.node, viewer, resource_id)
    values, errors, status = {"group": "", "title": topic.title, "text": "", "once": new_id()}, dict[str, str](), 200
    if fields is not None:
        values = {name: fields.get(name, "") for name in values}
        try:
            if not came_back(request, fields):
                _check_consent(topic, values["group"], fields.get("sure", ""))
                written = dict(title=values["title"], text=values["text"], once=values["once"])
                thread_id = await kernel.database.write(begin, kernel.node, viewer, resource_id, values["group"], **written)
                return redirect(f"/threads/{thread_id}")
        except FedcollabError as error:
            errors, status = {"sure" if error.text == ASK else "text": error.in_words(words_of(request))}, error.status
    asked = next((reach for group, reach in topic.groups if group.actor.id == values["group"] and "sure" in errors), None)
    return page(request, "flows/discuss.html", status=status, topic=topic, values=values, errors=errors, asked=asked)


def _check_consent(topic: Topic, group_id: str, sure: str) -> None:
    """As in a group's own composer. Raises Refused where organisations are inside that need the author's yes, and it is not there."""
    if any(group.actor.id == group_id and reach.consent not in ("", sure) for group, reach in topic.groups):
        raise Refused(ASK)
