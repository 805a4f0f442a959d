"""Decides how organisations follow each other: Follow, Accept, Reject, Undo; an admitted partner's Follow is accepted at once."""

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.viewer import partner
from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.clock import new_id
from fedcollab.base.errors import Refused
from fedcollab.base.session import Session

from . import activitystreams as ap
from . import outbox, outside, profiles
from .models import ACCEPTED, ADMITTED, REJECTED, REQUESTED, UNDONE, Follow, Partner
from .registry import BOTH, OUTSIDE, UNTYPED, Handler, Verified

ORDER = "follows"
MOST_PEOPLE = 1_000_000


def follow(session: Session, node: Node, target: ActorData) -> None:
    """Our Organization asks a partner's to send us what it publishes; asking again after an Undo or a Reject is a new request."""
    me = actors.own(session, node)
    row = session.execute(
        sa.select(Follow.id, Follow.state).where(Follow.follower_id == me.id, Follow.target_id == target.id)
    ).one_or_none()
    if row and row.state in (REQUESTED, ACCEPTED):
        return
    if row:
        session.execute(sa.delete(Follow).where(Follow.id == row.id))
    uri = outbox.new_uri(node)
    _insert(session, node, uri, me.id, target.id, REQUESTED)
    made = ap.activity("Follow", uri, me.uri, target.uri, **{ap.PEOPLE: actors.count_people(session)})
    outbox.publish(session, node, me.id, made, to=[target.organisation_id], order_key=ORDER)


def unfollow(session: Session, node: Node, target: ActorData) -> None:
    """Takes our Follow back."""
    me = actors.own(session, node)
    query = sa.update(Follow).where(Follow.follower_id == me.id, Follow.target_id == target.id, Follow.state != UNDONE)
    uri = session.execute(query.values(state=UNDONE).returning(Follow.uri)).scalar_one_or_none()
    if uri:
        undo = ap.activity("Undo", outbox.new_uri(node), me.uri, {"id": uri, "type": "Follow", "actor": me.uri, "object": target.uri})
        outbox.publish(session, node, me.id, undo, to=[target.organisation_id], order_key=ORDER)


def tell_people(session: Session, node: Node) -> None:
    """Tells those we follow how many people we now have: they count us in the lists of their groups, as we do in ours."""
    me = actors.own(session, node)
    policy.count_anew(session, me.id, me.id)
    asked = sa.select(Follow.target_id).where(Follow.follower_id == me.id, Follow.state.in_((REQUESTED, ACCEPTED)))
    made = ap.activity("Update", outbox.new_uri(node), me.uri, profiles.stored_document(session, me.id))
    made[ap.PEOPLE] = actors.count_people(session)
    outbox.publish(session, node, me.id, made, to=session.scalars(asked), order_key=ORDER)


def tell_profile(session: Session, node: Node, person: ActorData, **more: object) -> None:
    """Tells partners that one of our people reads otherwise now; who meets them through a group's host learns it with their next post, and
    of a guest those alone who are on their case. `more` as in `profiles.document`."""
    if person.works_for:
        profiles.document(session, node, person, **more)
        return
    me = actors.own(session, node)
    asked = sa.select(Follow.target_id).where(Follow.follower_id == me.id, Follow.state.in_((REQUESTED, ACCEPTED)))
    followed = sa.select(Follow.follower_id).where(Follow.target_id == me.id, Follow.state == ACCEPTED)
    made = ap.activity("Update", outbox.new_uri(node), person.uri, profiles.document(session, node, person, **more))
    outbox.publish(session, node, person.id, made, to=session.scalars(asked.union(followed)), order_key=ORDER)


def not_following(session: Session) -> set[str]:
    """The admitted partners that follow nothing of ours, so are sent nothing: they have not approved us yet, or have ended it."""
    ours = sa.select(Actor.id).where(Actor.known == OWN)
    follows = sa.exists().where(Follow.follower_id == Partner.organisation_id, Follow.state == ACCEPTED, Follow.target_id.in_(ours))
    return set(session.scalars(sa.select(Partner.id).where(Partner.state == ADMITTED, ~follows)))


