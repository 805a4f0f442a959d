"""Decides how a guest comes by their link: who they are to be and what happens next, before anything is asked; then a password, and a no is
as easy as a yes."""

from aiohttp import web

from fedcollab.base import passwords
from fedcollab.base.crypto import in_turn
from fedcollab.base.errors import Gone, NotFound, Refused
from fedcollab.base.web import read_form, words_of
from fedcollab.feature import page, viewer_of
from fedcollab.features.cases.grounds import ORGANISATIONS
from fedcollab.features.guests import service as guests
from fedcollab.features.guests.allowed import HOME
from fedcollab.features.members import service, views
from fedcollab.federation.kernel import KERNEL

from .guests import Account, join


async def show_join(request: web.Request) -> web.Response:
    """Who is asked by whom, what they would see, and how they say yes or no."""
    return await _page(request)


async def answer(request: web.Request) -> web.Response:
    """Yes, with a name to sign in with and a password; or no, after which nothing of whom was asked stays."""
    fields, kernel, token = await read_form(request), request.app[KERNEL], request.match_info["token"]
    await kernel.database.read(guests.invited, kernel.node, token)
    if fields.get("act", "") == "decline":
        await kernel.database.write(guests.declined, kernel.node, token)
        return page(request, "guests/declined.html")
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
        return await _page(request, username, {about: error.in_words(words_of(request))})
    return await views.go_on(request, started, HOME)


async def _page(request: web.Request, username: str = "", errors: dict[str, str] | None = None) -> web.Response:
    if viewer_of(request).signed_in:
        raise NotFound
    kernel, token = request.app[KERNEL], request.match_info["token"]
    guest = await kernel.database.read(guests.invited, kernel.node, token)
    about = await kernel.database.read(guests.preview, guest, token)
    shown = dict(guest=guest, about=about, username=username, errors=errors or {}, TYPES=ORGANISATIONS)
    return page(request, "guests/join.html", status=422 if errors else 200, **shown)


ROUTES = (web.get("/guests/join/{token}", show_join), web.post("/guests/join/{token}", answer))
