"""Decides when an answer that anybody may have is not sent again: by its own hash, or by the time of its newest part."""

import hashlib
from email.utils import parsedate_to_datetime

from aiohttp import web

from fedcollab.base.clock import MICROSECONDS, http_date


def answer(request: web.Request, text: str, media_type: str, changed_at: int) -> web.Response:
    """The text, or 304 for whoever has it already. It has to be the same for everybody."""
    body = text.encode("utf-8", "replace")
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Last-Modified": http_date(changed_at), "Cache-Control": "no-cache", "Content-Type": media_type}
    if _has_it(request, tag, changed_at):
        return web.Response(status=304, headers={name: value for name, value in headers.items() if name != "Content-Type"})
    return web.Response(body=body, headers=headers)


def _has_it(request: web.Request, tag: str, changed_at: int) -> bool:
    """The hash decides, where it is sent at all."""
    said = request.headers.get("If-None-Match")
    if said is not None:
        return said.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in said.split(",")]
    try:
        since = parsedate_to_datetime(request.headers.get("If-Modified-Since", ""))
        return changed_at // MICROSECONDS <= int(since.timestamp())
    except (TypeError, ValueError, OverflowError):  # no date at all, or one of no calendar
        return False
