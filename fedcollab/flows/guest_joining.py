"""Decides how a guest comes by their link: who they are to be and what happens next, before anything is asked; then a password, and a no is
as easy as a yes."""

from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web
from multidict import MultiDictProxy

from fedcollab.base import passwords
from fedcollab.base.crypto import in_turn
from fedcollab.base.errors import Conflict, Gone, N_, NotFound, Refused
from fedcollab.base.web import read_form, words_of
from fedcollab.feature import page, viewer_of
from fedcollab.features.cases.grounds import ORGANISATIONS
from fedcollab.features.guests import service as guests
from fedcollab.features.guests.allowed import HOME
from fedcollab.features.members import service, views
from fedcollab.features.referrals.preview import Preview
from fedcollab.features.referrals.views import WORDS
from fedcollab.federation.kernel import KERNEL

from . import referred
from .guests import Account, join

NOT_THE_CODE = N_("That is not the code. Compare it with what you were told. Tries left: %(num)s.")


@dataclass(frozen=True, repr=False)
class Typed:
    """What stands on the page again: the code and what it has opened, the name to sign in with, and what is wrong with which field."""

    code: str = ""
    preview: Preview | None = None
    username: str = ""
    errors: dict[str, str] = field(default_factory=dict)


async def show_join(request: web.Request) -> web.Response:
    """Who is asked by whom, what they would see, and how they say yes or no."""
    return await _page(request)


async def answer(request: web.Request) -> web.Response:
    """Yes, with a name to sign in with and a password; or no, after which nothing of whom was asked stays. A referral's link takes the
    code each time, and opens its preview by it."""
    fields, kernel, token = await _form(request), request.app[KERNEL], request.match_info["token"]
    act, code, preview = fields.get("act", ""), fields.get("code", "")[:80], None
    _, asks = await kernel.database.read(referred.of_link, kernel.node, token)
    if asks:
        seen = await kernel.database.write(referred.look, kernel.node, token, code, noted=act == "open")
        if isinstance(seen, int):
            wrong = Refused(NOT_THE_CODE, num=seen)
            return await _page(request, Typed(errors={"code": wrong.in_words(words_of(request))}))
        preview = seen
        if act == "open":
            return await _page(request, Typed(code, preview))
    if act == "decline":
        return await _no(request, fields, asks, Typed(code, preview))
    username, about = fields.get("username", "").strip().lower(), "password"
    try:
        service.check_password(fields.get("password", ""), username, kernel.node.settings.name)
        made, about = await in_turn(passwords.make, fields["password"], views.pepper(request)), "username"
        agent = request.headers.get("User-Agent", "")
        chosen = Account(username, made.hashed, made.unlock, words_of(request).language, agent)
        started = await kernel.database.write(join, kernel.node, token, chosen)
    except Gone:
        raise  # somebody else has used it up meanwhile
    except Refused as error:
        return await _page(request, Typed(code, preview, username, {about: error.in_words(words_of(request))}))
    return await views.go_on(request, started, HOME)


async def _form(request: web.Request) -> MultiDictProxy[str]:
    _check_nobody(request)
    return await read_form(request)


def _check_nobody(request: web.Request) -> None:
    """A link is for somebody who has no account here. Raises NotFound for who is signed in."""
    if viewer_of(request).signed_in:
        raise NotFound


async def _no(request: web.Request, fields: MultiDictProxy[str], asks: bool, typed: Typed) -> web.Response:
    kernel, token = request.app[KERNEL], request.match_info["token"]
    try:
        if asks:
            await kernel.database.write(referred.decline, kernel.node, token, fields.get("reason", ""))
        else:
            await kernel.database.write(guests.declined, kernel.node, token)
    except (Conflict, Gone):
        raise
    except Refused as error:
        return await _page(request, replace(typed, errors={"reason": error.in_words(words_of(request))}))
    return page(request, "guests/declined.html", is_referral=asks)


async def _page(request: web.Request, typed: Typed | None = None) -> web.Response:
    _check_nobody(request)
    kernel, token, typed = request.app[KERNEL], request.match_info["token"], typed or Typed()
    guest, asks = await kernel.database.read(referred.of_link, kernel.node, token)
    about = "" if asks else (await kernel.database.read(guests.preview, guest, token)).decode()
    shown: dict[str, Any] = dict(guest=guest, about=about, asks=asks, TYPES=ORGANISATIONS, **vars(typed), **WORDS)
    return page(request, "guests/join.html", status=422 if typed.errors else 200, **shown)


ROUTES = (web.get("/guests/join/{token}", show_join), web.post("/guests/join/{token}", answer))
