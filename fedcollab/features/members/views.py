"""Decides how people sign in, join and keep their settings, and how one person reads to the others."""

import contextlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiDict, MultiDictProxy

from fedcollab.access.viewer import VIEWER
from fedcollab.base import passwords
from fedcollab.base.clock import MICROSECONDS
from fedcollab.base.crypto import in_turn, stored
from fedcollab.base.errors import FedcollabError, Forbidden, Gone, N_, NotFound, Refused, Unavailable
from fedcollab.base.i18n import LANGUAGES, negotiate, time_zones, words
from fedcollab.base.markup import as_text, plain
from fedcollab.base.web import (
    NOTICES,
    SETTINGS,
    WORDS,
    Handler,
    check_form,
    check_origin,
    client,
    delete_cookie,
    is_signed,
    local,
    read_cookie,
    read_fields,
    read_form,
    redirect,
    set_cookie,
    wants_document,
    words_of,
)
from fedcollab.feature import AGAIN, ASKED_AT, came_back, member_of, page
from fedcollab.federation.kernel import KERNEL
from fedcollab.federation.views import get_person
from fedcollab.sealing import comparing
from fedcollab.sealing.recovery import WrongPaper, read_paper

from . import factor, passkey_pages, passkeys, service, sessions, unlocking
from .models import HalfLogin
from .throttle import Throttle

Fields = MultiDictProxy[str]
THROTTLE = web.AppKey("throttle", Throttle)
SIGNED_IN = web.RequestKey("signed_in", sessions.SignedIn)
MONTH = 30 * 86400
WRONG = N_("Name and password do not go together. Please try again.")
CODE_WRONG = N_("This code does not fit, or was used already. Take the newest one, or one of your recovery codes.")
TOO_LATE = N_("That took longer than ten minutes. Please sign in again.")
FACTOR_DUE = N_(
    "With your roles you need a second factor. Set it up under “Your settings” in another tab, then go back and send the form once more."
)
PASSWORD_DUE = N_("You signed in by a one-time link. Choose your new password in another tab, then send the form once more.")
OPEN_ALWAYS = ("/logout", "/static/", "/language/", AGAIN)


