"""Decides what moderators see and do: the queue of reports, removing and restoring a post, locking and opening a conversation."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from fedcollab.access.viewer import Viewer
from fedcollab.base.errors import FedcollabError, NotFound
from fedcollab.base.session import Session
from fedcollab.base.web import read_form, redirect, words_of
from fedcollab.feature import member_of, page, viewer_of
from fedcollab.features.discussions import reading
from fedcollab.features.discussions.reading import GroupData, ThreadData
from fedcollab.federation.kernel import KERNEL

from . import acting, decide, flags, records

Work = Callable[..., Any]


def moderator_of(request: web.Request) -> Viewer:
    """The moderator (or admin) who is signed in; for everybody else the page does not exist."""
    viewer = member_of(request)
    if not viewer.moderates:
        raise NotFound()
    return viewer


async def show_queue(request: web.Request) -> web.Response:
    """Posts with open reports."""
    return await _queue(request, moderator_of(request))


async def _queue(request: web.Request, viewer: Viewer, wrong: FedcollabError | None = None, **typed: str) -> web.Response:
    posts = await request.app[KERNEL].database.read(records.queue, viewer)
    return page(
        request,
        "discussions/moderation.html",
        status=wrong.status if wrong else 200,
        posts=posts,
        reasons=flags.REASONS,
        errors={f"reason-{typed['post']}": wrong.in_words(words_of(request))} if wrong else {},
        typed=typed,
    )


async def answer_reports(request: web.Request) -> web.Response:
    """Answers the reports of one post."""
    viewer, fields, kernel = moderator_of(request), await read_form(request), request.app[KERNEL]
    post_id, act, reason = request.match_info["id"], fields.get("act", ""), fields.get("reason", "")
    try:
        await kernel.database.write(decide.decide, kernel.node, viewer, post_id, act, reason)
    except FedcollabError as error:
        if error.status == 404:
            raise
        return await _queue(request, viewer, error, post=post_id, act=act, reason=reason)
    return redirect("/moderation")


async def moderate_post(request: web.Request) -> web.Response:
    """Removes a post or restores it: the page says what that does, and where."""
    viewer, kernel, post_id = moderator_of(request), request.app[KERNEL], request.match_info["id"]
    post = await kernel.database.read(records.one, viewer, post_id)
    back = (post.removed if post.ours else post.hidden) is not None
    work = acting.restore if back else acting.remove
    comes_back = not post.ours or await kernel.database.read(acting.comes_back, viewer, post_id)
    shown = {"post": post, "back": back, "comes_back": comes_back}
    return await _act(request, viewer, work, post_id, "discussions/moderate_post.html", f"/posts/{post_id}", shown)


async def moderate_thread(request: web.Request) -> web.Response:
    """Locks a conversation or opens it again."""
    viewer, kernel, thread_id = moderator_of(request), request.app[KERNEL], request.match_info["id"]
    thread, group = await kernel.database.read(_thread, viewer, thread_id)
    work = acting.lock if thread.locked is None else acting.unlock
    shown = {"thread": thread, "group": group}
    return await _act(request, viewer, work, thread_id, "discussions/moderate_thread.html", f"/threads/{thread_id}", shown)


def _thread(session: Session, viewer: Viewer, thread_id: str) -> tuple[ThreadData, GroupData]:
    thread = reading.thread_row(session, viewer, thread_id)
    return thread, reading.group(session, viewer, thread.group_id)


async def _act(
    request: web.Request, viewer: Viewer, work: Work, subject_id: str, template: str, back_to: str, shown: dict[str, Any]
) -> web.Response:
    """The form that asks why, and doing it."""
    kernel, reason, errors, status = request.app[KERNEL], "", dict[str, str](), 200
    if request.method == "POST":
        reason = (await read_form(request)).get("reason", "")
        try:
            await kernel.database.write(work, kernel.node, viewer, subject_id, reason)
            return redirect(back_to)
        except FedcollabError as error:
            errors, status = {"reason": error.in_words(words_of(request))}, error.status
    return page(request, template, status=status, reason=reason, errors=errors, **shown)


async def show_log(request: web.Request) -> web.Response:
    """What moderators did in a conversation, for everybody who reads it."""
    viewer, thread_id = viewer_of(request), request.match_info["id"]

    def read(session: Session) -> tuple[ThreadData, GroupData, list[records.Entry]]:
        thread, group = _thread(session, viewer, thread_id)
        return thread, group, records.log(session, viewer, thread_id)

    thread, group, entries = await request.app[KERNEL].database.read(read)
    return page(request, "discussions/log.html", thread=thread, group=group, entries=entries)
