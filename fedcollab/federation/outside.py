"""Decides what servers that are no partners may do where the admin lets them: read, follow and answer what is public, and nothing else."""

from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.models import CLEAR, Audience
from fedcollab.actors import service as actors
from fedcollab.actors.keys import PublicKey
from fedcollab.actors.models import FOREIGN, GROUP, ORGANIZATION, OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.addresses import host_of
from fedcollab.base.clock import new_id
from fedcollab.base.errors import BadRequest, Refused, TooMany, Unauthorized
from fedcollab.base.session import Session
from fedcollab.base.strictjson import loads

from . import activitystreams as ap
from . import outbox, profiles
from .models import ACCEPTED, LEFT, OUTSIDE, Activity, Delivery, Follow, Partner
from .partners import PartnerData, by_host
from .registry import Verified

PEOPLE = 5_000  # of one server
SERVERS = 10_000


def may_ask(session: Session, node: Node, partner: PartnerData | None) -> bool:
    """Whether a host is heard as a server outside: where the setting is on, and the host is no partner, or was one of these before."""
    if not node.settings.outside_servers or (partner is not None and partner.state not in (OUTSIDE, LEFT)):
        return False
    return partner is None or _is_made_up(session, partner.organisation_id)


def may_post(node: Node, partner: PartnerData | None, body: bytes) -> bool:
    """Whether what a server outside sends may concern us, judged before anything is fetched for it: one that we have not heard yet begins
    with following a group or with an answer."""
    activity = loads(body)
    if not isinstance(activity, dict):
        raise BadRequest(reason="not an object")
    kinds = set(ap.types(activity))
    if "Follow" in kinds and not ap.ident(activity.get("object")).startswith(node.settings.uri("/groups/")):
        return False  # of the Organization: it asks to be a partner, as any stranger does
    if partner is not None and partner.state == OUTSIDE:
        return True  # what nobody handles from outside has no effect; a refusal would only come again
    return "Follow" in kinds or ("Create" in kinds and any(uri.startswith(node.settings.uri("/")) for uri in _about(activity)))


def _about(activity: dict[str, Any]) -> set[str]:
    """Whom an answer is addressed to, and what it answers."""
    obj = activity.get("object")
    return ap.addressed(activity) | (ap.addressed(obj) | set(ap.idents(obj.get("inReplyTo"))) if isinstance(obj, dict) else set())


def nobody(host: str) -> PartnerData:
    """A server outside that only reads: nothing is kept of it."""
    return PartnerData("", "", host, "", host, OUTSIDE, 0, 0, 0, None, None, "", "", None, None, [], "")


def reader(key: PublicKey, host: str) -> ActorData:
    """Whoever signed a GET from outside."""
    return ActorData("", key.actor_uri, "", "", "", "", host, "", "", FOREIGN, None, 0, None)


def key_of(profile: profiles.Profile, key_uri: str) -> PublicKey:
    """The key of an actor's own document. Raises Unauthorized where it does not list it."""
    if key_uri not in profile.keys:
        raise Unauthorized(reason="the owner's own document does not list this key")
    kind, public = profile.keys[key_uri]
    return PublicKey(key_uri, kind, public, "", profile.uri)


def remember(session: Session, node: Node, profile: profiles.Profile) -> tuple[ActorData, PartnerData]:
    """Stores who speaks to us from outside, its server on the list beside the partners. Raises Refused, TooMany."""
    partner = by_host(session, profile.host)
    if not may_ask(session, node, partner):
        raise Refused(reason="not heard as a server outside")
    organisation_id = partner.organisation_id if partner else organisation(session, node, profile.host)
    session.execute(sa.update(Actor).where(Actor.id == organisation_id).values(inbox=_shared_inbox(profile), through_id=None))
    if partner is None:
        _list(session, node, profile.host, organisation_id)
    elif partner.state == LEFT:
        mine = sa.select(Actor.id).where(Actor.organisation_id == organisation_id)
        session.execute(sa.delete(Follow).where(Follow.follower_id.in_(mine)))
        session.execute(sa.update(Partner).where(Partner.id == partner.id).values(state=OUTSIDE, decided_at=node.now()))
    actor = _actor(session, node, profile, organisation_id)
    found = by_host(session, profile.host)
    assert found is not None
    if partner is None or partner.state == LEFT:
        audit.record(session, node.now(), None, "partner.outside", profile.host)
    return actor, found