@web.middleware
async def session_viewer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Finds out who is looking and in which language, by one read at most; who owes a new password or has to set up a
    second factor gets no further."""
    if is_signed(request):
        return await handler(request)
    settings, kernel, token = request.app[SETTINGS], request.app[KERNEL], read_cookie(request, "session")
    found = None
    if token and not request.path.startswith("/static/"):
        found = await kernel.database.glance(sessions.signed_in, kernel.node, token)
    if found is not None:
        request[VIEWER], request[SIGNED_IN], request[NOTICES] = found.viewer, found, found.notices
        if found.asked_at is not None:
            request[ASKED_AT] = found.asked_at
        if kernel.node.now() - found.seen_at > sessions.SEEN_EVERY:
            with contextlib.suppress(Unavailable):  # a full disk signs nobody out
                await kernel.database.write(sessions.touch, kernel.node, token)
    chosen = read_cookie(request, "language") or (found.language if found else "")
    language = chosen if chosen in LANGUAGES else negotiate(request.headers.get("Accept-Language", ""), settings.language)
    request[WORDS] = words(language, (found.time_zone if found else "") or settings.time_zone)
    if found is not None and (found.new_password_due or found.factor_due):
        owed = "/settings/password" if found.new_password_due else "/settings/factor"
        if not request.path.startswith((owed, *OPEN_ALWAYS)):
            if request.method not in ("GET", "HEAD"):
                raise Forbidden(PASSWORD_DUE if found.new_password_due else FACTOR_DUE)  # a redirect would lose what was typed
            return redirect(owed)
    return await handler(request)


async def go_on(request: web.Request, token: str, to: str, kept: Fields | None = None) -> web.Response:
    """On to where somebody wanted to go; who owes a code is asked for it first. `kept` as in `_login_page`."""
    if isinstance(token, sessions.OwesCode):
        response = await _code_page(request, to, token, kept=kept) if kept else redirect("/login/code?" + urlencode({"next": to}))
        set_cookie(response, request.app[SETTINGS], "half", token, sessions.HALF // MICROSECONDS)
        return response
    response = redirect(to)
    if kept:
        response.set_status(307)  # the browser sends the kept form on to where it was written
    delete_cookie(response, request.app[SETTINGS], "half")
    set_cookie(response, request.app[SETTINGS], "session", token, MONTH)
    delete_cookie(response, request.app[SETTINGS], "visit")
    return response


async def show_login(request: web.Request) -> web.Response:
    return _login_page(request, local(request.query.get("next", "/")))


def _login_page(
    request: web.Request, to: str, *, username: str = "", kept: Fields | None = None, error: str = "", status: int = 200
) -> web.Response:
    """`kept` are the fields of another form that its sender was signed out of: they travel on with this one."""
    errors = {"password": words_of(request).gettext(error)} if error else {}
    return page(request, "members/login.html", status=status, username=username, next=to, kept=kept or {}, errors=errors)


async def login(request: web.Request) -> web.Response:
    """Compares the password outside the transaction; an unknown name costs the same as a known one."""
    fields, kernel, throttle = await read_fields(request), request.app[KERNEL], request.app[THROTTLE]
    kept = kept_fields(fields)
    username, to = fields.get("username", "").strip().lower(), local(fields.get("next", request.query.get("next", "/")))
    if kept and "username" not in fields:
        check_origin(request)  # nobody else's form is taken along
        return _login_page(request, to, kept=kept)
    address = client(request)
    try:
        check_form(request, fields)
        throttle.attempt(username, address)
    except Refused as error:  # a page of its own would lose what travels along
        words = error.in_words(words_of(request))
        return to_wait(_login_page(request, to, username=username, kept=kept, error=words, status=error.status), error)
    person_id, hashed = await kernel.database.read(sessions.credentials, username)
    tried, token = await in_turn(passwords.tried, hashed, fields.get("password", ""), pepper(request)), ""
    if tried.good and person_id:
        agent = request.headers.get("User-Agent", "")
        token = await kernel.database.write(sessions.sign_in, kernel.node, person_id, hashed, agent, tried)
    if not token:
        return _login_page(request, to, username=username, kept=kept, error=WRONG, status=422)
    throttle.passed(username, address)
    return await go_on(request, token, to, kept)


def to_wait(response: web.Response, error: Refused) -> web.Response:
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def kept_fields(fields: Fields) -> Fields:
    """What another form has in it beside the login's own fields; one field several times where several things were ticked."""
    apart = ("token", "username", "password", "code", "passkey", "next", "unlock")
    return MultiDictProxy(MultiDict((name, value) for name, value in fields.items() if name not in apart))


async def show_code(request: web.Request) -> web.Response:
    """Asks for the code that this browser owes; where it owes none, for name and password."""
    to = local(request.query.get("next", "/"))
    kernel, half = request.app[KERNEL], read_cookie(request, "half")
    if not await kernel.database.read(sessions.owes_code, kernel.node, half):
        return redirect("/login?" + urlencode({"next": to}))
    return await _code_page(request, to, half)


async def _code_page(
    request: web.Request, to: str, half: str, *, kept: Fields | None = None, error: str = "", status: int = 200
) -> web.Response:
    kernel, errors = request.app[KERNEL], {"code": words_of(request).gettext(error)} if error else {}
    owner = await kernel.database.read(sessions.owes_code, kernel.node, half)
    shown = dict(next=to, kept=kept or {}, errors=errors, passkeys=await passkey_pages.offered(request, owner))
    return page(request, "members/code.html", status=status, **shown)


async def login_code(request: web.Request) -> web.Response:
    """The second step of signing in: a code of the app, a recovery code, or a passkey. Tries count by account, from wherever they come:
    only who has the password gets here. Recovery codes are too long to guess, so that their owner never waits for what a guesser did."""
    fields, kernel, half = await read_fields(request), request.app[KERNEL], read_cookie(request, "half")
    to, kept, said = local(fields.get("next", "/")), kept_fields(fields), fields.get("passkey", "")
    code, agent = "" if said else fields.get("code", ""), request.headers.get("User-Agent", "")
    try:
        check_form(request, fields)
        person_id = await kernel.database.read(sessions.owes_code, kernel.node, half)
        if not person_id:
            return _login_page(request, to, kept=kept, error=TOO_LATE, status=422)
        tries = code_tries(request, person_id, code)
        if said:
            answer = await passkey_pages.believed(request, HalfLogin, half, person_id, said)
            token, why = await kernel.database.write(passkeys.sign_in, kernel.node, half, answer, agent)
        else:
            token, why = await kernel.database.write(sessions.finish, kernel.node, half, code, agent), CODE_WRONG
    except Refused as error:  # as above
        words = error.in_words(words_of(request))
        return to_wait(await _code_page(request, to, half, kept=kept, error=words, status=error.status), error)
    if not token:
        return await _code_page(request, to, half, kept=kept, error=why, status=422)
    tries()
    return await go_on(request, token, to, kept)


