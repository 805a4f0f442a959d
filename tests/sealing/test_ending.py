"""A room that is ended: gone at once where it was asked for, what others wrote a week later, unless one of theirs holds it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import DAY
from fedcollab.base.errors import NotFound, Refused
from fedcollab.federation import receipts
from fedcollab.sealing import ending, working
from fedcollab.sealing.ending_models import RoomEnding
from tests.nodes import befriend, running, until
from tests.sealing.at_work import found, join_room, open_cases
from tests.sealing.test_working import HELLO, SAFE, Two


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with running(tmp_path, "Meridian", "Baobab") as (one, other):
        meridian, baobab = await open_cases(one), await open_cases(other)
        await befriend(one, other)
        await baobab.join("cleo")
        made = Two(meridian, baobab, *await found(meridian["ilse"]))
        yield made


async def both_wrote(two: Two) -> str:
    there = await join_room(two.meridian["ilse"], two.baobab, two.uri, two.here, "cleo")
    await two.meridian["ilse"].say(two.here, HELLO)
    await until("it is there", lambda: two.baobab.here.sql("SELECT 1 FROM sealed_message"))
    await two.baobab["cleo"].say(there, SAFE)
    await until("both are there", lambda: two.meridian.here.sql("SELECT count(*) FROM sealed_message GROUP BY room_id HAVING count(*) = 2"))
    await two.meridian["ilse"].do(working.purge, two.here)
    await until("they are asked", lambda: two.baobab.here.sql("SELECT 1 FROM room_ending"))
    return there


async def a_week_later(two: Two) -> None:
    past = sa.update(RoomEnding).values(due_at=RoomEnding.due_at - 8 * DAY, held_until=RoomEnding.held_until - 8 * DAY)
    await two.baobab.here.read_write(lambda session: session.execute(past) and None)
    await two.baobab.here.write(ending.end_due)


async def said(two: Two) -> receipts.ReceiptData:
    """What Baobab has answered."""
    rows = await two.meridian.here.read(receipts.of, two.meridian.here.kernel.node.now(), [two.uri])
    return rows[two.uri][0]  # type: ignore[no-any-return]


@pytest.mark.rule("P29")
async def test_what_the_owner_wrote_goes_at_once_and_what_others_wrote_a_week_later(two: Two) -> None:
    there = await both_wrote(two)
    assert await two.meridian.here.sql("SELECT count(*) FROM sealed_message WHERE length(body) > 0") == [(0,)]
    cleo = two.baobab["cleo"]
    assert await cleo.read(there) == ["erased", SAFE]
    with pytest.raises(Refused):
        await cleo.say(there, HELLO)
    await two.baobab.here.write(ending.end_due)
    assert await cleo.read(there) == ["erased", SAFE]
    assert (await said(two)).confirmed_at is None
    await a_week_later(two)
    with pytest.raises(NotFound):
        await cleo.open(there)
    assert await two.baobab.here.sql("SELECT count(*) FROM sealed_message WHERE length(body) > 0") == [(0,)]

    async def confirmed() -> bool:
        return (await said(two)).confirmed_at is not None

    await until("they confirm it", confirmed)
    assert [one.room_id for one in await two.baobab.here.read(ending.gone)] == [there]


@pytest.mark.rule("P21", "P12")
async def test_one_of_theirs_holds_it_for_a_reason_until_a_day_and_whoever_asked_is_told(two: Two) -> None:
    there = await both_wrote(two)
    cleo, now = two.baobab["cleo"], two.baobab.here.kernel.node.now()
    for why, until_day in (("Whim", now + DAY), ("LegalHold", now), ("LegalHold", now + 400 * DAY)):
        with pytest.raises(Refused):
            await cleo.do(ending.hold, there, why, until_day)
    await cleo.do(ending.hold, there, "LegalHold", now + 14 * DAY)

    async def refused() -> bool:
        return (await said(two)).refused == "LegalHold"

    await until("they refuse", refused)
    await a_week_later(two)
    assert await cleo.read(there) == ["erased", SAFE]
    await a_week_later(two)  # nobody has renewed it
    with pytest.raises(NotFound):
        await cleo.open(there)

    async def confirmed() -> Any:
        return (await said(two)).confirmed_at

    await until("they confirm it after all", confirmed)


async def test_who_is_not_on_it_and_no_keeper_holds_nothing_and_lifts_nothing(two: Two) -> None:
    there = await both_wrote(two)
    dora, now = await two.baobab.join("dora"), two.baobab.here.kernel.node.now()
    for act, values in ((ending.hold, ("LegalHold", now + DAY)), (ending.lift, ())):
        with pytest.raises(NotFound):
            await dora.do(act, there, *values)
    ruth = two.baobab["ruth"]
    await ruth.do(ending.hold, there, "OwnBasis", now + DAY)
    await ruth.do(ending.lift, there)
    await a_week_later(two)
    assert await two.baobab.here.sql("SELECT state FROM room") == [("purged",)]
