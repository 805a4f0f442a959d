"""Decides what somebody on a case does with guests on its pages: asking one in, letting them in once words are compared, ending it."""

from typing import Any

from aiohttp import web
from multidict import MultiDictProxy

from fedcollab.actors.node import Node
from fedcollab.base.errors import FedcollabError, NotFound, Refused
from fedcollab.base.qr import qr
from fedcollab.base.session import Session
from fedcollab.base.web import read_form, redirect
from fedcollab.feature import member_of, read_grave_form
from fedcollab.features.cases import membership, needs
from fedcollab.features.cases.acting import acted, desk_of
from fedcollab.features.cases.asked_sharing import ALL
from fedcollab.features.cases.checking import Wrong, checked
from fedcollab.features.cases.desk import OPENERS, Desk
from fedcollab.features.cases.forms import Option, coded, form, of_this_case, sent
from fedcollab.features.cases.framing import ACCESS, CASE, show
from fedcollab.features.cases.grounds import ORGANISATIONS, PARTS
from fedcollab.features.cases.sharing import Share
from fedcollab.features.guests import service
from fedcollab.features.guests.service import Asked, GuestData
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing.unlocked import Locked, unlocked_of

from . import guests, referred

PLACE = CASE + "/guests"
KNOWN = ("to", "to_name")
Fields = MultiDictProxy[str]


async def show_guests(request: web.Request) -> web.Response:
    """Who is or was a guest of ours on this case, and the form that asks another one."""
    return await _page(request, await desk_of(request))


async def invite(request: web.Request) -> web.Response:
    """Makes an invitation, shown this once to be handed over by hand or read out."""
    viewer = member_of(request)
    if not viewer.roles & OPENERS:
        raise NotFound
    fields, kernel, case_id = await read_grave_form(request), request.app[KERNEL], request.match_info["id"]
    await unlocked_of(request)
    asked = Asked(
        fields.get("name", ""), fields.get("works_for", ""), fields.get("type", ""), fields.get("until", ""), fields.get("preview", "")
    )
    try:
        if asked.type not in ORGANISATIONS:
            raise Wrong("type", guests.CHOOSE_TYPE)
        guest_id, token = await kernel.database.write(service.invite, kernel.node, viewer, case_id, asked)
    except service.Wrong as error:
        return await _page(request, await desk_of(request), Wrong(error.field, error.text), fields)
    except Refused as error:
        if error.status in (404, 410):
            raise
        return await _page(request, await desk_of(request), error, fields)
    desk = await desk_of(request)
    guest = await kernel.database.read(service.on_case, case_id, guest_id)
    link = kernel.node.settings.uri(f"/guests/join/{token}")
    return show(request, desk, "guests/invitation.html", ACCESS, guest=guest, link=link, qr=qr(link), code="")


async def _page(request: web.Request, desk: Desk, error: FedcollabError | None = None, typed: Fields | None = None) -> web.Response:
    found = await request.app[KERNEL].database.read(guests.listed, request.app[KERNEL].node, desk.id)
    shown: dict[str, Any] = dict(typed=typed or {}, TYPES=ORGANISATIONS, may=desk.opened.label == service.LABEL, **found)
    return show(request, desk, "guests/list.html", ACCESS, error=error, **shown)


async def show_guest(request: web.Request) -> web.Response:
    """The words to compare with one who has come, and what is shared with letting them in."""
    desk = await desk_of(request)
    return await _let_in_page(request, desk, {"basis": []})


async def let_in(request: web.Request) -> web.Response:
    """Lets them in."""
    if not member_of(request).roles & OPENERS:
        raise NotFound
    fields = await read_grave_form(request)
    values = sent(Share, fields)

    def share(desk: Desk, guest: GuestData) -> Share:
        said = coded(Share, values)
        of_this_case(Share, said, _choices(desk, guest))
        return checked(Share, said, desk.look.now, to="", to_name=guest.works_for)

    try:
        if fields.get("same", "") != "yes":
            raise Wrong("same", guests.NOT_SAID)
        await acted(request, guests.let_in, request.match_info["guest"], share, fields.get("kid", ""), fields.get("shown", ""))
    except Locked:
        raise
    except Refused as error:
        if error.status in (404, 410):
            raise
        return await _let_in_page(request, await desk_of(request), values, error)
    return redirect(f"/cases/{request.match_info['id']}/guests")


async def _let_in_page(request: web.Request, desk: Desk, values: dict[str, list[str]], error: FedcollabError | None = None) -> web.Response:
    kernel = request.app[KERNEL]

    def look(session: Session, node: Node) -> dict[str, Any]:
        guest = service.on_case(session, desk.id, request.match_info["guest"])
        if guest.state(node.now()) != service.JOINED:
            raise NotFound
        knows = needs.known(session, desk.id, desk.viewer.person_id)
        mine, share = [part for part in PARTS if part in knows], referred.handed(session, desk, guest)
        return {"guest": guest, "ready": guests.ready(session, node, guest), "mine": mine, "share": share}

    found = await kernel.database.read(look, kernel.node)
    fields = form(Share, values, _choices(desk, found["guest"]), KNOWN, ALL["share"].fields) if found["share"] is None else []
    shown = dict(fields=fields, shown=membership.seen(desk), PARTS=PARTS, **found)
    return show(request, desk, "guests/let_in.html", ACCESS, error=error, **shown)


def _choices(desk: Desk, guest: GuestData) -> dict[str, list[Option]]:
    """The people of the case by their codes, and the consents in force that are for the guest's organisation."""
    there = [Option(one.code, one.code, own=True) for one in desk.case.people]
    entries = [(one.item.id, one.entry) for one in desk.case.in_force if one.entry]
    meant = [(of, entry) for of, entry in entries if entry.to_name.casefold() == guest.works_for.casefold()]
    consents = [Option(of, f"{entry.person} · {entry.until} · {entry.what[:80]}", own=True) for of, entry in meant]
    return {"people": there, "consent": consents}


async def end(request: web.Request) -> web.Response:
    """Ends a guest at once, or takes an invitation back: it never waits, so nobody is asked again."""
    viewer, kernel, case_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    if not viewer.roles & OPENERS:
        raise NotFound
    await read_form(request)
    await kernel.database.write(guests.end_by_hand, kernel.node, viewer, case_id, request.match_info["guest"])
    return redirect(f"/cases/{case_id}/guests")


ROUTES = (
    web.get(PLACE, show_guests),
    web.post(PLACE, invite),
    web.get(PLACE + "/{guest}", show_guest),
    web.post(PLACE + "/{guest}", let_in),
    web.post(PLACE + "/{guest}/end", end),
)
