"""Decides what a running node tells its own doctor: how a request reached it that its own Organization signed; nobody else is told."""

from aiohttp import web

from fedcollab import __version__
from fedcollab.actors import service as actors
from fedcollab.actors.keys import PublicKey
from fedcollab.actors.node import Node
from fedcollab.base.errors import Forbidden
from fedcollab.base.session import Session
from fedcollab.base.web import client

from . import signatures
from .kernel import KERNEL

PATH = "/actor/mirror"


async def get_mirror(request: web.Request) -> web.Response:
    """This process's version and limits, and whom it takes for the visitor. Raises Unauthorized for a bad signature, Forbidden for one of
    anybody else; nothing is fetched or counted for them."""
    import resource  # not on every system that a node runs on

    kernel = request.app[KERNEL]
    node = kernel.node
    incoming = signatures.Incoming(request.method, request.raw_path, request.headers.items(), b"")
    claim = signatures.claims(incoming, node.settings.base_url, node.now())[0]
    key = await kernel.database.read(_own_key, node, claim.key_uri)
    if key is None:
        raise Forbidden(reason="a look into the mirror by somebody else")
    claim.check(key)
    return web.json_response(
        {
            "version": __version__,
            "at": node.now(),
            "client": client(request),
            "forwarded": request.headers.get("X-Forwarded-For"),
            "open_files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
        }
    )


def _own_key(session: Session, node: Node, uri: str) -> PublicKey | None:
    me = actors.own(session, node)
    found = actors.keys_of(session, me.id).get(uri)
    return PublicKey(uri, *found, me.id, me.uri) if found else None


ROUTES = (web.get(PATH, get_mirror),)
