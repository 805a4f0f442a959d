"""Decides how HTTP is read from a connection: the limits of the parser, and the answer to what it can't read, which repeats none of it."""

import asyncio
import logging
from typing import Any

from aiohttp import web

from .web import HEADERS

log = logging.getLogger("fedcollab.web")
RESTING, LEFTOVERS = 30.0, 2.0  # seconds that a connection may stay open unused; that the rest of a refused body is thrown away
MOST_HEADERS, LINE_BYTES = 100, 8190


class Speaker(web.RequestHandler):
    """aiohttp's own protocol. What it would answer by itself names its version and repeats the request; this says the status alone."""

    __slots__ = ()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        if status < 500:
            log.info("refused", extra={"path": "?", "status": status, "reason": f"not HTTP: {type(exc).__name__}"})
        else:
            log.error("failed", exc_info=exc, extra={"path": "?", "status": status})
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun already")
        return bare(status)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        answer = bare(resp.status) if isinstance(resp, web.HTTPException) and resp.status >= 400 else resp
        return await super().finish_response(request, answer, start_time)


def bare(status: int) -> web.Response:
    """An answer without words, after which the connection ends."""
    made = web.Response(status=status, headers={**HEADERS, "Cache-Control": "no-store"}, text=f"{status}\n")
    made.force_close()
    return made


def speaker(server: web.Server) -> Speaker:
    """The protocol of one more connection."""
    limits: dict[str, Any] = {"max_headers": MOST_HEADERS, "max_line_size": LINE_BYTES, "max_field_size": LINE_BYTES}
    more: dict[str, Any] = {"access_log": None, "keepalive_timeout": RESTING, "lingering_time": LEFTOVERS}
    return Speaker(server, loop=asyncio.get_running_loop(), auto_decompress=False, **limits, **more)
