"""Decides what every answer and every form has in common: security headers, errors in words, cookies, tokens against forged forms."""

import hmac
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

from aiohttp import web
from multidict import CIMultiDict, MultiDict, MultiDictProxy

from .addresses import host_of
from .config import Settings
from .crypto import derive, new_token
from .errors import BadRequest, FedcollabError, Forbidden, N_, NotFound, TooLarge
from .i18n import Words, negotiate, words

log = logging.getLogger("fedcollab.web")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SETTINGS = web.AppKey("settings", Settings)
SECRET = web.AppKey("secret", bytes)
ShowError = Callable[[web.Request, FedcollabError], web.Response]
SHOW_ERROR: web.AppKey[ShowError] = web.AppKey("show_error")
WORDS = web.RequestKey("words", Words)
NOTICES = web.RequestKey("notices", list)
TOKEN_BASE = web.RequestKey("token_base", str)
TYPED = web.RequestKey("typed", list)  # what somebody typed into the form that is being refused
LAST = web.RequestKey("last", bool)  # whether the connection ends with this answer
OWN_POLICY = web.RequestKey("own_policy", str)  # the Content-Security-Policy of an answer that is none of our pages
STREAM = "takes_a_stream"
HANDLERS = TypeVar("HANDLERS", bound=Handler)

FORM_BYTES, FORM_FIELDS = 600_000, 200
FORM_TYPES = ("application/x-www-form-urlencoded", "application/octet-stream")  # the latter is what no Content-Type means
BODY_BYTES = 1_000_000
SECRETS = frozenset(("password", "old", "code", "proof", "key", "sheet", "sheet2", "passkey"))  # fields that no page shows again
UNSEEN = frozenset(("token", "next", "once", "act", "kid", "made", "again"))  # fields that nobody types into
STALE = N_("This form was opened too long ago, or in another session. Open the page again and send it once more.")
AGAIN = N_("This form was opened too long ago, or in another session. What you typed is still here: send it once more.")
TOO_MUCH = N_("That is more than fits into one request, which is 1 MB. Send less at once.")
POLICY = "; ".join(
    ["default-src 'none'"]
    + [f"{kind}-src 'self'" for kind in ("style", "img", "script", "connect")]
    + ["form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"]
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Server": "fedcollab",
}
FIXED = CIMultiDict(HEADERS)


def stream(handler: HANDLERS) -> HANDLERS:
    """Marks a handler that reads its body itself, however long it is and takes: it has to bound both, and the memory."""
    setattr(handler, STREAM, True)
    return handler


def takes_a_stream(request: web.Request) -> bool:
    """Whether the handler of a request has been marked by `stream`."""
    return getattr(request.match_info.handler, STREAM, False)


def wants_document(request: web.Request) -> bool:
    """Whether ActivityPub's representation is asked for, not the page."""
    accept = request.headers.get("Accept", "")
    return "application/activity+json" in accept or "application/ld+json" in accept


def is_signed(request: web.Request) -> bool:
    """Whether a request says to be another node's: then no session counts, no form is taken, and nobody reads its language."""
    return "Signature" in request.headers


def client(request: web.Request) -> str:
    """Whom a rate limit counts: the connection's address, or the one that our own web server in front vouches for."""
    if request.app[SETTINGS].trusted_proxy:
        return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or (request.remote or "")
    return request.remote or ""


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: every answer carries the security headers, errors and files too; pages are never stored by proxies."""
    headers = response.headers
    headers.update(FIXED)
    if OWN_POLICY in request:
        headers["Content-Security-Policy"] = request[OWN_POLICY]
    if request.get(LAST):
        headers["Connection"] = "close"
        response.force_close()
    if request.app[SETTINGS].secure:
        headers["Strict-Transport-Security"] = "max-age=63072000"
    if "Cache-Control" not in headers and not request.raw_path.startswith("/static/"):
        headers["Cache-Control"] = "no-store"


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """One place where errors become answers: a page for people, one line for machines; what went wrong inside stays inside."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _answer(request, _from_http(error))
    except FedcollabError as error:
        if error.reason:
            log.info("refused", extra={"path": _route(request), "status": error.status, "reason": error.reason})
        return _answer(request, error)
    except (web.RequestPayloadError, ConnectionError) as error:  # what was sent breaks off, or is not packed as it says
        return _answer(request, BadRequest(reason=type(error).__name__))
    except Exception:
        log.exception("failed", extra={"path": _route(request)})
        return _answer(request, FedcollabError())


def _from_http(error: web.HTTPException) -> FedcollabError:
    if error.status in (403, 404):  # aiohttp forbids to list its folder of static files, which says that there is one
        return NotFound()
    if error.status == 413:
        return TooLarge()
    made = BadRequest(N_("This address does not take that kind of request.") if error.status == 405 else "")
    made.status = error.status
    return made


def _answer(request: web.Request, error: FedcollabError) -> web.Response:
    if _asked_by_a_machine(request) or SHOW_ERROR not in request.app:
        detail = TOO_MUCH if error.text == TooLarge.text else error.text
        response = problem(error, detail if not error.values else error.in_words())
    else:
        response = request.app[SHOW_ERROR](request, error)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    response.headers.update(error.headers)
    return response


def problem(error: FedcollabError, detail: str) -> web.Response:
    """A refusal as a machine reads it (RFC 9457)."""
    told = {"type": "about:blank", "title": HTTPStatus(error.status).phrase, "status": error.status, "detail": detail}
    return web.json_response(told, status=error.status, content_type="application/problem+json")


