"""Decides how a conversation is closed into a resource: what of it may stand there, who is named, and that its words reach nobody new."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from fedcollab.access import audit, policy
from fedcollab.access.models import CLEAR, GREEN, STRICT
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import OWN
from fedcollab.actors.node import Node
from fedcollab.base import markup
from fedcollab.base.clock import EPOCH, new_id
from fedcollab.base.errors import FedcollabError, N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.base.web import read_fields, redirect, words_of
from fedcollab.feature import came_back, member_of, page
from fedcollab.features.discussions import groups, reading
from fedcollab.features.discussions.models import Post
from fedcollab.features.discussions.moderation import acting
from fedcollab.features.resources import service as library
from fedcollab.features.resources import shelves
from fedcollab.features.resources.record import Record
from fedcollab.features.resources.words import KINDS, TOPICS
from fedcollab.federation.kernel import KERNEL

from .models import ResourceThread

PAGES = 4  # of fifty posts: what is longer is summed up by hand
QUOTED = 3000  # characters of one post
KIND = "Other"
LISTS = ("topics", "named")  # fields of the form that may come several times


@dataclass(frozen=True)
class Contributor:
    """Somebody who has written in the conversation."""

    id: str
    name: str
    organisation: str
    ours: bool


@dataclass(frozen=True)
class Closing:
    """What stands to be closed. `newcomers` are organisations that read our library and are not in the group: where there are any, only our
    own people's words are put into title and text beforehand. `labels` are those that the resource may have; `may_lock`: the conversation
    can be ended as well."""

    thread: reading.ThreadData
    group: reading.GroupData
    people: tuple[Contributor, ...]
    newcomers: tuple[str, ...]
    labels: tuple[str, ...]
    title: str
    text: str
    may_lock: bool


def look(session: Session, node: Node, viewer: Viewer, thread_id: str) -> Closing:
    """A conversation that the viewer sees, ready to be closed. Raises NotFound."""
    if not viewer.signed_in:
        raise NotFound()
    thread = reading.thread_row(session, viewer, thread_id)
    group = reading.group(session, viewer, thread.group_id)
    there = [post for number in range(1, PAGES + 1) for post in reading.posts(session, viewer, thread_id, number)]
    posts = [post for post in there if not post.deleted_at and not post.touched]
    label = policy.narrowest(group.label, *_labels(session, viewer, thread_id))
    newcomers = _newcomers(session, node, group) if label != CLEAR else ()
    ours = {post.author_id for post in posts if post.known == OWN}
    people = {post.author_id: Contributor(post.author_id, post.author, post.organisation, post.author_id in ours) for post in posts}
    text = "\n\n".join(_quoted(post) for post in posts if post.author_id in ours or not newcomers)
    labels = tuple(one for one in (STRICT, GREEN, CLEAR) if not policy.is_wider(one, label))
    may_lock = viewer.moderates and group.actor.known == OWN and thread.locked is None
    title = thread.title if not newcomers or any(post.author_id in ours for post in there[:1]) else None
    return Closing(thread, group, tuple(people.values()), newcomers, labels, title or "", text, may_lock)


def _labels(session: Session, viewer: Viewer, thread_id: str) -> list[str]:
    """Those of all its posts, however many there are: whoever sums up has read on."""
    seen = sa.and_(Post.thread_id == thread_id, Post.deleted_at.is_(None), policy.visible(Post, viewer))
    return list(session.scalars(sa.select(Post.label).where(seen).distinct()))


def _newcomers(session: Session, node: Node, group: reading.GroupData) -> tuple[str, ...]:
    """The names of organisations inside our library that the group's list does not name."""
    inside = {one.uri for one in groups.inside(session, group.document)}
    return tuple(name for uri, name in shelves.inside(session, node) if uri not in inside)


def _quoted(post: reading.PostView) -> str:
    said = markup.first_words(post.html, QUOTED)
    return f"> {said}\n>\n> {post.author}, {post.organisation}"


def close(
    session: Session,
    node: Node,
    viewer: Viewer,
    thread_id: str,
    record: Record,
    *,
    label: str,
    named: frozenset[str],
    lock: str | None = None,
    once: str = "",
) -> str:
    """Makes the resource, names who is `named` (ids of people who wrote), ties the two together, and ends the conversation where it is to
    be `lock`ed, for the reason given. Answers the resource's id. Raises NotFound, Forbidden, Refused, StorageFull."""
    closing = look(session, node, viewer, thread_id)
    if label not in closing.labels:
        raise Refused(N_("The resource would be for more people than the conversation is. Choose fewer readers."))
    authors = tuple(f"{one.name} ({one.organisation})" for one in closing.people if one.id in named)
    discussion = closing.thread.uri if closing.group.label != STRICT else ""  # of what is ours alone not even the address leaves the node
    made = library.add(session, node, viewer, _with(record, authors), label=label, once=once, discussion=discussion)
    if made.again:
        return made.id
    session.execute(sa.insert(ResourceThread).values(resource_id=made.id, thread_id=thread_id, grew=True))
    if lock is not None and closing.may_lock:
        acting.lock(session, node, viewer, thread_id, lock)
    audit.record(session, node.now(), viewer, "thread.to_library", thread_id)
    return made.id


def _with(record: Record, authors: tuple[str, ...]) -> Record:
    return Record(**{**vars(record), "authors": authors})


async def close_discussion(request: web.Request) -> web.Response:
    """The form, filled from the conversation, and closing it; whatever goes wrong, what was typed stays."""
    fields = await read_fields(request) if request.method == "POST" else None
    viewer, kernel, thread_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    closing = await kernel.database.read(look, kernel.node, viewer, thread_id)
    values, errors, status = _values(request, closing), dict[str, str](), 200
    if fields is not None:
        values = {name: fields.getall(name, []) if name in LISTS else fields.get(name, "") for name in values}
        try:
            if not came_back(request, fields):
                made = await kernel.database.write(
                    close,
                    kernel.node,
                    viewer,
                    thread_id,
                    _record(request, closing, values),
                    label=values["label"],
                    named=frozenset(values["named"]),
                    lock=values["reason"] if values["lock"] else None,
                    once=values["once"],
                )
                return redirect(f"/library/{made}")
        except FedcollabError as error:
            errors, status = {"title": error.in_words(words_of(request))}, error.status
    shown = dict(closing=closing, values=values, errors=errors, KINDS=KINDS, TOPICS=TOPICS)
    return page(request, "flows/close.html", status=status, **shown)


def _values(request: web.Request, closing: Closing) -> dict[str, Any]:
    words = words_of(request)
    named = [one.id for one in closing.people if one.ours or not closing.newcomers]
    text = {
        "title": closing.title,
        "text": closing.text,
        "kind": KIND,
        "label": closing.labels[min(1, len(closing.labels) - 1)],
    }
    reason = words.gettext(N_("Closed into the library: go on there, or begin anew."))
    return text | {"lock": "1", "reason": reason, "once": new_id(), "topics": [], "named": named}


def _record(request: web.Request, closing: Closing, values: dict[str, Any]) -> Record:
    settings, now = request.app[KERNEL].node.settings, request.app[KERNEL].node.now()
    year = (EPOCH + timedelta(microseconds=now)).year
    said = dict(title=values["title"], summary=values["text"], kind=values["kind"] if values["kind"] in KINDS else KIND)
    topics = tuple(code for code in values["topics"] if code in TOPICS)
    return Record(**said, topics=topics, publisher=settings.name, year=year, language=closing.thread.language)
