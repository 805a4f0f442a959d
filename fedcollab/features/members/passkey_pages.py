"""Decides how people make, name, use and remove passkeys: on pages that say what to do where a browser has no script or no passkeys."""

import asyncio
from typing import Any

from aiohttp import web

from fedcollab.base.errors import BadRequest, N_, NotFound, Refused
from fedcollab.base.web import SETTINGS, check_token, read_cookie, redirect, words_of
from fedcollab.feature import asked_again, member_of, page, read_grave_form
from fedcollab.federation.kernel import KERNEL

from . import ceremony, factor, passkeys, service, sessions
from .models import HalfLogin, LoginSession

PAGE = "/settings/factor/passkeys"
TOO_LATE = N_("That took longer than five minutes, or was sent already. Try once more.")
NOT_MADE = N_("No passkey was made yet. Press the button; your device then asks you.")


async def offered(request: web.Request, person_id: str) -> bool:
    """Whether a passkey can be used in the place of a code: there is one, and this node can ask for it."""
    possible = bool(person_id) and ceremony.possible(request.app[SETTINGS])
    return possible and await request.app[KERNEL].database.read(factor.has_passkey, person_id)


async def believed(request: web.Request, model: passkeys.SignIn, token: str, person_id: str, said: str) -> tuple[str, str, int]:
    """(person, passkey, what it counted) of an answer to what was asked in this browser, which counts as asked no more. Raises Refused."""
    kernel = request.app[KERNEL]
    if not ceremony.possible(kernel.node.settings):
        raise Refused(ceremony.NOT_IT)
    asked = await kernel.database.write(passkeys.take_challenge, kernel.node, model, token)
    if not asked:
        raise Refused(TOO_LATE)
    read = ceremony.read(said)
    known = await kernel.database.read(passkeys.known, person_id, read["id"])
    if known is None:
        raise Refused(ceremony.NOT_IT)
    counter = await asyncio.to_thread(ceremony.answered, kernel.node.settings, asked, read, known.public_key)
    return person_id, known.id, counter


async def ask_at_sign_in(request: web.Request) -> web.Response:
    """For script: what a passkey is to answer in a browser that owes its second factor."""
    kernel, half = request.app[KERNEL], read_cookie(request, "half")
    check_token(request, request.headers.get("X-Form-Token", ""))
    person_id = await kernel.database.read(sessions.owes_code, kernel.node, half)
    return await _ask(request, HalfLogin, half, person_id)


async def ask_again(request: web.Request) -> web.Response:
    """The same for whoever is signed in and is asked again."""
    check_token(request, request.headers.get("X-Form-Token", ""))
    return await _ask(request, LoginSession, read_cookie(request, "session"), member_of(request).person_id)


async def _ask(request: web.Request, model: passkeys.SignIn, token: str, person_id: str) -> web.Response:
    kernel = request.app[KERNEL]
    if not await offered(request, person_id):
        raise NotFound()
    challenge = await kernel.database.write(passkeys.challenge, kernel.node, model, token)
    names = await kernel.database.read(passkeys.credentials, person_id)
    return web.json_response(await asyncio.to_thread(ceremony.to_answer, kernel.node.settings, challenge, names))


async def ask_to_make(request: web.Request) -> web.Response:
    """For script: what a browser needs to make a passkey."""
    viewer, kernel = member_of(request), request.app[KERNEL]
    check_token(request, request.headers.get("X-Form-Token", ""))
    asked_again(request)
    if not ceremony.possible(kernel.node.settings):
        raise NotFound()
    me = await kernel.database.read(service.find, viewer.person_id)
    challenge = await kernel.database.write(passkeys.challenge, kernel.node, LoginSession, read_cookie(request, "session"))
    names = await kernel.database.read(passkeys.credentials, viewer.person_id)
    made = await asyncio.to_thread(ceremony.to_make, kernel.node.settings, challenge, viewer.person_id, me.username, names)
    return web.json_response(made)


async def show_passkeys(request: web.Request) -> web.Response:
    """Somebody's passkeys, and making one."""
    member_of(request)
    return await _page(request)


async def change_passkeys(request: web.Request) -> web.Response:
    """Makes, renames or removes one; `act` says which."""
    member_of(request)
    fields = await read_grave_form(request)
    act = fields.get("act", "")
    if act not in ACTS:
        raise BadRequest(N_("Choose what to do with the passkey."))
    try:
        return await ACTS[act](request, fields)
    except NotFound:
        raise
    except Refused as error:
        about = "name" if act == "add" else f"{act}-{fields.get('id', '')}"
        return await _page(request, {about: error.in_words(words_of(request))}, error.status, fields)


async def _page(request: web.Request, errors: dict[str, str] | None = None, status: int = 200, fields: Any = None) -> web.Response:
    viewer, kernel, sent = member_of(request), request.app[KERNEL], fields or {}
    shown = dict(
        passkeys=await kernel.database.read(passkeys.listed, viewer.person_id),
        installed=ceremony.available(),
        named=ceremony.named(kernel.node.settings),
        errors=errors or {},
        typed={sent.get("id", "") if sent.get("act") == "rename" else "": sent.get("name", "")},
        compelled=factor.compelled(kernel.node, viewer.roles) and not await kernel.database.read(factor.is_on, viewer.person_id),
    )
    return page(request, "members/passkeys.html", status=status, **shown)


async def _add(request: web.Request, fields: Any) -> web.Response:
    viewer, kernel, token = member_of(request), request.app[KERNEL], read_cookie(request, "session")
    if not fields.get("made"):
        raise Refused(NOT_MADE)
    if not ceremony.possible(kernel.node.settings):
        raise NotFound()
    asked = await kernel.database.write(passkeys.take_challenge, kernel.node, LoginSession, token)
    if not asked:
        raise Refused(TOO_LATE)
    made = await asyncio.to_thread(ceremony.made, kernel.node.settings, asked, ceremony.read(fields["made"]))
    codes = await kernel.database.write(passkeys.add, kernel.node, viewer, fields.get("name", ""), made, token)
    return page(request, "members/codes.html", codes=codes) if codes else redirect(PAGE)


async def _rename(request: web.Request, fields: Any) -> web.Response:
    kernel = request.app[KERNEL]
    await kernel.database.write(passkeys.rename, member_of(request), fields.get("id", ""), fields.get("name", ""))
    return redirect(PAGE)


async def _remove(request: web.Request, fields: Any) -> web.Response:
    kernel, token = request.app[KERNEL], read_cookie(request, "session")
    await kernel.database.write(passkeys.remove, kernel.node, member_of(request), fields.get("id", ""), token)
    return redirect(PAGE)


ACTS = {"add": _add, "rename": _rename, "remove": _remove}
