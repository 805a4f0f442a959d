"""Decides what an admin sees of what waits, and may do with it: try now, send again, put away, pause; nothing goes by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.database import wake
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared

from .models import ADMITTED, DROPPED, GIVEN_UP, OUTSIDE, PARKED, SUSPENDED, WAITING, Activity, Delivery, InboxItem, Partner, is_open

SHOWN = 50  # of each list
TALKED_WITH = (ADMITTED, SUSPENDED)


@dataclass(frozen=True)
class Line:
    """One partner's queue: how much waits, since when the oldest does, when it is tried next, and how the talk went. Times as elsewhere."""

    id: str
    host: str
    name: str
    state: str
    suspended_for: str
    waiting: int
    parked: int
    refused: int
    oldest_at: int | None
    next_try_at: int
    attempts: int
    last_success_at: int | None
    last_error_at: int | None
    last_error: str
    paused_at: int | None
    resync_at: int | None
    resync_error: str
    whole_at: int | None
    decided_at: int | None


@dataclass(frozen=True)
class GivenUp:
    """A delivery that is not tried any more: parked after its tries, or refused by the other side. `seq` is its number there."""

    partner_id: str
    host: str
    name: str
    seq: int
    state: str
    type: str
    created_at: int
    attempts: int
    status: int | None
    error: str


@dataclass(frozen=True)
class Stuck:
    """Something that came in and failed here at all its tries."""

    id: int
    host: str
    type: str
    received_at: int
    attempts: int
    reason: str


def lines(session: Session) -> list[Line]:
    """Every partner that is talked with, or that something is left of in the queue, by name."""
    counted = sa.select(Delivery.partner_id, Delivery.state, sa.func.count(), sa.func.min(Delivery.seq))
    counted = counted.where(is_open(Delivery, WAITING, *GIVEN_UP)).group_by(Delivery.partner_id, Delivery.state)
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for partner_id, state, number, first in session.execute(counted):
        found.setdefault(partner_id, {})[state] = (number, first)
    query = sa.select(Partner, Actor.name.label("called")).join(Actor, Actor.id == Partner.organisation_id)
    rows = session.execute(query.order_by(Actor.name, Partner.id)).all()
    return [_line(session, row, found.get(row.id, {})) for row in rows if _shown(row, found)]


def _shown(partner: Any, found: dict[str, Any]) -> bool:
    return partner.state in TALKED_WITH or partner.id in found


def _line(session: Session, partner: Any, queued: dict[str, tuple[int, int]]) -> Line:
    first = queued.get(WAITING, (0, 0))[1]
    made = sa.select(Activity.created_at).join(Delivery, Delivery.activity_id == Activity.id)
    oldest = session.scalar(made.where(Delivery.partner_id == partner.id, Delivery.seq == first)) if first else None
    numbers = {state: queued.get(state, (0, 0))[0] for state in (WAITING, *GIVEN_UP)}
    own: dict[str, Any] = {key: getattr(partner, key) for key in Line.__dataclass_fields__ if key not in (*numbers, "name", "oldest_at")}
    return Line(**own | numbers, name=partner.called, oldest_at=oldest)


def given_up(session: Session, limit: int = SHOWN) -> list[GivenUp]:
    """What was parked or refused and not put away, the newest of each first."""
    columns: tuple[Any, ...] = (
        Delivery.partner_id,
        Partner.host,
        Actor.name,
        Delivery.seq,
        Delivery.state,
        Activity.type,
        Activity.created_at,
        Delivery.attempts,
        Delivery.status,
        Delivery.error,
    )
    query = sa.select(*columns).join(Partner, Partner.id == Delivery.partner_id).join(Actor, Actor.id == Partner.organisation_id)
    query = query.join(Activity, Activity.id == Delivery.activity_id).where(is_open(Delivery, *GIVEN_UP))
    return [GivenUp(*row) for row in session.execute(query.order_by(Activity.created_at.desc(), Delivery.seq.desc()).limit(limit))]


def stuck(session: Session, limit: int = SHOWN) -> list[Stuck]:
    """What came in and is parked, the newest first."""
    columns = (InboxItem.id, InboxItem.host, InboxItem.body, InboxItem.received_at, InboxItem.attempts, InboxItem.reason)
    rows = session.execute(sa.select(*columns).where(is_open(InboxItem, PARKED)).order_by(InboxItem.id.desc()).limit(limit))
    return [Stuck(row.id, row.host, _type(row.body), row.received_at, row.attempts, row.reason) for row in rows]