def receive_profile(session: Session, node: Node, received: Verified) -> None:
    """A partner's person reads otherwise now. Raises Refused where their organisation has not proved it."""
    if ap.ident(received.object) != received.actor.uri:
        raise Refused(reason="people change their own profiles")
    profiles.renew(session, node, received.actor, received.object)


def receive_people(session: Session, node: Node, received: Verified) -> None:
    """A partner says how many people it has, beside its Follow or an Update of its Organization; more than a million is no number."""
    people = received.activity.get(ap.PEOPLE)
    if type(people) is int and 0 <= people < MOST_PEOPLE and received.actor.kind == actors.ORGANIZATION:
        mine = sa.update(Partner).where(Partner.organisation_id == received.actor.id, Partner.people != people)
        if session.execute(mine.values(people=people).returning(Partner.id)).first() is not None:
            policy.count_anew(session, actors.own(session, node).id, received.actor.id)


def receive_follow(session: Session, node: Node, received: Verified) -> None:
    """A partner's Organization follows ours (or one of our groups): accepted, for the partner was admitted before it was heard."""
    target = actors.by_uri(session, ap.ident(received.activity.get("object")))
    if target is None or target.known != OWN or target.kind == actors.PERSON:
        raise Refused(reason="only our organisation and its groups can be followed")
    if received.actor.kind != actors.ORGANIZATION:
        raise Refused(reason="organisations follow, people don't")
    if target.kind == actors.GROUP and not policy.knows_group(session, partner(received.actor.organisation_id), target.id):
        raise Refused(reason="a group that is not for the follower")
    uri, me = received.activity["id"], actors.own(session, node)
    session.execute(sa.delete(Follow).where(Follow.follower_id == received.actor.id, Follow.target_id == target.id))
    _insert(session, node, uri, received.actor.id, target.id, ACCEPTED)
    accept = ap.activity(
        "Accept", outbox.new_uri(node), me.uri, {"id": uri, "type": "Follow", "actor": received.actor.uri, "object": target.uri}
    )
    outbox.publish(session, node, me.id, accept, to=[received.actor.organisation_id], order_key=ORDER)


def receive_answer(session: Session, node: Node, received: Verified) -> None:
    """A partner accepts or rejects our Follow."""
    state = ACCEPTED if "Accept" in ap.types(received.activity) else REJECTED
    mine = sa.and_(Follow.uri == ap.ident(received.object), Follow.target_id == received.actor.id)
    session.execute(sa.update(Follow).where(mine, Follow.state.in_((REQUESTED, ACCEPTED))).values(state=state))


def receive_undo(session: Session, node: Node, received: Verified) -> None:
    """A partner takes its Follow back, which it may name by its id alone: nothing more is sent to it."""
    session.execute(sa.delete(Follow).where(Follow.uri == ap.ident(received.object), Follow.follower_id == received.actor.id))


def _insert(session: Session, node: Node, uri: str, follower_id: str, target_id: str, state: str) -> None:
    row = dict(id=new_id(node.now()), uri=uri, follower_id=follower_id, target_id=target_id, state=state, created_at=node.now())
    session.execute(sa.insert(Follow).values(row))


HANDLERS = (
    Handler("Follow", (), receive_follow),
    Handler("Follow", (), receive_people),
    Handler("Update", (actors.ORGANIZATION,), receive_people),
    Handler("Update", (actors.PERSON,), receive_profile),
    Handler("Accept", ("Follow",), receive_answer),
    Handler("Reject", ("Follow",), receive_answer),
    Handler("Undo", ("Follow", UNTYPED), receive_undo, by=BOTH),
    Handler("Follow", (), outside.receive_follow, by=(OUTSIDE,)),
)
