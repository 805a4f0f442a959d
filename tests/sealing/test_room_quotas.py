"""Shows how much of what a partner has sealed is taken in: beyond it nothing is stored and nothing lost, all else goes on, the sender's
people see why, and room alone lets it come."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import MINUTE
from fedcollab.base.database import wake
from fedcollab.federation import catchup, streams
from fedcollab.federation.delivery import Outcome, Verdict
from fedcollab.sealing import access_list, naming, room_quotas, room_sending, rooms, sealed_files, working
from fedcollab.sealing.room_models import SealedFile, SealedMessage
from tests.features.cases.desks import office
from tests.nodes import Here, befriend, running, settled_between, until
from tests.sealing.at_work import found, join_room, knows_key, open_cases
from tests.sealing.shared_files import share
from tests.sealing.test_working import HELLO, SAFE, Two

ORACLE = "SELECT sum(length(body)) FROM sealed_message WHERE brought <> ''"
FULL = 10**12


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with running(tmp_path, "Meridian", "Baobab") as (one, other):
        await befriend(one, other)
        meridian, baobab = await open_cases(one), await open_cases(other)
        await baobab.join("cleo")
        await knows_key(one, baobab.me)
        yield Two(meridian, baobab, *await found(meridian["ilse"]))


async def change(here: Here, statement: str, **values: Any) -> None:
    def work(session: Any, _node: Any) -> None:
        session.execute(sa.text(statement), values)
        for topic in ("delivery", "catchup", "inbox"):
            wake(session, topic)

    await here.write(work)


async def waiting(two: Two) -> bool:
    """Whether Meridian has been told that there is no room."""
    return bool(await two.meridian.here.sql("SELECT 1 FROM delivery WHERE state = 'waiting' AND status = 507"))


async def full_at(two: Two) -> tuple[str, ...]:
    """At whose nodes there is no room, as Ilse's pages say."""
    opened = await two.meridian["ilse"].open(two.here)

    def read(session: Any) -> tuple[str, ...]:
        names = naming.names(session, access_list.uris(opened.room))
        return access_list.access(session, opened, names).full

    return await two.meridian.here.read(read)  # type: ignore[no-any-return]


async def come(two: Two, number: int) -> None:
    async def there() -> bool:
        return await two.baobab.here.sql("SELECT count(*) FROM sealed_message") == [(number,)]

    await until(f"{number} are there", there)


@pytest.mark.rule("R6")
async def test_what_is_beyond_a_partners_share_waits_with_it_and_comes_by_room_alone_and_all_else_goes_on(two: Two) -> None:
    there = await join_room(two.meridian["ilse"], two.baobab, two.uri, two.here, "cleo")
    one, other, ilse = two.meridian.here, two.baobab.here, two.meridian["ilse"]
    await ilse.say(two.here, HELLO)
    await come(two, 1)
    [(size,)] = await other.sql(ORACLE)
    assert await other.sql("SELECT size FROM sealed_use ORDER BY room_id") == [(size,), (size,)]
    assert await full_at(two) == ()
    await change(other, "UPDATE sealed_use SET size = :full WHERE room_id = :room", full=FULL, room=there)
    await ilse.say(two.here, SAFE)
    await until("it waits", lambda: waiting(two))
    assert await full_at(two) == ("Baobab",)
    [(body,)] = await other.sql("SELECT body FROM inbox_item WHERE state = 'no_room'")
    assert json.loads(body) == {"author": one.kernel.node.host}, "nothing of it is kept"
    _, elsewhere = await found(ilse)
    await ilse.do(working.invite, elsewhere, two.baobab.me)
    await until("an invitation elsewhere comes", lambda: other.sql("SELECT 1 FROM room WHERE id <> :id", id=there))
    await change(other, "UPDATE inbox_item SET received_at = received_at - :ago", ago=5 * MINUTE)
    await other.write(catchup.listen)
    assert await other.sql("SELECT resync_at FROM partner") == [(None,)], "what was not taken in is no gap"
    [(heard,)] = await other.sql("SELECT heard_seq FROM partner")
    [(refused,)] = await one.sql("SELECT seq FROM delivery WHERE status = 507")
    assert heard == refused - 1, "and is not said to be here"
    await change(one, "UPDATE delivery SET attempts = 20, next_try_at = 0 WHERE status = 507")
    tried = "SELECT next_try_at FROM delivery WHERE state = 'waiting' AND attempts = 21"
    [(at,)] = await until("it is tried and never given up", lambda: one.sql(tried))
    assert at <= one.kernel.node.now() + 10 * MINUTE
    await other.write(room_quotas.take_again)
    assert await other.sql("SELECT count(*) FROM inbox_item WHERE state = 'no_room'") == [(1,)]
    await change(other, "UPDATE sealed_use SET size = 0")
    await other.write(room_quotas.take_again)
    await change(one, "UPDATE delivery SET next_try_at = 0")
    await come(two, 2)
    assert await two.baobab["cleo"].read(there) == [HELLO, SAFE]
    await settled_between(one, other)  # the sender has its answer
    assert await full_at(two) == ()


