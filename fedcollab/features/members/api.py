"""Decides what members' own tools may ask: ActivityPub's client side by a bearer token, never by a cookie; refusals as RFC 9457 says.

An activity's address answers other servers too."""

import heapq
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from aiohttp import web

from fedcollab.actors import service as actors
from fedcollab.base import web as base
from fedcollab.base.errors import BadRequest, FedcollabError, Forbidden, N_, NotFound, TooLarge, Unauthorized
from fedcollab.base.http import is_activity
from fedcollab.base.session import Session
from fedcollab.base.strictjson import loads
from fedcollab.base.web import TOO_MUCH, client, wants_document, words_of
from fedcollab.feature import ARRIVALS, ASKED, OUTBOX
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import asked, clients, profiles
from fedcollab.federation.clients import Arrival, Arrivals, Key
from fedcollab.federation.kernel import KERNEL
from fedcollab.federation.views import document_answer, partner_viewer

from . import tokens, views
from .rate import Rate

RATE = web.AppKey("rate", Rate)
PAGE = 50
NEEDS_TOKEN = N_("Send a token of yours as “Authorization: Bearer TOKEN”. You make one under “Your settings”, “Tokens for tools”.")
NOT_GOOD = N_("This token is not good, or not any more. Make a new one under “Your settings”, “Tokens for tools”.")
LACKS = {
    tokens.READ: N_("This token may not read. Make one with “Read” ticked under “Your settings”, “Tokens for tools”."),
    tokens.WRITE: N_("This token may not write. Make one with “Write” ticked under “Your settings”, “Tokens for tools”."),
}
OWES = N_("Open the node in a browser first: you have to choose a new password there, or to set up a second factor.")
NOT_READ = N_(
    "This is no JSON that this node can read. Send one document in UTF-8, with no name twice in an object, at most 32 levels deep."
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def api(handler: Handler) -> Handler:
    """Answers refusals as application/problem+json, in words that say what to do next."""

    @wraps(handler)
    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except FedcollabError as error:
            return problem(request, error)
        except web.HTTPRequestEntityTooLarge:
            return problem(request, TooLarge(TOO_MUCH))
        except (web.RequestPayloadError, ConnectionError) as error:
            return problem(request, BadRequest(reason=type(error).__name__))

    return answered


def problem(request: web.Request, error: FedcollabError) -> web.Response:
    """One refusal in the words of whom it is for, with what RFC 6750 wants beside it."""
    response = base.problem(error, str(error.in_words(words_of(request))))
    if isinstance(error, Unauthorized):
        response.headers["WWW-Authenticate"] = "Bearer" + (' error="invalid_token"' if error.text == NOT_GOOD else "")
    for scope in (scope for scope, text in LACKS.items() if text == error.text):
        response.headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{scope}"'
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def has_bearer(request: web.Request) -> bool:
    return request.headers.get("Authorization", "").lower().startswith("bearer ")


async def bearer(request: web.Request, scope: str, *, own: bool = True) -> tokens.Bearer:
    """Whose tool asks; `own` says that the address has to be theirs. Raises Unauthorized, Forbidden, TooMany."""
    kernel, rate = request.app[KERNEL], request.app[RATE]
    if not has_bearer(request):
        raise Unauthorized(NEEDS_TOKEN)
    token = request.headers["Authorization"][7:].strip()
    found = await kernel.database.glance(tokens.bearer, kernel.node, token)
    rate.take(found.id if found else client(request))
    if found is None:
        raise Unauthorized(NOT_GOOD)
    if found.owes:
        raise Forbidden(OWES)
    if scope not in found.scopes:
        raise Forbidden(LACKS[scope])
    if own and request.match_info["id"] != found.viewer.person_id:
        raise Forbidden(N_("This is another person's. A token opens its owner's inbox and outbox alone."))
    if kernel.node.now() - (found.used_at or 0) > tokens.SEEN_EVERY:
        await kernel.database.write(tokens.touch, kernel.node, found.id)
    return found


async def show_person(request: web.Request) -> web.StreamResponse:
    """A person's address: for tools with a token their document, which names inbox and outbox; else what it shows to everybody."""
    return await _document(request) if wants_document(request) and has_bearer(request) else await views.show_person(request)


@api
async def _document(request: web.Request) -> web.Response:
    found = await bearer(request, tokens.READ)
    return document_answer(await request.app[KERNEL].database.read(profiles.stored_document, found.viewer.person_id))


@api
async def post_outbox(request: web.Request) -> web.Response:
    """Takes an activity, or the object to create; 201 with the activity's address."""
    found, kernel = await bearer(request, tokens.WRITE), request.app[KERNEL]
    kind = request.headers.get("Content-Type", "")
    if not is_activity(kind) and kind.partition(";")[0].strip().lower() != "application/json":
        wrong = BadRequest(N_("Send JSON, as application/activity+json."))
        wrong.status = 415
        raise wrong
    document, takers = _read(await request.read()), request.app[OUTBOX]

    def work(session: Session) -> str:
        owner = actors.by_id(session, found.viewer.person_id).uri
        sure = request.query.get("sure", "")
        return clients.hand_in(session, kernel.node, found.viewer, owner, document, takers, sure=sure)

    return web.Response(status=201, headers={"Location": await kernel.database.write(work)})


def _read(body: bytes) -> object:
    try:
        return loads(body)
    except BadRequest as error:
        raise BadRequest(NOT_READ, reason=error.reason) from None


@api
async def outbox(request: web.Request) -> web.Response:
    """What the owner has published, newest first: the collection, or with `?page=1` or `?before=` a page of it."""
    found, kernel, person_id = await bearer(request, tokens.READ), request.app[KERNEL], request.match_info["id"]
    if not _wants_page(request):
        total = await kernel.database.read(clients.count_published, found.viewer.person_id)
        return _collection(request, {"totalItems": total})
    rows = await kernel.database.read(clients.published, person_id, request.query.get("before", ""), PAGE)
    return _page(request, [activity for _, activity in rows], rows[-1][0] if len(rows) == PAGE else "")


@api
async def inbox(request: web.Request) -> web.Response:
    """What came to the owner, newest first, paged as the outbox; how much there is in all is not counted."""
    found, kernel = await bearer(request, tokens.READ), request.app[KERNEL]
    if not _wants_page(request):
        return _collection(request, {})

    def read(session: Session) -> list[Arrival]:
        before, sources = _key(request.query.get("before", "")), request.app[ARRIVALS]
        several = [list(_of(source, session, before)) for source in sources]
        return list(heapq.merge(*several, key=lambda one: (one.at, one.id), reverse=True))[:PAGE]

    def _of(source: Arrivals, session: Session, before: Key | None) -> list[Arrival]:
        return source(session, kernel.node, found.viewer, before, PAGE)

    arrived = await kernel.database.read(read)
    more = f"{arrived[-1].at}-{arrived[-1].id}" if len(arrived) == PAGE else ""
    return _page(request, [one.activity for one in arrived], more)


async def show_activity(request: web.Request) -> web.StreamResponse:
    """An activity of ours: for other servers by a signed request, as far as they may see what it is about; for tools their owner's own."""
    if "Signature" not in request.headers or has_bearer(request):
        return await _own_activity(request)
    viewer, kernel, features = await partner_viewer(request), request.app[KERNEL], request.app[ASKED]
    activity = await kernel.database.read(asked.activity, viewer, request.match_info["id"], features)
    if activity is None:
        raise NotFound()
    return document_answer(activity)


@api
async def _own_activity(request: web.Request) -> web.Response:
    """An activity of the owner's own, as it was signed."""
    found, kernel = await bearer(request, tokens.READ, own=False), request.app[KERNEL]
    activity = await kernel.database.read(clients.one_published, found.viewer.person_id, request.match_info["id"])
    if activity is None:
        raise NotFound()
    return document_answer(activity)


def _wants_page(request: web.Request) -> bool:
    return "page" in request.query or "before" in request.query


def _key(text: str) -> Key | None:
    """A keyset page's key, `micros-id`."""
    at, _, row_id = text.partition("-")
    return (int(at), row_id) if at.isascii() and at.isdigit() and len(at) < 18 else None


def _collection(request: web.Request, more: dict[str, Any]) -> web.Response:
    uri = request.app[KERNEL].node.settings.uri(request.path)
    return document_answer({"@context": ap.CONTEXT, "id": uri, "type": "OrderedCollection", **more, "first": uri + "?page=1"})


def _page(request: web.Request, items: list[dict[str, Any]], more: str) -> web.Response:
    uri, before = request.app[KERNEL].node.settings.uri(request.path), request.query.get("before", "")
    next_page = {"next": f"{uri}?before={more}"} if more else {}
    here = f"{uri}?before={before}" if before else uri + "?page=1"
    made = {"@context": ap.CONTEXT, "id": here, "type": "OrderedCollectionPage", "partOf": uri, **next_page, "orderedItems": items}
    return document_answer(made)
