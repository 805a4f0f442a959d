"""Shows that what takes no room (what takes something back, answers, who is inside) reaches a partner who has none for what was sealed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcollab.sealing import consent_marks, consents, room_sending, working
from fedcollab.sealing.consents import Given
from tests.nodes import befriend, running, until
from tests.sealing.at_work import found, join_room, knows_key, open_cases
from tests.sealing.test_room_quotas import FULL, change, come, waiting
from tests.sealing.test_working import HELLO, SAFE, Two


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with running(tmp_path, "Meridian", "Baobab") as (one, other):
        await befriend(one, other)
        meridian, baobab = await open_cases(one), await open_cases(other)
        await baobab.join("cleo")
        await knows_key(one, baobab.me)
        yield Two(meridian, baobab, *await found(meridian["ilse"]))


async def finds_no_room(two: Two, there: str) -> None:
    """Baobab has no room left in its room `there`, and a message of Ilse's waits for some."""
    await change(two.baobab.here, "UPDATE sealed_use SET size = :full WHERE room_id = :room", full=FULL, room=there)
    await two.meridian["ilse"].say(two.here, SAFE)
    await until("it waits", lambda: waiting(two))


@pytest.mark.rule("P12", "R6")
async def test_what_is_taken_back_goes_also_where_a_message_before_it_finds_no_room(two: Two) -> None:
    there = await join_room(two.meridian["ilse"], two.baobab, two.uri, two.here, "cleo")
    other, ilse = two.baobab.here, two.meridian["ilse"]
    first = await ilse.say(two.here, HELLO)
    await come(two, 1)
    await finds_no_room(two, there)
    await ilse.do(room_sending.take_back, first)
    await until("it is gone", lambda: other.sql("SELECT 1 FROM sealed_message WHERE state = 'erased'"))
    assert await waiting(two), "the message goes on waiting"


@pytest.mark.rule("P3", "R6")
async def test_a_consents_end_goes_past_what_waits_for_room(two: Two) -> None:
    there = await join_room(two.meridian["ilse"], two.baobab, two.uri, two.here, "cleo")
    other, ilse = two.baobab.here, two.meridian["ilse"]
    said = await ilse.say(two.here, HELLO)
    await come(two, 1)
    consent = f"{two.meridian.here.kernel.node.settings.base_url}/rooms/messages/consent"
    await ilse.do(consents.given, Given(consent, two.baobab.me, two.here, "9999-12-31", (said,)))
    await until("it is told", lambda: other.sql("SELECT 1 FROM consent_mark WHERE state = 'given'"))
    await finds_no_room(two, there)
    await ilse.do(consents.withdrawn, consent)
    await until("it is shown no more", lambda: other.sql("SELECT 1 FROM consent_mark WHERE state = 'withdrawn'"))
    await until("which they confirm", lambda: two.meridian.here.sql("SELECT 1 FROM consent_mark WHERE stopped_at IS NOT NULL"))
    assert await waiting(two)


@pytest.mark.rule("P29", "R6")
async def test_a_room_that_ends_ends_also_where_it_has_no_room(two: Two) -> None:
    there = await join_room(two.meridian["ilse"], two.baobab, two.uri, two.here, "cleo")
    other, ilse = two.baobab.here, two.meridian["ilse"]
    await ilse.say(two.here, HELLO)
    await come(two, 1)
    await finds_no_room(two, there)
    await ilse.do(working.purge, two.here)
    await until("it is over there", lambda: other.sql("SELECT 1 FROM room_ending"))


async def test_more_messages_wait_behind_the_one_that_has_no_room(two: Two) -> None:
    there = await join_room(two.meridian["ilse"], two.baobab, two.uri, two.here, "cleo")
    other, ilse = two.baobab.here, two.meridian["ilse"]
    await ilse.say(two.here, HELLO)
    await come(two, 1)
    await finds_no_room(two, there)
    await ilse.say(two.here, HELLO)
    last = await ilse.say(two.here, SAFE)
    await ilse.do(room_sending.take_back, last)
    await until("a word goes past them", lambda: other.sql("SELECT 1 FROM erased_ahead WHERE uri = :u", u=last))
    assert await two.meridian.here.sql("SELECT count(*) FROM delivery WHERE status = 507") == [(1,)]
    await change(other, "UPDATE sealed_use SET size = 0")
    await change(two.meridian.here, "UPDATE delivery SET next_try_at = 0")
    await come(two, 3)
    assert await two.baobab["cleo"].read(there) == [HELLO, SAFE, HELLO]


@pytest.mark.rule("R6")
async def test_whatever_takes_no_room_goes_past_a_message_that_finds_none(two: Two) -> None:
    there = await join_room(two.meridian["ilse"], two.baobab, two.uri, two.here, "cleo")
    one, other, ilse = two.meridian.here, two.baobab.here, two.meridian["ilse"]
    consent = f"{other.kernel.node.settings.base_url}/rooms/messages/consent"
    said = await two.baobab["cleo"].say(there, HELLO)
    await until("it is there", lambda: one.sql("SELECT 1 FROM sealed_message WHERE uri = :u", u=said))
    await two.baobab["cleo"].do(consents.given, Given(consent, two.meridian.me, there, "9999-12-31", (said,)))
    await until("it is told", lambda: one.sql("SELECT 1 FROM consent_mark"))
    await two.baobab["cleo"].do(consents.withdrawn, consent)
    [(mark,)] = await until("it ends", lambda: one.sql("SELECT id FROM consent_mark WHERE state = 'withdrawn'"))
    await ilse.say(two.here, HELLO)
    await come(two, 2)
    await finds_no_room(two, there)
    await ilse.do(consent_marks.keep, mark)
    await until("an Update goes past it", lambda: other.sql("SELECT 1 FROM consent_mark WHERE answer = 'kept'"))
    [(epoch,)] = await other.sql("SELECT epoch FROM room WHERE id = :id", id=there)
    await one.write(working.rekey, two.here)
    await until("a fact too", lambda: other.sql("SELECT 1 FROM room WHERE id = :id AND epoch > :epoch", id=there, epoch=epoch))
    mine = f"{one.kernel.node.settings.base_url}/rooms/messages/consent"
    await ilse.do(consents.given, Given(mine, two.baobab.me, two.here, "9999-12-31", ()))
    await until("a consent too", lambda: other.sql("SELECT 1 FROM consent_mark WHERE uri = :u", u=mine))
    one_waits = "SELECT state FROM delivery WHERE state = 'waiting' GROUP BY state HAVING count(*) = 1"
    await until("all else went", lambda: one.sql(one_waits))
    assert await waiting(two)
