"""Shows on both databases what waits, is asked for, given up, put away, kept and dropped: the same rows whichever it is."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.base.clock import DAY, MINUTE
from fedcollab.base.database import Database, open_database
from fedcollab.base.model import Model
from fedcollab.base.session import Session
from fedcollab.features.discussions import fate
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import away, catchup, delivery, inbox, lanes, outbox, partners, queue, receipts, retention, streams
from fedcollab.federation.delivery import Outcome
from fedcollab.federation.models import Activity, Delivery, InboxItem, Partner
from tests.rows import Hands, home, node, partner, receive

HOST = "p.example"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    made = open_database(database_url)
    Model.metadata.create_all(made.engine)
    yield made
    await asyncio.to_thread(made.close)


async def test_a_queue_from_its_first_delivery_to_its_purge(database: Database) -> None:
    clock = Hands()
    at = node(clock)

    def fill(session: Session) -> partners.PartnerData:
        me, there = home(session, at), partner(session, at, HOST)
        for number in range(5):
            made = ap.activity("Create", outbox.new_uri(at), me.uri, f"https://home.example/posts/{number}")
            outbox.publish(session, at, me.id, made, to=[there.organisation_id], order_key=f"t{number}")
        return there

    there = await database.write(fill)

    def give_up(session: Session) -> None:
        delivery.mark(session, at, there.id, [Outcome(1, 400, "answered 400")], release=True)
        for _ in range(delivery.TRIES):
            delivery.mark(session, at, there.id, [Outcome(2, 500, "answered 500")], release=True)
        outbox.forget(session, at, "https://home.example/posts/4")

    await database.write(give_up)
    [line] = await database.read(queue.lines)
    assert (line.waiting, line.parked, line.refused, line.oldest_at) == (2, 1, 1, clock())
    assert [one.seq for one in await database.read(queue.given_up)] == [2, 1]
    assert await database.read(queue.attention) == 2
    page = await database.read(streams.page, there.id, (1, 1))
    assert ([seq for seq, _ in page.entries], page.last, page.more) == ([2, 3, 4], 5, False)
    await database.write(streams.acknowledge, at, there.id, (1, 3))
    assert await states(database) == ["refused", "done", "done", "waiting", "dropped"]
    assert await database.write(queue.retry, at, partner_id=there.id, seq=1) == 1
    await database.write(queue.pause, at, on=True)
    assert await database.write(delivery.lease, clock()) == []
    await database.write(queue.pause, at, on=False)
    assert await database.write(delivery.lease, clock()) == [(there.id, HOST)]
    assert await database.write(queue.drop, at) == 0
    await database.write(streams.acknowledge, at, there.id, (1, 5))
    clock.at += 50 * DAY
    for chore in retention.CHORES:
        await database.write(chore, at)
    assert await states(database) == []
    assert await database.read(lambda session: session.scalar(sa.select(sa.func.count()).select_from(Activity))) == 0


async def states(database: Database) -> list[str]:
    found: list[str] = await database.read(lambda session: list(session.scalars(sa.select(Delivery.state).order_by(Delivery.seq))))
    return found


async def test_a_stream_is_counted_kept_in_order_and_its_gap_asked_for(database: Database) -> None:
    clock = Hands()
    at = node(clock)

    def fill(session: Session) -> partners.PartnerData:
        home(session, at)
        return partner(session, at, HOST)

    there = await database.write(fill)

    def activity(number: int) -> dict[str, object]:
        return {"id": f"https://{HOST}/{number}", "type": "Create", "object": {"id": "x", "type": "Note", "context": "t"}}

    def come(session: Session, *numbers: int) -> None:
        sender = actors.by_id(session, there.organisation_id)
        for number in numbers:
            receive(session, at, sender, activity(number), (3, number))

    await database.write(come, 2, 1, 4)
    await database.write(catchup.listen, at)
    assert await heard(database) == (3, 2, None)
    assert list((await database.read(lanes.ready, clock())).values()) == [await ids(database, 1, 2, 4)]
    assert await database.write(inbox.wait, (await ids(database, 4))[0], clock()), "3 may be on its way"
    assert not await database.write(inbox.wait, (await ids(database, 1))[0], clock())
    assert list((await database.read(lanes.ready, clock())).values()) == [await ids(database, 1, 2)]
    assert await database.read(lanes.next_early) == clock() + 1_000_000
    assert await database.read(lanes.early, clock()) == {}
    clock.at += 2 * MINUTE
    assert list((await database.read(lanes.early, clock())).values()) == [await ids(database, 4)]
    await database.write(catchup.listen, at)
    assert await heard(database) == (3, 2, clock())
    await database.write(
        inbox.receive_all, at, HOST, [(there.organisation_id, activity(3), 3, 3), (there.organisation_id, activity(4), 3, 4)]
    )
    await database.write(catchup.listen, at)
    assert (await heard(database))[:2] == (3, 4)
    assert len(await ids(database, 1, 2, 3, 4)) == 4

    def gone(session: Session) -> None:
        session.execute(sa.update(Partner).values(last_error="the connection was refused"))
        away.suspend_away(session, at)

    clock.at += 50 * DAY
    await database.write(gone)
    assert (await database.read(partners.find, HOST)).state == "suspended"


async def heard(database: Database) -> tuple[int, int, int | None]:
    columns = (Partner.heard_epoch, Partner.heard_seq, Partner.resync_at)
    return tuple(await database.read(lambda session: session.execute(sa.select(*columns)).one()))  # type: ignore[return-value]


async def ids(database: Database, *numbers: int) -> list[int]:
    query = sa.select(InboxItem.id).where(InboxItem.seq.in_(numbers)).order_by(InboxItem.seq)
    found: list[int] = await database.read(lambda session: list(session.scalars(query)))
    return found


async def test_receipts_and_what_is_told_of_posts(database: Database) -> None:
    clock = Hands()
    at = node(clock)

    def fill(session: Session) -> None:
        home(session, at)
        for _ in range(2):
            receipts.ask(session, at, "a", "post", [("https://p.example/actor", "P"), ("https://q.example/actor", "Q")])

    await database.write(fill)
    assert await database.write(receipts.confirm, at, "a", "https://p.example/actor") == "post"
    assert await database.write(receipts.confirm, at, "a", "https://p.example/actor") == ""
    assert await database.write(receipts.confirm, at, "b", "https://q.example/actor") == ""
    found = await database.read(receipts.of, clock() + 2 * DAY, ["post", "other"])
    assert [(one.name, one.confirmed_at, one.late) for one in found["post"]] == [("P", clock(), False), ("Q", None, True)]
    for query in (fate._counts_query(), fate._late_query()):
        assert await database.read(lambda session, q=query: session.execute(q, {"uris": ["post"]}).all()) == []
