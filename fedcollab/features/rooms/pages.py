"""Decides what the pages of a sealed group show and take: conversations, posts, resources, and what is found inside. Nothing of them stands
in a title or an address."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from aiohttp import web

from fedcollab import file_forms
from fedcollab.actors.node import Node
from fedcollab.base import markup
from fedcollab.base.clock import new_id
from fedcollab.base.errors import FedcollabError, Forbidden, NotFound, Refused, TooLarge, Unavailable
from fedcollab.base.session import Session
from fedcollab.base.web import page_number, redirect, words_of
from fedcollab.feature import page
from fedcollab.federation.kernel import KERNEL
from fedcollab.file_forms import takes_file
from fedcollab.files.receiving import drain
from fedcollab.files.uploading import Cut
from fedcollab.sealing.entries import Entry
from fedcollab.sealing.filed import WORDS
from fedcollab.sealing.made_ready import Write
from fedcollab.sealing.typed import Wrong, checked, in_words

from . import filing, opening, reading
from .entries import Edited, Group, Removed, Reply, Resource, Thread
from .folding import THERE, Shown
from .forms import NONE, Fields, Written, group_form, lists, proposed, read_with_file, read_written
from .opening import Here, Keys
from .places import RESOURCE
from .telling import LABELS, NEEDED, UNREAD
from .units import acted, asked, here_of, looked

GROUP = "/sealed/{id}"  # addresses of the feature with a word in its place stand before these in feature.ROUTES
LONGEST = 200  # letters of what is searched for


def show(request: web.Request, here: Here, template: str, error: FedcollabError | None = None, **values: Any) -> web.Response:
    """A page of a group in its frame; with what was refused, beside the field that it was where that is known."""
    errors = in_words(error, words_of(request)) if error is not None else {}
    frame: dict[str, Any] = dict(here=here, errors=errors, LABELS=LABELS, UNREAD=UNREAD, WORDS=WORDS, once=new_id(), typed=NONE, preview="")
    frame["files"] = dict[str, Any]()
    return page(request, template, status=error.status if error is not None else 200, **(frame | values))


async def show_front(request: web.Request) -> web.Response:
    """The group's first page."""
    front: reading.Front = await looked(request, reading.front, request.query.get("before", "")[:36])
    return show(request, front.here, "rooms/group.html", front=front, names=front.names)


@takes_file
async def start(request: web.Request) -> web.StreamResponse:
    """The composer for a new conversation."""
    written = await read_with_file(request)
    return await _compose(request, written, Thread, {}, _start_page, lambda row: f"/threads/{row}")


async def _start_page(request: web.Request, written: Written, error: FedcollabError | None, preview: str) -> web.Response:
    here = await here_of(request)
    return show(request, here, "rooms/start.html", error, typed=written.fields, preview=preview)


@takes_file
async def conversation(request: web.Request) -> web.StreamResponse:
    """A conversation, and an answer in it."""
    written = await read_with_file(request)
    if request.method != "POST":
        return await _conversation_page(request, written, None, "")
    found = await _find(request)
    known = {"thread": found.place}
    return await _compose(request, written, Reply, known, _conversation_page, lambda row: f"/posts/{row}")


async def _find(request: web.Request) -> reading.Conversation:
    number = page_number(request.query.get("page", ""))
    found: reading.Conversation = await looked(request, reading.conversation, request.match_info["row"], number)
    return found


async def _conversation_page(request: web.Request, written: Written, error: FedcollabError | None, preview: str) -> web.Response:
    found = await _find(request)
    texts = await rendered(found.posts)
    shown = dict(found=found, texts=texts, names=found.names, files=found.files, typed=written.fields, preview=preview)
    return show(request, found.here, "rooms/conversation.html", error, **shown)


async def show_post(request: web.Request) -> web.Response:
    """A post's address: its place in its conversation."""
    own: reading.Own = await looked(request, reading.one, request.match_info["row"])
    if own.place == RESOURCE:
        return redirect(f"{own.here.path}/resources#p-{own.post.row}")
    number = await request.app[KERNEL].database.read(reading.page_of, own.here.id, own.post.row)
    return redirect(f"{own.here.path}/threads/{own.row}" + (f"?page={number}" if number > 1 else "") + f"#p-{own.post.row}")


