"""Decides how an actor reads as a document, ours going out and others' coming in, and whose key has to prove it."""

import contextlib
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcollab.actors import keys
from fedcollab.actors import service as actors
from fedcollab.actors.models import GROUP, INTRODUCED, ORGANIZATION, OWN, PARTNER, PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.addresses import host_of
from fedcollab.base.clock import new_id
from fedcollab.base.database import to_json
from fedcollab.base.errors import BadRequest, Refused
from fedcollab.base.markup import clean, plain
from fedcollab.base.session import Session

from . import activitystreams as ap
from . import proofs

TYPES = {"Person": PERSON, "Service": PERSON, "Organization": ORGANIZATION, "Application": ORGANIZATION, "Group": GROUP}
LONGEST = 100_000
LISTS = ("outbox", "followers", "following")  # of an Organization: there, and saying nothing
CARRIED = (ap.PERSON_KEY, ap.ORGANISATION_KEY)  # what a floor above has put into a document: it stays until that floor says otherwise


@dataclass(frozen=True)
class Profile:
    """Another node's actor as its document says, checked for shape and origin, not yet for its proof."""

    uri: str
    kind: str
    username: str
    name: str
    summary: str
    host: str
    inbox: str
    organisation_uri: str
    keys: dict[str, tuple[str, str]]
    document: dict[str, Any]
    works_for: str = ""


def document(session: Session, node: Node, actor: ActorData, **more: object) -> dict[str, Any]:
    """An actor of ours as a document, proved by our Organization's key, and kept so that others can be introduced with it. Of `more` what
    is None is left out."""
    before = stored_document(session, actor.id) or {}
    more = {name: before[name] for name in CARRIED if name in before} | more
    made: dict[str, Any] = {
        "@context": ap.CONTEXT,
        "id": actor.uri,
        "type": actor.kind,
        "preferredUsername": actor.username,
        "name": actor.name,
        "summary": actor.summary,
        "inbox": actor.inbox,
        "endpoints": {"sharedInbox": node.settings.uri("/inbox")},
        "url": actor.uri,
        ap.PROTOCOL_TERM: ap.PROTOCOL,
        **{name: value for name, value in more.items() if value is not None},
    }
    if actor.kind != ORGANIZATION:
        made[ap.ORGANISATION] = node.actor_uri
    else:
        made.update({name: f"{actor.uri}/{name}" for name in LISTS})
    if actor.kind == PERSON:
        made["outbox"] = actor.uri + "/outbox"
        made |= {ap.WORKS_FOR: actor.works_for} if actor.works_for else {}
    made.update(_key_members(actor.uri, keys.in_state(session, actor.id)))
    proved = proofs.prove(made, keys.signer(session, node, actors.own(session, node).id, keys.ED25519), node.now())
    session.execute(sa.update(Actor).where(Actor.id == actor.id).values(document=proved, updated_at=node.now()))
    return proved


def renew_own(session: Session, node: Node) -> None:
    """Signs our Organization's document anew where an earlier program made it and it lacks what we say today."""
    me = actors.own(session, node)
    if set(LISTS) - set(stored_document(session, me.id) or {}):
        document(session, node, me)


def prove_anew(session: Session, node: Node) -> None:
    """All documents of our people and groups, proved by the Organization's key that is in use now."""
    me = actors.own(session, node)
    signer = keys.signer(session, node, me.id, keys.ED25519)
    query = sa.select(Actor.id, Actor.document).where(Actor.known == OWN, Actor.id != me.id, Actor.document.is_not(None))
    for row in session.execute(query).all():
        proved = proofs.prove(row.document, signer, node.now())
        session.execute(sa.update(Actor).where(Actor.id == row.id).values(document=proved, updated_at=node.now()))


def stored_document(session: Session, actor_id: str) -> dict[str, Any] | None:
    """An actor's document as it was last made or received."""
    return session.execute(sa.select(Actor.document).where(Actor.id == actor_id)).scalar_one_or_none()


