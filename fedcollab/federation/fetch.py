"""Decides how a document is fetched by its id: allow-list first, signed by our Organization, believed only under its own address."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from fedcollab.actors import keys
from fedcollab.actors import service as actors
from fedcollab.actors.keys import Signer
from fedcollab.actors.models import FOREIGN, ORGANIZATION, PARTNER
from fedcollab.actors.service import ActorData
from fedcollab.base.addresses import host_of
from fedcollab.base.errors import BadRequest, N_, Refused, Unreachable
from fedcollab.base.http import Sign, is_activity
from fedcollab.base.strictjson import loads

from . import activitystreams as ap
from . import partners, profiles, signatures
from .kernel import Kernel

ACCEPT = 'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'


def signing(kernel: Kernel, signer: Signer) -> Sign:
    """Signs each request with this key at its own time."""

    def sign(method: str, url: str, body: bytes) -> Mapping[str, str]:
        return signatures.sign(signer, method, url, body, kernel.node.now())

    return sign


def own_signer(session: Session, kernel: Kernel) -> Signer:
    """Our Organization's key: RSA, which all software reads."""
    return keys.signer(session, kernel.node, actors.own(session, kernel.node).id, keys.RSA)


async def document(kernel: Kernel, uri: str) -> dict[str, Any]:
    """A document of an admitted partner. Raises Unreachable where the host is none, or the answer is not what the address promised."""
    hosts = await kernel.database.read(partners.admitted_hosts)
    signer = await kernel.database.read(own_signer, kernel)
    answer = await kernel.fetcher.get(uri, permit=hosts.__contains__, accept=ACCEPT, sign=signing(kernel, signer))
    return _read(answer.content_type, answer.body, uri)


async def public_document(kernel: Kernel, uri: str) -> dict[str, Any]:
    """An Organization's document, readable by anybody and asked for unsigned, on an admin's wish: only its own host is permitted."""
    host = kernel.fetcher.check(uri)
    answer = await kernel.fetcher.get(uri, permit=lambda asked: asked == host, accept=ACCEPT)
    return _read(answer.content_type, answer.body, answer.url)


def _read(content_type: str, body: bytes, uri: str) -> dict[str, Any]:
    if not is_activity(content_type):
        raise Unreachable("answered with another media type than ActivityPub's", answer=200)
    try:
        found = loads(body)
    except BadRequest as error:
        raise Unreachable(f"answered with an unreadable document: {error.reason}", answer=200) from None
    if not isinstance(found, dict) or ap.ident(found) != uri.partition("#")[0]:
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
    profile = profiles.parse(await document(kernel, uri), expected=uri.partition("#")[0])

    def store(session: Session) -> ActorData:
        partner = partners.by_host(session, profile.host)
        if partner is None or (profile.organisation_uri and profile.organisation_uri != partner.uri):
            raise Refused(reason="an actor of no partner's organisation")
        vouched = _speaks_fedcollab(session, partner.organisation_id)
        if vouched:
            profiles.check_proof(profile, actors.keys_of(session, partner.organisation_id))
        return profiles.remember(
            session, kernel.node, profile, known=PARTNER if vouched else FOREIGN, organisation_id=partner.organisation_id
        )

    return await kernel.database.write(store)


def _speaks_fedcollab(session: Session, organisation_id: str) -> bool:
    return bool((profiles.stored_document(session, organisation_id) or {}).get(ap.PROTOCOL_TERM))
