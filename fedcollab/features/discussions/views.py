"""Decides what members do and see in discussions: groups, threads, the composer; and the documents that partners fetch."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web
from multidict import MultiDictProxy
from sqlalchemy.orm import Session

from fedcollab.access.models import AMBER, CLEAR, GREEN, RED, STRICT
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import GROUP
from fedcollab.base import markup
from fedcollab.base.clock import new_id
from fedcollab.base.errors import Conflict, FedcollabError, Forbidden, N_, NotFound, Refused, Unauthorized
from fedcollab.base.web import check_form, read_fields, read_form, redirect, wants_document, words_of
from fedcollab.feature import member_of, page, viewer_of
from fedcollab.federation import activitystreams as ap
from fedcollab.federation.kernel import KERNEL, Kernel
from fedcollab.federation.views import document_answer, own_document, partner_viewer

from . import groups, reading, service

Fields = MultiDictProxy[str]
ASK = N_("Some organisations in this group are no partners of ours, or blocked by us. Tick the box to say that they may read this.")


@dataclass(frozen=True)
class Reach:
    """Who will see a post, from the group's signed list: what the composer says in words."""

    label: str
    people: int
    organisations: list[groups.Inside]
    history: bool

    @property
    def strangers(self) -> list[groups.Inside]:
        return [o for o in self.organisations if o.stranger]

    @property
    def blocked(self) -> list[groups.Inside]:
        return [o for o in self.organisations if o.blocked]


def reach(session: Session, group: reading.GroupData) -> Reach:
    """The audience of a group in figures."""
    found = groups.inside(session, group.document)
    return Reach(group.label, sum(o.people for o in found), found, group.history)


async def home(request: web.Request) -> web.Response:
    """A member's home: what is new, in all groups; for everybody else the landing page with what is public."""
    viewer, kernel = viewer_of(request), request.app[KERNEL]

    def read(session: Session) -> tuple[list[reading.ThreadData], list[reading.GroupData]]:
        return reading.newest(session, viewer), reading.groups(session, viewer)

    threads, found = await kernel.database.read(read)
    template = "discussions/home.html" if viewer.signed_in else "discussions/landing.html"
    return page(request, template, threads=threads, groups={g.actor.id: g for g in found})


async def list_groups(request: web.Request) -> web.Response:
    viewer = viewer_of(request)

    def read(session: Session) -> list[tuple[reading.GroupData, Reach]]:
        return [(g, reach(session, g)) for g in reading.groups(session, viewer)]

    return page(request, "discussions/groups.html", groups=await request.app[KERNEL].database.read(read))


async def new_group(request: web.Request) -> web.Response:
    """The form for a group, and making it."""
    viewer, kernel = member_of(request), request.app[KERNEL]
    if not viewer.moderates:
        raise NotFound()
    values: dict[str, str] = {"slug": "", "name": "", "summary": "", "label": GREEN, "history": ""}
    errors: dict[str, str] = {}
    if request.method == "POST":
        fields = await read_form(request)
        values |= {name: fields.get(name, "") for name in values}
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
            errors = {"slug" if isinstance(error, Conflict) else "name": error.in_words(words_of(request).gettext)}
    labels = (CLEAR, GREEN, STRICT, AMBER, RED)
    return page(request, "discussions/new_group.html", status=422 if errors else 200, values=values, errors=errors, labels=labels)


async def show_group(request: web.Request) -> web.Response:
    kernel, group_id = request.app[KERNEL], request.match_info["id"]
    if wants_document(request):
        return await _group_document(request)
    viewer, before = viewer_of(request), _key(request.query.get("before", ""))

    def read(session: Session) -> tuple[reading.GroupData, Reach, list[reading.ThreadData]]:
        group = reading.group(session, viewer, group_id)
        return group, reach(session, group), reading.threads(session, viewer, group_id, before)

    group, reached, threads = await kernel.database.read(read)
    more = f"{threads[-1].last_post_at}-{threads[-1].id}" if len(threads) == reading.THREADS else ""
    return page(request, "discussions/group.html", group=group, reach=reached, threads=threads, more=more)


def _key(text: str) -> tuple[int, str] | None:
    """A keyset page's key, `micros-id`."""
    at, _, row_id = text.partition("-")
    return (int(at), row_id) if at.isascii() and at.isdigit() and len(at) < 18 else None


async def _group_document(request: web.Request) -> web.Response:
    viewer = await partner_viewer(request)
    await request.app[KERNEL].database.read(reading.group, viewer, request.match_info["id"])
    return document_answer(await own_document(request, request.path, GROUP))


async def show_thread(request: web.Request) -> web.Response:
    if wants_document(request):
        return await _thread_document(request)
    return await _thread_page(request, viewer_of(request), request.match_info["id"], {}, "")