def _key_members(uri: str, found: dict[str, tuple[str, str]]) -> dict[str, Any]:
    members: dict[str, Any] = {"assertionMethod": []}
    for key_uri, (kind, public) in found.items():
        if kind == keys.RSA:
            members["publicKey"] = {"id": key_uri, "owner": uri, "publicKeyPem": public}
        else:
            members["assertionMethod"].append({"id": key_uri, "type": "Multikey", "controller": uri, "publicKeyMultibase": public})
    return members


def parse(document: object, *, expected: str = "") -> Profile:
    """Reads another node's actor document. Raises BadRequest for a wrong shape, or ids and keys that lie on different hosts."""
    if not isinstance(document, dict):
        raise BadRequest(reason="not an object")
    uri, kind = ap.ident(document), next((TYPES[t] for t in ap.types(document) if t in TYPES), "")
    inbox = ap.ident(document.get("inbox"))
    if not uri or not kind or not inbox:
        raise BadRequest(reason="an actor needs id, type and inbox")
    if kind != GROUP and len(to_json(document)) > LONGEST:  # it goes with each word of theirs that a group passes on
        raise BadRequest(reason=f"a profile of more than {LONGEST} characters")
    if expected and uri != expected:
        raise BadRequest(reason="the document has another id than its address")
    host = host_of(uri)
    organisation = uri if kind == ORGANIZATION else ap.ident(document.get(ap.ORGANISATION)) or ap.ident(document.get("attributedTo"))
    for other in filter(None, (inbox, organisation)):
        if host_of(other) != host:
            raise BadRequest(reason="the document points to another host")
    username = plain(ap.text(document, "preferredUsername"), 100)
    name = plain(ap.text(document, "name"), 200) or username or host
    summary = clean(ap.text(document, "summary")[:20_000])
    works_for = plain(ap.text(document, ap.WORKS_FOR), 200) if kind == PERSON else ""
    return Profile(uri, kind, username, name, summary, host, inbox, organisation, _keys(document, uri, host), document, works_for)


def _keys(document: dict[str, Any], uri: str, host: str) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    methods = document.get("assertionMethod")
    for key in methods if isinstance(methods, list) else [methods]:
        if isinstance(key, dict) and key.get("type") == "Multikey" and key.get("controller") == uri and keys.is_ed25519(key):
            found[ap.ident(key)] = (keys.ED25519, str(key.get("publicKeyMultibase")))
    given = document.get("publicKey")
    for key in given if isinstance(given, list) else [given]:
        if isinstance(key, dict) and key.get("owner") == uri:
            found[ap.ident(key)] = (keys.RSA, str(key.get("publicKeyPem")))
    for key_uri, (kind, public) in found.items():
        if not key_uri or host_of(key_uri) != host or len(found) > 4:
            raise BadRequest(reason="a key lies on another host than its owner")
        if not key_uri.startswith(tuple(uri + mark for mark in "#?/")):
            raise BadRequest(reason="a key lies at another address than its owner's")
        keys.load_public(kind, public)
    return found


def key_objects(uri: str, found: keys.Keys) -> list[dict[str, Any]]:
    """Public keys as a document lists them, of whichever type."""
    members = _key_members(uri, found)
    return [*members["assertionMethod"], *([members["publicKey"]] if "publicKey" in members else [])]


