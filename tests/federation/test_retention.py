"""Shows what is kept of the talk between nodes and what goes: nothing that still waits, nothing that newcomers may read."""

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.actors import service as actors
from fedcollab.base.clock import DAY
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import delivery, outbox, retention
from fedcollab.federation.delivery import Outcome
from fedcollab.federation.models import Activity, Delivery, InboxItem
from tests.rows import Hands, home, memory, node, partner, quick_keys

AGO = 46 * DAY


class Old:
    """A node on which much time goes by."""

    def __init__(self, session: Session) -> None:
        self.session, self.clock = session, Hands()
        self.node = node(self.clock)
        self.me = home(session, self.node)

    def publish(self, actor_id: str, *to: str) -> str:
        uri = outbox.new_uri(self.node)
        made = ap.activity("Create", uri, self.me.uri, f"https://home.example/posts/{uri[-36:]}")
        outbox.publish(self.session, self.node, actor_id, made, to=to, order_key="a")
        return uri

    def run(self) -> None:
        for chore in retention.CHORES:
            chore(self.session, self.node)

    def left(self) -> set[str]:
        return set(self.session.scalars(sa.select(Activity.uri)))


def test_what_was_delivered_goes_after_45_days_and_what_waits_stays() -> None:
    with memory() as session:
        old = Old(session)
        there = partner(session, old.node, "p.example")
        alone, done, waiting = old.publish(old.me.id), old.publish(old.me.id, there.organisation_id), ""
        delivery.mark(session, old.node, there.id, [Outcome(1, 202)], release=True)
        waiting = old.publish(old.me.id, there.organisation_id)
        old.clock.at += 44 * DAY
        old.run()
        assert old.left() == {alone, done, waiting}
        old.clock.at += 2 * DAY
        old.run()
        assert old.left() == {waiting}
        assert session.execute(sa.select(Delivery.seq, Delivery.state)).all() == [(2, "waiting")]
        delivery.mark(session, old.node, there.id, [Outcome(2, 202)], release=True)
        old.clock.at += AGO
        old.run()
        assert old.left() == set()
        fresh = old.publish(old.me.id, there.organisation_id)
        assert session.execute(sa.select(Delivery.seq)).all() == [(3,)], "numbers go on"
        assert old.left() == {fresh}


def test_what_newcomers_may_read_is_kept_until_it_is_deleted() -> None:
    with memory() as session:
        old = Old(session)
        with quick_keys():
            kept, shut = (actors.create_own(session, old.node, actors.GROUP, username=name, name=name.title()) for name in ("open", "shut"))
        for group in (kept, shut):
            policy.open_audience(session, now=old.clock(), label="TLP:GREEN", owner_id=old.me.id, group_id=group.id, history=group is kept)
        stays, goes, deleted = old.publish(kept.id), old.publish(shut.id), old.publish(kept.id)
        for _ in range(3):
            old.clock.at += AGO
            old.run()
        assert old.left() == {stays, deleted}
        assert goes not in old.left()
        outbox.forget(session, old.node, f"https://home.example/posts/{deleted[-36:]}")
        old.clock.at += AGO
        old.run()
        assert old.left() == {stays}


def test_a_unit_takes_a_bounded_number_and_the_inbox_keeps_what_is_not_done() -> None:
    with memory() as session:
        old = Old(session)
        there = partner(session, old.node, "p.example")
        row = dict(host="p.example", sender_id=there.organisation_id, order_key="", body={}, attempts=0, next_try_at=0, reason="")
        states = ["waiting", "parked", *["done"] * retention.AT_ONCE, "refused", "done"]
        session.execute(
            sa.insert(InboxItem), [row | dict(uri=f"u{i}", state=state, received_at=old.clock()) for i, state in enumerate(states)]
        )
        counted = sa.select(sa.func.count()).select_from(InboxItem)
        for expected in (len(states) - retention.AT_ONCE, 2, 2):
            old.clock.at += AGO
            old.run()
            assert session.scalar(counted) == expected
        assert set(session.scalars(sa.select(InboxItem.state))) == {"waiting", "parked"}


def test_what_is_parked_for_an_admin_keeps_nothing_after_it_from_going() -> None:
    with memory() as session:
        old = Old(session)
        there = partner(session, old.node, "p.example")

        def came(state: str, number: int) -> None:
            row = dict(host=there.host, sender_id=there.organisation_id, order_key="", body={}, state=state, received_at=old.clock())
            rows = [row | dict(uri=f"https://p.example/{state}/{one}") for one in range(number)]
            session.execute(sa.insert(InboxItem), rows)

        came("parked", 2 * retention.AT_ONCE + 1)
        came("done", 3)
        old.clock.at += AGO
        came("refused", 1)
        old.run()
        counted = session.execute(sa.select(InboxItem.state, sa.func.count().label("many")).group_by(InboxItem.state))
        assert {row.state: row.many for row in counted} == {"parked": 2 * retention.AT_ONCE + 1, "refused": 1}
