"""Decides who is inside a group: the host's list, signed in the group's document, which all nodes read to say who will see a post."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.models import CLEAR, GREEN, STRICT, Audience, AudienceMember
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import FOREIGN, GROUP, OWN, PARTNER, Actor
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.errors import Conflict, Forbidden, N_, NotFound, Refused
from fedcollab.base.markup import plain
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import follows, outbox, partners, profiles, receipts
from fedcollab.federation.models import Partner
from fedcollab.federation.registry import Verified
from fedcollab.search import index

from .models import Post, Thread

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
MOST = 2000
FEATURE = "discussions"  # what a partner is allowed to take part in, or not
RENEWED_AT_ONCE = 5


@dataclass(frozen=True)
class AudienceData:
    """A group's audience: its row, label and whether newcomers see history."""

    id: str
    label: str
    history: bool


class Inside(NamedTuple):
    """One organisation that the group's signed list names. `stranger` is one we have not approved, `blocked` one we have blocked."""

    uri: str
    name: str
    people: int
    stranger: bool
    blocked: bool


def create(
    session: Session, node: Node, viewer: Viewer, *, slug: str, name: str, label: str, summary: str = "", history: bool = False
) -> ActorData:
    """A new group of ours, at once known to all admitted partners unless it is for us alone. Raises Refused, Conflict, Forbidden."""
    if not viewer.moderates:
        raise Forbidden(N_("Groups are made by admins and moderators."))
    if not SLUG.fullmatch(slug):
        raise Refused(N_("The short name may have small letters, digits and hyphens, at most 63: for example, outreach-leads."))
    if not plain(name, 200):
        raise Refused(N_("Give the group a name."))
    policy.check_label(label)
    if actors.by_username(session, node, slug):
        raise Conflict(N_("There is a group or a person with this short name already. Choose another."))
    node.room.need()
    me = actors.own(session, node)
    group = actors.create_own(session, node, GROUP, username=slug, name=plain(name, 200), summary=summary)
    audience_id = policy.open_audience(session, now=node.now(), label=label, owner_id=me.id, group_id=group.id, history=history)
    if label != STRICT:
        for organisation_id in partners.taking_part(session, FEATURE):
            policy.admit(session, audience_id, organisation_id, since=node.now())
    node.named(session, group.id)
    _publish(session, node, group)
    audit.record(session, node.now(), viewer, "group.create", group.id)
    return group


def audience_of(session: Session, group_id: str) -> AudienceData:
    """Raises Refused for a group of other software that has sent no list of who is inside."""
    row = prepared(session, _audience_query(), {"group": group_id}).one_or_none()
    if row is None:
        raise Refused(reason="a group without a list of who is inside")
    return AudienceData(*row)


@cache
def _audience_query() -> sa.Select[Any]:
    columns: list[Any] = [Audience.id, Audience.label, Audience.history]
    return sa.select(*columns).where(Audience.group_id == sa.bindparam("group"))


def admit_partner(session: Session, node: Node, organisation_id: str) -> None:
    """A partner admitted now is inside all our groups that go to partners, and sees what is posted from now on."""
    for group, audience in _travelling(session, node):
        policy.admit(session, audience.id, organisation_id, since=node.now())
        _publish(session, node, group)


def closed(session: Session, group: ActorData) -> str:
    """Why nothing can be sent to a group from here, whoever wants to; else nothing."""
    if group.known == OWN or partners.talks_with(session, group.host, FEATURE):
        return ""
    if partners.talks_with(session, group.host):
        return N_("Discussions with the organisation that keeps this group are switched off here, so nothing can be sent to it.")
    return N_("We are no longer partners with the organisation that keeps this group, so nothing can be sent to it.")


def expel_partner(session: Session, node: Node, organisation_id: str) -> None:
    """A partner no longer admitted, or no longer allowed to take part, is outside all our groups at once; what waits for it of groups
    and conversations is never sent."""
    for group, audience in _travelling(session, node):
        policy.expel(session, audience.id, organisation_id)
        _publish(session, node, group)
    ours = sa.select(Thread.uri).union(sa.select(Actor.uri).where(Actor.kind == GROUP))
    outbox.drop(session, node, organisation_id, ours.subquery().select())


