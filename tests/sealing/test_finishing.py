"""Shows that an act which has destroyed keys, and whose commit failed after that, is finished by the node itself by what the key ring has
noted; and that nothing is finished that nobody had begun."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.app import make_kernel
from fedcollab.base import config, crash
from fedcollab.base.database import run_sync
from fedcollab.base.errors import NotFound
from fedcollab.base.paths import NodeFiles
from fedcollab.features.members import finishing as accounts
from fedcollab.features.members import service as members
from fedcollab.sealing import ending, finishing, holding, people, recovery, room_chain, working
from fedcollab.sealing.room_state import OPEN, PURGED
from tests.features.cases.desks import office
from tests.nodes import Here, befriend, running, until
from tests.sealing.at_work import Person, found, join_room, open_cases
from tests.sealing.test_ending import both_wrote
from tests.sealing.test_working import HELLO, SAFE, Two


class Fails(Exception):
    """As of a commit that the disk has no room for: what the unit wrote is gone, what it did to the key ring is not."""


async def broken_off(here: Here, act: Callable[..., Any], *values: Any) -> None:
    def work(session: Any, node: Any) -> None:
        act(session, node, *values)
        raise Fails

    with pytest.raises(Fails):
        await here.write(work)


async def state(here: Here) -> list[str]:
    return [row[0] for row in await here.sql("SELECT state FROM room ORDER BY created_at")]


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with running(tmp_path, "Meridian", "Baobab") as (one, other):
        meridian, baobab = await open_cases(one), await open_cases(other)
        await befriend(one, other)
        await baobab.join("cleo")
        await meridian.join("omar")
        yield Two(meridian, baobab, *await found(meridian["ilse"]))


async def unlocked(who: Person, room_id: str) -> bool:
    try:
        return bool((await who.open(room_id)).secrets)
    except NotFound:
        return False


@pytest.mark.rule("P13", "P12")
async def test_an_end_that_was_broken_off_is_finished_everywhere_and_is_on_record(two: Two) -> None:
    there = await join_room(two.meridian["ilse"], two.baobab, two.uri, two.here, "cleo")
    here, ilse = two.meridian.here, two.meridian["ilse"]
    await ilse.say(two.here, HELLO)
    _, other = await found(ilse)
    await ilse.say(other, SAFE)
    await here.write(finishing.finish)
    assert await state(here) == [OPEN, OPEN]
    await broken_off(here, working.purge, ilse.viewer, two.here)
    assert await state(here) == [OPEN, OPEN]
    assert not await unlocked(ilse, two.here)
    await here.write(finishing.finish)
    assert await state(here) == [PURGED, OPEN]
    assert [one.room_id for one in await here.read(ending.gone)] == [two.here]
    assert await ilse.read(other) == [SAFE]
    await until("they have ended it too", lambda: two.baobab.here.sql("SELECT 1 FROM room WHERE id = :id AND state = 'purged'", id=there))
    await until("they confirm it", lambda: here.sql("SELECT 1 FROM receipt WHERE state = 'confirmed'"))
    assert (await here.sql("SELECT count(*) FROM room_entry WHERE action = 'room.finish'")) == [(1,)]
    assert await here.read(room_chain.verify, here.kernel.node, two.here) is None
    await here.write(finishing.finish)
    assert (await here.sql("SELECT count(*) FROM room_entry WHERE action = 'room.finish'")) == [(1,)]


@pytest.mark.rule("P29", "P13")
async def test_a_partners_end_that_was_broken_off_here_is_finished_and_confirmed(two: Two) -> None:
    there = await both_wrote(two)
    here = two.baobab.here
    await broken_off(here, ending.finish, there)
    assert await state(here) == ["ending"]
    await here.write(finishing.finish)
    assert await state(here) == [PURGED]
    await until("it is confirmed", lambda: two.meridian.here.sql("SELECT 1 FROM receipt WHERE state = 'confirmed'"))


@pytest.mark.rule("P13")
async def test_a_room_of_others_whose_end_is_on_its_way_again_is_gone_and_then_confirms_it(two: Two) -> None:
    there = await join_room(two.meridian["ilse"], two.baobab, two.uri, two.here, "cleo")
    here = two.baobab.here
    await broken_off(here, ending.ours, there)  # all that a received end destroys
    await here.write(finishing.finish)
    assert await state(here) == [PURGED]
    await two.meridian["ilse"].do(working.purge, two.here)
    await until("it is confirmed", lambda: two.meridian.here.sql("SELECT 1 FROM receipt WHERE state = 'confirmed'"))
    assert await state(here) == [PURGED]


@pytest.mark.rule("P28")
async def test_who_was_being_taken_off_a_room_is_off_it_and_who_came_back_stays(two: Two) -> None:
    here, ilse, omar = two.meridian.here, two.meridian["ilse"], two.meridian["omar"]
    ruth = two.meridian["ruth"]
    for who in (omar, ruth):
        await ilse.unlocked(holding.assign, two.here, who.id)
    await ilse.do(working.unassign, two.here, ruth.id)
    await ilse.unlocked(holding.assign, two.here, ruth.id)  # taken off and let in again: of boxes before that there is a note too
    epoch = (await two.meridian.room(two.here))[1]
    await broken_off(here, working.unassign, ilse.viewer, two.here, omar.id)
    assert await here.read(holding.is_assigned, two.here, omar.id)
    await here.write(finishing.finish)
    assert not await here.read(holding.is_assigned, two.here, omar.id)
    assert (await two.meridian.room(two.here))[1] == epoch + 1, "and our key is made anew, and the case key with it"
    assert await unlocked(ilse, two.here)
    assert await unlocked(ruth, two.here)
    await here.write(finishing.finish)
    assert (await two.meridian.room(two.here))[1] == epoch + 1


@pytest.mark.rule("P28")
async def test_an_account_whose_keys_were_destroyed_ends_and_one_that_waits_for_a_keeper_does_not(two: Two) -> None:
    here, ilse, omar = two.meridian.here, two.meridian["ilse"], two.meridian["omar"]
    await ilse.unlocked(holding.assign, two.here, omar.id)
    await two.meridian.new_key("ruth")  # not signed by the one before: it waits
    ruth = two.meridian["ruth"]
    await here.write(accounts.finish)
    await broken_off(here, members.disable, ilse.viewer, omar.id)
    assert (await here.read(members.find, omar.id)).disabled_at is None

    def give_up(session: Any, node: Any) -> None:
        with node.ring.begin() as ring:
            people.give_up(session, ring, node, ruth.id)

    await broken_off(here, give_up)
    await here.write(finishing.finish)
    assert await here.read(holding.is_assigned, two.here, omar.id), "that is for the end of the account to do"
    await here.write(accounts.finish)
    assert (await here.read(members.find, omar.id)).disabled_at is not None
    assert not await here.read(holding.is_assigned, two.here, omar.id)
    assert (await here.read(members.find, ruth.id)).disabled_at is None
    assert await here.read(recovery.waiting) == [], "nobody lets in a key that opens nothing"
    assert await here.sql("SELECT count(*) FROM actor WHERE disabled_at IS NOT NULL") == [(1,)]


@pytest.mark.rule("P28")
async def test_an_account_that_cannot_be_ended_holds_up_nobody_elses_end(two: Two) -> None:
    here, ilse, omar = two.meridian.here, two.meridian["ilse"], two.meridian["omar"]

    def destroy(session: Any, node: Any) -> None:
        with node.ring.begin() as ring:
            recovery.end(session, ring, node, ilse.id)
            recovery.end(session, ring, node, omar.id)

    await broken_off(here, destroy)
    for _ in range(3):
        await here.write(accounts.finish)
    assert (await here.read(members.find, omar.id)).disabled_at is not None
    assert await here.sql("SELECT count(*) FROM actor WHERE disabled_at IS NOT NULL") == [(1,)]


def killed_at(place: Path, point: str, act: Callable[..., Any], *values: Any) -> bool:
    """Whether a process was killed at a point while it did this."""
    child = os.fork()
    if child == 0:
        try:
            crash._point = point
            kernel = make_kernel(config.load(place, {}), NodeFiles(place))
            run_sync(kernel.database, lambda session: act(session, kernel.node, *values))
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] != 0


@pytest.mark.rule("P13", "R2")
def test_killed_at_any_point_of_an_end_a_case_is_whole_or_gone_after_the_next_start(tmp_path: Path) -> None:
    async def make() -> list[str]:
        async with office(tmp_path) as at:
            return [await at.case("noor") for _ in range(5)]

    cases, place = asyncio.run(make()), tmp_path / "node"
    points = ["commit.before", "ring.committed", "ring.scrubbed", "commit.after"]
    ends = [killed_at(place, point, working.purge, None, case) for point, case in zip([*points, "send.before"], cases, strict=True)]
    assert ends == [True, True, True, True, False]
    kernel = make_kernel(config.load(place, {}), NodeFiles(place))
    for _ in range(2):
        run_sync(kernel.database, lambda session: finishing.finish(session, kernel.node))

    def look(session: Any) -> dict[str, str]:
        return dict(session.execute(sa.text("SELECT id, state FROM room")).all())

    found = run_sync(kernel.database, look)
    assert [found[case] for case in cases] == [PURGED] * 5
    kernel.database.close()
