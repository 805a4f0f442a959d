"""Decides whether what a partner brings of another partner's actor is believed: by the author's proof, else by asking the origin."""

from typing import Any

from fedcollab.actors import service as actors
from fedcollab.actors.models import INTRODUCED, OWN
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.addresses import host_of
from fedcollab.base.database import Database
from fedcollab.base.errors import Needs, Refused, Unauthorized
from fedcollab.base.session import Session

from . import activitystreams as ap
from . import fetch, partners, profiles, proofs
from .registry import Verified


async def check_origin(database: Database, activity: dict[str, Any]) -> None:
    """Raises Unauthorized where the actor is of no admitted partner: nobody may be asked, and no key of theirs counts."""
    if host_of(activity["actor"]) not in await database.read(partners.admitted_hosts):
        raise Unauthorized(reason="signed by another than its actor")


def believe(session: Session, node: Node, received: Verified, fetched: dict[str, Any]) -> Verified:
    """The activity as its author's. A proof of our kind decides; without one the origin is asked, and what it serves counts, not what was
    brought. `fetched` are documents by their ids, None where one could not be had. Raises Needs for one that is lacking, Refused."""
    if received.outside:
        raise Refused(reason="a server outside speaks for its own people alone")
    author = _author(session, node, ap.one_ident(received.activity, "actor"), fetched)
    if "Announce" in ap.types(received.activity):
        raise Refused(reason="what a group announces comes from its host")
    if proofs.key_uris(received.activity):
        check_proof(session, node, received.activity, author)
        return Verified(received.activity, author, received.sender, proved=True)
    found = _document(fetched, ap.ident(received.activity))
    if not isinstance(found, dict) or ap.ident(found) != ap.ident(received.activity) or ap.one_ident(found, "actor") != author.uri:
        raise Refused(reason="its origin does not serve it as its author's")
    return Verified(found, author, received.sender, proved=_carries_proof(session, node, found, author))


def _carries_proof(session: Session, node: Node, activity: dict[str, Any], author: ActorData) -> bool:
    """Whether others can believe it as well, who do not ask its origin."""
    try:
        check_proof(session, node, activity, author)
    except Refused:
        return False
    return True


def check_proof(session: Session, node: Node, activity: dict[str, Any], author: ActorData) -> None:
    """Raises Refused for an activity whose proof is by none of its author's keys; BadRequest where it can't be read."""
    if not proofs.proved(activity, actors.keys_of(session, author.id), node.now()):
        raise Refused(reason="the activity is not proved by its author's key")


def _author(session: Session, node: Node, uri: str, fetched: dict[str, Any]) -> ActorData:
    """Who speaks for itself: known already, or fetched from its own host."""
    if host_of(uri) not in partners.admitted_hosts(session):
        raise Refused(reason="an activity of no partner's")
    there = actors.by_uri(session, uri)
    if there is not None and there.known not in (INTRODUCED, OWN) and there.disabled_at is None:
        return there
    return fetch.store(session, node, profiles.parse(_document(fetched, uri), expected=uri))


def _document(fetched: dict[str, Any], uri: str) -> Any:
    if uri not in fetched:
        raise Needs(uri)
    return fetched[uri]
