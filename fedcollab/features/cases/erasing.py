"""Decides how all that names a person is erased by one act: what is of them alone, and of what else mentions them what is ticked. It is
asked for in entries of a hundred names each, every one a unit of its own; what is ours then goes a little at a time (going.py). Sent
again, the form goes on where it was left."""

import asyncio
from collections.abc import Iterator, Sequence

from aiohttp import web
from multidict import MultiDictProxy

from fedcollab.actors.node import Node
from fedcollab.base.errors import Gone
from fedcollab.base.session import Session
from fedcollab.base.web import read_fields, redirect, words_of
from fedcollab.feature import asked_again, came_back
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import crossing, going, holding, room_content
from fedcollab.sealing.lessened import lessened
from fedcollab.sealing.refusals import Outside
from fedcollab.sealing.unlocked import unlocked_of

from . import act_forms, mentioning
from .acting import desk_of, worker_of
from .acts import ERASE
from .asked_sharing import ALL
from .calling import everybody
from .checking import Wrong, checked
from .desk import Desk, NoLonger, look_at, to_go
from .facts import facts
from .framing import CASE, PEOPLE, show
from .handles import person_at
from .kinds import document
from .mending import Erased
from .shown import PersonShown, Shown
from .telling import KINDS

PATH = CASE + "/people/{person}/erase"
MOST = 100  # ids that one entry names
SHOWN = 200  # entries that mention somebody, on one page
SECONDS = 2.0  # that a form waits for what goes; the rest goes on without it


async def show_erase(request: web.Request) -> web.Response:
    """What the erasure of all that is kept of a person does, and what else mentions them."""
    return _show(request, await desk_of(request))


async def erase(request: web.Request) -> web.Response:
    """Asks for it."""
    worker_of(request)
    fields = await read_fields(request)
    if came_back(request, fields):
        return _show(request, await desk_of(request), fields)
    asked_again(request)
    for last in (False, True):
        desk = await _look(request)
        try:
            await _ask(request, desk, _chosen(request, desk, fields), fields)
            break
        except Wrong as error:
            return _show(request, await desk_of(request), fields, error)
        except Outside:  # the case key was turned in between
            if last:
                raise
    await _go(request)
    return redirect(f"/cases/{request.match_info['id']}/holds#going")


async def _look(request: web.Request) -> Desk:
    keys, kernel = await unlocked_of(request), request.app[KERNEL]
    return await kernel.database.read(look_at, kernel.node, worker_of(request), keys, request.match_info["id"])


def _kept(request: web.Request, desk: Desk) -> tuple[PersonShown, tuple[Shown, ...], tuple[Shown, ...]]:
    """The person, what is of them alone, what else mentions them and is not asked for. Raises NotFound, Gone where nothing is left."""
    person = person_at(desk.case, desk.id, request.match_info["person"])
    mine, more = mentioning.alone(desk.case, person.code), tuple(mentioning.beside(desk.case, person.code))
    more = tuple(one for one in more if not one.asked)
    if not mine and not more:
        raise Gone(act_forms.NOT_NOW)
    return person, mine, more


def _chosen(request: web.Request, desk: Desk, fields: MultiDictProxy[str]) -> list[str]:
    """The ids of all that is to go. Where the form is sent again, what went already is asked for no more."""
    person = person_at(desk.case, desk.id, request.match_info["person"])
    ticked = set(fields.getall("also", []))
    every = fields.get("all") == "yes"
    more = [one.id for one in mentioning.beside(desk.case, person.code) if not one.asked and (every or desk.handle(one.id) in ticked)]
    mine = [one.id for one in mentioning.alone(desk.case, person.code) if not one.asked] if fields.get("alone") == "yes" else []
    return list(dict.fromkeys([*mine, *more]))


async def _ask(request: web.Request, desk: Desk, ids: Sequence[str], fields: MultiDictProxy[str]) -> None:
    """Says so in as many entries as it needs. Raises Wrong, Outside."""
    kernel, why = request.app[KERNEL], {"why": fields.getall("why", [])}
    if not {"alone", "all", "also"}.intersection(fields):
        raise Wrong("alone", act_forms.NOTHING)
    for part in _parts(ids):
        await kernel.database.write(_say, kernel.node, desk, checked(Erased, why, desk.look.now, of=part))


def _parts(ids: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(ids), MOST):
        yield tuple(ids[start : start + MOST])


def _say(session: Session, node: Node, desk: Desk, entry: Erased) -> None:
    """One entry, without the case being read anew for it."""
    crossing.check(session, desk.viewer.person_id)
    if not holding.is_assigned(session, desk.id, desk.viewer.person_id):
        raise NoLonger
    room_content.write(session, node, desk.opened, document(entry))
    lessened(session)


async def _go(request: web.Request) -> None:
    """The case is read as it stands by now, and what of ours is to go does, for as long as somebody waits."""
    kernel, loop = request.app[KERNEL], asyncio.get_running_loop()
    desk = await desk_of(request)
    gone = to_go(desk)
    while len(gone) > going.EACH and await kernel.database.write(going.begin, kernel.node, desk.viewer, desk.id, gone) > 0:
        pass
    until = loop.time() + SECONDS
    while await kernel.database.write(going.go_on, kernel.node) and loop.time() < until:
        pass


def _show(request: web.Request, desk: Desk, fields: MultiDictProxy[str] | None = None, error: Wrong | None = None) -> web.Response:
    person, mine, more = _kept(request, desk)
    reader, names = words_of(request), everybody(desk)
    rows = [(desk.handle(one.id), one, facts(one.entry, names, reader)) for one in more[:SHOWN] if one.entry]
    held = [(hold, facts(hold.entry, names, reader)) for hold in act_forms.holds(desk, [one.id for one in mine]) if hold.entry]
    typed = fields.getall("also", []) if fields is not None else []
    why = [*(fields.getall("why", []) if fields is not None else []), ""][0]
    return show(
        request,
        desk,
        "cases/erase.html",
        PEOPLE,
        error=error,
        person=person,
        mine=sum(not one.asked for one in mine),
        rows=rows,
        rest=max(0, len(more) - SHOWN),
        typed=typed,
        alone=fields is None or fields.get("alone") == "yes",
        all=fields is not None and fields.get("all") == "yes",
        why=why,
        held=held,
        words_for=ALL[Erased.KIND],
        cannot=act_forms.CANNOT[ERASE],
        anothers=act_forms.is_anothers(desk, [one.id for one in (*mine, *more)]),
        KINDS=KINDS,
    )


ROUTES = (web.get(PATH, show_erase), web.post(PATH, erase))
