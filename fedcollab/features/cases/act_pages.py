"""Decides how one entry is looked at with all that can be done with it, and how that is done: each act on a page of its own that says what
it does and what it can't."""

from collections.abc import Callable
from functools import partial
from typing import Any

from aiohttp import web

from fedcollab.base.clock import new_id
from fedcollab.base.errors import Gone, N_
from fedcollab.base.web import read_fields, redirect, words_of
from fedcollab.feature import asked_again, came_back
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing.consent_marks import effects, of_entries

from . import act_forms, forms, gone_pages, lateness
from .act_forms import Act
from .acting import desk_of, speak, worker_of
from .acts import CHANGE, ERASE, HOLD, LIFT, MASK, PROGRESS, REDACT, RENEW, UNMASK, WITHDRAW, acts
from .calling import everybody
from .checking import Wrong
from .desk import Desk
from .entry_forms import who
from .facts import facts
from .forms import Form
from .framing import CASE, CONSENTS, TIMELINE, show
from .handles import entry_at, handle
from .record import Entry
from .sharing import Consent, Share
from .shown import Shown
from .telling import KINDS, WORDS

Build = Callable[[Desk], Act]
GRAVE = (REDACT, ERASE)  # what can't be undone asks for the password once more
NAMES = {
    PROGRESS: N_("Say how far it is"),
    CHANGE: N_("Correct or change it"),
    RENEW: N_("Renew this consent"),
    WITHDRAW: N_("Withdraw this consent"),
    LIFT: N_("End this hold"),
    MASK: N_("Hide it from everybody"),
    UNMASK: N_("Show it again"),
    REDACT: N_("Remove it for good"),
    ERASE: N_("Ask for its erasure"),
    HOLD: N_("Hold it back from erasure"),
}


def path(case_id: str, name: str, entry_id: str) -> str:
    """Where an act on an entry begins, within its case."""
    at = handle(case_id, entry_id)
    return {PROGRESS: f"/new/progress?of={at}", HOLD: f"/new/hold?of={at}"}.get(name, f"/{name}/{at}")


async def show_entry(request: web.Request) -> web.Response:
    """One entry, what it said before, and what can be done with it."""
    desk = await desk_of(request)
    shown = entry_at(desk.case, desk.id, request.match_info["entry"])
    can = [(name, path(desk.id, name, shown.id)) for name in acts(desk.case, who(desk), shown)]
    reader = words_of(request)
    said = facts(shown.entry, everybody(desk), reader) if shown.entry else []
    before = [facts(entry, everybody(desk), reader) for entry in shown.before]
    receipts = (await gone_pages.answers(request, desk, [shown])).get(shown.id, [])
    values: dict[str, Any] = dict(shown=shown, said=said, before=before, can=can, receipts=receipts)
    consent = next((one for one in desk.case.consents if one.item.id == shown.id and one.entry), None)
    marks = await request.app[KERNEL].database.read(of_entries, [shown.id]) if consent else {}
    values |= dict(today=desk.look.today, soon=lateness.soon(desk.look.now))
    values["untils"] = {one.item.id: one.entry.until for one in desk.case.consents if one.entry}
    values |= dict(consent=consent, stands=marks.get(shown.id, []), chain=[of for of in consent.chain if of != shown.id] if consent else [])
    values |= dict(NAMES=NAMES, GRAVE=GRAVE, **WORDS)
    return show(request, desk, "cases/entry.html", _tab(shown), **values)


def _tab(shown: Shown | None) -> str:
    return CONSENTS if shown is not None and shown.kind in (Consent.KIND, Share.KIND) else TIMELINE


def _on_entry(request: web.Request, name: str) -> Build:
    return lambda desk: act_forms.begun(desk, name, entry_at(desk.case, desk.id, request.match_info["entry"]))


async def show_act(request: web.Request, *, name: str) -> web.Response:
    """What an act on an entry does, and what it can't."""
    return await _form(request, _on_entry(request, name))


async def do_act(request: web.Request, *, name: str) -> web.Response:
    """An act on an entry, which says it by another entry."""
    return await _do(request, _on_entry(request, name), name)


async def _form(request: web.Request, build: Build) -> web.Response:
    desk = await desk_of(request)
    act = build(desk)
    filled = forms.filled(act.item.entry, words_of(request)) if act.item and act.item.entry else {}
    return await _show(request, desk, act, act_forms.values(act, filled), new_id())


async def _do(request: web.Request, build: Build, name: str) -> web.Response:
    viewer = worker_of(request)
    if name == REDACT and not viewer.is_keeper:  # whoever may not is not even asked for their password
        raise Gone(act_forms.NOT_NOW)
    fields = await read_fields(request)
    back = came_back(request, fields)
    typed = {one: fields.getall(one) for one in fields}
    if not back and name in GRAVE:
        asked_again(request)

    def make(desk: Desk) -> Entry:
        act = build(desk)
        return act_forms.made(desk, act, {one: typed.get(one, []) for one in act_forms.names(act)})

    try:
        if not back:
            await speak(request, make, fields.get("once", ""))
            return redirect(f"/cases/{request.match_info['id']}")
    except Wrong as error:
        desk = await desk_of(request)
        return await _show(request, desk, build(desk), typed, fields.get("once", ""), error)
    desk = await desk_of(request)
    return await _show(request, desk, build(desk), typed, fields.get("once", ""))


async def _show(request: web.Request, desk: Desk, act: Act, values: Form, once: str, error: Wrong | None = None) -> web.Response:
    reader = words_of(request)
    said = facts(act.item.entry, everybody(desk), reader) if act.item and act.item.entry else []
    held = [(hold, facts(hold.entry, everybody(desk), reader)) for hold in act_forms.holds(desk, act.of) if hold.entry]
    found: dict[str, Any] = dict(act=act, said=said, fields=act_forms.fields(desk, act, values), once=once, held=held, KINDS=KINDS)
    chain = act_forms.chain(desk, act)
    found["effects"] = await request.app[KERNEL].database.read(effects, chain) if chain else []
    found["others"] = act_forms.others(desk, act)
    anothers = act.name == ERASE and act_forms.is_anothers(desk, act.of)
    return show(request, desk, "cases/act.html", _tab(act.item), error=error, anothers=anothers, grave=act.name in GRAVE, **found)


ON_ENTRIES = (MASK, UNMASK, REDACT, ERASE, WITHDRAW, LIFT)
ROUTES = (
    web.get(CASE + "/entry/{entry}", show_entry),
    *(web.get(f"{CASE}/{name}/{{entry}}", partial(show_act, name=name)) for name in ON_ENTRIES),
    *(web.post(f"{CASE}/{name}/{{entry}}", partial(do_act, name=name)) for name in ON_ENTRIES),
)
