"""Decides how our Organization's keys change: a successor is published and signed by the old ones, and takes over once partners agree."""

from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.viewer import Viewer
from fedcollab.actors import keys
from fedcollab.actors import service as actors
from fedcollab.actors.models import CURRENT, NEXT, OWN, PERSON, Actor, ActorKey
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, MINUTE, iso
from fedcollab.base.errors import Conflict, N_, Refused
from fedcollab.base.session import Session

from . import activitystreams as ap
from . import follows, outbox, profiles
from .models import ADMITTED, SUSPENDED, Partner
from .registry import Handler, Verified

GRACE, LONGEST_GRACE = 14, 90  # days
BEFORE = 5 * MINUTE  # we turn to the new keys before others stop believing the old ones, by as much as clocks may differ


@dataclass(frozen=True)
class Status:
    """How our keys stand: fingerprints, the end of the old ones, and which admitted partners have said yes to the new ones or have not."""

    keys: str
    successor: str
    until: int | None
    accepted: list[str]
    missing: list[str]


def status(session: Session, node: Node) -> Status:
    """Of our Organization's keys; `successor` is empty where none is published."""
    me = actors.own(session, node)
    successor = _next(session, node)
    rows = session.execute(sa.select(Partner.host, Partner.accepted_keys).where(Partner.state == ADMITTED).order_by(Partner.host)).all()
    yes = [row.host for row in rows if successor and row.accepted_keys == successor]
    no = [row.host for row in rows if successor and row.accepted_keys != successor]
    return Status(keys.fingerprint(keys.in_state(session, me.id)), successor, _until(session, me.id), yes, no)


def _next(session: Session, node: Node) -> str:
    found = keys.in_state(session, actors.own(session, node).id, NEXT)
    return keys.fingerprint(found) if found else ""


def _until(session: Session, me: str) -> int | None:
    query = sa.select(sa.func.min(ActorKey.until)).where(ActorKey.actor_id == me, ActorKey.state == CURRENT)
    return session.execute(query).scalar_one()


def rotate(session: Session, node: Node, viewer: Viewer | None, grace: int = GRACE) -> Status:
    """Makes the successors of our Organization's keys and publishes them; the old ones sign on for at most `grace` days.

    Raises Conflict where a successor waits already, Refused for a grace that is no number of days from 1 to 90."""
    me = actors.own(session, node)
    if not 1 <= grace <= LONGEST_GRACE:
        raise Refused(N_("The grace is a number of days from 1 to 90."))
    if _next(session, node):
        raise Conflict(N_("New keys are published already. They take over once all partners have accepted them or the grace has ended."))
    until = node.now() + grace * DAY
    keys.make(session, node, me.id, me.uri, NEXT)
    mine = sa.update(ActorKey).where(ActorKey.actor_id == me.id, ActorKey.state == CURRENT)
    session.execute(mine.values(until=until))
    coming = profiles.key_objects(me.uri, keys.in_state(session, me.id, NEXT))
    profiles.document(session, node, me, **{ap.SUCCESSOR: coming, ap.UNTIL: iso(until)})
    tell(session, node)
    audit.record(session, node.now(), viewer, "key.rotate", me.id)
    return status(session, node)


def tell(session: Session, node: Node) -> None:
    """Sends the Organization's document as it is now to all partners."""
    me = actors.own(session, node)
    made = ap.activity("Update", outbox.new_uri(node), me.uri, profiles.stored_document(session, me.id))
    open_ = sa.select(Partner.organisation_id).where(Partner.state.in_((ADMITTED, SUSPENDED)))
    outbox.publish(session, node, me.id, made, to=session.scalars(open_), order_key=follows.ORDER)


def receive_accept(session: Session, node: Node, received: Verified) -> None:
    """A partner's admin has said yes to our successor; with the last one's yes it takes over."""
    successor = _next(session, node)
    if successor and received.object.get(ap.KEYS) == successor and received.actor.kind == actors.ORGANIZATION:
        said = sa.update(Partner).where(Partner.organisation_id == received.actor.id)
        session.execute(said.values(accepted_keys=successor))
        turn_when_due(session, node)


def turn_when_due(session: Session, node: Node) -> None:
    """The successor takes over once all admitted partners have accepted it, or the grace is about to end; a chore, too."""
    now = status(session, node)
    if now.successor and (not now.missing or node.now() >= (now.until or 0) - BEFORE) and _turn(session, node):
        audit.record(session, node.now(), None, "key.changed", actors.own(session, node).id)


def _turn(session: Session, node: Node) -> bool:
    """From now on the new keys sign; False where they do already. The document that announced them, which the old ones signed, is carried
    in the new one: whoever missed it can follow. All that the old ones vouched for is proved anew and told."""
    me = actors.own(session, node)
    if not keys.turn(session, me.id):
        return False
    before = profiles.stored_document(session, me.id)
    profiles.document(session, node, me, **{ap.SUCCEEDS: before})
    _renew_all(session, node)
    return True


def _renew_all(session: Session, node: Node) -> None:
    me = actors.own(session, node)
    profiles.prove_anew(session, node)
    outbox.prove_anew(session, node, me.id)
    policy.count_anew(session, me.id, me.id)  # our groups' lists are published again, by the chore that does so
    tell(session, node)
    people = sa.select(Actor.id).where(Actor.known == OWN, Actor.kind == PERSON, Actor.disabled_at.is_(None)).order_by(Actor.id)
    for person_id in session.scalars(people).all():
        follows.tell_profile(session, node, actors.by_id(session, person_id))


def start_anew(session: Session, node: Node, viewer: Viewer | None) -> Status:
    """Fresh keys for the Organization without the old ones' signature: for keys that are lost or known to others. Partners find out by
    themselves, suspend us and go on after a word check."""
    me = actors.own(session, node)
    session.execute(sa.delete(ActorKey).where(ActorKey.actor_id == me.id, ActorKey.state == NEXT))
    keys.make(session, node, me.id, me.uri, NEXT)
    keys.turn(session, me.id)
    profiles.document(session, node, me)
    _renew_all(session, node)
    audit.record(session, node.now(), viewer, "key.new", me.id)
    return status(session, node)


HANDLERS = (Handler("Accept", ("Update",), receive_accept),)
