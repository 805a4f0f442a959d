"""Decides the order and fate of deliveries: leased by partner, in order within a thread, backoff by who is to blame."""

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import HOUR, MICROSECONDS, MINUTE
from fedcollab.base.database import Database
from fedcollab.base.model import aliased
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared

from . import receipts
from .models import ADMITTED, DONE, DROPPED, LEFT, OUTSIDE, PARKED, WAITING, Activity, Delivery, Partner, is_open
from .models import REFUSED as REFUSED_STATE

SPOKEN_TO = (ADMITTED, LEFT, OUTSIDE)  # to one that has left only our Undo still goes: it is inside no audience
LANES = 8
BATCH = 64
LEASE = 2 * MINUTE
EARLIER = aliased(Delivery)  # made once: an alias copies every column
WORD, BEFORE = aliased(Activity), aliased(Activity)
TRIES = 12
FIRST_PAUSE = 2 * MICROSECONDS
LONGEST_PAUSE = 6 * HOUR
JUDGES_ACTIVITY = frozenset((400, 404, 410, 413, 415, 422))
JUDGES_PARTNER = frozenset((401, 403, 405, 407, 408, 421, 425, 426, 429, 503))
NO_ROOM, ROOM_PAUSE = 507, 10 * MINUTE
BY_PROXY = frozenset((502, 504))  # what a web server in front says: nobody is behind it, or who is has stumbled over this one


class Verdict(Enum):
    """Of what an answer speaks: all is well, the activity is refused for good, the partner cannot now, or this activity fails there."""

    DONE = "done"
    REFUSED = "refused"
    PARTNER = "partner"
    ACTIVITY = "activity"


@dataclass(frozen=True)
class Parcel:
    """One delivery ready to go."""

    seq: int
    order_key: str
    inbox: str
    actor_id: str
    body: bytes
    epoch: int = 1


@dataclass(frozen=True)
class Outcome:
    """What became of one delivery; `status` 0 means that nobody answered, `away` that nobody stands behind who did."""

    seq: int
    status: int
    error: str = ""
    retry_after: int | None = None
    away: bool = False

    @property
    def verdict(self) -> Verdict:
        if 200 <= self.status < 300:
            return Verdict.DONE
        if self.status in JUDGES_ACTIVITY:
            return Verdict.REFUSED
        if (
            self.status >= 400 and not self.away and self.status not in JUDGES_PARTNER
        ):  # whatever it means: one of these must not hold up all others
            return Verdict.ACTIVITY
        return Verdict.PARTNER


def lease(session: Session, now: int) -> list[tuple[str, str]]:
    """Takes the partners that are due, have something to send now and are in nobody's hands: (row id, host)."""
    waiting = sa.exists().where(Delivery.partner_id == Partner.id, is_open(Delivery, WAITING), ~_held(now))
    due = sa.and_(_spoken_to(), Partner.next_try_at <= now, Partner.leased_until <= now, waiting)
    return [
        (row.id, row.host)
        for row in session.execute(sa.update(Partner).where(due).values(leased_until=now + LEASE).returning(Partner.id, Partner.host))
    ]


def _spoken_to() -> sa.ColumnElement[bool]:
    """The partners that anything is sent to, those aside for which our admin has paused it."""
    return sa.and_(Partner.state.in_(SPOKEN_TO), Partner.paused_at.is_(None))


def _held(now: int | sa.BindParameter[int]) -> sa.Exists:
    """Whether a delivery, or one before it in its thread, waits for its own next try. Where that one waits for room, it holds what is of
    the same author and kept there too, and what is about the same thing: all else goes past it."""
    same = sa.exists().where(EARLIER.partner_id == Delivery.partner_id, EARLIER.order_key == Delivery.order_key, is_open(EARLIER, WAITING))
    holds = sa.or_(EARLIER.seq == Delivery.seq, EARLIER.status.is_(None), EARLIER.status != NO_ROOM, ~_goes_past())
    return same.where(EARLIER.seq <= Delivery.seq, EARLIER.next_try_at > now, holds)


def _goes_past() -> sa.Exists:
    """Whether a delivery takes nothing of the share that the one before it waits for, and is about something else."""
    both = sa.and_(WORD.id == Delivery.activity_id, BEFORE.id == EARLIER.activity_id)
    apart = sa.and_(BEFORE.share != "", BEFORE.share != WORD.share, BEFORE.object_uri != WORD.object_uri)
    return sa.exists().where(both, apart).correlate(Delivery, EARLIER)


