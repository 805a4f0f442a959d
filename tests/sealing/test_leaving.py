"""Shows that whoever's account ends opens no sealed room from that commit on, that our keys and case keys for their rooms are made anew
with it, partners are told, and what nobody of us is on any more falls to the keepers; and how somebody leaves in peace."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.models import RED
from fedcollab.base.errors import NotFound, Refused, Unavailable
from fedcollab.features.members import service as members
from fedcollab.sealing import case_boxes, holding, keeper_tasks, leaving, member_boxes, working, wraps
from fedcollab.sealing.ring import Ring
from tests.nodes import befriend, running, until
from tests.sealing.at_work import Desk, Person, found, join_room, open_cases

HELLO, LATER = {"text": "Where is she?"}, {"text": "She is safe."}


@dataclass
class Two:
    """Meridian's Ilse leads a room, which Omar and Nadia of hers and Baobab's Cleo are on."""

    meridian: Desk
    baobab: Desk
    uri: str
    here: str
    there: str

    async def disable(self, who: Person) -> None:
        await who.here.write(members.disable, None, who.id)

    async def tasks(self, desk: Desk) -> list[tuple[str, str | None]]:
        return [(task.kind, task.room_id) for task in await desk.here.read(keeper_tasks.waiting)]

    async def boxes(self, who: Person, room_id: str) -> int:
        """How many boxes of our keys for a room somebody's own keys would open."""

        def work(session: Any, node: Any) -> int:
            kids = [private.public.kid for private in who.keys]
            with node.ring.look() as ring:
                ours = member_boxes.kids(session, node, room_id)
                return sum(wraps.wrap(ring, member_boxes.KEY + mk, kid) is not None for mk in ours for kid in kids)

        return await who.here.write(work)  # type: ignore[no-any-return]

    async def box_of_case_key(self, who: Person, room_id: str) -> bool:
        """Whether a box of the newest case key opens with one of somebody's own keys."""
        ck = (await self.meridian.room(room_id))[2]

        def work(_session: Any, node: Any) -> bool:
            return bool(case_boxes.found(node, [ck], [private.public.kid for private in who.keys]))

        return await who.here.write(work)  # type: ignore[no-any-return]

    async def epoch(self, desk: Desk, room_id: str) -> int:
        return int((await desk.room(room_id))[1])


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with running(tmp_path, "Meridian", "Baobab") as (one, other):
        meridian, baobab = await open_cases(one), await open_cases(other)
        await baobab.join("cleo")
        for name in ("omar", "nadia"):
            await meridian.join(name)
        await befriend(one, other)
        uri, here = await found(meridian["omar"])
        await meridian["omar"].unlocked(holding.assign, here, meridian["ilse"].id)
        await meridian["omar"].unlocked(holding.assign, here, meridian["nadia"].id)
        there = await join_room(meridian["ilse"], baobab, uri, here, "cleo")
        yield Two(meridian, baobab, uri, here, there)


@pytest.mark.rule("P28", "AUTH-02")
async def test_an_account_that_ends_opens_nothing_and_the_case_key_is_turned_with_it(two: Two) -> None:
    omar, ilse, cleo = two.meridian["omar"], two.meridian["ilse"], two.baobab["cleo"]
    await omar.say(two.here, HELLO)
    before = await two.epoch(two.meridian, two.here)
    assert await two.boxes(omar, two.here) > 0
    await two.disable(omar)
    assert (await two.boxes(omar, two.here), await two.epoch(two.meridian, two.here)) == (0, before + 1)
    with pytest.raises(NotFound):
        await omar.open(two.here)
    await ilse.say(two.here, LATER)
    assert await ilse.read(two.here) == [HELLO, LATER], "the others go on"
    await until("told", lambda: two.baobab.here.sql("SELECT 1 FROM room WHERE id = :id AND epoch = :e", id=two.there, e=before + 1))
    await until("the box", two.baobab.ask)
    await until("the message", lambda: two.baobab.here.sql("SELECT 1 FROM sealed_message GROUP BY room_id HAVING count(*) = 2"))
    assert await cleo.read(two.there) == [HELLO, LATER]
    assert await two.tasks(two.meridian) == [], "two of us are on it yet"


@pytest.mark.rule("P28")
async def test_a_member_whose_person_ends_says_so_and_the_owner_turns(two: Two) -> None:
    cleo, ilse = two.baobab["cleo"], two.meridian["ilse"]
    before = await two.epoch(two.meridian, two.here)
    await two.disable(cleo)
    assert await two.boxes(cleo, two.there) == 0
    assert await two.tasks(two.baobab) == [("nobody", two.there)]
    await until("turned", lambda: two.meridian.here.sql("SELECT 1 FROM room WHERE id = :id AND epoch = :e", id=two.here, e=before + 1))
    await ilse.say(two.here, LATER)
    await until("the box", two.baobab.ask)
    await until("the message", lambda: two.baobab.here.sql("SELECT 1 FROM sealed_message"))
    ruth = two.baobab["ruth"]
    await ruth.unlocked(holding.assign, two.there, ruth.id)
    assert await ruth.read(two.there) == [LATER], "a keeper takes it up through the organisation's key"