def successors(document: dict[str, Any]) -> keys.Keys:
    """The keys that an Organization names as those that follow its present ones; none where it names none. Raises BadRequest."""
    listed, uri = document.get(ap.SUCCESSOR), ap.ident(document)
    found = [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []
    pems = [key for key in found if "publicKeyPem" in key]
    if len(pems) > 1:
        raise BadRequest(reason="more than one RSA key")
    methods = [key for key in found if "publicKeyMultibase" in key]
    return _keys({"assertionMethod": methods, "publicKey": pems[0] if pems else None}, uri, host_of(uri))


def succeeds(profile: Profile, pinned: keys.Keys) -> bool:
    """Whether an Organization's document shows that one of these keys had signed its present ones as those that follow."""
    before = profile.document.get(ap.SUCCEEDS)
    if not profile.keys or not isinstance(before, dict) or ap.ident(before) != profile.uri:
        return False
    with contextlib.suppress(Refused):
        check_proof(profile, profile.keys)
        check_proof(parse(before), pinned)
        return successors(before) == profile.keys
    return False


def check_proof(profile: Profile, by: dict[str, tuple[str, str]]) -> None:
    """Raises Refused unless the document is proved by one of these keys (its Organization's)."""
    if not proofs.proved(profile.document, by):
        raise Refused(reason="the document is not proved by its organisation's key")


def remember(
    session: Session, node: Node, profile: Profile, *, known: str, organisation_id: str | None = None, through_id: str | None = None
) -> ActorData:
    """Stores or renews another node's actor. Its keys are pinned at first sight: a document with other keys is refused. Those that a
    third party had brought count no longer once the actor, or its organisation that is our partner, speaks for itself."""
    there = actors.by_uri(session, profile.uri)
    made_at = min(proofs.created(profile.document) or node.now(), node.now())
    values: dict[str, object] = dict(
        name=profile.name,
        summary=profile.summary,
        inbox=profile.inbox,
        document=profile.document,
        updated_at=made_at,
        works_for=profile.works_for,
    )
    if there:
        first_hand = known != INTRODUCED and through_id is None and (there.known == INTRODUCED or there.through_id is not None)
        if first_hand:
            keys.replace(session, node, there.id, profile.keys)
            values |= dict(organisation_id=organisation_id or there.id)
        elif not (there.known == INTRODUCED and succeeds(profile, keys.in_state(session, there.id))):
            _check_pinned(session, there, profile)
        else:
            keys.replace(session, node, there.id, profile.keys)
        if first_hand or known in (there.known, PARTNER):
            session.execute(
                sa.update(Actor).where(Actor.id == there.id).values(known=known, through_id=through_id, username=profile.username, **values)
            )
            node.named(session, there.id)
        return actors.by_id(session, there.id)
    actor_id = new_id(node.now())
    row = dict(
        id=actor_id, uri=profile.uri, kind=profile.kind, username=profile.username, host=profile.host, known=known, through_id=through_id
    )
    session.execute(sa.insert(Actor).values(**row, **values, organisation_id=organisation_id or actor_id, created_at=node.now()))
    keys.pin(session, node, actor_id, profile.keys)
    node.named(session, actor_id)
    return actors.by_id(session, actor_id)


def renew(session: Session, node: Node, there: ActorData, document: object) -> None:
    """Takes over a newer document of another organisation's person, from whoever brings it: only its organisation's proof counts. Of an
    organisation that we know through another one, also one with other keys that those we know have said to come next.

    Raises Refused for one that is not proved or has other keys; an older one than ours changes nothing."""
    if not isinstance(document, dict) or (proofs.created(document) or 0) <= there.updated_at:
        return
    profile = parse(document, expected=there.uri)
    follows = there.kind == ORGANIZATION and there.known == INTRODUCED and succeeds(profile, keys.in_state(session, there.id))
    check_proof(profile, profile.keys if follows else actors.keys_of(session, there.organisation_id))
    remember(session, node, profile, known=there.known, organisation_id=there.organisation_id, through_id=there.through_id)


def know_first_hand(session: Session, node: Node, organisation_id: str) -> None:
    """Whom a host had introduced of an organisation that is our partner now: those whom its own keys vouch for are known by itself."""
    met = sa.select(Actor.document).where(Actor.organisation_id == organisation_id, Actor.kind == PERSON, Actor.known == INTRODUCED)
    vouchers = actors.keys_of(session, organisation_id)
    for document in session.scalars(met).all():
        profile = parse(document)
        with contextlib.suppress(Refused):  # the host had brought a key of its own: the next word of the organisation will tell
            check_proof(profile, vouchers)
            remember(session, node, profile, known=PARTNER, organisation_id=organisation_id)


def _check_pinned(session: Session, there: ActorData, profile: Profile) -> None:
    pinned = actors.keys_of(session, there.id)
    if (
        there.known == OWN
        or any(pinned.get(uri, key) != key for uri, key in profile.keys.items())
        or (pinned and not set(pinned) & set(profile.keys))
    ):
        raise Refused(reason="other keys than those pinned")
    if set(profile.keys) - set(pinned):
        raise Refused(reason="keys beside those pinned")
