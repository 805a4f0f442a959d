"""Decides what members do themselves about posts: report one, read what became of it, mute a person or a conversation."""

from typing import Any

from aiohttp import web

from fedcollab.access.viewer import Viewer
from fedcollab.base.errors import FedcollabError
from fedcollab.base.session import Session
from fedcollab.base.web import read_fields, read_form, redirect, words_of
from fedcollab.feature import came_back, member_of, page
from fedcollab.federation.kernel import KERNEL

from . import flags, muting, records


async def report(request: web.Request) -> web.Response:
    """The form for a report, which says who will get it, and sending it. Who is signed out comes back to it by way of the login page."""
    fields = await read_fields(request) if request.method == "POST" else None
    viewer, kernel, post_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    values: dict[str, str] = {"reason": "", "text": "", "host": "yes", "author": "yes"}
    errors, status = dict[str, str](), 200
    if fields is not None:
        values = {name: fields.get(name, "") for name in values}
        chosen: dict[str, Any] = {"host": bool(values["host"]), "author": bool(values["author"])}
    try:
        if fields is not None and not came_back(request, fields):
            await kernel.database.write(flags.make, kernel.node, viewer, post_id, reason=values["reason"], text=values["text"], **chosen)
            return redirect("/reports?sent=1")
    except FedcollabError as error:
        about = "text" if values["reason"] in flags.REASONS else "reason"
        errors, status = {about: error.in_words(words_of(request))}, error.status

    def read(session: Session) -> tuple[records.Reported, flags.Recipients]:
        return records.one(session, viewer, post_id), flags.recipients(session, flags.reported(session, viewer, post_id))

    post, recipients = await kernel.database.read(read)
    shown: dict[str, Any] = {"post": post, "recipients": recipients, "reasons": flags.REASONS}
    return page(request, "discussions/report.html", status=status, values=values, errors=errors, **shown)


async def show_reports(request: web.Request) -> web.Response:
    """What a member has reported and what became of it, and what moderators did with the member's own posts."""
    viewer = member_of(request)

    def read(session: Session) -> tuple[list[records.Made], list[records.Told]]:
        return records.made(session, viewer), records.told(session, viewer)

    made, told = await request.app[KERNEL].database.read(read)
    sent = "sent" in request.query
    return page(request, "discussions/reports.html", made=made, told=told, reasons=flags.REASONS, sent=sent)


async def read_notices(request: web.Request) -> web.Response:
    """The member has read what was done with their posts."""
    viewer, kernel = member_of(request), request.app[KERNEL]
    await read_form(request)
    await kernel.database.write(records.read_by_author, viewer, kernel.node.now())
    return redirect("/")


async def show_muted(request: web.Request) -> web.Response:
    """Whom and what the member has muted."""
    people, threads = await request.app[KERNEL].database.read(muting.listed, member_of(request))
    return page(request, "discussions/muted.html", people=people, threads=threads)


async def change_muted(request: web.Request) -> web.Response:
    """Mutes or shows again, and leads back to the list."""
    viewer, fields, kernel = member_of(request), await read_form(request), request.app[KERNEL]
    await kernel.database.write(_change, kernel.node, viewer, fields.get("subject", ""), again=fields.get("act") == "show")
    return redirect("/settings/muted")


def _change(session: Session, node: Any, viewer: Viewer, subject_id: str, *, again: bool) -> None:
    if again:
        muting.unmute(session, viewer, subject_id)
    else:
        muting.mute(session, node, viewer, subject_id)
