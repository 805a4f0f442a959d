"""Decides which addresses a guest may use: their case, and what keeps their own account safe. Everything else answers like nothing.

One list, asked before any handler: no page has to think of guests, and what is built later is closed to them until it is named here.
"""

from aiohttp import web

from fedcollab.base.errors import NotFound
from fedcollab.base.web import Handler, redirect
from fedcollab.feature import viewer_of

HOME = "/guest"
REFERRAL = "/guest/referral"
ACCOUNT = frozenset(
    (
        *(HOME, REFERRAL, "/logout", "/language/{code}", "/again", "/again/passkey", "/unlock", "/static"),
        *("/settings/password", "/settings/factor", "/settings/factor/passkeys", "/settings/factor/passkeys/new"),
        *("/settings/keys", "/settings/sessions", "/settings/notices"),
    )
)
OF_CASE = ("", "/say/{kind}", "/search", "/tasks", "/tasks/progress", "/people", "/people/{person}")
FILES = ("/files", "/files/{file}", "/files/{file}/mark")
CASE = frozenset("/cases/{id}" + part for part in (*OF_CASE, *FILES))
ALLOWED = ACCOUNT | CASE
ONLY = {"/cases/{id}/new/{kind}": frozenset({"contact"})}  # of an address that is for many things, those that are for guests


@web.middleware
async def only_their_case(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets everybody through but guests, and guests to what is theirs; from the front door they come to their own."""
    if viewer_of(request).is_guest:
        if request.path == "/" and request.method == "GET":
            return redirect(HOME)
        if not may_use(request):
            raise NotFound
    return await handler(request)


def may_use(request: web.Request) -> bool:
    """Whether the route that a request has found is for guests; none is not."""
    resource = request.match_info.route.resource
    path = resource.canonical if resource is not None else ""
    return path in ALLOWED or request.match_info.get("kind", "") in ONLY.get(path, ())