def code_tries(request: web.Request, person_id: str, code: str) -> Callable[[], None]:
    """Counts a try of a code before it is made, and answers what to call when it was right. Raises TooMany."""
    throttle = request.app[THROTTLE]
    names = (person_id, f"codes of {person_id}" if factor.is_app_code(code) else client(request))
    throttle.attempt(*names)
    return lambda: throttle.passed(*names)


async def logout(request: web.Request) -> web.Response:
    viewer, kernel = member_of(request), request.app[KERNEL]
    await read_form(request)
    await kernel.database.write(sessions.end, kernel.node, viewer.person_id, stored(read_cookie(request, "session")))
    response = redirect("/")
    delete_cookie(response, request.app[SETTINGS], "session")
    return response


async def join(request: web.Request) -> web.Response:
    """An invitation: choose a name and a password. A refused form keeps what was typed, the invitation stays good."""
    kernel, token = request.app[KERNEL], request.match_info["token"]
    await kernel.database.read(service.invitation, kernel.node, token)
    values, errors = {"name": "", "username": ""}, {}
    if request.method == "POST":
        fields = await read_form(request)
        values = {name: fields.get(name, "").strip() for name in values}
        about = "password"
        try:
            values["username"] = values["username"].lower()  # a phone's keyboard begins every word with a capital
            service.check_password(fields.get("password", ""), *values.values(), request.app[SETTINGS].name)
            made, about = await in_turn(passwords.make, fields["password"], pepper(request)), "username"
            started = await kernel.database.write(
                service.join,
                kernel.node,
                token,
                **values,
                password_hash=made.hashed,
                language=words_of(request).language,
                agent=request.headers.get("User-Agent", ""),
                unlock_key=made.unlock,
            )
            return await go_on(request, started, "/")
        except Gone:
            raise  # somebody else has used it up meanwhile
        except Refused as error:
            errors = {about: error.in_words(words_of(request))}
    return page(request, "members/join.html", status=422 if errors else 200, values=values, errors=errors)


async def use_link(request: web.Request) -> web.Response:
    """A one-time link: the page asks first, because previews of links open them too."""
    kernel = request.app[KERNEL]
    if request.method == "GET":
        return page(request, "members/link.html")
    await read_form(request)
    token = await kernel.database.write(service.use_link, kernel.node, request.match_info["token"], request.headers.get("User-Agent", ""))
    return await go_on(request, token, "/settings/password")  # with a second factor by way of the page that asks for its code


async def settings(request: web.Request) -> web.Response:
    """Name, language and time zone. Who is signed out comes back by way of the login page with what was typed."""
    fields = await read_fields(request) if request.method == "POST" else None
    viewer, kernel = member_of(request), request.app[KERNEL]
    me = await kernel.database.read(service.find, viewer.person_id)
    values, errors = {"name": me.name, "summary": as_text(me.summary), "language": me.language, "time_zone": me.time_zone}, {}
    if fields is not None:
        values = {name: fields.get(name, "").strip() for name in values}
    if fields is not None and not came_back(request, fields):
        try:
            await kernel.database.write(service.set_profile, kernel.node, viewer, **values)
            response = redirect("/settings?saved=1")
            delete_cookie(response, request.app[SETTINGS], "language")
            return response
        except Refused as error:
            wrong = {"name": not plain(values["name"], 1), "language": values["language"] not in ("", *LANGUAGES), "time_zone": True}
            errors = {next(name for name, is_wrong in wrong.items() if is_wrong): error.in_words(words_of(request))}
    shown = dict(values=values, errors=errors, me=me, zones=time_zones(), saved="saved" in request.query and not errors)
    return page(request, "members/settings.html", status=422 if errors else 200, **shown)


