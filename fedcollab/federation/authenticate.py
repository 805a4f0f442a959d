"""Decides whose request this is: partner admitted before anything is fetched, then digest and time, then the key."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from aiohttp import web

from fedcollab.actors import service as actors
from fedcollab.actors.keys import PublicKey
from fedcollab.actors.models import NEXT
from fedcollab.actors.service import ActorData
from fedcollab.base.addresses import host_of
from fedcollab.base.errors import BadRequest, Forbidden, N_, Refused, TooMany, Unauthorized, Unavailable, Unreachable
from fedcollab.base.web import client

from . import fetch, offers, other_keys, outside, partners, signatures
from .claims import Claim
from .kernel import Kernel
from .lookups import Found, signer_of
from .models import ADMITTED, OUTSIDE
from .partners import PartnerData


class Authenticated(NamedTuple):
    """A request whose signature is good: by this actor of this admitted partner. Only header fields that the signature covers can be
    read from it."""

    actor: ActorData
    partner: PartnerData
    covered: Mapping[str, str]

    def header(self, name: str) -> str:
        """A header field that the signature covers; empty where it is not there, or not covered."""
        return self.covered.get(name.lower(), "")


async def authenticate(kernel: Kernel, request: web.Request, body: bytes) -> Authenticated:
    """Raises Unauthorized for a missing or bad signature, Forbidden for a stranger's (counted, nothing fetched), Unavailable where
    an unknown key could not be fetched just now, TooMany where a partner asks for more by GET than its share."""
    try:
        found = await _authenticate(kernel, request, body)
    except Unauthorized as error:
        error.headers = signatures.accepted(kernel.node.host)
        raise
    if request.method == "GET" and (wait := kernel.asked.take(found.partner.host, kernel.node.now())):
        raise TooMany(reason="a partner asks faster than its share", retry_after=wait)
    return found


async def _authenticate(kernel: Kernel, request: web.Request, body: bytes) -> Authenticated:
    incoming, now = signatures.Incoming(request.method, request.raw_path, request.headers.items(), body), kernel.node.now()
    claims = signatures.claims(incoming, kernel.node.settings.base_url, now)
    claim, found = await _choose(kernel, claims)
    if found is None or found.partner.state != ADMITTED:
        return await _stranger(kernel, request.method, body, claim, found)
    key, partner = found.key, found.partner
    if key is None:
        key_uri = claim.key_uri
        fetch = partial(_fetch_key, kernel, key_uri, partner)
        key = await kernel.sought.find(key_uri, partner.host, now, fetch, client(request))
    await _check(kernel, claim, key, partner)
    if found.actor is None:
        return Authenticated(await kernel.database.read(actors.by_id, key.actor_id), partner, claim.covered)
    return Authenticated(found.actor, partner, claim.covered)


async def _check(kernel: Kernel, claim: Claim, key: PublicKey, partner: PartnerData) -> None:
    """Raises Unauthorized for a signature that is not by this key, or by one that its owner has replaced."""
    try:
        claim.check(key)
    except Unauthorized:
        if key.actor_uri == partner.uri:  # a node made anew at an old address gives its new keys the ids of the old ones
            await other_keys.in_doubt(kernel, partner)
        raise
    if key.ended(kernel.node.now()):
        await kernel.database.write(offers.note_old, kernel.node, key)
        raise Unauthorized(reason="signed by a key that its owner has replaced")
    if key.state == NEXT:
        await kernel.database.write(offers.first_use, kernel.node, key)


async def _choose(kernel: Kernel, claims: list[Claim]) -> tuple[Claim, Found | None]:
    """The first signature that names a key of an admitted partner, else the first of all; the others say nothing."""
    first: tuple[Claim, Found | None] | None = None
    for claim in claims:
        try:
            host = host_of(claim.key_uri)
        except BadRequest as error:
            if len(claims) == 1:
                raise Unauthorized(reason=error.reason) from None
            continue
        found = await signer_of(kernel.database, host, claim.key_uri)
        if found is not None and found.partner.state == ADMITTED:
            return claim, found
        first = first or (claim, found)
    if first is None:
        raise Unauthorized(reason="no signature names a key's address")
    return first


async def _stranger(kernel: Kernel, method: str, body: bytes, claim: Claim, found: Found | None) -> Authenticated:
    """Who is no admitted partner: a server outside, where our admin lets them in; else Forbidden, and one counted line."""
    partner = found.partner if found else None
    if kernel.node.settings.outside_servers and await _is_let_in(kernel, method, body, partner):
        return Authenticated(*await _from_outside(kernel, method, claim, partner, found.key if found else None), claim.covered)
    if (partner is None or partner.state == OUTSIDE) and method == "POST":
        await kernel.database.write(partners.knock, kernel.node, host_of(claim.key_uri), claim.key_uri)
    raise Forbidden(N_("This node talks to its partners alone. Its admin sees that you asked."), reason="not an admitted partner")


async def _is_let_in(kernel: Kernel, method: str, body: bytes, partner: PartnerData | None) -> bool:
    """Whether a server outside may ask at all, and for this; judged before anything is fetched for it."""
    return await kernel.database.read(outside.may_ask, kernel.node, partner) and (
        method == "GET" or outside.may_post(kernel.node, partner, body)
    )


async def _from_outside(
    kernel: Kernel, method: str, claim: Claim, partner: PartnerData | None, key: PublicKey | None
) -> tuple[ActorData, PartnerData]:
    """Who asks from a server outside. Nothing is stored before the signature is good, and of readers nothing at all."""
    host, heard = host_of(claim.key_uri), partner is not None and partner.state == OUTSIDE
    profile = None if key and heard else await fetch.stranger(kernel, claim.key_uri)
    found = outside.key_of(profile, claim.key_uri) if profile else key
    assert found is not None
    claim.check(found)
    if method == "GET":
        return outside.reader(found, host), outside.nobody(host)
    if profile is None and partner is not None:
        return await kernel.database.read(actors.by_id, found.actor_id), partner
    assert profile is not None
    return await kernel.database.write(outside.remember, kernel.node, profile)


async def _fetch_key(kernel: Kernel, key_uri: str, partner: PartnerData) -> PublicKey:
    """The key's owner is fetched by the key's address, and has to list the key itself."""
    try:
        await fetch.owner(kernel, key_uri.partition("#")[0])
    except Unreachable as error:
        if error.answer is not None and not error.passes:
            raise Unauthorized(reason=f"the key's owner {error.reason}") from None
        raise Unavailable(reason=f"the key could not be fetched: {error.reason}", retry_after=60) from None
    except Refused as error:
        await other_keys.in_doubt(kernel, partner)
        raise Unauthorized(reason=f"the key's owner: {error}") from None
    found = await signer_of(kernel.database, host_of(key_uri), key_uri)
    if found is None or found.key is None:
        raise Unauthorized(reason="the owner's own document does not list this key")
    return found.key
