"""Decides what the page of a group's members shows and takes, and the page on which an invitation is answered. Every act asks again for
what one signs in with."""

from collections.abc import Callable

from aiohttp import web

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import BadRequest, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.base.web import read_fields, redirect, words_of
from fedcollab.feature import asked_again, came_back, member_of, page
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import holding
from fedcollab.sealing.unlocked import unlocked_of

from . import acting, inside
from .forms import Fields
from .opening import Keys
from .pages import GROUP
from .telling import LABEL_HINTS, LABELS
from .units import done, looked

DEPUTIES = "deputies"  # the one field that may stand in a form several times
ACTS: dict[str, tuple[Callable[..., None], tuple[str, ...]]] = {  # what a form asks for, and which of its fields say more
    "invite": (acting.invite, ("who", "history")),
    "withdraw": (acting.withdraw, ("invitation",)),
    "remove": (acting.remove, ("who", "person")),
    "assign": (acting.assign, ("person",)),
    "unassign": (acting.unassign, ("person",)),
    DEPUTIES: (acting.deputise, (DEPUTIES,)),
    "lead": (acting.hand_over, ("who",)),
    "turn": (acting.turn, ()),
    "leave": (acting.leave, ()),
    "close": (acting.close, ()),
}


async def members(request: web.Request) -> web.Response:
    """Who is inside, and the forms that change it."""
    return await _page(request)


async def _page(request: web.Request, error: Refused | None = None, act: str = "") -> web.Response:
    found: inside.Membership = await looked(request, inside.membership)
    errors = {act: error.in_words(words_of(request))} if error else {}
    return page(
        request, "rooms/members.html", status=error.status if error else 200, here=found.here, found=found, errors=errors, LABELS=LABELS
    )


async def change(request: web.Request) -> web.Response:
    """One act: `act` says which."""
    fields = await read_fields(request)
    member_of(request)
    if came_back(request, fields):
        return await _page(request)
    asked_again(request)
    try:
        stays = await done(request, _change, fields)
    except NotFound:
        raise
    except Refused as error:
        return await _page(request, error, fields.get("act", ""))
    return redirect(f"/sealed/{request.match_info['id']}/people" if stays else "/sealed")


def _change(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str, fields: Fields) -> bool:
    """Does it; whether whoever did it is in the group still."""
    act, names = ACTS.get(fields.get("act", ""), (None, ()))
    if act is None:
        raise BadRequest
    act(session, node, viewer, keys, room_id, *(fields.getall(name, []) if name == DEPUTIES else fields.get(name, "") for name in names))
    return holding.is_assigned(session, room_id, viewer.person_id)


async def show_asked(request: web.Request) -> web.Response:
    """An invitation: who asks, and what saying yes means."""
    return await _asked_page(request)


async def _asked_page(request: web.Request, error: Refused | None = None, chosen: tuple[str, ...] | None = None) -> web.Response:
    viewer, found = member_of(request), await _asked(request)
    await unlocked_of(request)
    errors = {"person": error.in_words(words_of(request))} if error else {}
    shown = dict(found=found, errors=errors, chosen=(viewer.person_id,) if chosen is None else chosen, LABELS=LABELS, HINTS=LABEL_HINTS)
    return page(request, "rooms/answer.html", status=error.status if error else 200, **shown)


async def _asked(request: web.Request) -> inside.Asked:
    kernel = request.app[KERNEL]
    found: inside.Asked = await kernel.database.read(inside.asked, kernel.node, member_of(request), request.match_info["id"])
    return found


async def answer(request: web.Request) -> web.Response:
    """Our yes, with who takes part, or our no."""
    fields = await read_fields(request)
    viewer, kernel, room_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    people, yes = tuple(fields.getall("person", [])), fields.get("act") == "accept"
    if came_back(request, fields):
        return await _asked_page(request, chosen=people)
    if fields.get("act") not in ("accept", "decline"):  # a no cannot be taken back, and is none by accident
        raise BadRequest
    asked_again(request)
    await _asked(request)
    keys = await unlocked_of(request)
    try:
        await kernel.database.write(acting.answer, kernel.node, viewer, keys, room_id, people, yes=yes)
    except NotFound:
        raise
    except Refused as error:
        return await _asked_page(request, error, people)
    return redirect("/sealed")


ROUTES = (
    web.get(GROUP + "/people", members),
    web.post(GROUP + "/people", change),
    web.get(GROUP + "/answer", show_asked),
    web.post(GROUP + "/answer", answer),
)