def _list(session: Session, node: Node, host: str, organisation_id: str) -> None:
    if session.execute(sa.select(sa.func.count()).select_from(Partner).where(Partner.state == OUTSIDE)).scalar_one() >= SERVERS:
        raise TooMany(reason="more servers outside than we list")
    row = dict(id=new_id(node.now()), organisation_id=organisation_id, host=host, state=OUTSIDE, created_at=node.now())
    session.execute(sa.insert(Partner).values(row))


def _actor(session: Session, node: Node, profile: profiles.Profile, organisation_id: str) -> ActorData:
    there = actors.by_uri(session, profile.uri)
    if there is not None and there.organisation_id != organisation_id:
        raise Refused(reason="known as somebody else's")
    if there is None:
        many = sa.select(sa.func.count()).select_from(Actor).where(Actor.organisation_id == organisation_id)
        if session.execute(many).scalar_one() > PEOPLE:
            raise TooMany(reason="more people of one server outside than we keep")
    return profiles.remember(session, node, profile, known=FOREIGN, organisation_id=organisation_id)


def _shared_inbox(profile: profiles.Profile) -> str:
    """Where everything for a server goes, once; the actor's own inbox where the server names none."""
    endpoints = profile.document.get("endpoints")
    shared = ap.ident(endpoints.get("sharedInbox")) if isinstance(endpoints, dict) else ""
    try:
        return shared if shared and host_of(shared) == profile.host else profile.inbox
    except BadRequest:
        return profile.inbox


def organisation(session: Session, node: Node, host: str, through_id: str | None = None) -> str:
    """The row that stands for a server outside as its people's organisation: its host's name, no document, no key. Answers its id."""
    uri = ("http://" if node.settings.trial else "https://") + host + "/#outside"
    there = actors.by_uri(session, uri)
    if there is not None:
        return there.id
    row_id, now = new_id(node.now()), node.now()
    row = dict(id=row_id, uri=uri, kind=ORGANIZATION, username="", name=host, host=host, organisation_id=row_id, inbox=uri, known=FOREIGN)
    session.execute(sa.insert(Actor).values(**row, through_id=through_id, created_at=now, updated_at=now))
    return row_id


def _is_made_up(session: Session, organisation_id: str) -> bool:
    known = sa.select(Actor.known).where(Actor.id == organisation_id)
    return session.execute(known).scalar_one_or_none() == FOREIGN


def followers(session: Session, group_id: str) -> list[str]:
    """The servers outside, as organisations, on which somebody follows a group: one delivery each."""
    query = sa.select(Actor.organisation_id).join(Follow, Follow.follower_id == Actor.id)
    query = query.join(Partner, Partner.organisation_id == Actor.organisation_id).where(Partner.state == OUTSIDE)
    return list(session.scalars(query.where(Follow.target_id == group_id, Follow.state == ACCEPTED).distinct()))


def served(session: Session, object_uri: str) -> set[str]:
    """The servers outside to which something about a thing was ever queued."""
    query = sa.select(Partner.organisation_id).join(Delivery, Delivery.partner_id == Partner.id).where(Partner.state == OUTSIDE)
    return set(session.scalars(query.join(Activity, Activity.id == Delivery.activity_id).where(Activity.object_uri == object_uri)))


def receive_follow(session: Session, node: Node, received: Verified) -> None:
    """Somebody outside follows a public group of ours, which says yes itself: other software takes it from nobody else."""
    target = actors.by_uri(session, ap.ident(received.activity.get("object")))
    public = sa.select(Audience.id).where(Audience.label == CLEAR, Audience.group_id == (target.id if target else ""))
    if target is None or target.known != OWN or target.kind != GROUP or session.execute(public).first() is None:
        raise Refused(reason="only public groups can be followed from outside")
    me, uri = received.actor, received.activity["id"]
    session.execute(sa.delete(Follow).where(Follow.follower_id == me.id, Follow.target_id == target.id))
    row = dict(id=new_id(node.now()), uri=uri, follower_id=me.id, target_id=target.id, state=ACCEPTED, created_at=node.now())
    session.execute(sa.insert(Follow).values(row))
    asked = {"id": uri, "type": "Follow", "actor": me.uri, "object": target.uri}
    accept = ap.activity("Accept", outbox.new_uri(node), target.uri, asked)
    outbox.publish(session, node, target.id, accept, to=[me.organisation_id], order_key=target.uri)
