"""Decides what happens between a verified request and its effect: stored once by its id, acknowledged, then processed in order."""

import time
from collections.abc import Collection
from functools import cache
from itertools import takewhile
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.addresses import LONGEST, host_of
from fedcollab.base.clock import MICROSECONDS, MINUTE
from fedcollab.base.database import prepared, wake
from fedcollab.base.errors import BadRequest, Refused, Unauthorized

from . import activitystreams as ap
from . import partners
from .announce import unwrap
from .intake import once
from .models import DONE, EARLY, PARKED, WAITING, InboxItem, Partner, is_open
from .models import REFUSED as REFUSED_STATE
from .registry import Registry, Verified

BATCH = 100
TRIES, EARLY_TRIES = 8, 5
TOGETHER, UNIT = 20, 0.015  # items, seconds: a unit of several


def check(activity: object, signer: ActorData) -> dict[str, Any]:
    """The shape and origin of an activity. Raises BadRequest for a wrong shape, Unauthorized where the signer is not its actor, unless it
    is an actor of another host's, whose word is looked at later (`forwarding`)."""
    if not isinstance(activity, dict):
        raise BadRequest(reason="not an object")
    uri, kinds = ap.ident(activity), ap.types(activity)
    if not uri or not kinds:
        raise BadRequest(reason="an activity needs an id and a type")
    obj = activity.get("object")
    if isinstance(obj, dict) and set(kinds) & {"Create", "Update"} and not (ap.ident(obj) and ap.types(obj)):
        raise BadRequest(reason="an object needs an id and a type")
    actor = ap.one_ident(activity, "actor") if activity.get("actor") else signer.uri
    host = signer.host if actor == signer.uri else host_of(actor)
    if actor != signer.uri and host == signer.host:
        raise Unauthorized(reason="signed by another than its actor")
    if host_of(uri) != host:
        raise Unauthorized(reason="the id lies on another host than the actor")
    return activity | {"actor": actor}


def receive(session: Session, node: Node, sender: ActorData, activity: dict[str, Any], sequence: tuple[int, int] | None = None) -> bool:
    """Stores an activity once by its id within its signer's host; False where it was there already."""
    query = once(session.get_bind().dialect.name).returning(InboxItem.id)
    fresh = session.execute(query, row(node, sender, activity, sequence)).first() is not None
    if fresh:
        wake(session, "inbox")
    return fresh


def receive_all(session: Session, node: Node, host: str, found: list[tuple[str, dict[str, Any], int, int]]) -> None:
    """Stores what a partner's stream brought, (sender's row id, activity, epoch, number) in the stream's order, each once by its id.
    What was refused before is tried again here: what it needed may have come in between."""
    now, uris = node.now(), [activity["id"] for _, activity, _, _ in found]
    session.execute(sa.delete(InboxItem).where(InboxItem.host == host, InboxItem.uri.in_(uris), InboxItem.state == REFUSED_STATE))
    same = dict(host=host, state=WAITING, attempts=0, next_try_at=0, reason="", received_at=now)
    rows = [
        dict(uri=activity["id"], sender_id=sender, order_key=_order_key(activity), body=activity, epoch=epoch, seq=seq, **same)
        for sender, activity, epoch, seq in found
    ]
    if rows:
        session.connection().execute(once(session.get_bind().dialect.name), rows)
        wake(session, "inbox")


def row(node: Node, sender: ActorData, activity: dict[str, Any], sequence: tuple[int, int] | None = None) -> dict[str, Any]:
    """An activity as an inbox item; `sequence` is its epoch and number in the sender's stream to us."""
    epoch, seq = sequence or (None, None)
    what = dict(host=sender.host, uri=activity["id"], sender_id=sender.id, order_key=_order_key(activity), body=activity)
    return dict(**what, state=WAITING, attempts=0, next_try_at=0, reason="", received_at=node.now(), epoch=epoch, seq=seq)


def _order_key(activity: dict[str, Any]) -> str:
    """The thread of an activity's object (of the one inside an Announce) or, where it says none, of the activity itself; else nothing:
    what has no thread is in order by sender."""
    inner, context = activity.get("object"), ""
    while isinstance(inner, dict) and not context:
        context, inner = ap.ident(inner.get("context")), inner.get("object")
    return (context or ap.ident(activity.get("context"))).encode()[:LONGEST].decode(errors="ignore")


def due(session: Session, now: int, *, busy: Collection[str] = (), most: int = 16) -> dict[str, list[int]]:
    """{lane: its next items in the order they came}, for at most so many lanes: those whose heads came first, without those that are
    busy or whose head waits for its next try. However much one lane holds, the others are seen beside it."""
    heads = sa.select(sa.func.min(InboxItem.id).label("id")).where(is_open(InboxItem, WAITING))
    first = heads.group_by(InboxItem.host, InboxItem.order_key).subquery()
    query = sa.select(InboxItem.host, InboxItem.order_key).join(first, first.c.id == InboxItem.id).where(InboxItem.next_try_at <= now)
    lanes = [(f"{row.host} {row.order_key}", row) for row in session.execute(query.order_by(InboxItem.id))]
    return {lane: _ready(session, row.host, row.order_key, now) for lane, row in [one for one in lanes if one[0] not in busy][:most]}


