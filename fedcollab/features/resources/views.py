"""Decides what the pages of the library show: the shelf, a resource, what is due for review; documents for partners."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from fedcollab.access.models import CLEAR, GREEN, STRICT
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import iso
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.base.web import page_key, wants_document
from fedcollab.feature import Beside, beside, member_of, page, viewer_of
from fedcollab.federation.kernel import KERNEL
from fedcollab.federation.views import document_answer, partner_viewer
from fedcollab.files.service import why_refused
from fedcollab.search.finding import Asked, Found, find

from . import lists, notes_out, reading, sending
from .found import KIND
from .stories import telling
from .stories.words import CHANNELS, USES
from .words import KINDS, LICENCES, TOPICS

LABELS = (CLEAR, GREEN, STRICT)
FILTERS = ("type", "topic", "country", "language", "year", "organisation")
VALUES, CODE, QUESTION = 20, 64, 200  # of one filter at most; characters of one; of a question
CODES: dict[str, Any] = {"kinds": KINDS, "topics": TOPICS, "licences": LICENCES, "uses": USES, "channels": CHANNELS}


def today(now: int) -> str:
    """The day, as a review date is written."""
    return iso(now)[:10]


@dataclass(frozen=True)
class Looked:
    """What one look at the shelf finds; `found` is what a question or filters found, None for the plain shelf; `told` are the viewer's own
    stories that wait to be checked."""

    rows: list[reading.Listed]
    more: str
    found: Found | None
    due: int
    offered: dict[str, list[tuple[str, int]]]
    organisations: dict[str, str]
    told: list[tuple[str, str]] = field(default_factory=list)


async def show_library(request: web.Request) -> web.Response:
    """The shelf, newest first; or what a question and filters find in it."""
    viewer, kernel = viewer_of(request), request.app[KERNEL]
    q = request.query.get("q", "").strip()[:QUESTION]
    chosen = {name: _values(request, name) for name in FILTERS}
    narrowed = bool(q or any(chosen.values()) or "by" in request.query)
    if narrowed:
        asked = _asked(q, chosen, request.query.get("before", ""))
        looked = await kernel.database.read(_search, viewer, asked)
        more = _address(q, chosen, before=looked.more) if looked.more else ""
    else:
        looked = await kernel.database.glance(_shelf, viewer, page_key(request.query.get("before", "")), today(kernel.node.now()))
        more = f"/library?before={looked.more}" if looked.more else ""
    shown: dict[str, Any] = dict(q=q, narrowed=narrowed, more=more, chosen=_taken_away(q, chosen), today=today(kernel.node.now()))
    shown["picked"] = {(name, value) for name, values in chosen.items() for value in values}
    return page(request, "resources/library.html", looked=looked, **shown, **CODES)


def _shelf(session: Session, viewer: Viewer, before: tuple[int, str] | None, day: str) -> Looked:
    rows = reading.listed(session, viewer, before)
    more = f"{rows[-1].posted_at}-{rows[-1].id}" if len(rows) == reading.PAGE else ""
    if not viewer.signed_in:
        return Looked(rows, more, None, 0, {}, {})
    return Looked(rows, more, None, reading.count_due(session, viewer, day), {}, {}, telling.waiting(session, viewer))


def _search(session: Session, viewer: Viewer, asked: Asked) -> Looked:
    found = find(session, viewer, asked, reading.PAGE)
    rows = reading.some(session, viewer, [hit.subject_id for hit in found.rows])
    facets = found.facets or {}
    offered = {name: list(facets.get(name, ()))[:VALUES] for name in FILTERS}
    named = {code for code, _ in offered["organisation"]} | set(asked.organisations)
    return Looked(rows, found.next, found, 0, offered, reading.publishers(session, viewer, named))


def _values(request: web.Request, name: str) -> list[str]:
    """What a filter was set to, as far as it may be a code at all."""
    given = dict.fromkeys(request.query.getall(name, []))
    return [value for value in given if 0 < len(value) <= CODE and value.isascii() and value.replace("-", "").isalnum()][:VALUES]


def _asked(q: str, chosen: dict[str, list[str]], before: str) -> Asked:
    years = tuple(int(year) for year in chosen["year"] if year.isdigit() and len(year) == 4)
    of = {name: tuple(chosen[name]) for name in FILTERS}
    filters = dict(types=of["type"], topics=of["topic"], countries=of["country"], languages=of["language"])
    return Asked(q, kinds=(KIND,), years=years, organisations=of["organisation"], before=before, **filters)


def _address(q: str, chosen: dict[str, list[str]], **more: str) -> str:
    pairs = [("q", q), *((name, value) for name, values in chosen.items() for value in values), *more.items()]
    said = [(name, value) for name, value in pairs if value]
    return "/library" + ("?" + urlencode(said) if said else "")


def _taken_away(q: str, chosen: dict[str, list[str]]) -> list[tuple[str, str, str]]:
    """(filter, value, the address without it) of all that is chosen."""
    return [
        (name, value, _address(q, chosen | {name: [other for other in values if other != value]}))
        for name, values in chosen.items()
        for value in values
    ]


async def show_resource(request: web.Request) -> web.Response:
    """A resource's page, or its document for partners."""
    if wants_document(request):
        return await _document(request)
    viewer, kernel = viewer_of(request), request.app[KERNEL]
    shown, goes_with, held = await kernel.database.read(_resource, request, viewer, request.match_info["id"], kernel.node)
    return page(request, "resources/resource.html", shown=shown, beside=goes_with, lists=held, why_refused=why_refused, **CODES)


def _resource(
    session: Session, request: web.Request, viewer: Viewer, resource_id: str, node: Node
) -> tuple[reading.Shown, list[Beside], list[lists.ListRow]]:
    shown = reading.shown(session, viewer, resource_id, node.now())
    mine = lists.listed(session, viewer) if viewer.signed_in else []
    return shown, beside(request, session, "resource", shown.row.uri), mine


async def _document(request: web.Request) -> web.Response:
    viewer, kernel = await partner_viewer(request), request.app[KERNEL]

    def read(session: Session) -> dict[str, Any]:
        if not reading.is_own(session, kernel.node, viewer, request.match_info["id"]):
            raise NotFound()
        return sending.document(session, request.match_info["id"])

    document = await kernel.database.read(read)
    return document_answer(document, status=410 if "Tombstone" in document["type"] else 200)


async def show_note(request: web.Request) -> web.Response:
    """A note's address: its place on its resource's page, or its document for partners."""
    documented, kernel, note_id = wants_document(request), request.app[KERNEL], request.match_info["id"]
    viewer = await partner_viewer(request) if documented else viewer_of(request)

    def read(session: Session) -> tuple[str, dict[str, Any]]:
        resource_id = reading.resource_of_note(session, viewer, note_id)
        return resource_id, notes_out.document(session, note_id) if documented else {}

    resource_id, document = await kernel.database.read(read)
    if not documented:
        raise web.HTTPSeeOther(f"/library/{resource_id}#n-{note_id}")
    return document_answer(document, status=410 if "Tombstone" in document["type"] else 200)


async def show_due(request: web.Request) -> web.Response:
    """What somebody has to look at again: all of ours for moderators, for others what they have added."""
    viewer, kernel = member_of(request), request.app[KERNEL]
    day = today(kernel.node.now())
    rows = await kernel.database.read(reading.due, viewer, day)
    return page(request, "resources/due.html", rows=rows, today=day, **CODES)


def count_due(session: Session, viewer: Viewer) -> int:
    """How many resources moderators have to look at again, by the database's own calendar."""
    return reading.count_due(session, viewer)
