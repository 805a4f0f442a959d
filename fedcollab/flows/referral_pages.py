"""Decides the pages by which a person is referred, one step each, and the yes to a referral that came, with which its people come onto the
case."""

import contextlib
from typing import Any

from aiohttp import web
from multidict import MultiDictProxy

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.errors import FedcollabError, NotFound, Refused
from fedcollab.base.qr import qr
from fedcollab.base.session import Session
from fedcollab.base.web import read_form, redirect, words_of
from fedcollab.feature import read_grave_form
from fedcollab.features.cases import borders, needs, partners
from fedcollab.features.cases.acting import acted, desk_of
from fedcollab.features.cases.checking import Wrong
from fedcollab.features.cases.desk import Desk
from fedcollab.features.cases.forms import Option, form
from fedcollab.features.cases.framing import CASE, TIMELINE, show
from fedcollab.features.cases.grounds import ORGANISATIONS, PARTS
from fedcollab.features.cases.sharing import Share
from fedcollab.features.guests import service as guests
from fedcollab.features.referrals import service, views
from fedcollab.features.referrals.views import WORDS, opener
from fedcollab.features.referrals.words import NoKey
from fedcollab.federation.kernel import KERNEL
from fedcollab.federation.partners import admitted_hosts
from fedcollab.sealing.unlocked import Locked

from . import propose_referral, referred
from .propose_referral import FIELDS, FIRST, GROUND, LOOK, OUTSIDE, PERMISSION, STEPS, TO, YES, Form, Plan, SentOut
from .propose_referral import To as Whom

Fields = MultiDictProxy[str]


async def show_refer(request: web.Request) -> web.Response:
    """The first step: to whom. Those who cannot receive one are shown as such."""
    desk = await desk_of(request)
    return await _step(request, desk, TO, {"deadline": [propose_referral.proposed_deadline(desk)]}, None, new_id())


async def go_on(request: web.Request) -> web.Response:
    """The next step, or the one before; the same again with the word on what is wrong."""
    fields = await read_form(request)
    desk, typed, step = await desk_of(request), _typed(fields), fields.get("step", "")
    if step not in STEPS:
        raise NotFound
    at = STEPS.index(step)
    if fields.get("act") == "back":
        return await _step(request, desk, STEPS[max(0, at - 1)], typed, None, fields.get("once", ""))
    if (error := await _wrong(request, desk, step, typed)) is not None:
        return await _step(request, desk, *_where(error, step, typed), fields.get("once", ""))
    return await _step(request, desk, STEPS[min(at + 1, len(STEPS) - 1)], typed, None, fields.get("once", ""))


def _where(error: FedcollabError, step: str, typed: Form) -> tuple[str, Form, FedcollabError]:
    """The step in which something is wrong, and beside which field there: whom it is about, and in which parts, is ticked together."""
    if isinstance(error, NoKey):
        return TO, typed, error
    if not isinstance(error, Wrong):
        return step, typed, error
    if error.field in ("people", "parts"):
        error = Wrong("take", error.text, **error.values)
    found = next((name for name, names in FIELDS.items() if error.field in names), GROUND if step == LOOK else step)
    return found, typed, error


async def send(request: web.Request) -> web.Response:
    """Records the share and sends the referral; the step that something is wrong in, where it is."""
    fields = await read_grave_form(request)
    opener(request)
    typed, once = _typed(fields), fields.get("once", "")
    try:
        made = await acted(request, propose_referral.send, typed, once)
    except Locked:
        raise
    except Refused as error:
        if error.status in (404, 410):
            raise
        return await _step(request, await desk_of(request), *_where(error, LOOK, typed), once)
    return await _link_page(request, made) if made.token else redirect(f"/referrals/{made.id}")


async def _link_page(request: web.Request, made: SentOut) -> web.Response:
    """The link and the code, shown this once."""
    kernel, desk = request.app[KERNEL], await desk_of(request)
    guest = await kernel.database.read(guests.on_case, made.room_id, made.id)
    link = kernel.node.settings.uri(f"/guests/join/{made.token}")
    shown: dict[str, Any] = dict(link=link, qr=qr(link), code=f"{made.code[:4]} {made.code[4:]}", referral=made.id)
    return show(request, desk, "guests/invitation.html", TIMELINE, guest=guest, **shown)


