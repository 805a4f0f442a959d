"""Decides how a file's preview is served: inside pages, to whoever reads the file itself."""

from aiohttp import web

from fedcollab.base.errors import NotFound
from fedcollab.base.web import OWN_POLICY, is_signed
from fedcollab.federation.kernel import KERNEL

from . import views
from .holding import HOLDS
from .shelves import SHELVES


async def serve(request: web.Request) -> web.StreamResponse:
    """The preview, for whoever reads the file with a browser. Raises NotFound."""
    if is_signed(request):
        raise NotFound()
    viewer, kernel = await views.viewer_of(request), request.app[KERNEL]
    found = await kernel.database.read(views.readable, request.app[HOLDS], viewer, request.match_info["id"])
    store = request.app[SHELVES].store(found.place)
    size = await store.size(found.file.preview) if found.file.preview else None
    if size is None:
        raise NotFound()
    request[OWN_POLICY] = views.POLICY
    content = b"".join([piece async for piece in store.read(found.file.preview, 0, size)])
    headers = {"Cache-Control": "private, max-age=3600" if found.public else "no-store", "Content-Disposition": "inline"}
    return web.Response(body=content, content_type="image/webp", headers=headers)


ROUTES = (web.get("/files/{id}/preview", serve),)