def introduce_to_follower(session: Session, node: Node, received: Verified) -> None:
    """Whoever begins to follow us is sent our groups' documents as they stand. Nobody else needs to hear of it, unless the Follow has told
    another number of people."""
    me, follower = actors.own(session, node), received.actor.organisation_id
    stale = set(session.scalars(sa.select(Audience.id).where(Audience.stale)))
    for group, audience in _travelling(session, node):
        if audience.id in stale:
            _publish(session, node, group)
        elif follower in outbox.followers(session, audience.id, me.id, group.id):
            _send(session, node, me, group, profiles.stored_document(session, group.id), [follower])


def narrow(session: Session, node: Node, viewer: Viewer, group_id: str) -> None:
    """Takes a public group of ours and all that was written in it back to the partners inside; each node confirms that it did so too.

    Raises NotFound for who may not, Conflict where the group is not public."""
    group = actors.by_id(session, group_id)
    if not viewer.moderates or group.known != OWN:
        raise NotFound()
    audience = audience_of(session, group_id)
    if audience.label != CLEAR:
        raise Conflict(N_("This group is not public, so it can't be narrowed."))
    session.execute(sa.update(Audience).where(Audience.id == audience.id).values(label=GREEN))
    _narrow_all(session, audience.id)
    node.named(session, group_id)
    uri, to = _publish(session, node, group)
    rows = session.execute(sa.select(Actor.uri, Actor.name).where(Actor.id.in_(to)).order_by(Actor.uri)).all()
    receipts.ask(session, node, uri, group.uri, [(row.uri, row.name) for row in rows])
    audit.record(session, node.now(), viewer, "group.narrow", group_id)


def _narrow_all(session: Session, audience_id: str) -> None:
    for model in (Thread, Post):
        session.execute(sa.update(model).where(model.audience_id == audience_id, model.label == CLEAR).values(label=GREEN))
    index.relabel(session, audience_id, CLEAR, GREEN)


def renew_lists(session: Session, node: Node) -> None:
    """Signs anew the lists whose numbers of people have changed; once a minute, so that ten who join are one Update."""
    stale = sa.select(Audience.group_id).where(Audience.stale, policy.of_group()).order_by(Audience.id).limit(RENEWED_AT_ONCE)
    for group_id in session.scalars(stale).all():
        _publish(session, node, actors.by_id(session, group_id))


def _travelling(session: Session, node: Node) -> list[tuple[ActorData, AudienceData]]:
    """Our groups whose label lets them leave the node."""
    query = sa.select(Audience.group_id, Audience.id, Audience.label, Audience.history).where(Audience.label.in_((CLEAR, GREEN)))
    ours = sa.and_(Audience.owner_id == actors.own(session, node).id, policy.of_group())
    rows = session.execute(query.where(ours).order_by(Audience.id)).all()
    return [(actors.by_id(session, row.group_id), AudienceData(row.id, row.label, row.history)) for row in rows]


def _publish(session: Session, node: Node, group: ActorData) -> tuple[str, list[str]]:
    """Signs the group's document anew and, unless the group is ours alone, sends it to the followers inside. Answers the Update's id and
    whom it goes to."""
    audience, me = audience_of(session, group.id), actors.own(session, node)
    session.execute(sa.update(Audience).where(Audience.id == audience.id).values(stale=False))
    lists = {name: f"{group.uri}/{name}" for name in ("followers", "outbox")}
    document = profiles.document(session, node, group, **_members(session, node, audience), **lists, attributedTo=me.uri)
    if audience.label != STRICT:
        to = outbox.followers(session, audience.id, me.id, group.id)
        return _send(session, node, me, group, document, to), to
    return "", []


def _send(session: Session, node: Node, me: ActorData, group: ActorData, document: object, to: list[str]) -> str:
    """Sends a group's document to these organisations. Answers the Update's id."""
    update = ap.activity("Update", outbox.new_uri(node), me.uri, document, to=[group.uri + "/followers"])
    return str(outbox.publish(session, node, me.id, update, to=to, order_key=group.uri)["id"])