async def accept(request: web.Request) -> web.Response:
    """Our yes to one that came: the colleagues who take it come onto its case and know all parts of it at first."""
    viewer, fields, kernel = opener(request), await read_grave_form(request), request.app[KERNEL]
    people = fields.getall("people", [])
    try:
        await kernel.database.write(take_on, kernel.node, viewer, request.match_info["id"], people)
    except Refused as error:
        if error.status == 404:
            raise
        return await views.one_page(request, error, "people", people)
    return redirect(f"/referrals/{request.match_info['id']}")


async def take_back(request: web.Request) -> web.Response:
    """We take ours back before it was answered; its room goes with that, and so does a link."""
    opener(request)
    await read_grave_form(request)
    return await views.act(request, referred.take_back)


def take_on(session: Session, node: Node, viewer: Viewer, referral_id: str, people: list[str]) -> None:
    """Raises what `service.accept` raises."""
    room_id = service.accept(session, node, viewer, referral_id, people)
    needs.begin(session, node, viewer, room_id, dict.fromkeys(people))


def _typed(fields: Fields) -> Form:
    return {name: fields.getall(name, []) for names in FIELDS.values() for name in names}


async def _wrong(request: web.Request, desk: Desk, step: str, typed: Form) -> FedcollabError | None:
    """What is wrong with what was typed in one step."""
    node = request.app[KERNEL].node

    def look(session: Session) -> None:
        propose_referral.check_from(desk)
        if step == TO:
            propose_referral.whom(session, node, typed)
        elif step == FIRST:
            propose_referral.first(typed, desk.look.today)
        elif step == YES:
            propose_referral.taken(desk, typed)
        else:
            propose_referral.plan(session, node, desk, typed)

    try:
        await request.app[KERNEL].database.read(look)
    except Refused as error:
        return error
    return None


async def _step(request: web.Request, desk: Desk, step: str, typed: Form, error: FedcollabError | None, once: str) -> web.Response:
    """The page of a step; a step that cannot be shown for what was typed before leads back to that one."""
    node = request.app[KERNEL].node

    def look(session: Session) -> dict[str, Any]:
        hosts = admitted_hosts(session)
        there = [one for one in partners.organisations(session) if one.host in hosts]
        to: Any = next((one for one in there if one.id in typed.get("to", [])), None)
        if OUTSIDE in typed.get("to", []):
            with contextlib.suppress(Wrong):
                to = propose_referral.whom(session, node, typed)
        made: Plan | None = propose_referral.plan(session, node, desk, typed) if step == LOOK else None
        return dict(partners=there, to=to, plan=made)

    try:
        propose_referral.check_from(desk)
    except Refused as refused:
        return show(request, desk, "flows/refer.html", TIMELINE, error=refused, step="")
    found = await request.app[KERNEL].database.read(look)
    reader = words_of(request)
    shown: dict[str, Any] = dict(
        step=step, steps=STEPS, typed=typed, once=once, names=FIELDS, PARTS=PARTS, readable=propose_referral.readable
    )
    if step == GROUND:
        typed = typed | borders.begin(desk, found["to"].uri if found["to"] else "", typed, reader)
        shown["typed"] = typed
    known = ("into",) if isinstance(found["to"], Whom) else ()
    shown["fields"] = form(Share, typed, _choices(desk, found["to"], reader), known, PERMISSION) if step == GROUND else []
    shown |= dict(OUTSIDE=OUTSIDE, TYPES=ORGANISATIONS)
    return show(request, desk, "flows/refer.html", TIMELINE, error=error, **shown, **found, **WORDS)


def _choices(desk: Desk, to: Any, reader: Any) -> dict[str, list[Option]]:
    """The consents in force that are for this recipient."""
    for_whom = (to.uri, to.to_name.casefold() if isinstance(to, Whom) else "") if to is not None else ("", "")
    given = [(one.item.id, one.entry) for one in desk.case.in_force if one.entry]
    mine = [(of, entry) for of, entry in given if (entry.to, entry.to_name.casefold()) == for_whom]
    told = [(of, f"{entry.person} · {reader.on_day(entry.until)} · {entry.what[:80]}") for of, entry in mine]
    return {"consent": [Option(of, text, own=True) for of, text in told]}


ROUTES = (
    web.get(CASE + "/refer", show_refer),
    web.post(CASE + "/refer", go_on),
    web.post(CASE + "/refer/send", send),
    web.post("/referrals/{id}/accept", accept),
    web.post("/referrals/{id}/take-back", take_back),
)
