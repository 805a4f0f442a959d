"""Decides what is shown of who can read a case, and the forms by which that changes: each asks again for what one signs in with."""

from collections.abc import Callable
from typing import Any

from aiohttp import web
from multidict import MultiDict

from fedcollab.access.models import RED
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import BadRequest, FedcollabError, N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.base.web import redirect
from fedcollab.feature import COLLEAGUES, read_grave_form
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import crossing, holding, working
from fedcollab.sealing.unlocked import Locked, unlocked_of

from . import membership, needs
from .acting import desk_of, worker_of
from .checking import Wrong
from .desk import OPENERS, Desk, Keys
from .framing import ACCESS, CASE, show
from .grounds import PARTS

Fields = Any
NOBODY = N_("Choose who it is.")
ASSIGN = "assign-"  # before the names of the fields of the form that puts somebody on the case


async def show_access(request: web.Request) -> web.Response:
    """The whole access list, what each of us needs to know, and what can be changed."""
    return await _page(request, await desk_of(request))


async def assign(request: web.Request) -> web.Response:
    """Puts a colleague on the case."""

    def work(session: Session, node: Node, viewer: Viewer, keys: Keys, case_id: str, fields: Fields) -> None:
        if not holding.is_assigned(session, case_id, viewer.person_id):  # keepers have a page of their own (answering.py)
            raise NotFound
        _may(request, session, fields.get("person", ""))
        membership.assign(session, node, viewer, keys, case_id, fields.get("person", ""), fields.getall("part", []))

    return await _act(request, work, ASSIGN)


async def unassign(request: web.Request) -> web.Response:
    """Takes a colleague, or oneself, off the case."""
    return await _act(request, _unassign, "ours")


def _unassign(session: Session, node: Node, viewer: Viewer, _keys: Keys, case_id: str, fields: Fields) -> None:
    membership.unassign(session, node, viewer, case_id, fields.get("person", ""))


async def change_needs(request: web.Request) -> web.Response:
    """What a colleague needs to know."""
    return await _act(request, _change_needs, "ours")


def _change_needs(session: Session, node: Node, viewer: Viewer, _keys: Keys, case_id: str, fields: Fields) -> None:
    membership.change_needs(session, node, viewer, case_id, fields.get("person", ""), fields.getall("part", []))


async def withdraw(request: web.Request) -> web.Response:
    """Takes an invitation back before it was answered."""
    return await _act(request, _withdraw, "list")


def _withdraw(session: Session, node: Node, viewer: Viewer, _keys: Keys, case_id: str, fields: Fields) -> None:
    working.take_back_invitation(session, node, viewer, case_id, fields.get("invitation", ""))


async def remove(request: web.Request) -> web.Response:
    """Puts an organisation, or a person by name, out."""
    return await _act(request, _remove, "list")


def _remove(session: Session, node: Node, viewer: Viewer, _keys: Keys, case_id: str, fields: Fields) -> None:
    working.remove(session, node, viewer, case_id, fields.get("organisation", ""), fields.get("person", ""))


async def leave(request: web.Request) -> web.Response:
    """Our organisation goes; where the case is for people by name, whoever does it."""
    return await _act(request, _leave, "leave", to="/cases")


def _leave(session: Session, node: Node, viewer: Viewer, _keys: Keys, case_id: str, fields: Fields) -> None:
    if fields.get("sure", "") != "yes":
        raise Refused(N_("Say that you want this: there is no way back in but a new invitation."))
    working.leave(session, node, viewer, case_id)


async def _act(request: web.Request, work: Callable[..., None], at: str, to: str = "") -> web.Response:
    """One change as one unit; where it is refused, the page again with the word beside what it was."""
    viewer = worker_of(request)
    fields, kernel, case_id = await read_grave_form(request), request.app[KERNEL], request.match_info["id"]
    keys = await unlocked_of(request)
    try:
        await kernel.database.write(_unit, kernel.node, viewer, keys, case_id, fields, work)
    except Locked:
        raise
    except (Refused, BadRequest) as error:
        if error.status in (404, 410):
            raise
        return await _page(request, await desk_of(request), error, at, fields)
    gone = fields.get("person") == viewer.person_id and work is _unassign
    return redirect(to or ("/cases" if gone else f"/cases/{case_id}/access"))


def _unit(session: Session, node: Node, viewer: Viewer, keys: Keys, case_id: str, fields: Fields, work: Callable[..., None]) -> None:
    """Does it for somebody who has not locked their access since their keys were looked for. Raises LockedAway."""
    crossing.check(session, viewer.person_id)
    work(session, node, viewer, keys, case_id, fields)


def _may(request: web.Request, session: Session, person_id: str) -> None:
    """Raises Wrong for somebody who does not work on cases: they could not open it."""
    if person_id not in {found for found, _ in request.app[COLLEAGUES](session, OPENERS)}:
        raise Wrong("person", membership.ANOTHER if person_id else NOBODY)


def _look(session: Session, request: web.Request, desk: Desk) -> dict[str, Any]:
    there = {one.person_id for one in desk.access.ours}
    others = [(person_id, name) for person_id, name in request.app[COLLEAGUES](session, OPENERS) if person_id not in there]
    return dict(others=others, known=needs.everybody(session, desk.id), mine=needs.known(session, desk.id, desk.viewer.person_id))


async def _page(request: web.Request, desk: Desk, error: FedcollabError | None = None, at: str = "", typed: Fields = None) -> web.Response:
    found = await request.app[KERNEL].database.read(_look, request, desk)
    place = at if isinstance(error, Wrong) else ""
    assigning = typed if at == ASSIGN and typed is not None else MultiDict[str]()
    more = dict(PARTS=PARTS, typed=assigning, by_name=desk.opened.label == RED)
    return show(request, desk, "cases/access.html", ACCESS, error=error, at=place, **found, **more)


ROUTES = (
    web.get(CASE + "/access", show_access),
    web.post(CASE + "/access/assign", assign),
    web.post(CASE + "/access/unassign", unassign),
    web.post(CASE + "/access/needs", change_needs),
    web.post(CASE + "/access/withdraw", withdraw),
    web.post(CASE + "/access/remove", remove),
    web.post(CASE + "/access/leave", leave),
)
