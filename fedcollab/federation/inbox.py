"""Decides what happens between a verified request and its effect: stored once by its id, acknowledged, then processed in order."""

import time
from collections.abc import Collection
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.addresses import LONGEST, host_of
from fedcollab.base.clock import MICROSECONDS, MINUTE
from fedcollab.base.database import wake
from fedcollab.base.errors import BadRequest, Refused, Unauthorized
from fedcollab.base.session import Session
from fedcollab.base.statements import Lost, part, prepared, put_by

from . import activitystreams as ap
from . import lanes, partners
from .announce import unwrap
from .intake import once
from .models import DONE, EARLY, PARKED, WAITING, InboxItem, Partner, is_open
from .models import REFUSED as REFUSED_STATE
from .registry import NotPermitted, Registry, Verified

TRIES, EARLY_TRIES = 8, 5
UNIT = 0.015  # seconds: a unit of several items


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
        put_by(session, once(session.connection().dialect.name), rows)
        wake(session, "inbox")


def pass_over(session: Session, node: Node, partner: partners.PartnerData, uri: str, reason: str) -> None:
    """Keeps on record that something of a partner was not believed, where nobody hears it by the answer: `uri` says what."""
    what: dict[str, Any] = dict(host=partner.host, uri=uri, sender_id=partner.organisation_id, order_key="", body={}, epoch=None, seq=None)
    session.connection().execute(
        once(session.connection().dialect.name),
        [dict(**what, state=REFUSED_STATE, attempts=0, next_try_at=0, reason=reason[:500], received_at=node.now())],
    )


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


def settle(session: Session, node: Node, registry: Registry, item_id: int, fetched: dict[str, Any]) -> Refused | None:
    """Gives one item its effect; one that is refused is set aside, or marked and its refusal answered. All in one unit: between two, what
    it lacks could come, and it would be refused although nothing lacks any more. Raises Needs."""
    try:
        with part(session):
            process(session, node, registry, item_id, fetched=fetched)
    except Lost as lost:
        raise lost.__cause__ or lost from None  # what took the unit with it says more
    except Refused as refused:
        if wait(session, item_id, node.now()):
            return None
        refuse(session, node, item_id, refused)
        return refused
    return None


@cache
def _item_query() -> sa.Select[Any]:
    columns: list[Any] = [InboxItem.sender_id, InboxItem.body, InboxItem.state]
    return sa.select(*columns).where(InboxItem.id == sa.bindparam("item"))


@cache
def _done() -> sa.Update:
    table: Any = InboxItem.__table__
    return sa.update(table).where(table.c.id == sa.bindparam("item")).values(state=DONE, body={}, reason=sa.bindparam("why"))


def process_ready(session: Session, node: Node, registry: Registry, *, busy: Collection[str] = ()) -> tuple[int, lanes.Lanes, int | None]:
    """Gives what is ready its effect, for as long as a unit may take. Answers how many items it was, the lanes that are to go on by
    themselves (their next item is not simply good: it lacks a document, say) and when the next item that came too early is due. Raises
    Lost where the transaction went."""
    ends, done, alone, number = time.monotonic() + UNIT, 0, lanes.Lanes(), lanes.by_host(busy)
    for lane, items in lanes.ready(session, node.now(), busy=busy).items():
        for at, item_id in enumerate(items if number[lanes.host(lane)] < lanes.PER_HOST else ()):
            if (done or alone) and time.monotonic() > ends:
                return done, alone, lanes.next_early(session, busy)
            try:
                with part(session):
                    process(session, node, registry, item_id)
            except Lost:
                raise
            except Exception:  # noqa: BLE001  # whatever it is, it shows again where the item is looked at by itself
                alone[lane] = items[at:]
                number[lanes.host(lane)] += 1
                break
            done += 1
    return done, alone, lanes.next_early(session, busy)


def refuse(session: Session, node: Node, item_id: int, error: Refused) -> None:
    """Marks an item refused, with its reason for the admin, and tells its sender where somebody there waits to hear."""
    if isinstance(error, NotPermitted):
        for tell in error.tell:
            tell(session, node, error.received)
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
    numbered = sa.and_(InboxItem.epoch + 0 == epoch, InboxItem.seq + 0 < seq)  # so written no index of all numbers is walked for it
    open_ = sa.select(InboxItem.id).where(InboxItem.host == host, is_open(InboxItem, WAITING, EARLY), numbered)
    waits = session.execute(open_.limit(1)).first()
    return come < seq - 1 - first or waits is not None


def later(session: Session, item_id: int, now: int, reason: str) -> bool:
    """Sets an item aside for 1, 2, 4 ... minutes, half an hour in all, while its lane goes on: a document that it lacks cannot be had just
    now. False once that was tried long enough."""
    tries = session.execute(sa.select(InboxItem.attempts).where(InboxItem.id == item_id)).scalar_one()
    if tries >= EARLY_TRIES:
        return False
    _mark(session, item_id, state=EARLY, attempts=tries + 1, next_try_at=now + (MINUTE << tries), reason=reason[:500])
    wake(session, "inbox")
    return True


def postpone(session: Session, item_id: int, now: int, reason: str) -> None:
    """Backs off: 1, 2, 4 ... minutes; after 8 tries the item is parked for the admin to see."""
    tries = session.execute(
        sa.update(InboxItem).where(InboxItem.id == item_id).values(attempts=InboxItem.attempts + 1).returning(InboxItem.attempts)
    ).scalar_one()
    state = PARKED if tries >= TRIES else WAITING
    _mark(session, item_id, state=state, reason=reason[:500], next_try_at=now + 2 ** (tries - 1) * MINUTE)


def _mark(session: Session, item_id: int, **values: object) -> None:
    session.execute(sa.update(InboxItem).where(InboxItem.id == item_id).values(**values))
