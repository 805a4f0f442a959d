"""Decides how people set up, move and switch off their second factor: all of it asks again, so that a session alone does not do."""

from typing import Any

from aiohttp import web

from fedcollab.base.errors import BadRequest, FedcollabError, N_, Refused
from fedcollab.base.qr import qr
from fedcollab.base.web import read_cookie, read_form, redirect, words_of
from fedcollab.feature import asked_again, member_of, page
from fedcollab.federation.kernel import KERNEL

from . import factor, service
from .views import code_tries, knows_password

NOT_YOU = N_("This is neither your password nor a code of yours that is still good.")


async def show_factor(request: web.Request) -> web.Response:
    """Where somebody's second factor stands, and what they can do about it."""
    return await _page(request)


async def change_factor(request: web.Request) -> web.Response:
    """Begins, proves by a first code, gives new recovery codes, or switches off; `act` says which."""
    fields = await read_form(request)
    act = fields.get("act", "")
    if act not in ACTS:
        raise BadRequest(N_("Choose what to do with the second factor."))
    if act in GRAVE:
        asked_again(request)
    try:
        return await ACTS[act](request, fields)
    except FedcollabError as error:
        about = "code" if act == "confirm" else ""
        return await _page(request, {about: error.in_words(words_of(request))}, error.status)


async def _page(request: web.Request, errors: dict[str, str] | None = None, status: int = 200) -> web.Response:
    viewer, kernel = member_of(request), request.app[KERNEL]
    me = await kernel.database.read(service.find, viewer.person_id)
    found = await kernel.database.read(factor.state, kernel.node, viewer.person_id)
    secret = found.offered
    address = factor.address(kernel.node, me.username, secret) if secret else ""
    return page(
        request,
        "members/factor.html",
        status=status,
        factor=found,
        errors=errors or {},
        compelled=factor.compelled(kernel.node, viewer.roles),
        would_be=bool(factor.COMPELLED & viewer.roles),
        groups=[secret[at : at + 4] for at in range(0, len(secret), 4)],
        address=address,
        picture=qr(address) if secret else "",
    )


async def _begin(request: web.Request, fields: Any) -> web.Response:
    await request.app[KERNEL].database.write(factor.offer, request.app[KERNEL].node, member_of(request).person_id)
    return redirect("/settings/factor")


async def _withdraw(request: web.Request, fields: Any) -> web.Response:
    await request.app[KERNEL].database.write(factor.withdraw, member_of(request).person_id)
    return redirect("/settings/factor")


async def _confirm(request: web.Request, fields: Any) -> web.Response:
    viewer, kernel, keep = member_of(request), request.app[KERNEL], read_cookie(request, "session")
    codes = await kernel.database.write(factor.confirm, kernel.node, viewer, fields.get("code", ""), keep)
    return page(request, "members/codes.html", codes=codes)


async def _renew(request: web.Request, fields: Any) -> web.Response:
    codes = await request.app[KERNEL].database.write(factor.renew_codes, request.app[KERNEL].node, member_of(request))
    return page(request, "members/codes.html", codes=codes)


async def _switch_off(request: web.Request, fields: Any) -> web.Response:
    viewer, kernel, keep = member_of(request), request.app[KERNEL], read_cookie(request, "session")
    await kernel.database.write(factor.switch_off, kernel.node, viewer, keep)
    return redirect("/settings/factor")


async def prove(request: web.Request, fields: Any) -> None:
    """Raises Refused unless the form has the password, or a code, which it uses up; TooMany after too many tries."""
    viewer, kernel, said = member_of(request), request.app[KERNEL], fields.get("proof", "")
    me = await kernel.database.read(service.find, viewer.person_id)
    if not factor.is_app_code(said) and await knows_password(request, me.username, said):
        return
    right = code_tries(request, viewer.person_id, said)
    if not await kernel.database.write(factor.takes, kernel.node, viewer.person_id, said):
        raise Refused(NOT_YOU)
    right()


ACTS = {"begin": _begin, "withdraw": _withdraw, "confirm": _confirm, "renew": _renew, "off": _switch_off}
GRAVE = frozenset(("begin", "renew", "off"))
