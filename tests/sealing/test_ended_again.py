"""A room that was ended does not come back with an older database: it is gone again, or waits again for its day, held or not."""

from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import DAY
from fedcollab.base.errors import NotFound, Refused
from fedcollab.base.model import Model
from fedcollab.federation import queue
from fedcollab.sealing import ended_again, ending, rooms, working
from fedcollab.sealing.room_state import OPEN, PURGED
from fedcollab.sealing.seats import DECLINED, INVITED
from tests.nodes import Here, until
from tests.sealing.at_work import found
from tests.sealing.test_ending import a_week_later, both_wrote, said, two  # noqa: F401
from tests.sealing.test_working import HELLO, SAFE, Two

EARLIER = (
    "DELETE FROM room_ending",
    "DELETE FROM receipt",
    "DELETE FROM room_told WHERE name IN (SELECT name FROM room_fact WHERE kind = 'closed')",
    "DELETE FROM room_fact WHERE kind = 'closed'",
    "DELETE FROM keeper_task",
    "UPDATE room SET state = 'open'",
    "UPDATE room_person SET until = NULL",
)


async def as_before(here: Here) -> list[str]:
    """Its rows are those of a backup from before the end; what newer backups name."""
    named: list[str] = await here.read(ended_again.ended_since, 0)

    def work(session: Any) -> None:
        for statement in EARLIER:
            session.execute(sa.text(statement))

    await here.read_write(work)
    return named


async def state(here: Here, room_id: str) -> tuple[str, str]:
    """By its row, and by what was said of it."""
    row = await here.read(rooms.by_id, room_id)
    return row.state, (await here.write(rooms.by_row, room_id)).state


@pytest.mark.rule("P11", "P13")
async def test_a_room_of_ours_that_was_ended_is_gone_again_and_stays_so(two: Two) -> None:  # noqa: F811
    await both_wrote(two)
    here, ilse = two.meridian.here, two.meridian["ilse"]
    _, kept = await found(ilse)
    await ilse.say(kept, SAFE)
    [named] = await as_before(here)
    assert await state(here, two.here) == (OPEN, OPEN)
    await here.write(ended_again.end_again, named)
    assert await state(here, two.here) == (PURGED, PURGED)
    with pytest.raises(NotFound):
        await ilse.open(two.here)
    with pytest.raises(Refused):
        await here.write(ended_again.end_again, named)
    assert [one.room_id for one in await here.read(ending.gone)] == [two.here]
    assert await ilse.read(kept) == [SAFE]
    assert await here.read(ended_again.ended_since, here.kernel.node.now() + DAY) == []


@pytest.mark.rule("P11", "P21", "P29")
async def test_a_partners_end_that_waits_here_waits_again_is_held_again_and_comes(two: Two) -> None:  # noqa: F811
    there = await both_wrote(two)
    here, cleo = two.baobab.here, two.baobab["cleo"]
    before = await here.read(ending.waiting)
    await here.write(ended_again.end_again, (await as_before(here))[0])
    assert await here.read(ending.waiting) == before
    assert await here.sql("SELECT kind FROM keeper_task WHERE done_at IS NULL") == [(ending.PURGE_ASKED,)]
    assert await cleo.read(there) == ["erased", SAFE]
    with pytest.raises(Refused):
        await cleo.say(there, HELLO)
    await cleo.do(ending.hold, there, "LegalHold", here.kernel.node.now() + 6 * DAY)
    held = await here.read(ending.waiting)
    await here.write(ended_again.end_again, (await as_before(here))[0])
    assert await here.read(ending.waiting) == held
    assert await here.sql("SELECT kind FROM keeper_task WHERE done_at IS NULL") == []
    await a_week_later(two)
    assert (await state(here, there)) == (PURGED, PURGED)
    [gone] = await as_before(here)
    await here.write(ended_again.end_again, gone)
    assert (await state(here, there)) == (PURGED, PURGED)
    with pytest.raises(NotFound):
        await cleo.open(there)


@pytest.mark.rule("P11")
async def test_what_is_said_late_of_a_room_that_is_gone_begins_it_no_more(two: Two) -> None:  # noqa: F811
    await both_wrote(two)
    here = two.meridian.here
    await here.read_write(lambda session: session.execute(sa.text("DELETE FROM room_fact WHERE kind = 'closed'")) and None)
    await here.write(rooms.learn, two.uri, [])
    assert (await here.sql("SELECT state FROM room WHERE id = :id", id=two.here)) == [(PURGED,)]


