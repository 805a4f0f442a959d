"""Decides what is kept of the talk between nodes and for how long: 45 days, in which partners can ask again and repetitions are known."""

from functools import cache

import sqlalchemy as sa

from fedcollab.access.models import Audience
from fedcollab.access.policy import of_group
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared

from .models import ADMITTED, DONE, DROPPED, REFUSED, Activity, Delivery, InboxItem, Partner, Receipt, is_open
from .outbox import KEPT
from .receipts import CONFIRMED

RECEIPTS_KEPT = 365 * DAY
SHORT = 7 * DAY  # in the place of 45 days, where the disk is almost full
AT_ONCE = 300  # rows a unit: a chore holds the writer for some milliseconds, once a minute


def purge_deliveries(session: Session, node: Node) -> None:
    """Deliveries that ended 45 days ago: a few of each partner's oldest."""
    for partner_id in session.scalars(sa.select(Partner.id).order_by(Partner.id)).all():
        for state in (DONE, REFUSED, DROPPED):
            prepared(session, _purge(state), {"partner": partner_id, "before": node.now() - KEPT})


@cache
def _purge(state: str) -> sa.Delete:
    ended = Delivery.state == DONE if state == DONE else is_open(Delivery, state)
    mine = sa.and_(Delivery.partner_id == sa.bindparam("partner"), ended)
    oldest = sa.select(Delivery.seq, Delivery.done_at).where(mine).order_by(Delivery.seq).limit(AT_ONCE).subquery()
    old = sa.select(oldest.c.seq).where(oldest.c.done_at < sa.bindparam("before"))
    return sa.delete(Delivery).where(mine, Delivery.seq.in_(old))


def purge_activities(session: Session, node: Node) -> None:
    """Activities of ours that nobody can ask for any more. What still waits for a partner stays, and so does what a group passed on whose
    newcomers may read what was written before them: both are looked at again later."""
    due = list(session.scalars(sa.select(Activity.id).where(Activity.purge_at < node.now()).order_by(Activity.purge_at).limit(AT_ONCE)))
    if not due:
        return
    mine, queued = Activity.id.in_(due), sa.exists().where(Delivery.activity_id == Activity.id)
    session.execute(sa.update(Activity).where(mine, queued).values(purge_at=node.now() + DAY))
    passed_on = sa.or_(of_group(), Activity.type == "Announce")  # what an organisation says itself is said anew
    open_group = sa.exists().where(Audience.group_id == Activity.actor_id, Audience.history, passed_on)
    session.execute(sa.update(Activity).where(mine, ~queued, open_group, Activity.body != "").values(purge_at=node.now() + KEPT))
    session.execute(sa.delete(Activity).where(mine, ~queued, sa.or_(~open_group, Activity.body == "")))


def purge_inbox(session: Session, node: Node, kept: int = KEPT) -> None:
    """What came in and was done or refused 45 days ago. A repetition beyond that has no effect either: a known post is not stored again,
    a deleted one leaves its Tombstone, a change older than the text is not taken, and a signature is good for minutes alone."""
    ended = sa.select(InboxItem.id, InboxItem.received_at).where(InboxItem.state.in_((DONE, REFUSED, DROPPED)))
    oldest = session.execute(ended.order_by(InboxItem.id).limit(AT_ONCE)).all()
    old = [row.id for row in oldest if row.received_at < node.now() - kept]
    session.execute(sa.delete(InboxItem).where(InboxItem.id.in_(old)))


def purge_receipts(session: Session, node: Node) -> None:
    """Others' word that they did what was asked, after a year. Where nobody has given it, the question stays and is shown as such."""
    given = sa.and_(Receipt.state == CONFIRMED, Receipt.sent_at < node.now() - RECEIPTS_KEPT)
    keys = sa.select(Receipt.activity_uri, Receipt.organisation_uri).where(given).order_by(Receipt.sent_at).limit(AT_ONCE)
    for activity_uri, organisation_uri in session.execute(keys).all():
        mine = sa.and_(Receipt.activity_uri == activity_uri, Receipt.organisation_uri == organisation_uri)
        session.execute(sa.delete(Receipt).where(mine))


def purge_early(session: Session, node: Node) -> None:
    """For a disk that is almost full: what partners have taken, and what came in and was done, goes after a week. Partners that ask again
    for what is older, for they were restored from a backup, get it no more. What those have that are no partners now stays known as long as
    ever: a deletion goes to them by it."""
    before = node.now() - SHORT
    for partner_id in session.scalars(sa.select(Partner.id).where(Partner.state == ADMITTED).order_by(Partner.id)).all():
        prepared(session, _purge(DONE), {"partner": partner_id, "before": before})
    purge_inbox(session, node, SHORT)
    queued = sa.exists().where(Delivery.activity_id == Activity.id)
    early = sa.select(Activity.id).where(Activity.purge_at.between(node.now(), before + KEPT), ~queued)
    chosen = early.order_by(Activity.purge_at).limit(AT_ONCE)
    session.execute(sa.update(Activity).where(Activity.id.in_(chosen.scalar_subquery())).values(purge_at=node.now() - 1))


CHORES = (purge_deliveries, purge_activities, purge_inbox, purge_receipts)