@takes_file
async def resources(request: web.Request) -> web.StreamResponse:
    """What is kept at hand in the group, and keeping one more."""
    written = await read_with_file(request)
    if request.method != "POST":
        return await _resources_page(request, written, None, "")
    return await _compose(request, written, Resource, {}, _resources_page, lambda row: f"/resources#p-{row}")


async def _resources_page(request: web.Request, written: Written, error: FedcollabError | None, preview: str) -> web.Response:
    number = page_number(request.query.get("page", ""))
    found: reading.Conversation = await looked(request, reading.resources, number)
    shown = dict(
        found=found, texts=await rendered(found.posts), names=found.names, files=found.files, typed=written.fields, preview=preview
    )
    return show(request, found.here, "rooms/resources.html", error, **shown)


async def about(request: web.Request) -> web.Response:
    """How the group is called and what it is for, said by whoever leads it."""
    written = await read_written(request)
    return await _compose(request, written, Group, {}, _about_page, lambda _row: "", may=lambda here: here.leads and here.may_lead)


async def _about_page(request: web.Request, written: Written, error: FedcollabError | None, _preview: str) -> web.Response:
    here = await here_of(request)
    if not (here.leads and here.may_lead):
        raise Forbidden
    said = {"name": here.named.name, "about": here.named.about} if here.named else {"name": "", "about": ""}
    typed = written.fields or said | {"retention": here.retention or proposed(request.app[KERNEL].node.now())}
    return show(request, here, "rooms/about.html", error, typed=typed)


async def edit(request: web.Request) -> web.Response:
    """The form to change an own post, and changing it."""
    written = await read_written(request)
    own: reading.Own = await looked(request, reading.one, request.match_info["row"])
    filing.check_own(own)
    known = {"of": own.post.uri, "thread": "" if own.place == RESOURCE else own.place}
    return await _compose(request, written, Edited, known, _edit_page, lambda _row: f"/posts/{own.post.row}")


async def _edit_page(request: web.Request, written: Written, error: FedcollabError | None, preview: str) -> web.Response:
    own: reading.Own = await looked(request, reading.one, request.match_info["row"])
    filing.check_own(own)
    typed = written.fields or {"title": own.post.title, "text": own.post.text}
    return show(request, own.here, "rooms/edit.html", error, own=own, typed=typed, preview=preview)


async def history(request: web.Request) -> web.Response:
    """What a post said before."""
    own: reading.Own = await looked(request, reading.one, request.match_info["row"])
    before = [(at, await asyncio.to_thread(_html, text)) for at, text in own.post.before if own.post.state == THERE]
    return show(request, own.here, "rooms/history.html", own=own, before=before)


async def remove(request: web.Request) -> web.Response:
    """Says what removing does and cannot do, then does it: one's own post without a reason, others' as a moderator of whoever leads."""
    written = await read_written(request)
    if written.sent:
        try:
            own: reading.Own = await acted(request, _remove, request.match_info["row"], lists(written.fields))
            return redirect(own.here.path + ("/resources" if own.place == RESOURCE else f"/threads/{own.row}"))
        except Wrong as error:
            return await _remove_page(request, written.fields, error)
    return await _remove_page(request, written.fields)


async def _remove_page(request: web.Request, fields: Fields, error: Refused | None = None) -> web.Response:
    own: reading.Own = await looked(request, reading.one, request.match_info["row"])
    _check_removal(own)
    html = await asyncio.to_thread(_html, own.post.text)
    return show(request, own.here, "rooms/remove.html", error, own=own, html=html, typed=fields, names=own.names)


def _check_removal(own: reading.Own) -> None:
    if own.post.state != THERE or not (own.post.author == own.here.person or own.here.moderates):
        raise NotFound


def _remove(session: Session, node: Node, here: Here, _keys: Keys, row: str, form: Mapping[str, Any]) -> Write:
    own = reading.own(session, here, row)
    _check_removal(own)
    mine, thread = own.post.author == here.person, "" if own.place == RESOURCE else own.place
    entry = None if mine else checked(Removed, form, node.now(), NEEDED, of=own.post.uri, thread=thread)

    def write(session: Session) -> reading.Own:
        if entry is not None:
            opening.add(session, node, here, entry)
        if own.post.organisation == here.opened.room.me:
            reading.take_back(session, node, here, own.post)
        return own

    return write


