"""Decides how an activity of ours is published: recorded with its proof, and queued once for each partner inside its audience."""

import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.access.policy import recipients
from fedcollab.actors import keys
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.database import wake

from . import activitystreams as ap
from . import proofs
from .models import ACCEPTED, ADMITTED, REFUSED, SUSPENDED, WAITING, Activity, Delivery, Follow, Partner


def new_uri(node: Node) -> str:
    """The id for a fresh activity."""
    return node.settings.uri(f"/activities/{new_id(node.now())}")


def followers(session: Session, audience_id: str, *target_ids: str, at: int | None = None) -> list[str]:
    """The organisations inside the audience (`at` a moment, for what came in then) that follow one of the targets (the Organization or
    its group): never more."""
    follows = sa.select(Follow.follower_id).where(Follow.target_id.in_(target_ids), Follow.state == ACCEPTED)
    return list(session.scalars(recipients(audience_id, at).intersect(follows).subquery().select()))


def publish(session: Session, node: Node, actor_id: str, activity: dict[str, Any], *, to: Iterable[str], order_key: str) -> dict[str, Any]:
    """Proves and records an activity and queues it for the nodes of the organisations `to`; call it late in the unit, before the audit.

    Activities with the same `order_key` (a thread, say) arrive in this order. Answers the activity as it was proved."""
    proved = proofs.prove(activity, keys.signer(session, node, actor_id, keys.ED25519), node.now())
    row_id = activity["id"].rsplit("/", 1)[-1]
    body = json.dumps(proved, ensure_ascii=False, separators=(",", ":"))
    row = dict(id=row_id, uri=activity["id"], type=activity["type"], actor_id=actor_id, object_uri=_innermost(activity))
    session.execute(sa.insert(Activity).values(**row, order_key=order_key, body=body, created_at=node.now()))
    _queue(session, row_id, sorted(set(to)), order_key)
    return proved


def served(session: Session, object_uri: str) -> set[str]:
    """The organisations to which something about a thing was ever queued."""
    query = sa.select(Partner.organisation_id).join(Delivery, Delivery.partner_id == Partner.id)
    return set(session.scalars(query.join(Activity, Activity.id == Delivery.activity_id).where(Activity.object_uri == object_uri)))


def _innermost(activity: dict[str, Any]) -> str:
    """The id of what an activity is about, also where another one carries it."""
    found = activity["object"]
    while isinstance(found, dict) and "object" in found:
        found = found["object"]
    return ap.ident(found)


def forget(session: Session, node: Node, object_uri: str) -> None:
    """Empties all activities about a thing that was deleted; where one of them still waits for a partner, it is never sent."""
    about = sa.select(Activity.id).where(Activity.object_uri == object_uri)
    waiting = sa.update(Delivery).where(Delivery.activity_id.in_(about), Delivery.state == WAITING)
    session.execute(waiting.values(state=REFUSED, done_at=node.now(), error="deleted before it was sent"))
    session.execute(sa.update(Activity).where(Activity.object_uri == object_uri).values(body=""))


def _queue(session: Session, activity_id: str, organisations: list[str], order_key: str) -> None:
    """One delivery a partner, numbered without gaps: the partners' rows are locked in the order of their ids."""
    if not organisations:
        return
    open_states = Partner.state.in_((ADMITTED, SUSPENDED))
    ids = session.scalars(
        sa.select(Partner.id).where(Partner.organisation_id.in_(organisations), open_states).order_by(Partner.id).with_for_update()
    ).all()
    if not ids:
        return
    numbered = session.execute(
        sa.update(Partner).where(Partner.id.in_(ids)).values(last_seq=Partner.last_seq + 1).returning(Partner.id, Partner.last_seq)
    )
    rows = [dict(partner_id=pid, seq=seq, activity_id=activity_id, order_key=order_key, state=WAITING) for pid, seq in numbered]
    session.execute(sa.insert(Delivery), rows)
    wake(session, "delivery")
