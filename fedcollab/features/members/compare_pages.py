"""Decides how people compare the words of their keys with a partner's person by phone, and say that they have."""

from typing import Any

from aiohttp import web

from fedcollab.access.viewer import Viewer
from fedcollab.base.errors import N_, NotFound, Refused
from fedcollab.base.web import read_fields, redirect, words_of
from fedcollab.feature import asked_again, came_back, member_of, page
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import comparing, pinned

LIST = "/changed-keys"
NOT_SAID = N_("Say that you have heard the person read all words, and that they are the same.")


async def show_changed(request: web.Request) -> web.Response:
    """Which partners' people have another key, that nobody here has compared yet."""
    _may(request)
    found = await request.app[KERNEL].database.read(comparing.changed)
    return page(request, "members/changed.html", changed=found)


async def show_words(request: web.Request) -> web.Response:
    """The words of one person's key, beside one's own."""
    return await _page(request, _may(request))


async def confirm(request: web.Request) -> web.Response:
    """Somebody says that they have compared them; from now on this key is used."""
    viewer, fields, kernel, person_id = _may(request), await read_fields(request), request.app[KERNEL], request.match_info["id"]
    if came_back(request, fields):
        return await _page(request, viewer)
    asked_again(request)
    if fields.get("same") != "yes":
        return await _page(request, viewer, words_of(request).gettext(NOT_SAID), 422)
    try:
        await kernel.database.write(pinned.confirm, kernel.node, viewer, person_id, fields.get("kid", ""))
    except NotFound:
        raise
    except Refused as error:
        return await _page(request, viewer, error.in_words(words_of(request)), error.status)
    return redirect(f"/people/{person_id}/words")


async def _page(request: web.Request, viewer: Viewer, error: str = "", status: int = 200) -> web.Response:
    found: Any = await request.app[KERNEL].database.read(comparing.look, viewer, request.match_info["id"])
    return page(request, "members/words.html", status=status, found=found, errors={"same": error} if error else {})


def _may(request: web.Request) -> Viewer:
    """Keepers and caseworkers; for everybody else it does not exist."""
    viewer = member_of(request)
    if not comparing.may(viewer):
        raise NotFound()
    return viewer
