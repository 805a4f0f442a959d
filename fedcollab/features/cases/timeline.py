"""Decides what the first page of a case shows: what matters now (today.py), the forms of every day, what happened, the newest first, 50 at
a time."""

from typing import Any

from aiohttp import web

from fedcollab.base.errors import NotFound
from fedcollab.base.web import read_form
from fedcollab.federation.kernel import KERNEL

from . import adding
from .acting import desk_of, reader_of
from .checking import Wrong
from .desk import Desk
from .finding import find
from .framing import CASE, TIMELINE, show
from .record import Entry
from .slices import EACH, newest
from .speaking import Fields, said
from .telling import WORDS
from .today import looked, today
from .work import Decision, Message

QUICK: dict[str, type[Entry]] = {kind.KIND: kind for kind in (Message, Decision)}  # a contact begins with the rules for it (entry_pages)
LONGEST = 200  # letters of what is searched for


async def show_timeline(request: web.Request) -> web.Response:
    """What happened in a case."""
    return await _page(request, await desk_of(request))


async def say_quickly(request: web.Request) -> web.Response:
    """A message or decision from the forms on that page."""
    kind = QUICK.get(request.match_info["kind"])
    if kind is None:
        raise NotFound
    return await said(request, kind, _again, "")


async def search(request: web.Request) -> web.Response:
    """What stands in the case with all the words asked for. A form that is sent, for nothing of a case stands in an address."""
    reader_of(request)
    fields = await read_form(request)
    asked = fields.get("q", "").strip()[:LONGEST]
    desk = await desk_of(request)
    return show(request, desk, "cases/search.html", TIMELINE, asked=asked, found=find(desk.case, asked)[: 2 * EACH], **WORDS)


async def _again(request: web.Request, desk: Desk, error: Wrong, fields: Fields) -> web.Response:
    return await _page(request, desk, error=error, typed=fields, chosen=request.match_info["kind"])


async def _page(request: web.Request, desk: Desk, *, error: Wrong | None = None, typed: Any = None, chosen: str = "") -> web.Response:
    part = newest(desk.case.timeline, request.query.get("before", ""))
    before = await request.app[KERNEL].database.read(looked, desk.id, desk.viewer.person_id)
    shown = dict(part=part, typed=typed or {}, chosen=chosen, today=desk.look.today, front=today(desk, before))
    shown |= dict(may_refer=adding.may_refer(desk))
    return show(request, desk, "cases/timeline.html", TIMELINE, error=error, at=f"{chosen}-", **shown, **WORDS)


ROUTES = (
    web.get(CASE, show_timeline),
    web.post(CASE + "/say/{kind}", say_quickly),
    web.post(CASE + "/search", search),
)
