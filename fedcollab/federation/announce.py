"""Decides whether an activity that a group passes on is believed: by its author's proof, with a key known or introduced by the host."""

import contextlib
from dataclasses import replace
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.actors.models import FOREIGN, GROUP, INTRODUCED, ORGANIZATION, OWN, PARTNER, Actor
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.addresses import host_of
from fedcollab.base.errors import BadRequest, Needs, Refused
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared

from . import activitystreams as ap
from . import announced, forwarding, partners, profiles, proofs
from .models import ADMITTED
from .partners import PartnerData
from .registry import Verified


def unwrap(session: Session, node: Node, received: Verified, fetched: dict[str, Any]) -> Verified:
    """The activity itself, or the one inside a group's Announce, as its author's. `fetched` are documents by their ids, None where one
    could not be had. Raises Needs for a document that the Announce lacks, Refused without a good proof."""
    if received.activity.get("actor", received.sender.uri) != received.sender.uri:
        return forwarding.believe(session, node, received, fetched)
    if proofs.key_uris(received.activity):  # not needed, for the request was signed; but a wrong one is nobody's word
        forwarding.check_proof(session, node, received.activity, received.actor)
        received = replace(received, proved=True)
    if "Announce" not in ap.types(received.activity) or received.outside or not _may_pass_on(received):
        return received
    return _passed_on(session, node, received, fetched)


def _may_pass_on(received: Verified) -> bool:
    """A group passes on what is said in it; an organisation of our kind what others say of its library's records, or in a sealed room that
    it leads, and nothing else."""
    if received.actor.kind == GROUP:
        return True
    inner = received.activity.get("object")
    said = isinstance(inner, dict) and "actor" in inner and not {ap.COUNTRY_NOTE, *ap.ROOM_TYPES}.isdisjoint(ap.types(inner.get("object")))
    return said and received.actor.kind == ORGANIZATION and received.actor.known == PARTNER


def _passed_on(session: Session, node: Node, received: Verified, fetched: dict[str, Any]) -> Verified:
    inner = received.activity.get("object")
    if received.actor.known == FOREIGN:
        return announced.from_its_origin(session, node, received, fetched)
    if isinstance(inner, dict) and ap.ident(inner) and "actor" not in inner and "attributedTo" in inner:
        return announced.on_a_hosts_word(session, node, received, inner, _documents(received))
    if not isinstance(inner, dict) or not ap.ident(inner) or not ap.types(inner):
        raise BadRequest(reason="a group announces activities with their proof")
    author_uri = ap.one_ident(inner, "actor")
    if host_of(ap.ident(inner)) != host_of(author_uri):
        raise Refused(reason="the announced id lies on another host than its actor")
    author, documents = actors.by_uri(session, author_uri), fetched | _documents(received)
    if author is None and (partner := _unvouched(session, author_uri)):
        author = _first_sight(session, node, partner, author_uri, fetched)
    elif author is None or (author.known == INTRODUCED and partners.by_host(session, author.host) is not None):
        author = _introduced(session, node, received, author_uri, fetched)
    elif author.known != OWN:
        _renew(session, node, author, documents.get(author_uri))
    _check(session, node, inner, author)
    return Verified(inner, author, received.sender, through=received.actor, outer=received.activity, proved=True)


def _unvouched(session: Session, author_uri: str) -> PartnerData | None:
    """The partner on whose host an author is, where its software vouches for nobody."""
    partner = partners.by_host(session, host_of(author_uri))
    if partner is None or partner.state != ADMITTED:
        return None
    document = profiles.stored_document(session, partner.organisation_id)
    return None if (document or {}).get(ap.PROTOCOL_TERM) else partner


def _first_sight(session: Session, node: Node, partner: PartnerData, uri: str, fetched: dict[str, Any]) -> ActorData:
    """Such an author's keys are pinned as their own host gives them to us; what the Announce brings of them counts for nothing."""
    person = profiles.parse(_document(fetched, uri), expected=uri)
    return profiles.remember(session, node, person, known=FOREIGN, organisation_id=partner.organisation_id)