@pytest.mark.rule("P11")
async def test_an_end_of_a_room_that_the_backup_does_not_know_is_passed_over(two: Two) -> None:  # noqa: F811
    await both_wrote(two)
    [named] = await two.baobab.here.read(ended_again.ended_since, 0)
    with pytest.raises(NotFound):
        await two.meridian.here.write(ended_again.end_again, named)


async def answered(two: Two) -> str:  # noqa: F811
    """What Baobab's answer to the newest question is."""
    one = await said(two)
    return one.refused or ("confirmed" if one.confirmed_at is not None else "")


@pytest.mark.rule("P11", "P12", "P21")
async def test_after_a_restore_the_others_are_asked_again_and_each_says_again_that_it_holds_it_or_that_it_is_gone(two: Two) -> None:  # noqa: F811
    there = await both_wrote(two)
    here, cleo = two.meridian.here, two.baobab["cleo"]

    async def held() -> bool:
        return await answered(two) == "LegalHold"

    async def gone() -> bool:
        return await answered(two) == "confirmed"

    await cleo.do(ending.hold, there, "LegalHold", two.baobab.here.kernel.node.now() + 6 * DAY)
    await until("they refuse", held)
    await here.write(queue.pause, on=True)
    await here.write(ended_again.end_again, (await as_before(here))[0])
    assert await answered(two) == "", "asked, and not answered yet"
    await here.write(queue.pause, on=False)
    await until("they refuse again", held)
    await a_week_later(two)
    await until("they confirm it, to the newest question", gone)
    await here.write(ended_again.end_again, (await as_before(here))[0])
    await until("they confirm it again", gone)


@pytest.mark.rule("P12")
async def test_of_ends_that_a_backup_knows_those_are_asked_again_who_had_not_answered(two: Two) -> None:  # noqa: F811
    await both_wrote(two)
    await a_week_later(two)
    here = two.meridian.here

    async def gone() -> bool:
        return await answered(two) == "confirmed"

    await until("they confirm it", gone)
    await here.write(ended_again.ask_again, 0)
    assert await here.sql("SELECT count(*) FROM receipt") == [(1,)], "all have answered"
    await here.read_write(lambda session: session.execute(sa.text("UPDATE receipt SET state = 'sent', answered_at = NULL")) and None)
    await here.write(queue.pause, on=True)
    await here.write(ended_again.ask_again, 0)
    assert await answered(two) == ""
    await here.write(queue.pause, on=False)
    await until("they confirm it again", gone)
    assert await here.sql("SELECT count(*) FROM receipt") == [(2,)]


@pytest.mark.rule("P11")
@pytest.mark.parametrize("before", ["it came", "it was declined"])
async def test_an_invitation_that_was_declined_waits_no_more_after_a_restore_and_one_that_was_not_does(two: Two, before: str) -> None:  # noqa: F811
    here, ruth, ilse = two.baobab.here, two.baobab["ruth"], two.meridian["ilse"]
    uri, other = await found(ilse)
    for row in (two.here, other):
        await ilse.do(working.invite, row, two.baobab.me)
    declined, waits = await two.baobab.room_id(two.uri), await two.baobab.room_id(uri)
    words = await here.sql("SELECT said, activity FROM room_fact WHERE room_id = :id", id=declined)
    await ruth.do(working.decline, declined, await two.baobab.invitation(declined))
    [named] = await here.read(ended_again.ended_since, 0)

    def earlier(session: Any) -> None:
        if before == "it was declined":
            session.execute(sa.text("DELETE FROM room_fact WHERE kind = 'answer'"))
            session.execute(sa.text("UPDATE room_member SET state = 'invited'"))
            return
        for table in reversed(Model.metadata.sorted_tables):
            column = table.c.get("room_id") if table.name != "room" else table.c.id
            if column is not None:
                session.execute(sa.delete(table).where(column == declined))

    await here.read_write(earlier)
    await here.write(ended_again.end_again, named)
    seats = "SELECT room.uri, room_member.state FROM room_member JOIN room ON room.id = room_id"
    assert dict(await here.sql(seats)) == {two.uri: DECLINED, uri: INVITED}
    assert len(words) == 1
    await here.write(rooms.learn, two.uri, [])
    assert dict(await here.sql(seats)) == {two.uri: DECLINED, uri: INVITED}
    assert await two.baobab.room(waits)
    with pytest.raises(Refused):
        await ruth.do(working.decline, await two.baobab.room_id(two.uri), await two.baobab.invitation(await two.baobab.room_id(two.uri)))