async def search(request: web.Request) -> web.Response:
    """What stands in the group with all the words asked for. A form that is sent, for nothing of a group stands in an address."""
    asked = (await read_written(request)).fields.get("q", "").strip()[:LONGEST]
    here = await here_of(request)
    found, names = await request.app[KERNEL].database.read(reading.search, here, asked)
    return show(request, here, "rooms/search.html", asked=asked, found=found, texts=await rendered(found), names=names)


Again = Callable[[web.Request, Written, FedcollabError | None, str], Awaitable[web.Response]]


def anybody(_here: Here) -> bool:
    """Whoever is in the group."""
    return True


async def _compose(
    request: web.Request,
    written: Written,
    kind: type[Entry],
    known: Mapping[str, Any],
    again: Again,
    back: Callable[[str], str],
    may: Callable[[Here], bool] = anybody,
) -> web.Response:
    """A filled form as an entry of a kind, and the way to what came of it; its page again where it was not sent, is to be seen first, or
    was refused. `known` is what the page knows of itself."""
    if not written.sent:
        return await again(request, written, None, "")

    def make(here: Here) -> Entry:
        if not may(here):
            raise Forbidden
        now = request.app[KERNEL].node.now()
        return checked(kind, group_form(written.fields, now) if kind is Group else lists(written.fields), now, NEEDED, **known)

    try:
        if written.fields.get("act") == "preview":
            return await again(request, written, None, await _preview(written.fields))
        await asyncio.to_thread(markup.render, written.fields.get("text", written.fields.get("about", "")))
        row = await _said(request, written, make)
    except (Forbidden, Cut):
        raise
    except (Refused, Unavailable) as error:
        if written.file is None and isinstance(error, Unavailable):
            raise
        await drain(request)
        return await again(request, written, error if written.file is None else file_forms.beside(error), "")
    return redirect(f"/sealed/{request.match_info['id']}{back(row)}")


async def _said(request: web.Request, written: Written, make: Callable[[Here], Entry]) -> str:
    """Says it, with the file that the form brings; the message's row."""
    if written.file is None:
        return str(await acted(request, filing.says, make, written.once))
    await asked(request, filing.check_takes)
    async with file_forms.incoming(request, written.file) as (came, carried):
        file = filing.Came(came.name, came.media, came.secret, carried)
        return str(await acted(request, filing.says, make, written.once, file))


async def _preview(fields: Fields) -> str:
    """The text as it will look; nothing of it is stored."""
    return await asyncio.to_thread(markup.render, fields.get("text", fields.get("about", "")))


async def rendered(posts: Iterable[Shown]) -> dict[str, str]:
    """{row: its text as safe HTML}, by the function that all discussions are rendered with, outside of any unit."""
    wanted = {one.row: one.text for one in posts if one.state == THERE}
    return await asyncio.to_thread(lambda: {row: _html(text) for row, text in wanted.items()})


def _html(text: str) -> str:
    """Others' text may be one that our own composer refuses: then it is shown as it was typed."""
    try:
        return markup.render(text)
    except TooLarge:
        return markup.as_html(text)


POST = GROUP + "/posts/{row}"
ROUTES = (
    web.get(GROUP, show_front),
    web.get(GROUP + "/start", start),
    web.post(GROUP + "/start", start),
    web.get(GROUP + "/about", about),
    web.post(GROUP + "/about", about),
    web.get(GROUP + "/threads/{row}", conversation),
    web.post(GROUP + "/threads/{row}", conversation),
    web.get(GROUP + "/resources", resources),
    web.post(GROUP + "/resources", resources),
    web.post(GROUP + "/search", search),
    web.get(POST, show_post),
    web.get(POST + "/edit", edit),
    web.post(POST + "/edit", edit),
    web.get(POST + "/history", history),
    web.get(POST + "/remove", remove),
    web.post(POST + "/remove", remove),
)
