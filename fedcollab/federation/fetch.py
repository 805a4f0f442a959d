"""Decides how a document is fetched by its id: allow-list first, signed by our Organization, believed only under its own address."""

from typing import Any

from fedcollab.actors import service as actors
from fedcollab.actors.models import FOREIGN, ORGANIZATION, PARTNER
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.addresses import host_of
from fedcollab.base.errors import N_, Refused, Unavailable, Unreachable
from fedcollab.base.http import is_activity
from fedcollab.base.session import Session
from fedcollab.base.strictjson import loads

from . import activitystreams as ap
from . import knocking, partners, profiles
from .kernel import Kernel


async def document(kernel: Kernel, uri: str) -> dict[str, Any]:
    """A document of an admitted partner. Raises Unreachable where the host is none, or the answer is not what the address promised."""
    return _has_id(await knocking.get(kernel, uri), uri)


async def public_document(kernel: Kernel, uri: str) -> dict[str, Any]:
    """An Organization's document, on an admin's wish: only its own host is permitted. Signed, for some show nothing without; asked for
    again without where it lies elsewhere, since no signature follows a redirect."""
    host, signer = kernel.fetcher.check(uri), await kernel.database.read(knocking.own_signer, kernel)
    try:
        answer = await knocking.ask_stranger(kernel, uri, signer)
    except Unreachable as error:
        if error.answer is None or not 300 <= error.answer < 400:
            raise
        answer = await kernel.fetcher.get(uri, permit=lambda asked: asked == host, accept=knocking.ACCEPT)
    return _has_id(knocking.read(answer), answer.url)


def _has_id(found: dict[str, Any], uri: str) -> dict[str, Any]:
    if ap.ident(found) != uri.partition("#")[0]:
        raise Unreachable("answered with a document of another id", answer=200)
    return found


async def organisation(kernel: Kernel, address: str) -> profiles.Profile:
    """The Organization at an actor's id or a node's base address (WebFinger of that address, FEP-d556), not yet stored."""
    is_actor = address.rstrip("/").count("/") > 2
    uri = address if is_actor else await webfinger(kernel, address)
    profile = profiles.parse(await public_document(kernel, uri), expected=uri)
    if profile.kind != ORGANIZATION:
        raise Refused(N_("This is the address of a person or a group. Ask their admin for the address of the organisation's node."))
    if profile.document.get(ap.PROTOCOL_TERM):
        profiles.check_proof(profile, profile.keys)
    return profile


async def webfinger(kernel: Kernel, address: str) -> str:
    """The id of the node's own actor, by WebFinger of its base address. Raises Unreachable."""
    base = address.rstrip("/")
    host = kernel.fetcher.check(base)
    url = f"{base}/.well-known/webfinger?resource={base}/"
    answer = await kernel.fetcher.get(url, permit=lambda asked: asked == host, accept="application/jrd+json")
    found = loads(answer.body)
    links = found.get("links") if isinstance(found, dict) else None
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("rel") == "self" and is_activity(str(link.get("type"))):
            uri = str(link.get("href"))
            if host_of(uri) == host:
                return uri
    raise Unreachable("its WebFinger names no organisation")


async def actor(kernel: Kernel, uri: str) -> ActorData:
    """A partner's Person or Group, fetched by its id: between fedcollab nodes believed only with its Organization's proof."""
    found = await document(kernel, uri)
    return await kernel.database.write(store, kernel.node, profiles.parse(found, expected=uri.partition("#")[0]))


async def owner(kernel: Kernel, address: str) -> ActorData:
    """The actor at a key's address. Where the key has an address of its own, what lies there names its owner, on the same host."""
    found = await knocking.get(kernel, address)
    named = ap.ident(found.get("owner")) or ap.ident(found.get("controller")) or ap.ident(found)
    if named == address or host_of(named) != host_of(address):
        return await kernel.database.write(store, kernel.node, profiles.parse(found, expected=address))
    return await actor(kernel, named)


def store(session: Session, node: Node, profile: profiles.Profile) -> ActorData:
    """Keeps an actor of a partner, as its own server says it. Raises Refused without the proof of an Organization that gives proofs."""
    partner = partners.by_host(session, profile.host)
    vouched = partner is not None and knocking.speaks_fedcollab(session, partner.organisation_id)
    if partner is None or (vouched and profile.organisation_uri and profile.organisation_uri != partner.uri):
        raise Refused(reason="an actor of no partner's organisation")
    if vouched:
        profiles.check_proof(profile, actors.keys_of(session, partner.organisation_id))
    return profiles.remember(session, node, profile, known=PARTNER if vouched else FOREIGN, organisation_id=partner.organisation_id)


async def stranger(kernel: Kernel, key_uri: str) -> profiles.Profile:
    """The owner of a key on a server outside, asked for under the limits of `Strangers`. Raises Unavailable."""
    now, uri = kernel.node.now(), key_uri.partition("#")[0]
    late, profile = kernel.strangers.known(key_uri, now)
    if not late:
        kernel.strangers.ask(host_of(key_uri), now)
        async with kernel.strangers.turns:
            profile = await _stranger(kernel, uri)
        kernel.strangers.keep(key_uri, profile, now)
    if profile is None:
        raise Unavailable(reason="the key's owner could not be fetched of late", retry_after=600)
    return profile


async def _stranger(kernel: Kernel, uri: str) -> profiles.Profile | None:
    """None where it can't be had or read; the key's host alone is permitted."""
    try:
        answer = await knocking.ask_stranger(kernel, uri, await kernel.database.read(knocking.own_signer, kernel))
        return profiles.parse(_has_id(knocking.read(answer), uri), expected=uri)
    except (Unreachable, Refused):
        return None
