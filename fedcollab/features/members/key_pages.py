"""Decides how people unlock and lock their keys, keep a paper that opens them, come back after a lost password; what keepers see."""

import hmac
from collections.abc import Callable
from typing import Any

from aiohttp import web

from fedcollab.base.errors import BadRequest, FedcollabError, N_, NotFound, Refused
from fedcollab.base.passwords import Tried
from fedcollab.base.web import check_origin, check_token, local, read_cookie, read_fields, read_form, redirect, words_of
from fedcollab.feature import asked_again, came_back, keeper_of, member_of, page
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import codes, crossing, recovery, state, words
from fedcollab.sealing.locked import derive
from fedcollab.sealing.papers import print_code
from fedcollab.sealing.unlocked import unlocked_of

from . import service, sessions, unlocking
from .views import Fields, kept_fields, to_wait, try_password

PAGE = "/settings/keys"
WRONG = N_("This is not your password.")
NOT_OPEN = N_("The password is right, but your key does not open by it. Type the code of your paper under “Keys and papers”.")
NOT_SAID = N_("Say that you have heard the person read all words, and that they are the same.")
ANOTHER = N_("This is a code, but not the one that you were just shown. Type the newest one.")


async def show_unlock(request: web.Request) -> web.Response:
    """Asks for the password alone: whoever is signed in has given their second factor."""
    member_of(request)
    return await _unlock_page(request, local(request.query.get("next", PAGE)))


async def unlock(request: web.Request) -> web.Response:
    """Unlocks this browser's keys and goes on to where they were needed; what was typed there travels along, as at signing in. Where
    something does, the form's own token has another name: what travels on has none that counts, so that its author sends it once more."""
    fields, viewer, kernel = await read_fields(request), member_of(request), request.app[KERNEL]
    kept, to = kept_fields(fields), local(fields.get("next", request.query.get("next", PAGE)))
    if kept and "password" not in fields:
        check_origin(request)  # nobody else's form is taken along
        return await _unlock_page(request, to, kept=kept)
    try:
        check_token(request, fields.get("unlock" if kept else "token", ""))
        hashed, tried = await _tried(request, fields.get("password", ""))
    except Refused as error:  # a page of its own would lose what travels along
        return to_wait(await _unlock_page(request, to, kept=kept, error=error.in_words(words_of(request)), status=error.status), error)
    token = read_cookie(request, "session")
    if not await kernel.database.write(_unlock, kernel.node, viewer.person_id, hashed, tried, token):
        return await _unlock_page(request, to, kept=kept, error=words_of(request).gettext(NOT_OPEN), status=422)
    response = redirect(to)
    if kept:
        response.set_status(307)  # the browser sends the kept form on to where it was written
    return response


def _unlock(session: Any, node: Any, person_id: str, hashed: str, tried: Tried, token: str) -> bool:
    if not sessions.still(session, person_id, hashed):
        raise Refused(WRONG)
    crossing.check(session, person_id)
    return unlocking.right(session, node, person_id, hashed, tried, token)


async def _unlock_page(request: web.Request, to: str, *, kept: Fields | None = None, error: str = "", status: int = 200) -> web.Response:
    return page(
        request,
        "members/unlock.html",
        status=status,
        next=to,
        kept=kept or {},
        errors={"password": error} if error else {},
        on=await request.app[KERNEL].database.read(state.is_on),
        away=await request.app[KERNEL].database.read(crossing.is_locked, member_of(request).person_id),
    )


async def show_keys(request: web.Request) -> web.Response:
    """A person's key: whether this browser has unlocked it, its words, whether a paper opens it."""
    return await _page(request)


async def change_keys(request: web.Request) -> web.Response:
    """Locks, makes a paper and takes the code typed back, makes a new key, comes back by a paper or without one; `act` says which."""
    fields = await read_form(request)
    act = fields.get("act", "")
    if act not in ACTS:
        raise BadRequest(N_("Choose what to do with your key."))
    try:
        return await ACTS[act](request, fields)
    except FedcollabError as error:
        if error.status in (401, 403, 503, 507):
            raise
        about = f"{act}-code" if isinstance(error, recovery.WrongPaper) else f"{act}-password"
        response = await _page(request, {about: error.in_words(words_of(request))}, error.status, act, fields)
        return to_wait(response, error) if isinstance(error, Refused) else response


async def _page(
    request: web.Request, errors: dict[str, str] | None = None, status: int = 200, act: str = "", fields: Any = None
) -> web.Response:
    viewer, kernel = member_of(request), request.app[KERNEL]
    found = await kernel.database.read(unlocking.shown, kernel.node, viewer.person_id, read_cookie(request, "session"))
    on = await kernel.database.read(state.is_on)
    shown = dict(keys=found, on=on, errors=errors or {}, act=act, made=(fields or {}).get("made", ""))
    return page(request, "members/keys.html", status=status, **shown)


async def _lock(request: web.Request, _fields: Fields) -> web.Response:
    kernel = request.app[KERNEL]
    await kernel.database.write(unlocking.lock, kernel.node, read_cookie(request, "session"))
    return redirect(PAGE)


async def _away(request: web.Request, _fields: Fields) -> web.Response:
    """Locks all that is sealed to whoever asks for it, everywhere; nothing is asked back, for there may be no time."""
    viewer, kernel = member_of(request), request.app[KERNEL]
    await kernel.database.write(crossing.lock, kernel.node, viewer)
    return redirect(PAGE)


