"""Decides whose request this is: partner admitted before anything is fetched, then digest and time, then the key."""

from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.orm import Session

from fedcollab.actors import service as actors
from fedcollab.actors.keys import PublicKey
from fedcollab.actors.service import ActorData
from fedcollab.base.addresses import host_of
from fedcollab.base.errors import BadRequest, Forbidden, N_, Refused, Unauthorized, Unavailable, Unreachable

from . import fetch, partners, signatures
from .kernel import Kernel
from .models import ADMITTED
from .partners import PartnerData


@dataclass(frozen=True)
class Authenticated:
    """A request whose signature is good: by this actor of this admitted partner."""

    actor: ActorData
    partner: PartnerData


async def authenticate(kernel: Kernel, request: web.Request, body: bytes) -> Authenticated:
    """Raises Unauthorized for a missing or bad signature, Forbidden for a stranger's (counted, nothing fetched), Unavailable where
    an unknown key could not be fetched just now."""
    incoming = signatures.Incoming(request.method, request.raw_path, [(k, v) for k, v in request.headers.items()], body)
    claim = signatures.claim(incoming, kernel.node.host, kernel.node.now())
    try:
        host = host_of(claim.key_uri)
    except BadRequest as error:
        raise Unauthorized(reason=error.reason) from None
    partner, key = await kernel.database.read(_look_up, host, claim.key_uri)
    if partner is None or partner.state != ADMITTED:
        if partner is None and request.method == "POST":
            await kernel.database.write(partners.knock, kernel.node, host, claim.key_uri)
        raise Forbidden(N_("This node talks to its partners alone. Its admin sees that you asked."), reason="not an admitted partner")
    if key is None:
        key = await _fetch_key(kernel, claim.key_uri)
    claim.check(key)
    if host_of(key.actor_uri) != host:
        raise Unauthorized(reason="the key's owner is on another host")
    return Authenticated(await kernel.database.read(actors.by_id, key.actor_id), partner)


def _look_up(session: Session, host: str, key_uri: str) -> tuple[PartnerData | None, PublicKey | None]:
    return partners.by_host(session, host), actors.public_keys(session, key_uri)


async def _fetch_key(kernel: Kernel, key_uri: str) -> PublicKey:
    """The key's owner is fetched by the key's address without its fragment, and has to list the key itself."""
    try:
        await fetch.actor(kernel, key_uri.partition("#")[0])
    except Unreachable as error:
        if error.answer is not None and error.answer < 500:
            raise Unauthorized(reason=f"the key's owner {error.reason}") from None
        raise Unavailable(reason=f"the key could not be fetched: {error.reason}", retry_after=30) from None
    except Refused as error:
        raise Unauthorized(reason=f"the key's owner: {error}") from None
    key = await kernel.database.read(actors.public_keys, key_uri)
    if key is None:
        raise Unauthorized(reason="the owner's own document does not list this key")
    return key