def _ready(session: Session, host: str, order_key: str, now: int) -> list[int]:
    """A lane's items from its head to the first that waits for its next try; where their sender has numbered all of them, as it did."""
    lane = sa.and_(InboxItem.host == host, InboxItem.order_key == order_key, is_open(InboxItem, WAITING))
    query = sa.select(InboxItem.id, InboxItem.next_try_at, InboxItem.epoch, InboxItem.seq).where(lane).order_by(InboxItem.id).limit(BATCH)
    rows = list(takewhile(lambda row: row.next_try_at <= now, session.execute(query)))
    if all(row.seq is not None for row in rows):
        rows.sort(key=lambda row: (row.epoch or 0, row.seq or 0))
    return [row.id for row in rows]


def look(session: Session, now: int, *, busy: Collection[str], most: int) -> tuple[dict[str, list[int]], int | None]:
    """What is `due`, what came too early and is tried again now in a lane of its own, and when the next such one is."""
    found = due(session, now, busy=busy, most=most)
    early = sa.select(InboxItem.id).where(is_open(InboxItem, EARLY), InboxItem.next_try_at <= now)
    again = [] if EARLY in busy else list(session.scalars(early.order_by(InboxItem.next_try_at, InboxItem.id).limit(BATCH)))
    later = sa.select(sa.func.min(InboxItem.next_try_at)).where(is_open(InboxItem, EARLY), InboxItem.next_try_at > now)
    return (found | {EARLY: again} if again else found), session.scalar(later)


def process(session: Session, node: Node, registry: Registry, item_id: int, *, fetched: dict[str, Any] | None = None) -> None:
    """Gives one item its effect and marks it done, in one commit; its text goes, so that what is deleted later is nowhere else.

    Raises Needs for what must be fetched first, and Refused."""
    item = prepared(session, _item_query(), {"item": item_id}).one()
    if item.state not in (WAITING, EARLY):
        return
    sender = actors.by_id(session, item.sender_id)
    permitted, outside = partners.permitted(session, sender.organisation_id)
    verified = unwrap(session, node, Verified(item.body, sender, sender, outside=outside), fetched or {})
    if verified.through is None and verified.actor.organisation_id != sender.organisation_id:
        permitted, _ = partners.permitted(session, verified.actor.organisation_id)  # whoever brings it
    found = registry.find(verified, permitted)
    for work in found:
        work(session, node, verified)
    prepared(session, _done(), {"item": item_id, "why": "" if found else "nothing here handles this type"})


@cache
def _item_query() -> sa.Select[Any]:
    columns: list[Any] = [InboxItem.sender_id, InboxItem.body, InboxItem.state]
    return sa.select(*columns).where(InboxItem.id == sa.bindparam("item"))


@cache
def _done() -> sa.Update:
    table: Any = InboxItem.__table__
    return sa.update(table).where(table.c.id == sa.bindparam("item")).values(state=DONE, body={}, reason=sa.bindparam("why"))


def process_some(session: Session, node: Node, registry: Registry, items: list[int]) -> int:
    """Gives the first of these items their effect, in one commit; answers how many it was, for a unit has its time. Raises what any of
    them raises, and then none has an effect."""
    ends = time.monotonic() + UNIT
    for done, item_id in enumerate(items):
        if done and time.monotonic() > ends:
            return done
        process(session, node, registry, item_id)
    return len(items)


def refuse(session: Session, item_id: int, error: Refused) -> None:
    """Marks an item refused, with its reason for the admin."""
    _mark(session, item_id, state=REFUSED_STATE, body={}, reason=str(error)[:500])


def wait(session: Session, item_id: int, now: int) -> bool:
    """Sets an item that came too early aside for 1, 2, 4 ... seconds, while its lane goes on; whether that makes sense: only while its
    sender's numbers say that something before it has not come or not been processed, and for half a minute."""
    row = session.execute(
        sa.select(InboxItem.host, InboxItem.epoch, InboxItem.seq, InboxItem.attempts).where(InboxItem.id == item_id)
    ).one()
    if row.epoch is None or row.seq is None or row.attempts >= EARLY_TRIES or not _behind(session, row.host, row.epoch, row.seq):
        return False
    at = now + (MICROSECONDS << row.attempts)
    _mark(session, item_id, state=EARLY, attempts=row.attempts + 1, next_try_at=at, reason="came before what it is about")
    wake(session, "inbox")
    return True


def _behind(session: Session, host: str, epoch: int, seq: int) -> bool:
    """Whether a number before this one lacks or waits. What was counted as here without a gap is not looked at again."""
    heard = sa.select(Partner.heard_seq).where(Partner.host == host, Partner.heard_epoch == epoch)
    first = session.execute(heard).scalar_one_or_none() or 0
    before = sa.and_(InboxItem.host == host, InboxItem.epoch == epoch, InboxItem.seq < seq)
    come = session.scalar(sa.select(sa.func.count()).select_from(InboxItem).where(before, InboxItem.seq > first)) or 0
    waits = session.execute(sa.select(InboxItem.id).where(before, InboxItem.state.in_((WAITING, EARLY))).limit(1)).first()
    return come < seq - 1 - first or waits is not None


def postpone(session: Session, item_id: int, now: int, reason: str) -> None:
    """Backs off: 1, 2, 4 ... minutes; after 8 tries the item is parked for the admin to see."""
    tries = session.execute(
        sa.update(InboxItem).where(InboxItem.id == item_id).values(attempts=InboxItem.attempts + 1).returning(InboxItem.attempts)
    ).scalar_one()
    state = PARKED if tries >= TRIES else WAITING
    _mark(session, item_id, state=state, reason=reason[:500], next_try_at=now + 2 ** (tries - 1) * MINUTE)


def _mark(session: Session, item_id: int, **values: object) -> None:
    session.execute(sa.update(InboxItem).where(InboxItem.id == item_id).values(**values))
