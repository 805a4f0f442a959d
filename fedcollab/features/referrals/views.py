"""Decides what the pages of referrals show and do: the lists, one that came with what may be seen before the answer, one that we have sent,
and what partners have asked us to erase."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from fedcollab.access.viewer import CASEWORKER, KEEPER, Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import BadRequest, FedcollabError, NotFound, Refused
from fedcollab.base.sector import AGES, LAWFUL_BASIS, REFERRAL_OUTCOME, REFERRAL_REASON, SUPPORT, TRANSFER, WITHOUT_CONSENT
from fedcollab.base.session import Session
from fedcollab.base.web import page_number, read_form, redirect, words_of
from fedcollab.feature import COLLEAGUES, keeper_of, member_of, page, read_grave_form
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import consent_marks, organisation
from fedcollab.sealing.unlocked import Locked, unlocked_of

from . import looking, service
from .preview import URGENCY, Preview
from .states import IN_PROGRESS, RECIPIENT, SENDER, may
from .words import CHOICES, REFUSALS, STATES

OPENERS = frozenset({CASEWORKER, KEEPER})
WORDS: dict[str, Any] = dict(
    STATES=STATES,
    REFUSALS=REFUSALS,
    CHOICES=CHOICES,
    OUTCOME=REFERRAL_OUTCOME,
    REASON=REFERRAL_REASON,
    URGENCY=URGENCY,
    AGES=AGES,
    SUPPORT=SUPPORT,
    BASIS=LAWFUL_BASIS,
    WITHOUT=WITHOUT_CONSENT,
    TRANSFER=TRANSFER,
)


def opener(request: web.Request) -> Viewer:
    """Whoever is signed in and works with cases; for everybody else it does not exist."""
    viewer = member_of(request)
    if not viewer.roles & OPENERS:
        raise NotFound
    return viewer


async def show_all(request: web.Request) -> web.Response:
    """Those that came, and those that we have sent; nothing of what they are about, so it takes no key."""
    viewer, kernel = opener(request), request.app[KERNEL]
    number = {name: page_number(request.query.get(name, "")) for name in ("came", "sent")}

    def look(session: Session, node: Node) -> dict[str, Any]:
        holds = viewer.person_id in organisation.holders(session)
        asked = len(consent_marks.to_erase(session)) if holds else 0
        theirs, ours = looking.came(session, node, viewer, number["came"]), looking.sent(session, node, viewer, number["sent"])
        return dict(came=theirs, sent=ours, holds=holds, asked=asked)

    return page(request, "referrals/list.html", number=number, **WORDS, **await kernel.database.read(look, kernel.node))


async def show_one(request: web.Request) -> web.Response:
    """One of them."""
    return await one_page(request)


async def one_page(request: web.Request, error: FedcollabError | None = None, field: str = "", chosen: Any = ()) -> web.Response:
    """One that came, with what its sender shows before the answer, or one that we have sent; with what was refused, beside its field."""
    viewer, kernel = opener(request), request.app[KERNEL]
    keys = await unlocked_of(request)

    def look(session: Session, node: Node) -> dict[str, Any]:
        found = looking.one(session, node, viewer, request.match_info["id"])
        preview, unread = _preview(session, node, viewer, keys, found)
        side = SENDER if found.sent else RECIPIENT
        with_key = {one.id for one in service.colleagues(session)}
        others = [one for one in request.app[COLLEAGUES](session, OPENERS) if one[0] in with_key]
        return dict(one=found, preview=preview, unread=unread, may=may(found.state, side), others=others)

    found = await kernel.database.write(look, kernel.node)
    reader = words_of(request)
    errors = {field: error.in_words(reader)} if error is not None else {}
    found["unread"] = found["unread"].in_words(reader) if found["unread"] is not None else ""
    status = error.status if error is not None else 200
    return page(request, "referrals/one.html", status=status, errors=errors, chosen=chosen, **WORDS, **found)


def _preview(session: Session, node: Node, viewer: Viewer, keys: Any, found: looking.Listed) -> tuple[Preview | None, Refused | None]:
    """What may be seen before the answer, or why it cannot be read."""
    if found.sent or found.state != IN_PROGRESS:
        return None, None
    try:
        return service.open_preview(session, node, viewer, keys, found.id), None
    except Refused as error:
        return None, error


async def act(
    request: web.Request, work: Callable[..., Any], *values: Any, field: str = "", keys: bool = False, to: str = ""
) -> web.Response:
    """Does `work` with the referral of the address, and leads back to it, or `to` another page; its page again where that is refused."""
    viewer, kernel = opener(request), request.app[KERNEL]
    with_keys = (await unlocked_of(request),) if keys else ()
    try:
        await kernel.database.write(work, kernel.node, viewer, *with_keys, request.match_info["id"], *values)
    except Locked:
        raise
    except Refused as error:
        if error.status == 404:
            raise
        return await one_page(request, error, field)
    return redirect(to or f"/referrals/{request.match_info['id']}")


async def assign(request: web.Request) -> web.Response:
    """Hands one that came to a colleague, who can look and answer from then on."""
    opener(request)
    fields = await read_grave_form(request)
    return await act(request, service.assign, fields.get("person", "")[:36], field="person", keys=True)


async def decline(request: web.Request) -> web.Response:
    """Our no: nothing of it stays here, and whoever it was handed to does not come to its page any more."""
    opener(request)
    fields = await read_form(request)
    return await act(request, service.decline, fields.get("reason", ""), field="reason", to="/referrals")


async def finish(request: web.Request) -> web.Response:
    """How an accepted one came out."""
    opener(request)
    fields = await read_form(request)
    return await act(request, service.finish, fields.get("outcome", ""), field="outcome")


async def show_erase(request: web.Request) -> web.Response:
    """What partners have asked us to erase, because the consent for it has ended; for keepers."""
    return await _erase(request)


async def answer_erase(request: web.Request) -> web.Response:
    """Erases it, or says that we keep it on a ground of our own."""
    viewer, fields, kernel = keeper_of(request), await read_grave_form(request), request.app[KERNEL]
    answer = {"erase": consent_marks.erase, "keep": consent_marks.keep}.get(fields.get("act", ""))
    if answer is None:
        raise BadRequest
    if answer is consent_marks.keep and fields.get("noted") != "yes":
        return await _erase(request, fields.get("mark", ""))
    await kernel.database.write(answer, kernel.node, viewer, fields.get("mark", "")[:36])
    return redirect("/referrals/to-erase")


async def _erase(request: web.Request, wrong: str = "") -> web.Response:
    keeper_of(request)
    marks = await request.app[KERNEL].database.read(consent_marks.to_erase)
    return page(request, "referrals/erase.html", status=422 if wrong else 200, asked=marks, wrong=wrong)


ROUTES = (
    web.get("/referrals", show_all),
    web.get("/referrals/to-erase", show_erase),
    web.post("/referrals/to-erase", answer_erase),
    web.get("/referrals/{id}", show_one),
    web.post("/referrals/{id}/assign", assign),
    web.post("/referrals/{id}/decline", decline),
    web.post("/referrals/{id}/finish", finish),
)
