"""Decides how a case begins (P1): with a purpose, a lawful basis, a condition for sensitive data, a label and its days, or not at all."""

from datetime import date, timedelta
from typing import Any

from aiohttp import web
from multidict import MultiDict

from fedcollab.access.models import AMBER
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import iso
from fedcollab.base.errors import FedcollabError, Refused
from fedcollab.base.session import Session
from fedcollab.base.web import read_form, redirect, words_of
from fedcollab.feature import page
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import opening, organisation, working
from fedcollab.sealing.room_models import CASE
from fedcollab.sealing.unlocked import Locked, unlocked_of

from . import codes, needs
from .acting import at_once, says, worker_of
from .checking import checked, in_words
from .desk import Keys
from .grounds import LABELS, LAWFUL_BASIS, SPECIAL
from .record import Opened
from .speaking import Fields, lists

REVIEW, RETENTION = timedelta(days=90), timedelta(days=2 * 365)  # proposed; whoever opens the case chooses


def open_case(session: Session, node: Node, viewer: Viewer, keys: Keys, entry: Opened) -> str:
    """A case of ours, with whoever opens it on it, who knows all parts; its row id. Raises Refused while cases are not open here."""
    case_id = working.found(session, node, viewer, keys, CASE, entry.label)
    needs.begin(session, node, viewer, case_id, [viewer.person_id])
    at_once(session, node, viewer, keys, case_id, says, lambda _desk: entry)
    return case_id


def _is_open(session: Session, node: Node) -> bool:
    return opening.opens(organisation.facts(session, node))


async def show_new(request: web.Request) -> web.Response:
    """The form for a new case, with days proposed."""
    worker_of(request)
    await unlocked_of(request)
    today = date.fromisoformat(iso(request.app[KERNEL].node.now())[:10])
    proposed = {"label": AMBER, "review": (today + REVIEW).isoformat(), "retention": (today + RETENTION).isoformat()}
    return await _page(request, MultiDict(proposed))


async def open_new(request: web.Request) -> web.Response:
    """Opens the case; the form again where something is missing, or cases are not open here."""
    viewer, fields, kernel = worker_of(request), await read_form(request), request.app[KERNEL]
    keys = await unlocked_of(request)
    try:
        known: dict[str, Any] = dict(code=codes.fresh(), lead=kernel.node.actor_uri, replaces=(), why="")
        entry = checked(Opened, lists(fields), kernel.node.now(), **known)
        case_id = await kernel.database.write(open_case, kernel.node, viewer, keys, entry)
    except Locked:
        raise
    except Refused as error:
        return await _page(request, fields, error)
    return redirect(f"/cases/{case_id}")


async def _page(request: web.Request, typed: "Fields | MultiDict[str]", error: FedcollabError | None = None) -> web.Response:
    kernel = request.app[KERNEL]
    errors = in_words(error, words_of(request)) if error is not None else {}
    shown = dict(typed=typed, LABELS=LABELS, BASIS=LAWFUL_BASIS, CONDITION=SPECIAL, open=await kernel.database.read(_is_open, kernel.node))
    return page(request, "cases/new.html", status=error.status if error is not None else 200, errors=errors, **shown)


ROUTES = (web.get("/cases/new", show_new), web.post("/cases/new", open_new))
