"""Decides what is believed of a thing that a group announces without its author's proof: a host's word on somebody outside, as such; of
other software's groups only what the thing's own server confirms."""

from typing import Any

from fedcollab.actors import service as actors
from fedcollab.actors.models import FOREIGN, OWN, PERSON
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.addresses import host_of
from fedcollab.base.errors import BadRequest, Needs, Refused
from fedcollab.base.session import Session

from . import activitystreams as ap
from . import outside, partners, profiles
from .models import ADMITTED, OUTSIDE
from .registry import Verified


def on_a_hosts_word(session: Session, node: Node, received: Verified, obj: dict[str, Any], documents: dict[str, Any]) -> Verified:
    """A thing by somebody on a server that is nobody's partner here: the group's host has it from there, says so, and is shown beside it.
    Whoever could prove what they say (our own, a partner, one who was introduced) is not believed so. Raises Refused."""
    author_uri = ap.one_ident(obj, "attributedTo")
    host = host_of(author_uri)
    if host_of(ap.ident(obj)) != host:
        raise Refused(reason="the announced id lies on another host than its author")
    partner = partners.by_host(session, host)
    if host == node.host or (partner is not None and partner.state != OUTSIDE):
        raise Refused(reason="a partner speaks for itself")
    author = actors.by_uri(session, author_uri) or _met(session, node, received.actor, author_uri, documents)
    if author.known != FOREIGN or author.kind != PERSON:
        raise Refused(reason="this author's words come with a proof")
    return _as_activity(received, obj, author, unproved=True)


def _met(session: Session, node: Node, group: ActorData, uri: str, documents: dict[str, Any]) -> ActorData:
    """Stores an author from the document beside, without its keys: a third party has brought them."""
    if uri not in documents:
        raise Refused(reason="an author without a document")
    profile = profiles.parse(documents[uri], expected=uri)
    organisation_id = outside.organisation(session, node, profile.host, through_id=group.organisation_id)
    keyless = profiles.Profile(**{**vars(profile), "keys": {}})
    through = group.organisation_id
    return profiles.remember(session, node, keyless, known=FOREIGN, organisation_id=organisation_id, through_id=through)


def from_its_origin(session: Session, node: Node, received: Verified, fetched: dict[str, Any]) -> Verified:
    """What other software's group announces, as its own server tells it; that one has to be an admitted partner. Raises Needs, Refused."""
    told = received.activity.get("object")
    if isinstance(told, dict) and "actor" in told:
        if not {"Create", "Update"} & set(ap.types(told)):
            raise Refused(reason="without a proof a group announces what was written or changed")
        told = told.get("object")
    uri = ap.ident(told)
    if host_of(uri) == node.host:
        return _echo(session, received, told)
    obj = _fetched(session, fetched, uri)
    author_uri = ap.one_ident(obj, "attributedTo")
    if {host_of(ap.ident(obj)), host_of(author_uri)} != {host_of(uri)}:
        raise Refused(reason="the announced id lies on another host than its author")
    author = actors.by_uri(session, author_uri) or _of_partner(session, node, fetched, author_uri)
    if author.known != FOREIGN:
        raise Refused(reason="this author's words come with a proof")
    return _as_activity(received, obj, author)


def _echo(session: Session, received: Verified, obj: Any) -> Verified:
    """What one of ours has written comes back from the group: its receipt, and no more than that."""
    author = actors.by_uri(session, ap.one_ident(obj, "attributedTo")) if isinstance(obj, dict) else None
    if author is None or author.known != OWN or not isinstance(obj, dict):
        raise Refused(reason="nobody here has written this")
    return _as_activity(received, obj, author)


def _fetched(session: Session, fetched: dict[str, Any], uri: str) -> dict[str, Any]:
    partner = partners.by_host(session, host_of(uri))
    if partner is None or partner.state != ADMITTED:
        raise Refused(reason="from a server that is no partner")
    if uri not in fetched:
        raise Needs(uri)
    found = fetched[uri]
    if not isinstance(found, dict):
        raise Refused(reason="its own server does not have it")
    return found


def _of_partner(session: Session, node: Node, fetched: dict[str, Any], uri: str) -> ActorData:
    profile = profiles.parse(_fetched(session, fetched, uri), expected=uri)
    partner = partners.by_host(session, profile.host)
    assert partner is not None
    if (profiles.stored_document(session, partner.organisation_id) or {}).get(ap.PROTOCOL_TERM):
        raise Refused(reason="this author's words come with a proof")
    return profiles.remember(session, node, profile, known=FOREIGN, organisation_id=partner.organisation_id)


def _as_activity(received: Verified, obj: dict[str, Any], author: ActorData, *, unproved: bool = False) -> Verified:
    """The thing as what its author did with it: made, or deleted."""
    if not ap.ident(obj) or not ap.types(obj):
        raise BadRequest(reason="an object needs an id and a type")
    kind = "Delete" if "Tombstone" in ap.types(obj) else "Create"
    told = {"id": ap.ident(received.activity), "type": kind, "actor": author.uri, "object": obj}
    return Verified(told, author, received.sender, through=received.actor, unproved=unproved)