async def _thread_page(
    request: web.Request, viewer: Viewer, thread_id: str, errors: dict[str, str], text: str | None, preview: str = "", status: int = 200
) -> web.Response:
    kernel = request.app[KERNEL]
    asked = request.query.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and 0 < len(asked) < 7 else 1

    def read(session: Session) -> dict[str, Any]:
        thread = reading.thread_row(session, viewer, thread_id)
        group = reading.group(session, viewer, thread.group_id)
        draft = reading.draft(session, viewer, thread_id)[1] if viewer.signed_in else ""
        return dict(
            thread=thread,
            group=group,
            reach=reach(session, group),
            posts=reading.posts(session, viewer, thread_id, number),
            draft=draft,
            read_place=reading.read_place(session, viewer, thread_id) if viewer.signed_in else 0,
        )

    found = await kernel.database.read(read)
    seen = max((p.place for p in found["posts"] if p.confirmed_at), default=0)
    if viewer.signed_in and seen > found["read_place"]:
        await kernel.database.write(service.mark_read, viewer, thread_id, seen)
    pages = max(1, -(-found["thread"].posts // reading.POSTS))
    answer_text = text or found.pop("draft")
    found.pop("draft", None)
    return page(
        request,
        "discussions/thread.html",
        status=status,
        errors=errors,
        text=answer_text,
        preview=preview,
        number=number,
        pages=pages,
        once=new_id(),
        may_write=viewer.signed_in,
        **found,
    )


async def post_reply(request: web.Request) -> web.Response:
    """Sends, previews or keeps an answer; whatever goes wrong, the text stays on the page."""
    thread_id, fields = request.match_info["id"], await read_fields(request)
    text, viewer, kernel = fields.get("text", ""), viewer_of(request), request.app[KERNEL]
    try:
        _check(request, viewer, fields)
        if fields.get("act") in ("preview", "keep"):
            await kernel.database.write(service.save_draft, kernel.node, viewer, thread_id, title="", text=text)
            return await _thread_page(request, viewer, thread_id, {}, text, markup.render(text) if fields["act"] == "preview" else "")
        await _ask(kernel, viewer, fields, thread_id=thread_id)
        language = words_of(request).language
        made = await kernel.database.write(
            service.post_reply, kernel.node, viewer, thread_id, text=text, language=language, once=fields.get("once", "")
        )
    except (NotFound, Unauthorized):
        if not viewer.signed_in:
            return _signed_out(request, fields)
        raise
    except FedcollabError as error:
        return await _thread_page(
            request, viewer, thread_id, {"text": error.in_words(words_of(request).gettext)}, text, status=error.status
        )
    return redirect(f"/posts/{made.post_id}")


def _check(request: web.Request, viewer: Viewer, fields: Fields) -> None:
    if not viewer.signed_in:
        raise Unauthorized()
    check_form(request, fields)


def _signed_out(request: web.Request, fields: Fields) -> web.Response:
    """The session ended in mid-composition: the text is on the page, to be sent after signing in beside it."""
    values = {name: fields.get(name, "") for name in ("title", "text", "once")}
    return page(request, "discussions/signed_out.html", status=401, values=values, action=request.path)


async def _ask(kernel: Kernel, viewer: Viewer, fields: Fields, *, thread_id: str = "", group_id: str = "") -> None:
    """Organisations inside that we have not approved or have blocked are named, and the author says yes to them first."""

    def unsure(session: Session) -> bool:
        wanted = group_id or reading.thread_row(session, viewer, thread_id).group_id
        found = reach(session, reading.group(session, viewer, wanted))
        return bool(found.strangers or found.blocked)

    if not fields.get("sure") and await kernel.database.read(unsure):
        raise Refused(ASK)


async def compose(request: web.Request) -> web.Response:
    """The composer for a new conversation."""
    viewer = member_of(request)
    return await _composer(request, viewer, request.match_info["id"], None, {})


async def _composer(
    request: web.Request,
    viewer: Viewer,
    group_id: str,
    values: dict[str, str] | None,
    errors: dict[str, str],
    preview: str = "",
    status: int = 200,
) -> web.Response:
    def read(session: Session) -> tuple[reading.GroupData, Reach, tuple[str, str]]:
        group = reading.group(session, viewer, group_id)
        return group, reach(session, group), reading.draft(session, viewer, group_id)

    group, reached, draft = await request.app[KERNEL].database.read(read)
    shown = values or {"title": draft[0], "text": draft[1]}
    return page(
        request,
        "discussions/compose.html",
        status=status,
        group=group,
        reach=reached,
        values=shown,
        errors=errors,
        preview=preview,
        once=new_id(),
    )


async def post_thread(request: web.Request) -> web.Response:
    """Sends, previews or keeps a new conversation."""
    group_id, fields = request.match_info["id"], await read_fields(request)
    viewer, kernel = viewer_of(request), request.app[KERNEL]
    values = {name: fields.get(name, "") for name in ("title", "text")}
    try:
        _check(request, viewer, fields)
        if fields.get("act") in ("preview", "keep"):
            await kernel.database.write(service.save_draft, kernel.node, viewer, group_id, **values)
            return await _composer(
                request, viewer, group_id, values, {}, markup.render(values["text"]) if fields["act"] == "preview" else ""
            )
        await _ask(kernel, viewer, fields, group_id=group_id)
        language = words_of(request).language
        made = await kernel.database.write(
            service.post_thread, kernel.node, viewer, group_id, **values, language=language, once=fields.get("once", "")
        )
    except (NotFound, Unauthorized):
        if not viewer.signed_in:
            return _signed_out(request, fields)
        raise
    except FedcollabError as error:
        field = "text" if values["title"].strip() else "title"
        return await _composer(request, viewer, group_id, values, {field: error.in_words(words_of(request).gettext)}, status=error.status)
    return redirect(f"/threads/{made.thread_id}")


async def preview(request: web.Request) -> web.Response:
    """The text as it will look; htmx puts it beside the form, and the draft is kept by the way."""
    viewer, fields = member_of(request), await read_form(request)
    html = markup.render(fields.get("text", ""))
    return page(request, "discussions/preview.html", preview=html, viewer_name=viewer.name)


async def show_post(request: web.Request) -> web.Response:
    """A post's address: its place in its thread, or its document for partners."""
    viewer = await partner_viewer(request) if wants_document(request) else viewer_of(request)
    kernel, post_id = request.app[KERNEL], request.match_info["id"]
    row = await kernel.database.read(reading.post_row, viewer, post_id)
    if wants_document(request):
        return document_answer(await kernel.database.read(_post_document, post_id))
    number = row.before // reading.POSTS + 1
    return redirect(f"/threads/{row.thread_id}" + (f"?page={number}" if number > 1 else "") + f"#p-{post_id}")


def _post_document(session: Session, post_id: str) -> dict[str, Any]:
    return service.document(session, post_id)


async def _thread_document(request: web.Request) -> web.Response:
    """A thread as a collection of its posts' ids (FEP-7888), as far as the asking partner may see them."""
    viewer, kernel = await partner_viewer(request), request.app[KERNEL]

    def read(session: Session) -> tuple[reading.ThreadData, list[str]]:
        thread = reading.thread_row(session, viewer, request.match_info["id"])
        return thread, [p.uri for p in reading.posts(session, viewer, thread.id)]

    thread, uris = await kernel.database.read(read)
    return document_answer(
        {"@context": ap.CONTEXT, "id": thread.uri, "type": "OrderedCollection", "name": thread.title, "orderedItems": uris}
    )


async def edit_post(request: web.Request) -> web.Response:
    """The form to change an own post, and changing it."""
    viewer, kernel, post_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    errors: dict[str, str] = {}
    row = await kernel.database.read(reading.own_post, viewer, post_id)
    text = row.source
    if request.method == "POST":
        fields = await read_form(request)
        text = fields.get("text", "")
        try:
            await kernel.database.write(service.edit, kernel.node, viewer, post_id, text=text)
            return redirect(f"/posts/{post_id}")
        except Forbidden:
            raise
        except Refused as error:
            errors = {"text": error.in_words(words_of(request).gettext)}
    return page(
        request, "discussions/edit.html", status=422 if errors else 200, post_id=post_id, thread_id=row.thread_id, text=text, errors=errors
    )


async def delete_post(request: web.Request) -> web.Response:
    """Says what deleting does and cannot do, then does it."""
    viewer, kernel, post_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    row = await kernel.database.read(reading.own_post, viewer, post_id)
    if request.method == "POST":
        await read_form(request)
        await kernel.database.write(service.delete, kernel.node, viewer, post_id)
        return redirect(f"/threads/{row.thread_id}")
    return page(request, "discussions/delete.html", post_id=post_id, thread_id=row.thread_id)


async def history(request: web.Request) -> web.Response:
    """What a post said before."""
    viewer, kernel, post_id = viewer_of(request), request.app[KERNEL], request.match_info["id"]
    row = await kernel.database.read(reading.post_row, viewer, post_id)
    found = await kernel.database.read(reading.revisions, viewer, post_id)
    return page(request, "discussions/history.html", thread_id=row.thread_id, post_id=post_id, revisions=found)
