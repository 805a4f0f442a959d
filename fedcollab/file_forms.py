"""Decides how a form that may bring a file into a sealed room is read: its fields first, its file sealed as it comes. Whatever it is
refused for, what was typed stands on the page that says so; the file is chosen again then. And how long a file is handed out."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps

from aiohttp import web
from multidict import MultiDictProxy

from fedcollab.base.errors import FedcollabError, Unauthorized
from fedcollab.base.web import FORM_TYPES, TYPED, check_origin, check_token, stream, typed_into
from fedcollab.feature import came_back, login_address, member_of, page
from fedcollab.federation.kernel import KERNEL
from fedcollab.files import quotas, uploading
from fedcollab.files.receiving import FORM_MORE, Sent, drain, form_with_file
from fedcollab.files.shelves import SHELVES
from fedcollab.sealing import file_opening, file_receiving, filed, holding
from fedcollab.sealing.carried import Carried
from fedcollab.sealing.file_receiving import Incoming
from fedcollab.sealing.filed import Listed
from fedcollab.sealing.typed import Wrong
from fedcollab.sealing.unlocked import Locked, unlocked_of

BARE, WHOLE = "bare", "whole"  # what becomes of what is written beside a picture's pixels
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def takes_file(handler: Handler) -> Handler:
    """Marks a handler that reads its form by `read`. Who is signed out or has not unlocked their keys is led there and back."""

    @stream
    @wraps(handler)
    async def handled(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (Locked, Unauthorized) as error:
            return _led_there(request, error)
        except uploading.Cut:
            raise
        except FedcollabError:
            await drain(request)
            raise

    return handled


async def read(request: web.Request) -> Sent:
    """The form up to its file, not checked yet: only so can people be shown what they typed. Raises BadRequest, TooLarge, and Forbidden for
    one from another site."""
    check_origin(request)
    sent = await form_with_file(request)
    request[TYPED] = typed_into(MultiDictProxy(sent.fields))
    return sent


def is_sent(request: web.Request, sent: Sent) -> bool:
    """Whether it is to be done, not only shown again after signing in. Raises Unauthorized, and Forbidden for one that is not from a page
    of ours."""
    member_of(request)
    if sent.part is None and came_back(request, MultiDictProxy(sent.fields)):
        return False
    check_token(request, sent.fields.get("token", ""))
    return True


@asynccontextmanager
async def incoming(request: web.Request, sent: Sent) -> AsyncIterator[tuple[Incoming, Carried]]:
    """The form's file, sealed and stored: unless a message names it within the block, nothing is left of it. Raises what a file may be
    refused for."""
    kernel, shelves, viewer = request.app[KERNEL], request.app[SHELVES], member_of(request)
    assert sent.part is not None
    kernel.node.room.need()
    most = quotas.limit(kernel.node.settings)
    announced = most if request.content_length is None else max(request.content_length, 1)
    if announced > most + FORM_MORE:
        raise quotas.too_large(kernel.node.settings)
    async with uploading.sending(shelves, viewer):
        taking = file_receiving.sealed(kernel, shelves, viewer, sent.part.read, sent.name, min(announced, most))
        async with taking as came:
            if sent.fields.get("picture") != WHOLE:
                await came.bare()
            yield came, await came.store()


def beside(error: FedcollabError) -> FedcollabError:
    """What a form was refused for, beside the field of its file where it is about no other."""
    if isinstance(error, Wrong):
        return error
    wrong = Wrong("file", error.text, **error.values)
    wrong.status, wrong.headers = error.status, error.headers
    return wrong


def _led_there(request: web.Request, error: FedcollabError) -> web.StreamResponse:
    """To the page where one signs in or unlocks, and back with what was typed: carried by the browser (307), behind a file by a form."""
    if not request.get(TYPED):
        raise error
    to = login_address(request, "/unlock" if isinstance(error, Locked) else "/login")
    if request.content_type in FORM_TYPES:
        return web.Response(status=307, headers={"Location": to})
    return page(request, "base/error.html", status=error.status, error=error, back="", typed=request[TYPED], to=to)


async def hand_out(request: web.Request, found: Listed) -> web.StreamResponse:
    """A file in clear, for as long as whoever asks for it may read it. Raises as `filed.check_opens`."""
    row, secret, name = filed.check_opens(found)
    return await file_opening.send(request, row, secret, name, lambda: _still_reads(request))


async def _still_reads(request: web.Request) -> bool:
    """Whether whoever is having a file of a room (the address's id) is signed in yet, has their keys unlocked and is on it."""
    try:
        await unlocked_of(request)
    except Locked:
        return False
    return await request.app[KERNEL].database.read(holding.is_assigned, request.match_info["id"], member_of(request).person_id)