async def _paper(request: web.Request, fields: Fields) -> web.Response:
    """Makes a code and shows it this once; it counts when it has been typed back. Until then nothing of it is kept here."""
    await unlocked_of(request)
    await _tried(request, fields.get("password", ""))
    code = codes.make()
    return page(request, "members/paper.html", groups=print_code(code), made=_mark(request, code))


async def _typed(request: web.Request, fields: Fields) -> web.Response:
    viewer, kernel, code = member_of(request), request.app[KERNEL], recovery.read_paper(fields.get("code", ""))
    if not hmac.compare_digest(_mark(request, code).encode(), fields.get("made", "").encode()):
        raise recovery.WrongPaper(ANOTHER)
    await kernel.database.write(unlocking.set_code, kernel.node, viewer, read_cookie(request, "session"), code)
    return redirect(PAGE)


def _mark(request: web.Request, code: bytes) -> str:
    """By which a form knows the code that this browser was shown, and says nothing of it."""
    return derive(code, read_cookie(request, "session").encode(errors="surrogateescape"), b"fedcollab paper typed back 1").hex()


async def _renew(request: web.Request, fields: Fields) -> web.Response:
    viewer, kernel = member_of(request), request.app[KERNEL]
    await unlocked_of(request)
    _, tried = await _tried(request, fields.get("password", ""))
    await kernel.database.write(unlocking.renew, kernel.node, viewer, read_cookie(request, "session"), tried)
    return redirect(PAGE)


async def _recover(request: web.Request, fields: Fields) -> web.Response:
    viewer, kernel, code = member_of(request), request.app[KERNEL], recovery.read_paper(fields.get("code", ""))
    hashed, tried = await _tried(request, fields.get("password", ""))
    token = read_cookie(request, "session")
    await kernel.database.write(_with_password, kernel.node, viewer.person_id, hashed, tried, token, code)
    return redirect(PAGE)


async def _anew(request: web.Request, fields: Fields) -> web.Response:
    viewer, kernel = member_of(request), request.app[KERNEL]
    hashed, tried = await _tried(request, fields.get("password", ""))
    token = read_cookie(request, "session")
    await kernel.database.write(_with_password, kernel.node, viewer.person_id, hashed, tried, token, None)
    return redirect(PAGE)


def _with_password(session: Any, node: Any, person_id: str, hashed: str, tried: Tried, token: str, code: bytes | None) -> None:
    """Back by the paper, or (without a code) by a key that waits for a keeper; both with a password that is right."""
    opens = _unlock(session, node, person_id, hashed, tried, token)
    if code is not None:
        unlocking.take_over(session, node, person_id, token, tried, code)
    elif not opens:
        unlocking.begin_anew(session, node, person_id, token, tried)


async def _tried(request: web.Request, said: str) -> tuple[str, Tried]:
    """The password of whoever is signed in, and the stored form that it went with. Raises Refused for a wrong one, TooMany."""
    me = await request.app[KERNEL].database.read(service.find, member_of(request).person_id)
    hashed, tried = await try_password(request, me.username, said)
    if not tried.good:
        raise Refused(WRONG)
    return hashed, tried


ACTS = {"lock": _lock, "away": _away, "paper": _paper, "typed": _typed, "renew": _renew, "recover": _recover, "anew": _anew}


async def show_waiting(request: web.Request) -> web.Response:
    """Who waits to be readmitted, with the words to compare by phone."""
    return await _waiting_page(request, keeper_of(request))


async def readmit(request: web.Request) -> web.Response:
    """A keeper says that they have compared somebody's words; their own keys have to be unlocked."""
    return await _compared(request, recovery.readmit)


async def reopen(request: web.Request) -> web.Response:
    """A keeper says that they have spoken with somebody who had locked their access."""
    return await _compared(request, crossing.reopen)


async def _compared(request: web.Request, act: Callable[..., Any]) -> web.Response:
    """`act` for the key whose words a keeper has ticked as the same."""
    viewer, fields, kernel = keeper_of(request), await read_fields(request), request.app[KERNEL]
    person_id, kid = request.match_info["id"], fields.get("kid", "")
    if came_back(request, fields):
        return await _waiting_page(request, viewer)
    asked_again(request)
    if fields.get("same") != "yes":
        return await _waiting_page(request, viewer, {person_id: words_of(request).gettext(NOT_SAID)}, 422)
    keys = await unlocked_of(request)
    try:
        await kernel.database.write(act, kernel.node, viewer, keys, person_id, kid)
    except NotFound:
        raise
    except Refused as error:
        return await _waiting_page(request, viewer, {person_id: error.in_words(words_of(request))}, error.status)
    return redirect("/keepers/waiting")


async def _waiting_page(request: web.Request, viewer: Any, errors: dict[str, str] | None = None, status: int = 200) -> web.Response:
    found, away = await request.app[KERNEL].database.read(_waiting)
    return page(request, "members/waiting.html", status=status, waiting=found, away=away, errors=errors or {}, me=viewer.person_id)


def _waiting(session: Any) -> tuple[list[Any], list[Any]]:
    """(those with a key that waits, those who have locked their access), each with the words to compare."""
    found = [(one, words.of_one(one.uri, one.key.public)) for one in recovery.waiting(session)]
    return found, [(one, words.of_one(one.uri, one.key.public) if one.key else None) for one in crossing.listed(session)]
