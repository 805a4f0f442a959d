"""Decides what is known of whether others did what they were asked: who was asked, who confirmed it and when; silence is shown."""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY
from fedcollab.base.session import Session

from . import activitystreams as ap
from . import outbox
from .models import DROPPED, WAITING, Activity, Delivery, Partner, Receipt

SENT, CONFIRMED, REFUSED = "sent", "confirmed", "refused"
LATE = DAY
NEVER_CAME = "NeverCame"  # the code of one who confirms and had not got it: it takes it in no more


@dataclass(frozen=True)
class ReceiptData:
    """One organisation's: when it was asked, when it confirmed. `late`: it has not for more than a day. `refused`: it keeps it, by this
    code, since then; `never_came`: it confirms that it had not got it, and takes it in no more."""

    name: str
    sent_at: int
    confirmed_at: int | None
    late: bool
    refused: str = ""
    refused_at: int | None = None
    never_came: bool = False


def ask(session: Session, node: Node, activity_uri: str, object_uri: str, organisations: Iterable[tuple[str, str]]) -> None:
    """Remembers whom an activity asks, as (organisation's id, name); who is remembered already stays as it is."""
    there = set(session.scalars(sa.select(Receipt.organisation_uri).where(Receipt.activity_uri == activity_uri)))
    row = dict(activity_uri=activity_uri, object_uri=object_uri, state=SENT, sent_at=node.now())
    rows = [row | dict(organisation_uri=uri, name=name[:200]) for uri, name in dict(organisations).items() if uri not in there]
    if rows:
        session.execute(sa.insert(Receipt), rows)


def ask_also(session: Session, node: Node, object_uri: str, organisation: tuple[str, str]) -> None:
    """Remembers that the newest that was asked about a thing, or its deletion, asks this organisation (id, name) too."""
    newest = sa.select(Receipt.activity_uri).where(Receipt.object_uri == object_uri).order_by(Receipt.sent_at.desc()).limit(1)
    deleted = (
        sa.select(Activity.uri).where(Activity.object_uri == object_uri, Activity.type == "Delete").order_by(Activity.id.desc()).limit(1)
    )
    asked = session.scalar(newest) or session.scalar(deleted)
    if asked:
        ask(session, node, asked, object_uri, [organisation])


def confirm(session: Session, node: Node, activity_uri: str, organisation_uri: str, *, reason: object = "") -> str:
    """An organisation says that it has done it, perhaps by the code that it had not got it. Answers the id of what it is about; empty where
    nobody asked it, or it has said so."""
    asked = sa.and_(Receipt.activity_uri == activity_uri, Receipt.organisation_uri == organisation_uri, Receipt.state != CONFIRMED)
    said = (
        sa.update(Receipt).where(asked).values(state=CONFIRMED, answered_at=node.now(), reason=NEVER_CAME if reason == NEVER_CAME else "")
    )
    return session.execute(said.returning(Receipt.object_uri)).scalar_one_or_none() or ""


def refused(session: Session, node: Node, activity_uri: str, organisation_uri: str, reason: str) -> None:
    """An organisation says that it does not do it, and why, by a code; it may yet."""
    asked = sa.and_(Receipt.activity_uri == activity_uri, Receipt.organisation_uri == organisation_uri, Receipt.state != CONFIRMED)
    session.execute(sa.update(Receipt).where(asked).values(state=REFUSED, answered_at=node.now(), reason=reason))


def answer(session: Session, node: Node, activity: dict[str, object], *, to: str, order_key: str, reason: str = "") -> None:
    """Our Organization confirms to the organisation `to` that an activity was done here, perhaps by a code that says how."""
    _say(session, node, "Accept", activity, to, order_key, **({ap.REASON: reason} if reason else {}))


def refuse(session: Session, node: Node, activity: dict[str, object], reason: str, *, to: str, order_key: str) -> None:
    """Our Organization tells the organisation `to` that an activity is not done here, and why, by a code."""
    _say(session, node, "Reject", activity, to, order_key, **{ap.REASON: reason})


def _say(session: Session, node: Node, word: str, activity: dict[str, object], to: str, order_key: str, **more: str) -> None:
    me, kind = actors.own(session, node), ap.types(activity)[0]
    inner = {"id": ap.ident(activity), "type": kind, "actor": ap.ident(activity.get("actor")), "object": ap.ident(activity.get("object"))}
    made = ap.activity(word, outbox.new_uri(node), me.uri, inner, **more)
    outbox.publish(session, node, me.id, made, to=[to], order_key=order_key)


def of(session: Session, node_now: int, object_uris: Iterable[str]) -> dict[str, list[ReceiptData]]:
    """{id of what it is about: what each organisation said to the newest that was asked}, by name."""
    query = sa.select(Receipt).where(Receipt.object_uri.in_(list(object_uris))).order_by(Receipt.sent_at.desc(), Receipt.name)
    found: dict[str, list[ReceiptData]] = {}
    newest: dict[str, str] = {}
    for row in session.execute(query):
        if newest.setdefault(row.object_uri, row.activity_uri) == row.activity_uri:
            late = row.state == SENT and row.sent_at < node_now - LATE
            no = row.state == REFUSED
            when = (None, row.answered_at) if no else (row.answered_at, None)
            never = row.state == CONFIRMED and row.reason == NEVER_CAME
            said = ReceiptData(row.name, row.sent_at, when[0], late, row.reason if no else "", when[1], never)
            found.setdefault(row.object_uri, []).append(said)
    return found


def may_have(session: Session, object_uri: str) -> set[str]:
    """The organisations that something about a thing was really sent to, or may have been; not those for which all was dropped unsent."""
    query = sa.select(Partner.organisation_id).join(Delivery, Delivery.partner_id == Partner.id)
    query = query.join(Activity, Activity.id == Delivery.activity_id).where(Activity.object_uri == object_uri)
    return set(session.scalars(query.where(Delivery.state.not_in((DROPPED, WAITING)))))