def _asked_by_a_machine(request: web.Request) -> bool:
    """Whether an error is answered as JSON: to documents and activities, and where no person ever looks."""
    for_machines = request.path.startswith(("/.well-known/", "/nodeinfo/")) or request.path.endswith("/inbox")
    return for_machines or wants_document(request) or request.content_type.endswith("json")


def _route(request: web.Request) -> str:
    """The route's pattern: addresses of people and things stay out of the log."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "?"


def words_of(request: web.Request) -> Words:
    """The reader's language; the browser's until somebody has found out who reads."""
    found: Words | None = request.get(WORDS)
    settings = request.app[SETTINGS]
    if found is not None:
        return found
    return words(negotiate(request.headers.get("Accept-Language", ""), settings.language), settings.time_zone)


def cookie_name(settings: Settings, name: str) -> str:
    """`__Host-` in earnest; trial nodes on one machine share a jar, so there the port is in the name."""
    if settings.secure:
        return f"__Host-{name}"
    return f"{name}-{urlsplit(settings.base_url).port or 80}"


def set_cookie(response: web.StreamResponse, settings: Settings, name: str, value: str, seconds: int | None) -> None:
    response.set_cookie(
        cookie_name(settings, name), value, max_age=seconds, path="/", secure=settings.secure, httponly=True, samesite="Lax"
    )


def delete_cookie(response: web.StreamResponse, settings: Settings, name: str) -> None:
    response.del_cookie(cookie_name(settings, name), path="/", secure=settings.secure, httponly=True, samesite="Lax")


def read_cookie(request: web.Request, name: str) -> str:
    return request.cookies.get(cookie_name(request.app[SETTINGS], name), "")


@web.middleware
async def token_base(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What a form's token is bound to: the session, or for people who haven't signed in a cookie of their own."""
    if "%00" in request.raw_path:  # names nothing, and not every database can even look for it
        raise NotFound()
    if is_signed(request):
        return await handler(request)
    base = read_cookie(request, "session") or read_cookie(request, "visit")
    request[TOKEN_BASE] = base or new_token()
    response = await handler(request)
    if not base and not response.prepared and response.content_type == "text/html":
        set_cookie(response, request.app[SETTINGS], "visit", request[TOKEN_BASE], 3600)
    return response


def form_token(request: web.Request) -> str:
    """The token that every form carries."""
    key = derive(request.app[SECRET], "form token")
    base = request[TOKEN_BASE] if TOKEN_BASE in request else new_token()
    return hmac.new(key, base.encode(), "sha256").hexdigest()


async def read_form(request: web.Request) -> "MultiDictProxy[str]":
    """The fields of a form that came from a page of ours. Raises Forbidden otherwise, and what `read_fields` raises."""
    fields = await read_fields(request)
    check_form(request, fields)
    return fields


async def read_fields(request: web.Request) -> "MultiDictProxy[str]":
    """The fields of a form of at most 600 kB and 200 fields in UTF-8, not yet checked: only to show people what they typed. NUL, which no
    database of ours can keep, is left out. Raises TooLarge, BadRequest."""
    if (request.content_length or 0) > FORM_BYTES:
        raise TooLarge()
    if request.content_type not in FORM_TYPES:
        raise BadRequest(N_("This form takes no files."))
    if (await request.read()).count(b"&") >= FORM_FIELDS or (request.charset or "utf-8").lower() != "utf-8":
        raise BadRequest(reason="a form of too many fields, or in another encoding")
    try:
        fields = await request.post()
    except (ValueError, LookupError) as error:  # bytes that are no text, an alphabet that nobody knows
        raise BadRequest(reason=f"a form that can't be read: {type(error).__name__}") from None
    return MultiDictProxy(MultiDict((name, str(value).replace("\0", "")) for name, value in fields.items()))


def check_form(request: web.Request, fields: "MultiDictProxy[str]") -> None:
    """Raises Forbidden unless the form is from a page of ours, opened in this session."""
    check_token(request, fields.get("token", ""), AGAIN if typed_into(fields) else "")


def typed_into(fields: "MultiDictProxy[str]") -> list[tuple[str, str]]:
    """What a form needs to be sent once more, without its token and what is secret; nothing where nobody has typed or chosen anything."""
    kept = [(name, value) for name, value in fields.items() if name not in SECRETS and name not in ("token", "next", "unlock")]
    return kept if any(value.strip() for name, value in kept if name not in UNSEEN) else []


def check_token(request: web.Request, token: str, text: str = "") -> None:
    """The same for a token that came otherwise than in a form's fields: in a header, or in the first part of a form with files. `text`
    says what to do where it is not the one."""
    check_origin(request)
    if not hmac.compare_digest(token.encode(), form_token(request).encode()):
        raise Forbidden(text or STALE)


def check_origin(request: web.Request) -> None:
    """Raises Forbidden unless Sec-Fetch-Site and Origin, where a browser sends them, are ours."""
    site, origin = request.headers.get("Sec-Fetch-Site", "same-origin"), request.headers.get("Origin", "")
    if site not in ("same-origin", "none"):
        raise Forbidden(N_("This form did not come from this site."))
    if origin and origin != "null" and host_of(origin) != request.app[SETTINGS].host:
        raise Forbidden(N_("This form did not come from this site."))


def redirect(to: str) -> web.Response:
    """Go on there (303): after a form, so that reloading doesn't send it twice."""
    return web.Response(status=303, headers={"Location": to})


def local(path: str) -> str:
    """A path of this site to go on to; anything else is the start page."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


def page_key(text: str) -> tuple[int, str] | None:
    """A keyset page's key, `micros-id`."""
    at, _, row_id = text.partition("-")
    return (int(at), row_id) if at.isascii() and at.isdigit() and len(at) < 18 else None


def page_number(text: str) -> int:
    """The page that is asked for by its number; the first one where that is none."""
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1
