"""Decides how an invitation is answered, with who of us is on the case then; and how keepers put somebody on a case, through the
organisation's key: where nobody of us is on it, or those who are cannot work."""

from typing import Any

from aiohttp import web

from fedcollab.access.models import RED
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import BadRequest, FedcollabError, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.base.web import redirect, words_of
from fedcollab.feature import COLLEAGUES, keeper_of, page, read_grave_form
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import crossing, holding, naming, opening, organisation, rooms
from fedcollab.sealing.holding import Assigned
from fedcollab.sealing.room_state import CLOSED, FROZEN, OPEN
from fedcollab.sealing.unlocked import Locked, unlocked_of

from . import membership
from .acting import worker_of
from .desk import OPENERS
from .framing import CASE
from .grounds import LABELS


async def show_answer(request: web.Request) -> web.Response:
    """What waits for our answer: from whom, under which label, and who of us it could be for."""
    return await _answer(request, worker_of(request))


async def answer(request: web.Request) -> web.Response:
    """Our yes or no."""
    viewer, fields, kernel = worker_of(request), await read_grave_form(request), request.app[KERNEL]
    keys, case_id, yes = await unlocked_of(request), request.match_info["id"], fields.get("act") == "accept"
    if fields.get("act") not in ("accept", "decline"):
        raise BadRequest

    def work(session: Session, node: Node) -> None:
        crossing.check(session, viewer.person_id)
        may = request.app[COLLEAGUES](session, OPENERS)
        membership.answer(session, node, viewer, keys, case_id, yes=yes, people=fields.getall("person", []), may=may)

    try:
        await kernel.database.write(work, kernel.node)
    except Refused as error:
        if error.status == 404:
            raise
        return await _answer(request, viewer, error, fields.getall("person", []))
    return redirect("/cases")


async def _answer(request: web.Request, viewer: Viewer, error: FedcollabError | None = None, chosen: Any = None) -> web.Response:
    def look(session: Session, node: Node) -> dict[str, Any]:
        seat = membership.invitation(session, node, viewer, request.match_info["id"])
        row = membership.of_case(session, request.match_info["id"])
        inviter = naming.names(session, [seat.invitation.by])[seat.invitation.by]
        is_open = opening.opens(organisation.facts(session, node))
        others = request.app[COLLEAGUES](session, OPENERS)
        return dict(row=row, by=inviter, named=seat.invitation.person, role=seat.invitation.role, others=others, open=is_open)

    found = await request.app[KERNEL].database.read(look, request.app[KERNEL].node)
    errors = {"": error.in_words(words_of(request))} if error else {}
    chosen = [viewer.person_id] if chosen is None else chosen
    status = error.status if error else 200
    return page(request, "cases/answer.html", status=status, errors=errors, chosen=chosen, LABELS=LABELS, **found)


async def show_assign(request: web.Request) -> web.Response:
    """For keepers: whom to put on a case."""
    return await _assign(request, keeper_of(request))


async def assign(request: web.Request) -> web.Response:
    """Puts somebody on it, through the organisation's key."""
    viewer, fields, kernel = keeper_of(request), await read_grave_form(request), request.app[KERNEL]
    case_id, person = request.match_info["id"], fields.get("person", "")
    keys = await unlocked_of(request)

    def work(session: Session, node: Node) -> None:
        crossing.check(session, viewer.person_id)
        _for_keepers(session, viewer, case_id)
        if person not in {found for found, _ in request.app[COLLEAGUES](session, OPENERS)}:
            raise BadRequest(membership.ANOTHER)
        membership.assign(session, node, viewer, keys, case_id, person, ())

    try:
        await kernel.database.write(work, kernel.node)
    except Locked:
        raise
    except Refused as error:
        if error.status == 404:
            raise
        return await _assign(request, viewer, error)
    return redirect(f"/cases/{case_id}" if person == viewer.person_id else "/cases")


async def _assign(request: web.Request, viewer: Viewer, error: FedcollabError | None = None) -> web.Response:
    def look(session: Session) -> dict[str, Any]:
        there = _for_keepers(session, viewer, request.match_info["id"])
        row = membership.of_case(session, request.match_info["id"])
        holds = viewer.person_id in organisation.holders(session)
        on_it = {one.person_id for one in there}
        others = [one for one in request.app[COLLEAGUES](session, OPENERS) if one[0] not in on_it]
        return dict(row=row, since=rooms.by_id(session, row.id).created_at, others=others, holds=holds, there=there)

    found = await request.app[KERNEL].database.read(look)
    errors = {"person": error.in_words(words_of(request))} if error else {}
    return page(request, "cases/assign.html", status=error.status if error else 200, errors=errors, LABELS=LABELS, **found)


def _for_keepers(session: Session, viewer: Viewer, case_id: str) -> list[Assigned]:
    """Who of us is on a case that a keeper can put somebody on. Raises NotFound for one for people by name, and for one that they are on
    themselves."""
    row, there = membership.of_case(session, case_id), holding.ours(session, case_id)
    if row.label == RED or row.state not in (OPEN, FROZEN, CLOSED) or viewer.person_id in {one.person_id for one in there}:
        raise NotFound
    return there


ROUTES = (
    web.get(CASE + "/answer", show_answer),
    web.post(CASE + "/answer", answer),
    web.get(CASE + "/assign", show_assign),
    web.post(CASE + "/assign", assign),
)