async def password(request: web.Request) -> web.Response:
    """A new password; the old one is asked for unless a one-time link brought the person here, who may have a paper then."""
    viewer, kernel = member_of(request), request.app[KERNEL]
    due, errors = request[SIGNED_IN].new_password_due, {}
    has_key = due and await kernel.database.read(unlocking.has_key, viewer.person_id)
    if request.method == "POST":
        fields = await read_form(request)
        try:
            await _set_password(request, fields, due)
            return redirect("/")
        except FedcollabError as error:
            about = "code" if isinstance(error, WrongPaper) else "old" if error.status == 403 else "password"
            errors = {about: error.in_words(words_of(request))}
    return page(request, "members/password.html", status=422 if errors else 200, due=due, errors=errors, has_key=has_key)


async def _set_password(request: web.Request, fields: Any, due: bool) -> None:
    viewer, kernel = member_of(request), request.app[KERNEL]
    me, old, code = await kernel.database.read(service.find, viewer.person_id), None, None
    if due and fields.get("code", "").strip():
        code = read_paper(fields["code"])
    if not due:
        _, tried = await try_password(request, me.username, fields.get("old", ""))
        if not tried.good:
            wrong = Refused(N_("This is not your present password."))
            wrong.status = 403
            raise wrong
        old = tried.unlock
    service.check_password(fields.get("password", ""), me.username, me.name, request.app[SETTINGS].name)
    made = await in_turn(passwords.make, fields["password"], pepper(request))
    said, token = unlocking.Said(made.unlock, old, code, reset=due), read_cookie(request, "session")
    await kernel.database.write(service.set_password, kernel.node, viewer.person_id, made.hashed, token, said)
    await kernel.database.write(unlocking.settle, kernel.node, viewer.person_id, made.unlock)


async def knows_password(request: web.Request, username: str, said: str) -> bool:
    """Whether somebody who is signed in can say the account's password. Raises TooMany."""
    return (await try_password(request, username, said))[1].good


async def try_password(request: web.Request, username: str, said: str) -> tuple[str, passwords.Tried]:
    """The same with what the password opens, and the stored form that it went with. Raises TooMany."""
    throttle, address, database = request.app[THROTTLE], client(request), request.app[KERNEL].database
    throttle.attempt(username, address)
    _, hashed = await database.read(sessions.credentials, username)
    tried = await in_turn(passwords.tried, hashed, said, pepper(request))
    if tried.good:
        throttle.passed(username, address)
    return hashed, tried


def pepper(request: web.Request) -> bytes:
    """What of the node's own key goes into unlock keys."""
    return passwords.pepper(request.app[KERNEL].node.master_key)


async def my_sessions(request: web.Request) -> web.Response:
    """Where somebody is signed in, to end one or all others."""
    viewer, kernel = member_of(request), request.app[KERNEL]
    mine = stored(read_cookie(request, "session"))
    if request.method == "POST":
        fields = await read_form(request)
        for one in await kernel.database.read(sessions.listed, viewer.person_id):
            if fields.get("end") == one.token_hash or (fields.get("end") == "others" and one.token_hash != mine):
                await kernel.database.write(sessions.end, kernel.node, viewer.person_id, one.token_hash)
        return redirect("/settings/sessions")
    return page(request, "members/sessions.html", sessions=await kernel.database.read(sessions.listed, viewer.person_id), mine=mine)


async def choose_language(request: web.Request) -> web.Response:
    """Keeps a language for this browser and goes back."""
    code = request.match_info["code"]
    if code not in LANGUAGES:
        raise NotFound()
    response = redirect(local(request.query.get("next", "/")))
    set_cookie(response, request.app[SETTINGS], "language", code, 365 * 86400)
    return response


async def show_person(request: web.Request) -> web.Response:
    """A person's address: who they are, for members; their document, for partners."""
    if wants_document(request):
        return await get_person(request)
    viewer, database, person_id = member_of(request), request.app[KERNEL].database, request.match_info["id"]
    found = await database.read(service.person, person_id)
    compare = person_id if await database.read(comparing.can_be, viewer, person_id) else ""
    return page(request, "members/person.html", person=found, compare=compare)


async def forget_notices(request: web.Request) -> web.Response:
    viewer, fields, kernel = member_of(request), await read_form(request), request.app[KERNEL]
    await kernel.database.write(sessions.forget_notices, viewer.person_id)
    return redirect(local(fields.get("next", "/")))
