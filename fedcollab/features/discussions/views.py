"""Decides what people see of discussions: home, groups, threads, a post's history; and the documents that partners fetch."""

import contextlib
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from fedcollab.access.models import AMBER, CLEAR, GREEN, RED, STRICT
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import GROUP
from fedcollab.base import markup
from fedcollab.base.clock import new_id
from fedcollab.base.errors import Conflict, NotFound, Refused, Unavailable
from fedcollab.base.session import Session
from fedcollab.base.web import page_key, page_number, read_fields, read_form, redirect, wants_document, words_of
from fedcollab.feature import THREAD, Beside, beside, came_back, home_notes, member_of, page, viewer_of
from fedcollab.federation import receipts
from fedcollab.federation.kernel import KERNEL
from fedcollab.federation.verdicts import why_given_up
from fedcollab.federation.views import document_answer, own_document, partner_viewer

from . import attaching, groups, looking, mentions, paging, progress, public, reading, service
from .reach import Reach, reach


async def home(request: web.Request) -> web.Response:
    """A member's home: what is new, in all groups; for everybody else the landing page with what is public."""
    viewer = viewer_of(request)
    found = await request.app[KERNEL].database.read(looking.home, viewer)
    template = "discussions/home.html" if viewer.signed_in else "discussions/landing.html"
    return page(request, template, home_notes=await home_notes(request), **vars(found))


async def list_groups(request: web.Request) -> web.Response:
    viewer = viewer_of(request)

    def read(session: Session) -> list[tuple[reading.GroupData, Reach]]:
        return [(g, reach(session, g)) for g in reading.groups(session, viewer)]

    return page(request, "discussions/groups.html", groups=await request.app[KERNEL].database.read(read))


async def new_group(request: web.Request) -> web.Response:
    """The form for a group, and making it. Who is signed out comes back by way of the login page with what was typed."""
    fields = await read_fields(request) if request.method == "POST" else None
    viewer, kernel = member_of(request), request.app[KERNEL]
    if not viewer.moderates:
        raise NotFound()
    values: dict[str, str] = {"slug": "", "name": "", "summary": "", "label": GREEN, "history": ""}
    errors: dict[str, str] = {}
    if fields is not None:
        values |= {name: fields.get(name, "") for name in values}
    if fields is not None and not came_back(request, fields):
        try:
            made = await kernel.database.write(
                groups.create,
                kernel.node,
                viewer,
                slug=values["slug"].strip(),
                name=values["name"],
                label=values["label"],
                summary=markup.as_html(values["summary"][:2000]),
                history=bool(values["history"]),
            )
            return redirect(f"/groups/{made.id}")
        except (Refused, Conflict) as error:
            good_slug = groups.SLUG.fullmatch(values["slug"].strip()) and not isinstance(error, Conflict)
            errors = {"name" if good_slug else "slug": error.in_words(words_of(request))}
    labels = (CLEAR, GREEN, STRICT, AMBER, RED)
    return page(request, "discussions/new_group.html", status=422 if errors else 200, values=values, errors=errors, labels=labels)


async def show_group(request: web.Request) -> web.Response:
    kernel, group_id = request.app[KERNEL], request.match_info["id"]
    if wants_document(request):
        return await _group_document(request)
    viewer, before = viewer_of(request), page_key(request.query.get("before", ""))

    def read(session: Session) -> tuple[reading.GroupData, Reach, str, list[reading.ListedThread], str, list[receipts.ReceiptData]]:
        group = reading.group(session, viewer, group_id)
        said = receipts.of(session, kernel.node.now(), [group.actor.uri]).get(group.actor.uri, []) if viewer.moderates else []
        closed = groups.closed(session, group.actor) if viewer.signed_in else ""
        found = reading.threads(session, viewer, group_id, before)
        more = f"{found[-1].last_post_at}-{found[-1].id}" if len(found) == reading.THREADS else ""
        return group, reach(session, group), closed, reading.as_public(session, viewer, found), more, said

    group, reached, closed, threads, more, said = await kernel.database.read(read)
    return page(request, "discussions/group.html", group=group, reach=reached, closed=closed, threads=threads, more=more, receipts=said)


