"""Decides how members write: a new conversation, an answer, a change, a deletion; whatever goes wrong, what was typed stays."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiDictProxy

from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import OWN
from fedcollab.base import markup
from fedcollab.base.clock import new_id
from fedcollab.base.errors import FedcollabError, N_, Refused
from fedcollab.base.session import Session
from fedcollab.base.web import check_form, check_origin, read_fields, read_form, redirect, words_of
from fedcollab.feature import member_of, page
from fedcollab.federation import partners
from fedcollab.federation.kernel import KERNEL
from fedcollab.files.service import FileData

from . import attaching, drafts, mentions, reading, service, thanks, views
from .reach import Reach, reach
from .views import NOTHING, Shown

Fields = MultiDictProxy[str]
ASK = N_("Some organisations in this group are no partners of ours, or blocked by us. Tick the box to say that they may read this.")


Show = Callable[[web.Request, Viewer, Shown], Awaitable[web.Response]]
Post = Callable[..., service.Posted]


async def compose(request: web.Request) -> web.Response:
    """The composer for a new conversation."""
    return await _composer(request, member_of(request), NOTHING)


async def post_thread(request: web.Request) -> web.Response:
    """Sends, previews or keeps a new conversation."""
    return await _take(request, _composer, service.post_thread)


async def post_reply(request: web.Request) -> web.Response:
    """Sends, previews or keeps an answer."""
    return await _take(request, _thread, service.post_reply)


async def _composer(request: web.Request, viewer: Viewer, shown: Shown) -> web.Response:
    group_id = request.match_info["id"]

    def read(session: Session) -> tuple[reading.GroupData, Reach, tuple[str, str], list[FileData]]:
        group = reading.group(session, viewer, group_id)
        waiting = attaching.chosen(session, viewer, group_id, shown.files, views.came_with(request))
        return group, reach(session, group), reading.draft(session, viewer, group_id), waiting

    group, reached, draft, waiting = await request.app[KERNEL].database.read(read)
    values = dict(zip(("title", "text"), draft if shown.text is None else (shown.title, shown.text), strict=True))
    return page(
        request,
        "discussions/compose.html",
        status=shown.status,
        group=group,
        reach=reached,
        values=values,
        errors=shown.errors,
        preview=shown.preview,
        once=new_id(),
        waiting=waiting,
    )


async def _thread(request: web.Request, viewer: Viewer, shown: Shown) -> web.Response:
    return await views.thread_page(request, viewer, request.match_info["id"], shown)


async def _take(request: web.Request, show: Show, post: Post) -> web.Response:
    """A filled composer. Who is signed out is led to the login page, through which the browser carries the text back here."""
    fields, viewer = await read_fields(request), member_of(request)
    title, text = fields.get("title", ""), fields.get("text", "")
    files = tuple(fields.getall("file", ()))
    if "next" in fields:  # it came through the login page: shown again, nothing stored before its author says so
        check_origin(request)
        return await show(request, viewer, Shown(title, text, files=files))
    try:
        check_form(request, fields)
        act, place = fields.get("act"), request.match_info["id"]
        if act in ("preview", "keep", "file"):
            html = await _keep(request, viewer, place, title, text, files)
            if act == "file":
                return redirect(f"/attach/{place}")
            return await show(request, viewer, Shown(title, text, preview=html if act == "preview" else "", files=files))
        made = await _send(request, viewer, fields, post, files)
    except FedcollabError as error:
        about = "sure" if error.text == ASK else "title" if "title" in fields and not title.strip() else "text"
        words = error.in_words(words_of(request))
        return await show(request, viewer, Shown(title, text, {about: words}, status=error.status, files=files))
    return redirect(f"/posts/{made.post_id}" if post is service.post_reply else f"/threads/{made.thread_id}")


async def _send(request: web.Request, viewer: Viewer, fields: Fields, post: Post, files: Sequence[str]) -> service.Posted:
    kernel, place = request.app[KERNEL], request.match_info["id"]
    consent = await kernel.database.read(_consent, viewer, place)
    if consent and fields.get("sure") != consent:
        raise Refused(ASK)
    names = ("text",) if post is service.post_reply else ("title", "text")
    written: dict[str, Any] = {name: fields.get(name, "") for name in names}
    return await kernel.database.write(
        post, kernel.node, viewer, place, **written, language=words_of(request).language, once=fields.get("once", ""), files=files
    )


def _consent(session: Session, viewer: Viewer, place: str) -> str:
    """The author's yes to the organisations inside that need one, as they are now; `place` is a thread or a group."""
    group_id = reading.group_of(session, viewer, place)
    return reach(session, reading.group(session, viewer, group_id)).consent


