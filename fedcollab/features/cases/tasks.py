"""Decides how the tasks of a case are shown and moved on: whose each is, by when, how far it is; the steps of support plans with them."""

from typing import Any

from aiohttp import web

from fedcollab.base.errors import NotFound
from fedcollab.base.web import read_form

from .acting import desk_of, reader_of
from .checking import Wrong
from .desk import Desk
from .framing import CASE, TASKS, show
from .shown import OPEN, Work
from .slices import newest
from .speaking import Fields, said
from .telling import WORDS
from .work import Progress, Task


def owners(desk: Desk) -> dict[str, str]:
    """{id: name} of those who can be given a task: those of us who are on the case, and of others whom the case names."""
    ours = {one.uri: one.name for one in desk.access.ours}
    wrote = {one.author for one in desk.messages if one.organisation != desk.look.organisation}
    theirs = {uri: desk.names[uri].said for uri in sorted(wrote)}
    named = {person.uri: person.said for one in desk.access.others for person in one.people}
    return ours | theirs | named


def work(desk: Desk, of: str) -> Work:
    """A task or step of the case by its id. Raises NotFound."""
    found = next((one for one in (*desk.case.tasks, *desk.case.plan) if one.item.id == of), None)
    if found is None:
        raise NotFound
    return found


def order(desk: Desk) -> list[Work]:
    """What is still to be done: one's own first, then by the day, those without one last."""
    me = desk.look.person
    waiting = [one for one in (*desk.case.tasks_open, *desk.case.plan_open) if one.entry]
    return sorted(waiting, key=lambda one: (one.entry.owner != me, one.entry.due or "9999", one.item.at) if one.entry else (True, "", 0))


async def show_tasks(request: web.Request) -> web.Response:
    """What is to be done, what was."""
    return _page(request, await desk_of(request))


async def add_task(request: web.Request) -> web.Response:
    """A task with an owner and a day."""
    return await said(request, Task, _again_new, "/tasks")


async def move_on(request: web.Request) -> web.Response:
    """How far a task or a step is from now on."""
    reader_of(request)
    of = (await read_form(request)).get("of", "")
    return await said(request, Progress, _again_progress, "/tasks", lambda desk: {"of": of, "replaces": work(desk, of).ids})


async def _again_new(request: web.Request, desk: Desk, error: Wrong, fields: Fields) -> web.Response:
    return _page(request, desk, error, fields, at="new-")


async def _again_progress(request: web.Request, desk: Desk, error: Wrong, fields: Fields) -> web.Response:
    return _page(request, desk, error, fields, at=f"p-{desk.handle(fields.get('of', ''))}-")


def _page(request: web.Request, desk: Desk, error: Wrong | None = None, typed: Any = None, at: str = "") -> web.Response:
    done = [one for one in (*desk.case.tasks, *desk.case.plan) if one.progress not in OPEN]
    part = newest(sorted(done, key=lambda one: one.since), request.query.get("before", ""))
    shown = dict(waiting=order(desk), part=part, owners=owners(desk), typed=typed or {}, today=desk.look.today)
    return show(request, desk, "cases/tasks.html", TASKS, error=error, at=at, **shown, **WORDS)


ROUTES = (
    web.get(CASE + "/tasks", show_tasks),
    web.post(CASE + "/tasks", add_task),
    web.post(CASE + "/tasks/progress", move_on),
)
