"""Shows that a partner away for 45 days is suspended in sight with its queue kept, and that one action brings all to both sides."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.admin import queue as acts
from fedcollab.base.clock import DAY
from fedcollab.base.session import Session
from fedcollab.features.discussions import service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import away, delivery, outbox, partners, retention
from fedcollab.federation.delivery import Outcome
from fedcollab.federation.models import ADMITTED, Delivery, InboxItem, Partner
from tests import nodes
from tests.rows import Hands, home, memory, node, partner


def fail(session: Session, clock: Hands, days: int) -> None:
    """A day after the other the partner does not answer."""
    at = node(clock)
    found = partners.find(session, "p.example")
    for _ in range(days):
        clock.at += DAY
        delivery.mark(session, at, found.id, [Outcome(1, 0, "the connection was refused")], release=True)
        away.suspend_away(session, at)
        for chore in retention.CHORES:
            chore(session, at)


@pytest.mark.rule("R4")
def test_after_45_days_without_an_answer_a_partner_is_suspended_in_sight_and_its_queue_is_kept() -> None:
    with memory() as session:
        clock = Hands()
        at = node(clock)
        me, there = home(session, at), partner(session, at, "p.example")
        for number in range(3):
            made = ap.activity("Create", outbox.new_uri(at), me.uri, f"https://home.example/posts/{number}")
            outbox.publish(session, at, me.id, made, to=[there.organisation_id], order_key="a")
        fail(session, clock, 45)
        assert partners.find(session, "p.example").state == ADMITTED
        fail(session, clock, 1)
        row = session.execute(sa.select(Partner.state, Partner.suspended_for)).one()
        assert tuple(row) == ("suspended", "away")
        assert [(e.action, e.subject) for e in audit.newest(session)] == [("partner.away", "p.example")]
        clock.at += 400 * DAY
        for chore in retention.CHORES:
            chore(session, at)
        assert list(session.scalars(sa.select(Delivery.state))) == ["waiting"] * 3
        assert session.scalar(sa.text("SELECT count(*) FROM activity WHERE body <> ''")) == 3
        partners.move(session, at, None, partners.find(session, "p.example"), ADMITTED)
        assert session.execute(sa.select(Partner.suspended_for)).scalar_one() == ""
        assert len(delivery.batch(session, there.id, clock())) == 3


def test_a_partner_that_speaks_to_us_or_to_which_nothing_is_sent_is_not_away() -> None:
    with memory() as session:
        clock = Hands()
        at = node(clock)
        home(session, at)
        there = partner(session, at, "p.example")
        clock.at += 100 * DAY
        away.suspend_away(session, at)
        row = dict(host="p.example", uri="u", sender_id=there.organisation_id, order_key="", body={}, state="done", attempts=0)
        session.execute(sa.insert(InboxItem).values(**row, next_try_at=0, reason="", received_at=clock()))
        session.execute(sa.update(Partner).values(last_error="answered 403"))
        away.suspend_away(session, at)
        assert partners.find(session, "p.example").state == ADMITTED


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[list[nodes.Here]]:
    async with nodes.running(tmp_path, "Meridian Outreach", "Casa Ladera") as made:
        await nodes.befriend(*made)
        yield made


@pytest.mark.rule("R4")
async def test_one_action_drains_the_queue_and_asks_for_what_was_turned_away_meanwhile(two: list[nodes.Here]) -> None:
    host, other = two
    group = await host.group()
    first = await host.write(service.post_thread, host.viewer, group.id, title="Away", text="before")
    await nodes.until("the first", lambda: other.sql("SELECT id FROM thread"))
    [(thread,)] = await other.sql("SELECT id FROM thread")

    def suspend(session: Session) -> None:
        session.execute(sa.update(Partner).values(last_error="the connection was refused", last_success_at=1, decided_at=1))
        session.execute(sa.update(InboxItem).values(received_at=1))
        away.suspend_away(session, host.kernel.node)

    await host.read_write(suspend)
    for number in range(3):
        await host.write(service.post_reply, host.viewer, first.thread_id, text=f"theirs {number}")
        await other.write(service.post_reply, other.viewer, thread, text=f"ours {number}")
    await nodes.until("turned away", lambda: other.sql("SELECT 1 FROM partner WHERE last_error = 'answered 403'"))
    assert await host.sql("SELECT count(*) FROM delivery WHERE state = 'waiting'") == [(3,)]
    partner_id = (await host.sql("SELECT id FROM partner"))[0][0]
    await host.write(acts.resync, host.viewer, acts.Chosen(partner_id))
    for one in two:
        await nodes.until("all are on both", lambda one=one: one.sql("SELECT 1 WHERE (SELECT count(*) FROM post WHERE place < 100) = 7"))
        assert await one.sql("SELECT count(*) FROM inbox_item WHERE state = 'refused'") == [(0,)]
    assert await host.sql("SELECT html FROM post ORDER BY place") == await other.sql("SELECT html FROM post ORDER BY place")
    print("45 days away: lost 0, duplicated 0, reordered 0")
