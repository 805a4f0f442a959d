"""Decides which requests reach a handler at all: addressed to this node, and with a body that is plain, whole, small and in time."""

import asyncio

from aiohttp import HttpVersion10, HttpVersion11, hdrs, web

from .addresses import host_of
from .connections import Connection
from .errors import BadRequest, FedcollabError, N_, TooLarge, Unavailable
from .web import BODY_BYTES, LAST, SETTINGS, Handler, takes_a_stream

BODY_SECONDS = 30.0
SMALL_BODY, LARGE_AT_ONCE = 65_536, 16  # bytes; how many larger bodies are read side by side
CHUNKED = ["chunked"]
BY_ANY_NAME = frozenset(("/healthz", "/readyz", "/metrics"))  # asked by machines that know an address alone; they answer no name
LARGE_BODIES = web.AppKey("large_bodies", asyncio.Semaphore)


@web.middleware
async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What a handler gets has been read whole: nobody's slowness is inside a handler, and none has to think of it, but those that take a
    stream. After a refusal here, or with a stream that nobody has read, the connection ends, for what follows on it may be something else
    to the web server in front than to us."""
    connection = request.transport.get_protocol() if request.transport is not None else None
    at = connection if isinstance(connection, Connection) else None
    if at is not None:
        at.work()
    try:
        try:
            await _admit(request)
        except BaseException:
            request[LAST] = True
            raise
        try:
            return await handler(request)
        finally:
            if request.can_read_body:
                request[LAST] = True
    finally:
        if at is not None and not request.can_read_body:  # else what comes next is the rest of a refused body, and no header
            at.rest()


async def _admit(request: web.Request) -> None:
    if request.version not in (HttpVersion10, HttpVersion11):
        raise _refused(505, "another version of HTTP")
    if [coding.lower() for coding in request.headers.getall(hdrs.TRANSFER_ENCODING, CHUNKED)] != CHUNKED:
        raise _refused(400, "another transfer coding than chunked")
    _check_host(request)
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":  # signatures cover what is sent; bombs are packed
        raise _refused(415, "a packed body")
    if request.can_read_body and not takes_a_stream(request):
        await _read(request)


def _check_host(request: web.Request) -> None:
    """The name that the request is for has to be ours: else another site's name, led to our address, would be answered as ours."""
    settings, said = request.app[SETTINGS], list(request.headers.getall(hdrs.HOST, ()))
    anybody = request.path in BY_ANY_NAME and len(said) < 2
    if (len(said) != 1 and not anybody) or not request.raw_path.startswith("/"):
        raise BadRequest(reason="no Host, more than one, or a whole address as the path")
    if anybody or said[0] == settings.host:
        return
    try:
        same = host_of(f"{settings.base_url.partition(':')[0]}://{said[0]}") == settings.host
    except BadRequest:
        same = False
    if not same:
        error = FedcollabError(N_("This node answers at %(address)s alone."), reason="another Host", address=settings.base_url)
        error.status = 421
        raise error


async def _read(request: web.Request) -> None:
    """Few large bodies at a time, so that many senders can't fill the memory; small ones wait for nobody."""
    size = request.content_length
    if size is not None and size > BODY_BYTES:
        raise TooLarge()
    turns, waiting = request.app[LARGE_BODIES], True
    try:
        async with asyncio.timeout(BODY_SECONDS):
            if size is not None and size <= SMALL_BODY:
                waiting = False
                await request.read()
                return
            async with turns:
                waiting = False
                await request.read()
    except TimeoutError:
        busy = Unavailable(reason="too many large bodies", retry_after=5)
        raise busy if waiting else _refused(408, "a body that came too slowly") from None


def _refused(status: int, reason: str) -> BadRequest:
    error = BadRequest(reason=reason)
    error.status = status
    return error