async def narrow_group(request: web.Request) -> web.Response:
    """Takes a public group back to the partners inside."""
    viewer, kernel, group_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    await read_form(request)
    await kernel.database.read(reading.group, viewer, group_id)
    await kernel.database.write(public.narrow, kernel.node, viewer, group_id)
    return redirect(f"/groups/{group_id}")


async def _group_document(request: web.Request) -> web.Response:
    viewer, kernel = await partner_viewer(request), request.app[KERNEL]
    group = await kernel.database.read(reading.group, viewer, request.match_info["id"])
    if not viewer.organisation_id:
        return document_answer(await kernel.database.read(public.document, kernel.node, group.actor))
    return await own_document(request, request.path, GROUP)


async def show_thread(request: web.Request) -> web.Response:
    if wants_document(request):
        return await paging.get_conversation(request)
    return await thread_page(request, viewer_of(request), request.match_info["id"])


@dataclass(frozen=True)
class Shown:
    """A composer as the page shows it again: what was typed and which files go with it (None: the draft's), what was wrong, the preview."""

    title: str = ""
    text: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    preview: str = ""
    status: int = 200
    files: tuple[str, ...] | None = None


NOTHING = Shown()


def came_with(request: web.Request) -> list[str]:
    """The ids of files that have just been uploaded for what is being written."""
    return request.query.getall("file", [])[: attaching.MOST]


async def thread_page(request: web.Request, viewer: Viewer, thread_id: str, shown: Shown = NOTHING) -> web.Response:
    """A page of a thread with its answer form."""
    kernel = request.app[KERNEL]
    number = page_number(request.query.get("page", ""))

    def look(session: Session) -> tuple[looking.Conversation, list[Beside]]:
        seen = looking.conversation(session, viewer, thread_id, number, kernel.node.now(), (shown.files, came_with(request)))
        return seen, beside(request, session, THREAD, seen.thread.uri)

    found, goes_with = await kernel.database.glance(look)
    pages = max(number if found.posts else 1, -(-found.thread.posts // reading.POSTS))  # own posts that wait are not counted yet
    seen = found.thread.posts if number >= pages else max((p.place for p in found.posts if p.confirmed_at), default=0)
    with contextlib.suppress(Unavailable):  # a full disk stops nobody from reading
        if viewer.signed_in and seen > found.read_place:
            await kernel.database.write(progress.mark_read, viewer, thread_id, seen)
        if found.unseen:
            await kernel.database.write(mentions.see, kernel.node, viewer, found.unseen)
    return page(
        request,
        "discussions/thread.html",
        status=shown.status,
        **vars(found),
        goes_with=goes_with,
        why=lambda status: why_given_up(status, words_of(request)),
        errors=shown.errors,
        text=found.draft if shown.text is None else shown.text,
        preview=shown.preview,
        number=number,
        pages=pages,
        once=new_id(),
        may_write=viewer.signed_in,
    )


async def show_post(request: web.Request) -> web.Response:
    """A post's address: its place in its thread, or its document for partners."""
    viewer = await partner_viewer(request) if wants_document(request) else viewer_of(request)
    kernel, post_id = request.app[KERNEL], request.match_info["id"]
    row = await kernel.database.read(reading.post_row, viewer, post_id)
    if wants_document(request):
        document = await kernel.database.read(_post_document, post_id)
        return document_answer(document, status=410 if document["type"] == "Tombstone" else 200)
    number = row.before // reading.POSTS + 1
    return redirect(f"/threads/{row.thread_id}" + (f"?page={number}" if number > 1 else "") + f"#p-{post_id}")


def _post_document(session: Session, post_id: str) -> dict[str, Any]:
    return service.document(session, post_id)


async def history(request: web.Request) -> web.Response:
    """What a post said before."""
    viewer, kernel, post_id = viewer_of(request), request.app[KERNEL], request.match_info["id"]
    row = await kernel.database.read(reading.post_row, viewer, post_id)
    found = await kernel.database.read(reading.revisions, viewer, post_id)
    return page(request, "discussions/history.html", thread_id=row.thread_id, post_id=post_id, revisions=found)