def release_all(session: Session) -> None:
    """Gives back what a process that died had in its hands; for a process that starts and is the only one of its node."""
    session.execute(sa.update(Partner).where(Partner.leased_until > 0).values(leased_until=0))


def next_due(session: Session, now: int) -> int | None:
    """When to look again: the first partner's next try or end of its lease, or the next try of a delivery that was set aside at a
    partner which is due itself; or None."""
    greatest = sa.func.max if session.connection().dialect.name == "sqlite" else sa.func.greatest
    at = greatest(Partner.next_try_at, Partner.leased_until)
    waiting = sa.and_(Delivery.partner_id == Partner.id, is_open(Delivery, WAITING))
    later = sa.select(sa.func.min(at)).where(_spoken_to(), at > now, sa.exists().where(waiting))
    aside = sa.select(sa.func.min(Delivery.next_try_at)).select_from(Delivery).join(Partner, waiting).where(_spoken_to(), at <= now)
    times = (session.execute(later).scalar_one(), session.execute(aside.where(Delivery.next_try_at > now)).scalar_one())
    return min((found for found in times if found is not None), default=None)


def batch(session: Session, partner_id: str, now: int) -> list[Parcel]:
    """The partner's next deliveries in the order of its numbering, without threads whose head waits for its own next try."""
    rows = prepared(session, _batch(), {"partner": partner_id, "now": now})
    return [Parcel(r.seq, r.order_key, r.inbox, r.actor_id, r.body.encode(), r.epoch) for r in rows]


@cache
def _batch() -> sa.Select[Any]:
    columns: list[Any] = [Delivery.seq, Delivery.order_key, Actor.inbox, Activity.actor_id, Activity.body, Partner.epoch]
    query = (
        sa.select(*columns)
        .select_from(Delivery)
        .join(Activity, Activity.id == Delivery.activity_id)
        .join(Partner, Partner.id == Delivery.partner_id)
        .join(Actor, Actor.id == Partner.organisation_id)
        .where(Delivery.partner_id == sa.bindparam("partner"), is_open(Delivery, WAITING), _spoken_to())
    )
    return query.where(~_held(sa.bindparam("now"))).order_by(Delivery.seq).limit(BATCH)


async def still_goes(database: Database, partner_id: str, seq: int) -> bool:
    """Whether a delivery may go right now: since its batch was read the partner may have been blocked, or the post deleted."""
    return bool(await database.look(_going(), {"partner": partner_id, "seq": seq}))


@cache
def _going() -> sa.Select[Any]:
    query = sa.select(Delivery.seq).join(Partner, Partner.id == Delivery.partner_id)
    query = query.where(Delivery.partner_id == sa.bindparam("partner"), Delivery.seq == sa.bindparam("seq"))
    return query.where(Delivery.state == WAITING, sa.or_(*(Partner.state == state for state in SPOKEN_TO)), Partner.paused_at.is_(None))


def mark(session: Session, node: Node, partner_id: str, outcomes: list[Outcome], *, release: bool, form: str = "") -> None:
    """Records what became of a burst, in one unit; `release` gives the partner back to whoever is next. `form` is the form of signature
    that it accepted, where it accepted one."""
    now = node.now()
    done = [dict(partner=partner_id, at=o.seq, status_=o.status, now=now) for o in outcomes if o.verdict is Verdict.DONE]
    if done and session.connection().execute(_done(), done).rowcount < len(done):
        _there_after_all(session, node, partner_id, [o.seq for o in outcomes if o.verdict is Verdict.DONE])
    for outcome in outcomes:
        row = sa.update(Delivery).where(Delivery.partner_id == partner_id, Delivery.seq == outcome.seq, Delivery.state == WAITING)
        if outcome.verdict is Verdict.REFUSED:
            session.execute(row.values(state=REFUSED_STATE, status=outcome.status, done_at=now, error=outcome.error[:500]))
        elif outcome.verdict is Verdict.ACTIVITY:
            _set_aside(session, row, outcome, now)
    values: dict[str, object] = {"leased_until": 0 if release else now + LEASE} | ({"form": form} if form else {})
    values.update(_line(session, partner_id, outcomes, now))
    session.execute(sa.update(Partner).where(Partner.id == partner_id).values(**values))


