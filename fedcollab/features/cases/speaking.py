"""Decides how a form of a case becomes an entry: read, checked, said in one unit; or the page again with the word beside its field."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from multidict import MultiDictProxy

from fedcollab.base.web import read_form, redirect

from .acting import desk_of, reader_of, speak
from .checking import Wrong, checked
from .desk import Desk
from .record import Entry

Fields = MultiDictProxy[str]
Again = Callable[[web.Request, Desk, Wrong, Fields], Awaitable[web.Response]]
Known = Callable[[Desk], dict[str, Any]]


def lists(fields: Fields) -> dict[str, list[str]]:
    """A form's fields as `checked` takes them."""
    return {name: fields.getall(name) for name in fields}


async def said(request: web.Request, kind: type[Entry], again: Again, back: str, known: Known = lambda _desk: {}) -> web.Response:
    """Adds an entry of a kind from the form that was sent, once however often it comes, and leads back to `back` of its case; `known` is
    what the page knows of itself, by the case as it is now. Where a field is wrong, what `again` shows."""
    reader_of(request)
    fields = await read_form(request)

    def make(desk: Desk) -> Entry:
        return checked(kind, lists(fields), desk.look.now, **known(desk))

    try:
        await speak(request, make, fields.get("once", ""))
    except Wrong as error:
        return await again(request, await desk_of(request), error, fields)
    return redirect(f"/cases/{request.match_info['id']}{back}")
