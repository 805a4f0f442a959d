"""Decides how entries are written on pages of their own: a form for each kind, the same filled to correct or replace what stands; what was
typed comes back with the word on what is wrong."""

from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from fedcollab.base.clock import new_id
from fedcollab.base.errors import N_, NotFound
from fedcollab.base.web import read_fields, redirect, words_of
from fedcollab.feature import came_back
from fedcollab.federation.kernel import KERNEL

from . import contact_rules, entry_forms
from .acting import desk_of, reader_of, speak
from .calling import everybody
from .checking import Wrong
from .desk import Desk
from .entry_forms import BECAUSE_FIELD, NEW, SURE, Page
from .facts import facts
from .forms import Form
from .framing import CASE, CONSENTS, PEOPLE, TASKS, TIMELINE, show
from .grounds import METHODS
from .handles import entry_at, handle
from .partners import candidates
from .people import OfPerson
from .record import Entry, Hold
from .sharing import Consent, Share
from .speaking import Fields
from .work import Contact, Progress, Step, Task

Build = Callable[[Desk], Page]
CORRECT = N_("Correct this")
IN_ITS_PLACE = N_("What you write stands in its place from now on. What stood before stays to be read beside it.")
KEEP = N_("Keep it")
PLACES: tuple[tuple[Any, str], ...] = ((Task | Progress, "/tasks"), (Share | Consent, "/consents"), (Hold, "/holds"))


def _new(request: web.Request) -> Build:
    """The page of a new entry, by its address."""
    kind = NEW.get(request.match_info["kind"])
    if kind is None:
        raise NotFound
    person, of = request.query.get("person", ""), request.query.get("of", "")
    return lambda desk: entry_forms.new(desk, kind, person, entry_at(desk.case, desk.id, of) if of else None)


def _change(request: web.Request) -> Build:
    """The page of a change."""
    entry = request.match_info["entry"]
    return lambda desk: entry_forms.change(desk, entry_at(desk.case, desk.id, entry))


def _renewal(request: web.Request) -> Build:
    """The page that renews a consent."""
    entry = request.match_info["entry"]
    return lambda desk: entry_forms.renewal(desk, entry_at(desk.case, desk.id, entry))


async def show_renewal(request: web.Request) -> web.Response:
    """Until when, and how the person said so; the rest stays as it was."""
    return await _form(request, _renewal(request))


async def renew(request: web.Request) -> web.Response:
    """A consent that carries on another."""
    return await _write(request, _renewal(request))


async def show_new(request: web.Request) -> web.Response:
    """The form of a new entry."""
    return await _form(request, _new(request))


async def add_new(request: web.Request) -> web.Response:
    """A new entry."""
    return await _write(request, _new(request))


async def show_change(request: web.Request) -> web.Response:
    """The form of what stands, to be corrected or replaced."""
    return await _form(request, _change(request))


async def add_change(request: web.Request) -> web.Response:
    """A correction, or what stands from now on."""
    return await _write(request, _change(request))


async def _form(request: web.Request, build: Build) -> web.Response:
    desk = await desk_of(request)
    page = build(desk)
    return await _show(request, desk, page, entry_forms.values(desk, page, words_of(request)), page.seen, new_id())


async def _write(request: web.Request, build: Build) -> web.Response:
    reader_of(request)
    fields = await read_fields(request)
    if came_back(request, fields):
        return await _again(request, build, fields)

    written: list[Entry] = []

    def make(desk: Desk) -> Entry:
        page = build(desk)
        written.append(entry_forms.made(desk, page, _typed(page, fields), fields.getall("seen", []), sure=fields.get(SURE) == "yes"))
        return written[-1]

    try:
        await speak(request, make, fields.get("once", ""))
    except Wrong as error:
        return await _again(request, build, fields, error)
    return redirect(f"/cases/{request.match_info['id']}{back(request.match_info['id'], written[-1]) if written else ''}")


async def _again(request: web.Request, build: Build, fields: Fields, error: Wrong | None = None) -> web.Response:
    """The form with all that was typed, and as its page showed it: what stands by now is not what its author saw."""
    desk = await desk_of(request)
    page = build(desk)
    return await _show(request, desk, page, _typed(page, fields), fields.getall("seen", []), fields.get("once", ""), error)


def back(case_id: str, entry: Entry) -> str:
    """Where in its case a fresh entry can be seen."""
    if isinstance(entry, OfPerson | Step):
        return f"/people/{handle(case_id, entry.person)}"
    return next((path for kinds, path in PLACES if isinstance(entry, kinds)), "")


def _typed(page: Page, fields: Fields) -> dict[str, list[str]]:
    asked = [*page.words.fields, *([BECAUSE_FIELD] if page.corrects else [])]
    return {name: fields.getall(name, []) for name in asked}


async def _show(
    request: web.Request, desk: Desk, page: Page, values: Form, seen: Sequence[str], once: str, error: Wrong | None = None
) -> web.Response:
    corrects = page.corrects is not None
    asked = page.words._replace(title=CORRECT, about=IN_ITS_PLACE, button=KEEP) if corrects else page.words
    reader = words_of(request)
    recipients = await request.app[KERNEL].database.read(candidates, desk) if page.kind in (Share, Consent) else ()
    return show(
        request,
        desk,
        "cases/form.html",
        _tab(page),
        error=error,
        asked=asked,
        page=page,
        fields=entry_forms.fields(desk, page, values, recipients),
        seen=seen,
        once=once,
        beside=[facts(entry, everybody(desk), reader) for entry in page.stands] if len(page.stands) > 1 else [],
        of=facts(page.of.entry, everybody(desk), reader) if page.of and page.of.entry else [],
        rules=contact_rules.first(contact_rules.rules(desk.case), page.person) if page.kind is Contact else [],
        sure=error is not None and error.text in contact_rules.ASKED,
        METHODS=METHODS,
    )


def _tab(page: Page) -> str:
    if issubclass(page.kind, OfPerson | Step):
        return PEOPLE
    return TASKS if page.kind in (Task, Progress) else CONSENTS if page.kind in (Share, Consent) else TIMELINE


ROUTES = (
    web.get(CASE + "/new/{kind}", show_new),
    web.post(CASE + "/new/{kind}", add_new),
    web.get(CASE + "/renew/{entry}", show_renewal),
    web.post(CASE + "/renew/{entry}", renew),
    web.get(CASE + "/change/{entry}", show_change),
    web.post(CASE + "/change/{entry}", add_change),
)
