"""Decides what keepers see and do: the set-up, led step by step, and afterwards who keeps the key and the sheets. Nobody else finds it but
admins, who name the first keeper and open nothing."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiDictProxy

from fedcollab.base.errors import BadRequest, FedcollabError, N_, NotFound, Refused
from fedcollab.base.qr import qr
from fedcollab.base.web import read_form, redirect, words_of
from fedcollab.feature import asked_again, keeper_of, member_of, page, read_grave_form
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import keepers, opening, papers, people, sheets
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.papers import Sheet
from fedcollab.sealing.unlocked import Locked, unlocked_of

from . import service
from .service import KEEPERS, SET_UP, USE

Fields = MultiDictProxy[str]
ABOUT, DONE = "about", "done"
STEPS = (ABOUT, *opening.STEPS, DONE)
UNLOCK = "/unlock"


async def show_keepers(request: web.Request) -> web.Response:
    """Who keeps the key, the sheets, what waits."""
    keeper_of(request, admins=True)
    return await _page(request, "keepers")


async def show_set_up(request: web.Request) -> web.Response:
    """The step that comes next: begun at any time, left at any time."""
    viewer, kernel = keeper_of(request), request.app[KERNEL]
    found = await kernel.database.read(service.look, kernel.node, viewer)
    if found.state == opening.SHUT:
        return redirect(USE)
    step = ABOUT if found.state == opening.OFF and not found.is_on else found.next or DONE
    return redirect(f"{SET_UP}/{step}")


async def show_step(request: web.Request) -> web.Response:
    """One step's page, also when it is done already; where no keeper holds the key there is another way first."""
    viewer, kernel, step = keeper_of(request), request.app[KERNEL], request.match_info["step"]
    if step not in STEPS:
        raise NotFound()
    found = await kernel.database.read(service.look, kernel.node, viewer)
    return redirect(USE) if found.state == opening.SHUT and step != ABOUT else await _page(request, step)


async def show_use(request: web.Request) -> web.Response:
    """Where two sheets open the organisation's key, when no keeper can. Asks again before anybody types them."""
    keeper_of(request)
    asked_again(request)
    return await _page(request, "use")


async def _page(request: web.Request, name: str, error: FedcollabError | None = None, about: str = "", **more: Any) -> web.Response:
    """A page of ours; with what was refused, beside the field `about` which it was."""
    viewer, kernel = keeper_of(request, admins=True), request.app[KERNEL]
    found = await kernel.database.read(service.look, kernel.node, viewer)
    errors = {about: error.in_words(words_of(request))} if error is not None else {}
    shown = dict(found=found, errors=errors, step=name, steps=STEPS, typed=("", "")) | more
    return page(request, f"keeping/{name}.html", status=error.status if error is not None else 200, **shown)


async def make_keys(request: web.Request) -> web.Response:
    """Switches cases on; whoever has no key of their own is asked for their password, which makes one; then makes the organisation's."""
    viewer, kernel = keeper_of(request), request.app[KERNEL]
    await read_grave_form(request)
    await kernel.database.write(service.switch_on, kernel.node, viewer)
    if await kernel.database.read(people.current, viewer.person_id) is None:
        return _unlock_first(opening.KEYS)
    try:
        await kernel.database.write(keepers.begin, kernel.node, viewer)
    except FedcollabError as error:
        return await _page(request, opening.KEYS, error)
    return redirect(SET_UP)


async def make_sheets(request: web.Request) -> web.Response:
    """Makes three sheets and shows them, this once, as a page to be printed."""
    viewer, fields, kernel = keeper_of(request), await read_grave_form(request), request.app[KERNEL]
    mine = await _unlocked(request)
    if mine is None:
        return _unlock_first(opening.SHEETS)
    try:
        made = await kernel.database.write(sheets.make, kernel.node, viewer, mine, fields.get("instead", ""))
    except FedcollabError as error:
        return await _page(request, opening.SHEETS, error)
    await kernel.database.write(sheets.end_old, kernel.node)
    papers = [(sheet.number, sheet.printed()) for sheet in made]
    shown = [(number, groups, qr(" ".join(groups))) for number, groups in papers]
    return page(request, "keeping/print.html", papers=shown, at=kernel.node.now())


