"""Decides what a guest comes home to: their case once they are let in, and until then what happens next; where they came by a referral, how
that stands, and their word on how it came out."""

from typing import Any

from aiohttp import web

from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.errors import FedcollabError, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.base.web import read_form, redirect, words_of
from fedcollab.feature import member_of, page
from fedcollab.features.guests import service as guests
from fedcollab.features.guests.allowed import HOME, REFERRAL
from fedcollab.features.referrals import outside
from fedcollab.features.referrals.states import ACCEPTED
from fedcollab.features.referrals.views import WORDS
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import people, words

from .referred import finish as say_done


async def show_home(request: web.Request) -> web.Response:
    """A guest's own page."""
    return await _page(request)


async def finish(request: web.Request) -> web.Response:
    """A guest says how the referral came out that they took on."""
    viewer, fields, kernel = _guest(request), await read_form(request), request.app[KERNEL]
    try:
        await kernel.database.write(say_done, kernel.node, viewer, fields.get("outcome", ""))
    except Refused as error:
        if error.status == 404:
            raise
        return await _page(request, error)
    return redirect(HOME)


async def _page(request: web.Request, error: FedcollabError | None = None) -> web.Response:
    viewer, kernel = _guest(request), request.app[KERNEL]
    found = await kernel.database.read(_home, kernel.node, viewer)
    errors = {"outcome": error.in_words(words_of(request))} if error is not None else {}
    return page(request, "guests/home.html", status=error.status if error else 200, errors=errors, ACCEPTED=ACCEPTED, **WORDS, **found)


def _guest(request: web.Request) -> Viewer:
    viewer = member_of(request)
    if not viewer.is_guest:
        raise NotFound
    return viewer


def _home(session: Session, node: Node, viewer: Viewer) -> dict[str, Any]:
    guest, key = guests.of_person(session, viewer.person_id), people.current(session, viewer.person_id)
    if guest is None:
        raise NotFound
    spoken = words.of_one(actors.by_id(session, viewer.person_id).uri, key.public) if key is not None else None
    return {"guest": guest, "state": guest.state(node.now()), "spoken": spoken, "referral": outside.found(session, guest.id)}


ROUTES = (web.get(HOME, show_home), web.post(REFERRAL, finish))
