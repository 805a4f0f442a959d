"""Decides how whoever is signed in gives their password once more, and their second factor: before grave acts, which then go on."""

from typing import Any

from aiohttp import web
from multidict import MultiDict, MultiDictProxy

from fedcollab.actors.node import Node
from fedcollab.base.errors import N_, Refused
from fedcollab.base.passwords import Tried
from fedcollab.base.session import Session
from fedcollab.base.web import check_form, local, read_cookie, read_fields, redirect, words_of
from fedcollab.feature import member_of, page
from fedcollab.federation.kernel import KERNEL

from . import factor, passkey_pages, passkeys, service, sessions, unlocking
from .models import LoginSession
from .views import CODE_WRONG, Fields, code_tries, to_wait, try_password

NOT_PASSWORD = N_("This is not your password.")
APART = ("token", "password", "code", "passkey", "next", "again", "unlock")  # what is this page's own, or was another one's


class Wrong(Refused):
    """What was given is not right; `about` is the field."""

    def __init__(self, about: str, text: str) -> None:
        super().__init__(text)
        self.about = about


async def show_again(request: web.Request) -> web.Response:
    """Asks for the password, and the second factor where one is on."""
    member_of(request)
    return await _page(request, local(request.query.get("next", "/")))


async def again(request: web.Request) -> web.Response:
    """Notes in this session that its person has given what they sign in with, and goes on to where that was needed: with the same form,
    which has to be from a page of ours, for it is carried out then without another look at it."""
    fields, viewer, kernel = await read_fields(request), member_of(request), request.app[KERNEL]
    check_form(request, fields)
    kept, to = _kept(fields), local(fields.get("next", request.query.get("next", "/")))
    if "again" not in fields:
        return await _page(request, to, kept=kept)
    on_with = kept if fields["again"] == "form" else None
    token = read_cookie(request, "session")
    try:
        me = await kernel.database.read(service.find, viewer.person_id)
        hashed, tried = await try_password(request, me.username, fields.get("password", ""))
        if not tried.good:
            raise Wrong("password", NOT_PASSWORD)
        await _second(request, fields, token)
        if not await kernel.database.write(_given, kernel.node, viewer.person_id, hashed, tried, token):
            raise Wrong("password", NOT_PASSWORD)
    except Refused as error:  # a page of its own would lose what travels along
        return to_wait(await _page(request, to, kept=on_with, error=error), error)
    response = redirect(to)
    if on_with is not None:
        response.set_status(307)  # the browser sends the kept form on to where it was made
    return response


async def _second(request: web.Request, fields: Fields, token: str) -> None:
    """The second factor's half: a passkey, an app's code or a recovery code, which is used up; nothing where none is on. Raises Refused."""
    kernel, person_id, code = request.app[KERNEL], member_of(request).person_id, fields.get("code", "")
    if not await kernel.database.read(factor.is_on, person_id):
        return
    tries = code_tries(request, person_id, "" if fields.get("passkey") else code)
    if fields.get("passkey"):
        answer = await passkey_pages.believed(request, LoginSession, token, person_id, fields["passkey"])
        why = await kernel.database.write(passkeys.takes, kernel.node, *answer)
    else:
        why = "" if await kernel.database.write(factor.takes, kernel.node, person_id, code) else CODE_WRONG
    if why:
        raise Wrong("code", why)
    tries()


def _given(session: Session, node: Node, person_id: str, hashed: str, tried: Tried, token: str) -> bool:
    if not sessions.still(session, person_id, hashed) or not sessions.given_again(session, node, person_id, token):
        return False
    unlocking.right(session, node, person_id, hashed, tried, token)  # whoever gives their password is asked for it once
    return True


def _kept(fields: Fields) -> Fields:
    return MultiDictProxy(MultiDict((name, value) for name, value in fields.items() if name not in APART))


async def _page(request: web.Request, to: str, *, kept: Fields | None = None, error: Refused | None = None) -> web.Response:
    """`kept` are the fields of the form that goes on from here; None where a page does."""
    viewer, kernel = member_of(request), request.app[KERNEL]
    about = getattr(error, "about", "password" if error is None or error.status == 429 else "code")
    shown: dict[str, Any] = dict(
        next=to,
        kept=kept,
        errors={about: error.in_words(words_of(request))} if error else {},
        factor=await kernel.database.read(factor.is_on, viewer.person_id),
        passkeys=await passkey_pages.offered(request, viewer.person_id),
    )
    return page(request, "members/again.html", status=error.status if error else 200, **shown)