@cache
def _done() -> sa.Update:
    """Marks what has arrived: all of a burst at once."""
    table: Any = Delivery.__table__
    mine = sa.and_(table.c.partner_id == sa.bindparam("partner"), table.c.seq == sa.bindparam("at"), table.c.state == WAITING)
    return sa.update(table).where(mine).values(state=DONE, status=sa.bindparam("status_"), done_at=sa.bindparam("now"), error="")


def _there_after_all(session: Session, node: Node, partner_id: str, seqs: list[int]) -> None:
    """What was taken back just while it was on its way has come there: who has it is asked to confirm its deletion like all others."""
    dropped = sa.update(Delivery).where(Delivery.partner_id == partner_id, Delivery.seq.in_(seqs), Delivery.state == DROPPED)
    came = list(session.scalars(dropped.values(state=DONE, done_at=node.now(), error="").returning(Delivery.activity_id)))
    query = sa.select(Actor.uri, Actor.name).join(Partner, Partner.organisation_id == Actor.id).where(Partner.id == partner_id)
    there = session.execute(query).one()
    for about in session.scalars(sa.select(Activity.object_uri).distinct().where(Activity.id.in_(came), Activity.type != "Delete")):
        receipts.ask_also(session, node, about, (there.uri, there.name))


def _set_aside(session: Session, row: sa.Update, outcome: Outcome, now: int) -> None:
    """An error that is this activity's own: it and its thread wait, the rest goes on; after 12 tries it is parked. Where they have no
    room it is tried every ten minutes for as long as it takes: their admin may give some at any time."""
    query = row.values(attempts=Delivery.attempts + 1, status=outcome.status, error=outcome.error[:500]).returning(Delivery.attempts)
    tries = session.execute(query).scalar_one_or_none()
    if tries is not None:
        full = outcome.status == NO_ROOM
        wait = min(pause(tries), ROOM_PAUSE) if full else pause(tries)
        session.execute(row.values(next_try_at=now + wait, state=PARKED if tries >= TRIES and not full else WAITING))


def _line(session: Session, partner_id: str, outcomes: list[Outcome], now: int) -> dict[str, object]:
    """The state of the partner's line after a burst: an answer to an activity clears it, a verdict on the partner backs it off. Only what
    was taken is a success."""
    values: dict[str, object] = {}
    if any(o.verdict is not Verdict.PARTNER for o in outcomes):
        values = {"attempts": 0, "next_try_at": 0, "last_error": ""}
    if any(o.verdict is Verdict.DONE for o in outcomes):
        values["last_success_at"] = now
    judged = [o for o in outcomes if o.verdict is Verdict.PARTNER]
    if judged:
        tries = session.execute(sa.select(Partner.attempts).where(Partner.id == partner_id)).scalar_one() + 1
        wait = judged[-1].retry_after
        at = now + (min(wait * MICROSECONDS, LONGEST_PAUSE) if wait else pause(tries))
        values |= {"attempts": tries, "next_try_at": at, "last_error_at": now, "last_error": judged[-1].error[:500]}
    return values


def pause(tries: int) -> int:
    """Microseconds until the next try: 2, 4, 8 ... seconds, at most 6 hours."""
    return min(FIRST_PAUSE << min(tries, 20) - 1, LONGEST_PAUSE)


def no_room(session: Session, order_key: str) -> list[str]:
    """The organisations, by row id, whose nodes have no room for what is next in a thread."""
    waits = sa.and_(Delivery.partner_id == Partner.id, is_open(Delivery, WAITING), Delivery.order_key == order_key)
    query = sa.select(Partner.organisation_id).where(sa.exists().where(waits, Delivery.status == NO_ROOM))
    return list(session.scalars(query.order_by(Partner.organisation_id)))


def counts(session: Session) -> dict[str, dict[str, int]]:
    """{partner row id: {state: deliveries}} of what is not done."""
    query = (
        sa.select(Delivery.partner_id, Delivery.state, sa.func.count())
        .join(Partner, Partner.id == Delivery.partner_id)
        .where(is_open(Delivery, WAITING, PARKED, REFUSED_STATE))
        .group_by(Delivery.partner_id, Delivery.state)
    )
    found: dict[str, dict[str, int]] = {}
    for partner_id, state, number in session.execute(query):
        found.setdefault(partner_id, {})[state] = number
    return found