def _type(body: dict[str, object]) -> str:
    kind = body.get("type")
    return kind[:32] if isinstance(kind, str) else ""


def attention(session: Session, _viewer: Viewer | None = None) -> int:
    """How many things were given up and wait for an admin: parked or refused deliveries, parked arrivals."""
    return int(prepared(session, _attention()).scalar_one())


@cache
def _attention() -> sa.Select[Any]:
    queued = sa.select(sa.func.count()).select_from(Partner).join(Delivery, Delivery.partner_id == Partner.id)
    arrived = sa.select(sa.func.count()).select_from(InboxItem).where(is_open(InboxItem, PARKED))
    return sa.select(queued.where(is_open(Delivery, *GIVEN_UP)).scalar_subquery() + arrived.scalar_subquery())


def _chosen(partner_id: str, seq: int | None, states: Sequence[str]) -> sa.ColumnElement[bool]:
    """One delivery, all of a partner's, or all."""
    chosen = [is_open(Delivery, *states), *([Delivery.partner_id == partner_id] if partner_id else [])]
    return sa.and_(*chosen, *([Delivery.seq == seq] if seq is not None else []))


def retry(session: Session, node: Node, *, partner_id: str = "", seq: int | None = None) -> int:
    """Sends again what was given up: one delivery (a refused one too), or all that are parked. Answers how many."""
    states = (PARKED,) if seq is None else GIVEN_UP
    heard = sa.select(Partner.id).where(Partner.state.in_((ADMITTED, SUSPENDED, OUTSIDE)))
    again = sa.update(Delivery).where(_chosen(partner_id, seq, states), Delivery.partner_id.in_(heard))
    values = dict(state=WAITING, attempts=0, next_try_at=0, done_at=None)
    partners = list(session.scalars(again.values(**values).returning(Delivery.partner_id)))
    for one in sorted(set(partners)):
        now(session, node, partner_id=one)
    return len(partners)


def drop(session: Session, node: Node, *, partner_id: str = "", seq: int | None = None) -> int:
    """Puts away what was given up; its reason stays on record. Answers how many."""
    away = sa.update(Delivery).where(_chosen(partner_id, seq, GIVEN_UP)).values(state=DROPPED, done_at=node.now())
    return len(session.execute(away.returning(Delivery.seq)).all())


def retry_arrived(session: Session, item_id: int | None = None) -> int:
    """Processes again what came in and was parked: one item, or all. Answers how many."""
    again = sa.update(InboxItem).where(is_open(InboxItem, PARKED), *([InboxItem.id == item_id] if item_id is not None else []))
    found = session.execute(again.values(state=WAITING, attempts=0, next_try_at=0).returning(InboxItem.id)).all()
    wake(session, "inbox")
    return len(found)


def drop_arrived(session: Session, item_id: int | None = None) -> int:
    """Puts away what came in and was parked; its text goes, its reason stays. Answers how many."""
    away = sa.update(InboxItem).where(is_open(InboxItem, PARKED), *([InboxItem.id == item_id] if item_id is not None else []))
    return len(session.execute(away.values(state=DROPPED, body={}).returning(InboxItem.id)).all())


def now(session: Session, node: Node, *, partner_id: str = "") -> None:
    """Tries what waits for one partner, or for all, at once; what was set aside as well."""
    late = sa.update(Delivery).where(_chosen(partner_id, None, (WAITING,)), Delivery.next_try_at > node.now())
    session.execute(late.values(next_try_at=0))
    chosen = sa.update(Partner).where(*([Partner.id == partner_id] if partner_id else []), Partner.next_try_at > node.now())
    session.execute(chosen.values(next_try_at=0))
    wake(session, "delivery")


def pause(session: Session, node: Node, *, on: bool, partner_id: str = "") -> None:
    """Sends one partner, or all, nothing for now, or again; what is published meanwhile waits. We still hear and answer them."""
    chosen = sa.update(Partner).where(*([Partner.id == partner_id] if partner_id else []))
    session.execute(chosen.where(Partner.paused_at.is_(None) if on else Partner.paused_at.is_not(None)).values(paused_at=_at(node, on=on)))
    wake(session, "delivery")


def _at(node: Node, *, on: bool) -> int | None:
    return node.now() if on else None