@pytest.mark.rule("P28")
async def test_a_busy_key_ring_holds_no_ending_up_and_the_rest_is_done_after_it(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    omar, before = two.meridian["omar"], await two.epoch(two.meridian, two.here)

    def busy(_ring: Ring) -> contextlib.AbstractContextManager[object]:
        raise Unavailable(reason="the key ring is busy")

    with monkeypatch.context() as patch:
        patch.setattr(Ring, "begin", busy)
        await two.disable(omar)
    assert await omar.here.sql("SELECT 1 FROM member WHERE person_id = :id AND disabled_at IS NOT NULL", id=omar.id)
    assert await two.epoch(two.meridian, two.here) == before
    await omar.here.write(leaving.go_on)
    assert (await two.boxes(omar, two.here), await two.epoch(two.meridian, two.here)) == (0, before + 1)
    again = await two.epoch(two.meridian, two.here)
    await omar.here.write(leaving.go_on)
    assert await two.epoch(two.meridian, two.here) == again, "once"


@pytest.mark.rule("P28")
async def test_of_many_rooms_the_first_are_done_at_once_and_none_opens_or_is_handed_out_in_the_meantime(two: Two) -> None:
    omar, nadia = two.meridian["omar"], two.meridian["nadia"]
    more = [(await found(omar))[1] for _ in range(4)]
    for room_id in more:
        await omar.unlocked(holding.assign, room_id, nadia.id)
    await two.disable(omar)
    assert [await two.boxes(omar, room_id) for room_id in (two.here, *more)] == [0] * 5
    assert len(await omar.here.read(holding.mine, omar.id)) == 5 - leaving.FIRST
    for room_id in (two.here, *more):  # a colleague goes on meanwhile, with all that follows of it
        await nadia.settle(room_id)
        await nadia.say(room_id, HELLO)
        await two.meridian.here.write(working.turn, room_id)
        await nadia.settle(room_id)
        assert (await two.boxes(omar, room_id), await two.box_of_case_key(omar, room_id)) == (0, False)
        with pytest.raises((NotFound, Refused)):
            await omar.open(room_id)
    while await omar.here.write(leaving.go_on):
        assert [await two.boxes(omar, room_id) for room_id in (two.here, *more)] == [0] * 5
    assert await omar.here.read(holding.mine, omar.id) == []
    assert [await nadia.read(room_id) for room_id in more] == [[HELLO]] * 4


@pytest.mark.rule("P28")
async def test_after_a_keeper_all_rooms_get_new_keys_of_ours_the_oldest_first_few_at_a_time(two: Two) -> None:
    omar, ruth, here = two.meridian["omar"], two.meridian["ruth"], two.meridian.here
    rooms = [two.here, *[(await found(omar))[1] for _ in range(4)]]
    await two.disable(ruth)
    order = list[str]()
    before = {room_id: await two.epoch(two.meridian, room_id) for room_id in rooms}
    while await here.write(leaving.go_on):
        fresh = [room_id for room_id in rooms if await two.epoch(two.meridian, room_id) > before[room_id] and room_id not in order]
        assert 0 < len(fresh) <= leaving.AT_ONCE
        order += fresh
    assert order == rooms
    assert [await two.epoch(two.meridian, room_id) for room_id in rooms] == [before[room_id] + 1 for room_id in rooms], "each once"


async def test_a_clock_that_was_set_back_has_no_key_made_anew_without_an_end(two: Two) -> None:
    ruth, here = two.meridian["ruth"], two.meridian.here
    await two.disable(ruth)
    await here.read_write(lambda session: session.execute(sa.text("UPDATE organisation_key SET at = at + 9000000000000")) and None)
    assert await here.write(leaving.go_on) is False


@pytest.mark.rule("P28", "P6")
async def test_where_people_are_inside_by_name_their_seat_ends_with_the_account(two: Two) -> None:
    ilse, omar = two.meridian["ilse"], two.meridian["omar"]
    _, red = await found(ilse, RED)
    assert await two.boxes(ilse, red) == 1
    _, his = await found(omar, RED)
    await two.disable(omar)
    assert (await two.boxes(omar, his), await two.tasks(two.meridian)) == (0, [("nobody", his)])
    with pytest.raises(Refused):
        await ilse.unlocked(holding.assign, his, ilse.id)
    assert await two.boxes(ilse, red) == 1, "others keep theirs"


async def test_whoever_leaves_in_peace_hands_over_first_and_reads_nothing_after(two: Two) -> None:
    omar, ruth = two.meridian["omar"], two.meridian["ruth"]
    await omar.say(two.here, HELLO)
    before = await two.epoch(two.meridian, two.here)
    await omar.unlocked(leaving.hand_over, two.here, ruth.id)
    assert await two.epoch(two.meridian, two.here) == before + 1
    with pytest.raises(NotFound):
        await omar.open(two.here)
    await ruth.say(two.here, LATER)
    assert (await ruth.read(two.here), await two.boxes(omar, two.here)) == ([HELLO, LATER], 0)
    with pytest.raises(NotFound):
        await omar.unlocked(leaving.hand_over, two.here, ruth.id)


async def test_the_last_of_us_on_a_room_cannot_just_go(two: Two) -> None:
    cleo, ruth = two.baobab["cleo"], two.baobab["ruth"]
    with pytest.raises(Refused, match="Nobody else"):
        await cleo.do(leaving.go, two.there)
    await cleo.unlocked(holding.assign, two.there, ruth.id)
    await cleo.do(leaving.go, two.there)
    assert [one.person_id for one in await cleo.here.read(holding.assigned, two.there)] == [ruth.id]
