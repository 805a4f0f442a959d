"""Decides which addresses a guest may use: their case, and what keeps their own account safe. Everything else answers like nothing.

One list, asked before any handler: no page has to think of guests, and what is built later is closed to them until it is named here.
"""

from aiohttp import web

from fedcollab.base.errors import NotFound
from fedcollab.base.web import Handler, redirect
from fedcollab.feature import viewer_of

HOME = "/guest"
ACCOUNT = frozenset(
    (
        *(HOME, "/logout", "/language/{code}", "/again", "/again/passkey", "/unlock", "/static"),
        *("/settings/password", "/settings/factor", "/settings/factor/passkeys", "/settings/factor/passkeys/new"),
        *("/settings/keys", "/settings/sessions", "/settings/notices"),
    )
)
CASE = frozenset(("/cases/{id}", "/cases/{id}/say/{kind}", "/cases/{id}/search"))
ALLOWED = ACCOUNT | CASE


@web.middleware
async def only_their_case(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets everybody through but guests, and guests to what is theirs; from the front door they come to their own."""
    if viewer_of(request).is_guest:
        if request.path == "/" and request.method == "GET":
            return redirect(HOME)
        if path_of(request) not in ALLOWED:
            raise NotFound
    return await handler(request)


def path_of(request: web.Request) -> str:
    """The route that a request has found, as it is written; empty for none."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else ""