def _check(session: Session, node: Node, inner: dict[str, Any], author: ActorData) -> None:
    """The key at `proof.verificationMethod` has to be one of the author's own."""
    if not proofs.proved(inner, actors.keys_of(session, author.id), node.now()):
        raise Refused(reason="the announced activity is not proved by its author's key")


def _renew(session: Session, node: Node, author: ActorData, document: object) -> None:
    """A known author's newer name; a document that isn't good changes nothing, and the activity has its own proof."""
    with contextlib.suppress(Refused):
        profiles.renew(session, node, author, document)


def _documents(received: Verified) -> dict[str, Any]:
    """The signed documents inside an Announce, by their ids."""
    found = received.activity.get(ap.INTRODUCES)
    return {ap.ident(d): d for d in found if isinstance(d, dict)} if isinstance(found, list) else {}


def _document(documents: dict[str, Any], uri: str) -> Any:
    """Raises Needs for one that nobody has tried to fetch yet; the fetcher asks admitted partners alone."""
    if uri not in documents:
        raise Needs(uri)
    return documents[uri]


def _introduced(session: Session, node: Node, received: Verified, author_uri: str, fetched: dict[str, Any]) -> ActorData:
    """By the documents inside the Announce. Those that are no longer good (it has waited, or is told again, and a partner's keys have
    changed since) give way to what the author's own host shows. Raises Needs, Refused."""
    brought = _documents(received)
    try:
        return introduce(session, node, received, author_uri, fetched | brought)
    except Refused:
        may_be_asked = author_uri in brought and host_of(author_uri) in partners.admitted_hosts(session)
        found = _document(fetched, author_uri) if may_be_asked else None
        if found is None:
            raise
    return introduce(session, node, received, author_uri, fetched | brought | {author_uri: found})


def introduce(session: Session, node: Node, received: Verified, author_uri: str, documents: dict[str, Any]) -> ActorData:
    """Stores an author from the signed documents inside the Announce. A partner's person is proved by the key we pinned; somebody of an
    organisation that is no partner of ours is *introduced* by the host, which gives no right but to be read in its groups."""
    if host_of(author_uri) == node.host:
        raise Refused(reason="nobody introduces our own people")
    person = profiles.parse(_document(documents, author_uri), expected=author_uri)
    organisation = _organisation(session, node, received.actor, person.organisation_uri, documents)
    profiles.check_proof(person, actors.keys_of(session, organisation.id))
    known = PARTNER if organisation.known == PARTNER else INTRODUCED
    through = received.actor.organisation_id if known == INTRODUCED else None
    return profiles.remember(session, node, person, known=known, organisation_id=organisation.id, through_id=through)


def _organisation(session: Session, node: Node, group: ActorData, uri: str, documents: dict[str, Any]) -> ActorData:
    there = actors.by_uri(session, uri)
    if there is not None and there.known in (OWN, PARTNER):
        return there
    if partners.by_host(session, host_of(uri)) is not None:
        raise Refused(reason="on a partner's host only the partner vouches for people")
    profile = profiles.parse(_document(documents, uri), expected=uri)
    if profile.kind != ORGANIZATION:
        raise BadRequest(reason="an author's organisation has to be an Organization")
    profiles.check_proof(profile, profile.keys)
    return profiles.remember(session, node, profile, known=INTRODUCED, through_id=group.organisation_id)


def introductions(session: Session, author: ActorData) -> list[dict[str, Any]]:
    """The signed documents of an author and their organisation, as an Announce carries them."""
    values = {"organisation": author.organisation_id, "author": author.id}
    return [document for (document,) in prepared(session, _documents_query(), values) if document]


@cache
def _documents_query() -> sa.Select[Any]:
    both = Actor.id.in_((sa.bindparam("organisation"), sa.bindparam("author")))
    return sa.select(Actor.document).where(both, Actor.document.is_not(None))