def _members(session: Session, node: Node, audience: AudienceData) -> dict[str, Any]:
    query = sa.select(Actor.uri, Actor.name, Partner.people).join(AudienceMember, AudienceMember.organisation_id == Actor.id)
    query = query.outerjoin(Partner, Partner.organisation_id == Actor.id)
    rows = session.execute(query.where(AudienceMember.audience_id == audience.id).order_by(Actor.uri)).all()
    ours = actors.count_people(session)
    listed = [{"id": r.uri, "name": r.name, ap.PEOPLE: ours if r.uri == node.actor_uri else r.people} for r in rows]
    return {ap.LABEL: audience.label, ap.HISTORY: audience.history, ap.MEMBERS: listed}


def receive(session: Session, node: Node, received: Verified) -> None:
    """A partner's group, made or changed: its document, proved by its Organization, says label and list. Raises Refused."""
    profile = profiles.parse(received.object)
    if profile.kind != GROUP or profile.organisation_uri != received.actor.uri:
        raise Refused(reason="a group's document comes from its own organisation")
    before = session.scalar(sa.select(Audience.label).join(Actor, Actor.id == Audience.group_id).where(Actor.uri == profile.uri))
    group = learn(session, node, received.actor, profile)
    audience = audience_of(session, group.id)
    if before is not None and before != audience.label:  # learn() has refused what would be wider
        _narrow_all(session, audience.id)
        receipts.answer(session, node, received.activity, to=group.organisation_id, order_key=group.uri)


def learn(session: Session, node: Node, organisation: ActorData, profile: profiles.Profile) -> ActorData:
    """Stores a partner's group from its document. Raises Refused where the proof is not its Organization's or the label does not travel."""
    profiles.check_proof(profile, actors.keys_of(session, organisation.id))
    label = policy.check_leaves(str(profile.document.get(ap.LABEL, GREEN)))
    group = profiles.remember(session, node, profile, known=PARTNER, organisation_id=organisation.id)
    there = session.execute(sa.select(Audience.id, Audience.label).where(Audience.group_id == group.id)).one_or_none()
    history = profile.document.get(ap.HISTORY) is True
    if there is None:
        audience_id = policy.open_audience(
            session, now=node.now(), label=label, owner_id=organisation.id, group_id=group.id, history=history
        )
    else:
        audience_id = there.id
        if policy.is_wider(label, there.label):
            raise Refused(reason="a group's audience is not widened later")
        session.execute(sa.update(Audience).where(Audience.id == audience_id).values(label=label, history=history))
    me = actors.own(session, node)
    if node.actor_uri in [member.uri for member in inside(session, profile.document)]:
        policy.admit(session, audience_id, me.id, since=0)
    else:
        policy.expel(session, audience_id, me.id)
    node.named(session, group.id)
    return group


def follow(session: Session, node: Node, viewer: Viewer | None, group: ActorData) -> None:
    """A group of a partner that runs other software, followed by us alone: it is public there, and so it is here. Again is no change.

    Raises Refused for groups that come by themselves, and for what is no group."""
    if group.kind != GROUP or group.known != FOREIGN:
        raise Refused(N_("This is no group of other software. Groups of partners come by themselves."))
    if session.execute(sa.select(Audience.id).where(Audience.group_id == group.id)).first() is None:
        owner = group.organisation_id
        audience_id = policy.open_audience(session, now=node.now(), label=CLEAR, owner_id=owner, group_id=group.id, history=True)
        policy.admit(session, audience_id, actors.own(session, node).id, since=0)
        node.named(session, group.id)
    follows.follow(session, node, group)
    audit.record(session, node.now(), viewer, "group.follow", group.id)


def inside(session: Session, document: dict[str, Any] | None) -> list[Inside]:
    """The organisations that a group's signed list names, marked where we have not approved or have blocked them."""
    listed = document.get(ap.MEMBERS) if document else None
    found = [(ap.ident(m), m) for m in listed[:MOST] if isinstance(m, dict)] if isinstance(listed, list) else []
    known = partners.standing(session, [uri for uri, _ in found if uri])
    return [_inside(uri, member, known.get(uri, partners.UNKNOWN)) for uri, member in found if uri]


def _inside(uri: str, member: dict[str, Any], known: partners.Standing) -> Inside:
    people = member.get(ap.PEOPLE)
    number = people if isinstance(people, int) and 0 <= people < 1_000_000 else 0
    return Inside(uri, plain(ap.text(member, "name"), 200), number, not known.approved, known.blocked)
