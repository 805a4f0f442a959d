"""Decides how an activity of ours is published: recorded with its proof, and queued once for each partner inside its audience."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import orjson
import sqlalchemy as sa

from fedcollab.access.policy import recipients
from fedcollab.actors import keys
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, new_id
from fedcollab.base.database import wake
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared, put

from . import activitystreams as ap
from . import proofs
from .models import ACCEPTED, ADMITTED, DROPPED, NOT_THERE, OUTSIDE, SUSPENDED, WAITING, Activity, Delivery, Follow, Partner, is_open

KEPT = 45 * DAY  # how long partners can ask again for what they were sent


def new_uri(node: Node) -> str:
    """The id for a fresh activity."""
    return node.settings.uri(f"/activities/{new_id(node.now())}")


def followers(session: Session, audience_id: str, organisation_id: str, group_id: str, *, at: int | None = None) -> list[str]:
    """The organisations inside the audience (`at` a moment, for what came in then) that follow our Organization or its group: never
    more."""
    values = {"audience": audience_id, "organisation": organisation_id, "group": group_id} | ({} if at is None else {"at": at})
    return [row[0] for row in prepared(session, _followers_query(by_time=at is not None), values)]


@cache
def _followers_query(*, by_time: bool) -> sa.Select[Any]:
    targets: Any = (sa.bindparam("organisation"), sa.bindparam("group"))
    follows = sa.select(Follow.follower_id).where(Follow.target_id.in_(targets), Follow.state == ACCEPTED)
    return recipients(by_time=by_time).intersect(follows).subquery().select()


def publish(
    session: Session,
    node: Node,
    actor_id: str,
    activity: dict[str, Any],
    *,
    to: Iterable[str],
    order_key: str,
    about: str = "",
    share: str = "",
) -> dict[str, Any]:
    """Proves and records an activity and queues it for the nodes of the organisations `to`; call it late in the unit, before the audit.

    Activities with the same `order_key` (a thread, say) arrive in this order. What it is `about` (else the innermost object) is what
    `served` and `forget` know it by; `share` is the host that it is counted for where it is kept. Answers the activity as it was proved."""
    proved = proofs.prove(activity, keys.signer(session, node, actor_id, keys.ED25519), node.now())
    row_id = activity["id"].rsplit("/", 1)[-1]
    body = orjson.dumps(proved).decode()
    row = dict(id=row_id, uri=activity["id"], type=activity["type"], actor_id=actor_id, object_uri=about or _innermost(activity))
    put(session, Activity, **row, order_key=order_key, body=body, created_at=node.now(), purge_at=node.now() + KEPT, share=share)
    _queue(session, row_id, sorted(set(to)), order_key)
    return proved


def prove_anew(session: Session, node: Node, actor_id: str) -> None:
    """All that an actor of ours has published and others may still get, proved by its present key: who believes that one believes what
    the one before had proved no more."""
    signer = keys.signer(session, node, actor_id, keys.ED25519)
    kept = sa.select(Activity.id, Activity.body).where(Activity.actor_id == actor_id, Activity.body != "")
    for row in session.execute(kept).all():
        body = orjson.dumps(proofs.prove(orjson.loads(row.body), signer, node.now())).decode()
        session.execute(sa.update(Activity).where(Activity.id == row.id).values(body=body))


def publish_again(session: Session, organisation_id: str, activities: list[tuple[str, str]]) -> None:
    """Queues activities of ours, (row id, order key) in the order that they shall arrive in, for one more organisation; what was ever
    queued for it is not."""
    open_states = Partner.state.in_((ADMITTED, SUSPENDED))
    mine = sa.select(Partner.id, Partner.last_seq).where(Partner.organisation_id == organisation_id, open_states)
    there = session.execute(mine).one_or_none()
    if there is None:
        return
    ids = [activity_id for activity_id, _ in activities]
    had = set(session.scalars(sa.select(Delivery.activity_id).where(Delivery.partner_id == there.id, Delivery.activity_id.in_(ids))))
    rows = [
        dict(partner_id=there.id, seq=seq, activity_id=activity_id, order_key=order_key, state=WAITING)
        for seq, (activity_id, order_key) in enumerate((one for one in activities if one[0] not in had), there.last_seq + 1)
    ]
    if rows:
        session.execute(sa.update(Partner).where(Partner.id == there.id).values(last_seq=rows[-1]["seq"]))
        session.execute(sa.insert(Delivery), rows)
        wake(session, "delivery")


def served(session: Session, node: Node, object_uri: str, came_at: int) -> set[str]:
    """The organisations to which something about a thing that came in `came_at` was ever queued; of what is too old for the queue to
    know, all that were on our list by then."""
    if came_at < node.now() - KEPT:
        return set(session.scalars(sa.select(Partner.organisation_id).where(Partner.created_at <= came_at)))
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
    withhold(session, node, object_uri, "deleted before it was sent")
    session.execute(sa.update(Activity).where(Activity.object_uri == object_uri).values(body=""))


def withhold(session: Session, node: Node, object_uri: str, error: str) -> None:
    """What is about a thing and has not come to a partner is never sent, not by trying again either."""
    about = sa.select(Activity.id).where(Activity.object_uri == object_uri)
    waiting = sa.update(Delivery).where(Delivery.activity_id.in_(about), Delivery.state.in_(NOT_THERE))
    session.execute(waiting.values(state=DROPPED, done_at=node.now(), error=error))


def drop(session: Session, node: Node, organisation_id: str, order_keys: "sa.Select[Any]") -> None:
    """What waits for a partner under these keys of order is never sent: it is outside of what they belong to. Deletions still go."""
    mine = sa.select(Partner.id).where(Partner.organisation_id == organisation_id)
    there = sa.and_(Delivery.partner_id.in_(mine), is_open(Delivery, *NOT_THERE), Delivery.order_key.in_(order_keys))
    named = sa.or_(Activity.type == "Delete", Activity.body.contains('"type":"Delete"', autoescape=True))  # anywhere, to begin with
    query = sa.select(Activity.id, Activity.body).join(Delivery, Delivery.activity_id == Activity.id).where(there, named)
    deletes = [row.id for row in session.execute(query) if _deletes(orjson.loads(row.body or "{}"))]
    waiting = sa.update(Delivery).where(there, Delivery.activity_id.not_in(deletes))
    session.execute(waiting.values(state=DROPPED, done_at=node.now(), error="the partner may not take part in this"))


def _deletes(activity: dict[str, Any]) -> bool:
    """Whether an activity takes something away, itself or as the one that it carries: what else is called so inside counts for nothing."""
    carried = activity.get("object") if activity.get("type") == "Announce" else activity
    return ap.types(carried) == ["Delete"]


def _queue(session: Session, activity_id: str, organisations: list[str], order_key: str) -> None:
    """One delivery a partner, numbered without gaps in the order of commits."""
    if not organisations:
        return
    numbered = prepared(session, _numbered(), {"to": organisations}).all()
    if numbered:
        shared = dict(activity_id=activity_id, order_key=order_key, state=WAITING)
        put(session, Delivery, *(shared | dict(partner_id=partner_id, seq=seq) for partner_id, seq in numbered))
        wake(session, "delivery")


def _written_to() -> sa.ColumnElement[bool]:
    return sa.and_(Partner.organisation_id.in_(sa.bindparam("to", expanding=True)), Partner.state.in_((ADMITTED, SUSPENDED, OUTSIDE)))


@cache
def _numbered() -> sa.UpdateBase:
    table: Any = Partner.__table__
    return sa.update(table).where(_written_to()).values(last_seq=table.c.last_seq + 1).returning(table.c.id, table.c.last_seq)