@pytest.mark.rule("R3")
async def test_a_stream_that_is_asked_for_brings_nothing_beyond_it_either_and_all_of_it_later(two: Two) -> None:
    there = await join_room(two.meridian["ilse"], two.baobab, two.uri, two.here, "cleo")
    one, other, ilse = two.meridian.here, two.baobab.here, two.meridian["ilse"]
    await ilse.say(two.here, HELLO)
    await come(two, 1)
    await change(other, "UPDATE sealed_use SET size = :full WHERE room_id = ''", full=FULL)
    await ilse.say(two.here, SAFE)
    await until("it waits", lambda: waiting(two))
    await change(one, "UPDATE delivery SET next_try_at = :late WHERE state = 'waiting'", late=1 << 60)
    await change(other, "DELETE FROM inbox_item WHERE state = 'no_room'")
    await other.write(catchup.want)
    await until("asked", lambda: other.sql("SELECT 1 FROM inbox_item WHERE state = 'no_room'"))
    await until("done", lambda: other.sql("SELECT 1 FROM partner WHERE resync_at IS NULL"))
    assert await other.sql("SELECT count(*) FROM sealed_message") == [(1,)]
    assert await waiting(two), "it was not taken for heard"
    await change(other, "UPDATE sealed_use SET size = 0")
    await other.write(room_quotas.take_again)
    await other.write(catchup.want)
    await come(two, 2)
    assert await two.baobab["cleo"].read(there) == [HELLO, SAFE]


async def test_what_is_taken_back_or_purged_counts_no_more_and_ours_never_does(two: Two) -> None:
    there = await join_room(two.meridian["ilse"], two.baobab, two.uri, two.here, "cleo")
    other, ilse = two.baobab.here, two.meridian["ilse"]
    made = [await ilse.say(two.here, HELLO) for _ in range(3)]
    await two.baobab["cleo"].say(there, SAFE)
    await come(two, 4)
    [(size,)] = await other.sql(ORACLE)
    assert await other.sql("SELECT DISTINCT size FROM sealed_use") == [(size,)]
    await ilse.do(room_sending.take_back, made[0])
    await until("it is gone", lambda: other.sql("SELECT 1 FROM sealed_message WHERE state = 'erased'"))
    [(left,)] = await other.sql(ORACLE)
    assert 0 < left < size
    assert await other.sql("SELECT DISTINCT size FROM sealed_use") == [(left,)]
    await ilse.do(working.purge, two.here)
    await until("it is over", lambda: other.sql("SELECT 1 FROM room_ending"))
    assert await other.sql("SELECT DISTINCT size FROM sealed_use") == [(0,)]


async def test_of_what_came_into_a_room_that_was_declined_nothing_is_counted_and_its_files_go(two: Two) -> None:
    await join_room(two.meridian["ilse"], two.baobab, two.uri, two.here, "cleo")
    there = two.baobab.here
    await share(two.meridian["ilse"], two.here, b"a plan")
    await come(two, 1)
    [[file]] = await there.sql("SELECT id FROM sealed_file")
    [[counted]] = await there.sql("SELECT DISTINCT size FROM sealed_use")
    assert counted > 0
    await change(there, "UPDATE room SET ck = ''")  # as before a yes

    def clear(session: Any, node: Any) -> list[str]:
        rooms.clear(session, node, two.uri)
        return list(session.scalars(sa.text("SELECT key FROM gone_bytes WHERE file_id = :id"), {"id": file}))  # before they are swept away

    assert await there.write(clear) == [sealed_files.key_of(file)]
    assert await there.sql("SELECT DISTINCT size FROM sealed_use") == [(0,)]


