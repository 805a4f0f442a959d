"""Sends files into cases as a browser without script does, and opens them."""

import io
from typing import Any

import aiohttp

from fedcollab.files.shelves import SHELVES, Shelves
from tests.features.cases.desks import Office
from tests.files.holder import PDF
from tests.web import Visitor

__all__ = ["PDF", "Office", "rows", "send", "shelves", "take"]


def shelves(at: Office) -> Shelves:
    return at.site.runner.app[SHELVES]  # type: ignore[union-attr]


async def send(
    visitor: Visitor, case_id: str, content: bytes | None, name: str = "notes.txt", *, media: str = "text/plain", **fields: str
) -> tuple[int, str, str]:
    """(status, Location, page) of the form on the files' page."""
    path = f"/cases/{case_id}/files"
    form = aiohttp.FormData(default_to_multipart=True, quote_fields=False)
    form.add_field("token", fields.pop("token", "") or await visitor.token(path))
    for field, value in ({"about": "", "picture": "bare"} | fields).items():
        form.add_field(field, value)
    if content is not None:
        form.add_field("file", io.BytesIO(content), filename=name, content_type=media)
    status, headers, text = await visitor.ask("POST", path, form)  # type: ignore[arg-type]
    return status, headers.get("Location", ""), text


async def take(visitor: Visitor, path: str, **headers: str) -> tuple[int, Any, bytes]:
    """(status, headers, bytes) of what is opened."""
    sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in visitor.cookies.items()), "Host": visitor.site.kernel.node.settings.host} | headers
    async with aiohttp.request("GET", visitor.site.url + path, headers=sent, allow_redirects=False) as answer:
        return answer.status, answer.headers, await answer.read()


async def rows(at: Office) -> list[tuple[Any, ...]]:
    """The files that the node knows, the oldest first: (row, state, reason)."""
    return await at.sql("SELECT id, state, reason FROM sealed_file ORDER BY at, id")