async def try_sheets(request: web.Request) -> web.Response:
    """Two sheets typed from the paper: whether they open the key. They are compared and forgotten."""
    viewer, fields, kernel = keeper_of(request), await read_form(request), request.app[KERNEL]

    async def work(one: Sheet, other: Sheet) -> None:
        await kernel.database.write(sheets.try_two, kernel.node, viewer, one, other)

    return await _typed(request, fields, opening.TRY, work) or redirect(SET_UP)


async def use_sheets(request: web.Request) -> web.Response:
    """Two sheets give the key to a keeper, where no other one can."""
    viewer, fields, kernel = keeper_of(request), await read_grave_form(request), request.app[KERNEL]

    async def work(one: Sheet, other: Sheet) -> None:
        await kernel.database.write(sheets.use, kernel.node, viewer, one, other)

    return await _typed(request, fields, "use", work) or redirect(KEEPERS)


async def _typed(request: web.Request, fields: Fields, name: str, work: Callable[[Sheet, Sheet], Awaitable[None]]) -> web.Response | None:
    """Does `work` with the two sheets of a form; the form again, with what was typed, where they are refused."""
    typed = fields.get("sheet", "")[:200], fields.get("sheet2", "")[:200]
    about = "sheet"
    try:
        one = papers.read_sheet(typed[0])
        about = "sheet2"
        other = papers.read_sheet(typed[1])
        await work(one, other)
    except FedcollabError as error:
        return await _page(request, name, error, about, typed=typed)
    return None


async def name_keeper(request: web.Request) -> web.Response:
    """Names somebody a keeper."""
    viewer, fields, kernel = keeper_of(request, admins=True), await read_grave_form(request), request.app[KERNEL]
    back = _back(fields)
    try:
        if not fields.get("person"):
            raise BadRequest(N_("Choose who is to be a keeper."))
        await kernel.database.write(keepers.name, kernel.node, viewer, fields.get("person", ""))
    except FedcollabError as error:
        return await _page(request, back, error, "person")
    return redirect(_path(back))


async def hand_key(request: web.Request) -> web.Response:
    """Hands the organisation's key to a keeper."""
    viewer, fields, kernel, person_id = keeper_of(request), await read_grave_form(request), request.app[KERNEL], request.match_info["id"]
    mine, back = await _unlocked(request), _back(fields)
    if mine is None:
        return _unlock_first(back)
    try:
        if fields.get("same") != "yes":
            raise Refused(N_("Say that you have heard them read all words, and that they are the same."))
        await kernel.database.write(keepers.hand, kernel.node, viewer, mine, person_id, fields.get("kid", ""))
    except FedcollabError as error:
        return await _page(request, back, error, f"k-{person_id}")
    return redirect(_path(back))


async def remove_keeper(request: web.Request) -> web.Response:
    """Somebody is a keeper no more; the key is turned with that."""
    viewer, kernel, person_id = keeper_of(request, admins=True), request.app[KERNEL], request.match_info["id"]
    await read_grave_form(request)
    try:
        await kernel.database.write(keepers.remove, kernel.node, viewer, person_id)
    except FedcollabError as error:
        return await _page(request, "keepers", error, f"k-{person_id}")
    return redirect("/" if person_id == viewer.person_id and not viewer.is_admin else KEEPERS)


async def _unlocked(request: web.Request) -> PersonPrivate | None:
    """The key of whoever is signed in that is in use today; None where this browser has not unlocked it."""
    key = await request.app[KERNEL].database.read(people.current, member_of(request).person_id)
    try:
        found = await unlocked_of(request)
    except Locked:
        return None
    return next((private for private in found if key is not None and private.public.kid == key.kid), None)


def _unlock_first(name: str) -> web.Response:
    """Leads to the page that asks for the password, and back to this one: nothing was typed that could be lost."""
    return redirect(f"{UNLOCK}?{urlencode({'next': _path(name)})}")


def _back(fields: Fields) -> str:
    return opening.SECOND if fields.get("from") == opening.SECOND else "keepers"


def _path(name: str) -> str:
    return KEEPERS if name == "keepers" else f"{SET_UP}/{name}"