def test_no_room_judges_the_message_and_nothing_beside_it() -> None:
    assert Outcome(1, 507).verdict is Verdict.ACTIVITY


async def test_the_counters_go_up_and_down_and_never_below_nothing_on_either_kind_of_database(tmp_path: Path, database_url: str) -> None:
    settings = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with office(tmp_path, **settings) as at:

        def work(session: Any, _node: Any) -> list[int]:
            said = [("a", "1", 5), ("a", "2", 7), ("a", "1", -2), ("b", "1", 3), ("b", "1", -9), ("", "1", 4), ("a", "2", 1 << 40)]
            for host, room, size in said:
                room_quotas.count(session, host, host, room, size)
            room_quotas.erased(session, SealedMessage.room_id == "1")
            asked = [("a", ""), ("a", "1"), ("a", "2"), ("b", ""), ("b", "1"), ("", "")]
            return [room_quotas.used(session, host, room) for host, room in asked]

        assert await at.site.write(work) == [10 + (1 << 40), 3, 7 + (1 << 40), 0, 0, 0]


@pytest.mark.rule("P10")
async def test_what_came_into_a_room_that_was_only_offered_goes_with_it_and_counts_no_more(two: Two) -> None:
    other, ilse = two.baobab.here, two.meridian["ilse"]
    await ilse.do(working.invite, two.here, two.baobab.me)
    [(there,)] = await until("the invitation comes", lambda: other.sql("SELECT id FROM room WHERE uri = :u", u=two.uri))

    def came(session: Any, node: Any) -> None:
        what = dict(uri=two.uri + "/1", room_id=there, epoch=1, ck="x", author="a", organisation=two.meridian.me, body=b"12345", size=5)
        session.execute(sa.insert(SealedMessage).values(id="m1", at=1, state="waits", brought="them", **what))
        file = dict(uri="u", room_id=there, message_id="m1", size=7, digest="", key="ab" * 16, state="here", reason="", tries=0, at=1)
        session.execute(sa.insert(SealedFile).values(id="f1", **file))
        room_quotas.count(session, urlsplit(two.meridian.me).netloc, "them", there, 12)
        rooms.clear(session, node, two.uri)

    await other.write(came)
    assert await other.sql("SELECT DISTINCT size FROM sealed_use WHERE host = 'via them'") == [(0,)]
    await until("its bytes are gone", lambda: other.sql("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM gone_bytes)"))
    assert await other.sql("SELECT 1 FROM sealed_message WHERE id = 'm1'") == []


@pytest.mark.rule("R3", "P12")
async def test_a_stream_is_read_on_past_what_finds_no_room_and_that_is_not_said_to_be_heard(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = await join_room(two.meridian["ilse"], two.baobab, two.uri, two.here, "cleo")
    one, other, ilse = two.meridian.here, two.baobab.here, two.meridian["ilse"]
    first = await ilse.say(two.here, HELLO)
    await come(two, 1)
    await change(other, "UPDATE sealed_use SET size = :full WHERE room_id = :room", full=FULL, room=there)
    await change(one, "UPDATE partner SET paused_at = 1")  # nothing is brought: all that comes is asked for
    await ilse.say(two.here, SAFE)
    await ilse.say(two.here, SAFE)
    await ilse.do(room_sending.take_back, first)
    monkeypatch.setattr(streams, "PAGE", 1)
    await other.write(catchup.want)
    await until("what takes it back has come", lambda: other.sql("SELECT 1 FROM sealed_message WHERE state = 'erased'"))
    await until("done", lambda: other.sql("SELECT 1 FROM partner WHERE resync_at IS NULL"))
    assert await other.sql("SELECT count(*) FROM inbox_item WHERE state = 'no_room'") == [(2,)]
    [(heard,)] = await other.sql("SELECT heard_seq FROM partner")
    await other.write(catchup.listen)
    assert await other.sql("SELECT heard_seq FROM partner") == [(heard,)]
    lacks = (
        "SELECT count(*) FROM delivery d JOIN activity a ON a.id = d.activity_id WHERE a.share <> '' AND d.state = 'waiting' AND seq > :n"
    )
    assert await one.sql(lacks, n=heard) == [(2,)], "they are kept until there is room"
    await change(other, "UPDATE sealed_use SET size = 0")
    await other.write(room_quotas.take_again)
    await other.write(catchup.want)
    await come(two, 3)