async def _keep(request: web.Request, viewer: Viewer, place: str, title: str, text: str, files: Sequence[str]) -> str:
    """Keeps a form in mid-composition and answers it as it will look. Raises TooLarge before anything would be cut."""
    kernel, html = request.app[KERNEL], await asyncio.to_thread(markup.render, text)
    await kernel.database.write(drafts.save_draft, kernel.node, viewer, place, title=title, text=text, files=files)
    return await kernel.database.read(_named, viewer, place, text, html) if "@" in text else html


def _named(session: Session, viewer: Viewer, place: str, text: str, html: str) -> str:
    """With a link for each person whom it will tell."""
    group = reading.group(session, viewer, reading.group_of(session, viewer, place))
    return mentions.at_home(session, [mentions.name(session, group.actor, text, html)[0]])[0]


async def preview(request: web.Request) -> web.Response:
    """The text as it will look, for htmx to put beside the form; it is kept by the way."""
    return await _beside(request, "discussions/preview.html")


async def keep(request: web.Request) -> web.Response:
    """Keeps what is being typed, for htmx; answers one line."""
    return await _beside(request, "discussions/kept.html")


async def _beside(request: web.Request, template: str) -> web.Response:
    viewer, fields = member_of(request), await read_form(request)
    files = fields.getall("file", [])[: attaching.MOST]
    html = await _keep(request, viewer, request.match_info["id"], fields.get("title", ""), fields.get("text", ""), files)
    return page(request, template, preview=html, title=fields.get("title", ""))


async def attach(request: web.Request) -> web.Response:
    """The form that adds a file to what somebody is writing, and, once it is here, the way back to that."""
    viewer, place = member_of(request), request.match_info["id"]

    def read(session: Session) -> tuple[bool, Reach]:
        group_id = reading.group_of(session, viewer, place)
        return group_id == place, reach(session, reading.group(session, viewer, group_id))

    opens, reached = await request.app[KERNEL].database.read(read)
    back = f"/groups/{place}/new" if opens else f"/threads/{place}"
    if came := views.came_with(request):
        return redirect(f"{back}?{urlencode([('file', one) for one in came])}#files")
    return page(request, "discussions/attach.html", to=f"/attach/{place}", back=back, reach=reached)


async def edit_post(request: web.Request) -> web.Response:
    """The form to change an own post, and changing it. Who is signed out comes back to it by way of the login page, as in `_take`."""
    fields = await read_fields(request) if request.method == "POST" else None
    viewer, kernel, post_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    errors: dict[str, str] = {}
    post, reached, alone = await kernel.database.read(_own, viewer, post_id)
    carried = await kernel.database.read(attaching.of_post, post_id)
    text, status = post.source if fields is None else fields.get("text", ""), 200
    without = [] if fields is None else fields.getall("without", [])
    if fields is not None and "next" in fields:
        check_origin(request)
    elif fields is not None:
        try:
            check_form(request, fields)
            await kernel.database.write(service.edit, kernel.node, viewer, post_id, text=text, without=without)
            return redirect(f"/posts/{post_id}")
        except FedcollabError as error:
            errors, status = {"text": error.in_words(words_of(request))}, error.status
    shown = dict(post=post, reach=reached, alone=alone, text=text, errors=errors, files=carried, without=without)
    return page(request, "discussions/edit.html", status=status, **shown)


def _own(session: Session, viewer: Viewer, post_id: str) -> tuple[reading.OwnPost, Reach, bool]:
    """A post of the viewer's, who can see it, and whether a change of it stays on our node, for its group's host is no partner any more."""
    post = reading.own_post(session, viewer, post_id)
    host = post.group.actor
    return post, reach(session, post.group), host.known != OWN and not partners.talks_with(session, host.host)


async def delete_post(request: web.Request) -> web.Response:
    """Says what deleting does and cannot do, then does it."""
    viewer, kernel, post_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    post, reached, alone = await kernel.database.read(_own, viewer, post_id)
    if request.method == "POST":
        await read_form(request)
        await kernel.database.write(service.delete, kernel.node, viewer, post_id)
        return redirect(f"/threads/{post.thread_id}")
    return page(request, "discussions/delete.html", post=post, reach=reached, alone=alone)


async def thank_post(request: web.Request) -> web.Response:
    """Says thanks for a post, or takes it back, and leads back to it."""
    viewer, kernel, post_id, fields = member_of(request), request.app[KERNEL], request.match_info["id"], await read_form(request)
    work = thanks.unthank if fields.get("act") == "unthank" else thanks.thank
    await kernel.database.write(work, kernel.node, viewer, post_id)
    return redirect(f"/posts/{post_id}")
