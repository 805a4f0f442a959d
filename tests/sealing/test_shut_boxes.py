"""Shows that a box that does not open is asked for again of another member, that keepers are told, and that it comes to an end."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fedcollab.sealing import case_boxes, casesecrets, keeper_tasks, shut_boxes, working
from fedcollab.sealing.boxes import Public
from fedcollab.sealing.casesecrets import BOX
from tests.nodes import befriend, running, settled, until
from tests.sealing.at_work import Desk, found, join_room, open_cases

SAFE = {"text": "She is safe."}


@dataclass
class Three:
    """Meridian leads a room that Baobab's Cleo and Cedar's Dora are on; all three are partners of each other. `rooms` are their rows."""

    meridian: Desk
    baobab: Desk
    cedar: Desk
    uri: str
    rooms: dict[str, str]

    async def turn_and_break(self) -> str:
        """The next case key, of which Meridian's node has nothing but broken boxes for Baobab; its name."""
        desk, row = self.meridian, self.rooms["meridian"]
        await desk.here.write(lambda session, node: working.turn(session, node, row) and None)
        ck = str((await desk.room(row))[2])
        await asyncio.to_thread(case_boxes.put, desk.here.kernel.node, ck, await self.mk(), b"no box at all".ljust(BOX))
        await until("told", lambda: self.baobab.here.sql("SELECT 1 FROM room WHERE id = :id AND ck = :ck", id=self.rooms["baobab"], ck=ck))
        return ck

    async def mk(self) -> str:
        """Baobab's key for the room."""
        query = "SELECT mk FROM room_member WHERE room_id = :id AND organisation = :me"
        return str((await self.baobab.here.sql(query, id=self.rooms["baobab"], me=self.baobab.me))[0][0])

    async def mend(self, desk: Desk, ck: str) -> None:
        """As if the box had been right."""
        good = await desk["ilse"].open(self.rooms["meridian"])
        [(raw,)] = await desk.here.sql("SELECT public FROM member_key WHERE kid = :kid", kid=await self.mk())
        box = casesecrets.boxed(good.secrets[ck], Public(raw))
        await asyncio.to_thread(case_boxes.put, desk.here.kernel.node, ck, await self.mk(), box)

    async def request(self, ck: str) -> tuple[Any, ...]:
        return (await self.baobab.here.sql("SELECT state, organisation FROM key_request WHERE ck = :ck", ck=ck))[0]

    async def tasks(self, desk: Desk) -> list[str]:
        return [task.kind for task in await desk.here.read(keeper_tasks.waiting)]


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[Three]:
    async with running(tmp_path, "Meridian", "Baobab", "Cedar") as nodes:
        meridian, baobab, cedar = [await open_cases(one) for one in nodes]
        await baobab.join("cleo")
        await cedar.join("dora")
        for one, other in ((0, 1), (0, 2), (1, 2)):
            await befriend(nodes[one], nodes[other])
        uri, row = await found(meridian["ilse"])
        rows = {"meridian": row, "baobab": await join_room(meridian["ilse"], baobab, uri, row, "cleo")}
        rows["cedar"] = await join_room(meridian["ilse"], cedar, uri, row, "dora")
        ck = (await meridian.room(row))[2]
        await until("all agree", lambda: baobab.here.sql("SELECT 1 FROM room WHERE ck = :ck", ck=ck))
        await until("the box", baobab.ask)
        await settled(*nodes)
        yield Three(meridian, baobab, cedar, uri, rows)


async def test_a_box_that_does_not_open_is_had_from_another_member_and_keepers_hear_of_it(three: Three) -> None:
    ck, cleo, there = await three.turn_and_break(), three.baobab["cleo"], three.rooms["baobab"]
    await until("a box", three.baobab.ask)
    opened = await cleo.open(there)
    assert (opened.lacks, opened.shut) == ({ck}, {ck})
    await three.meridian["ilse"].say(three.rooms["meridian"], SAFE)
    await until("the message", lambda: three.baobab.here.sql("SELECT 1 FROM sealed_message"))
    assert await cleo.read(there) == ["key"]
    await cleo.settle(there)
    assert (await three.request(ck), await three.tasks(three.baobab)) == (("open", three.cedar.me), ["box_shut"])
    assert await three.baobab.ask() == 0
    await until("Cedar is asked", lambda: three.cedar.here.sql("SELECT 1 FROM keeper_task WHERE kind = 'box_to_make'"))
    await until("Cedar's own box", three.cedar.ask)
    await three.cedar["dora"].settle(three.rooms["cedar"])
    await until("a box from Cedar", three.baobab.ask)
    assert await cleo.read(there) == [SAFE]
    await cleo.settle(there)
    assert await three.tasks(three.baobab) == []


async def test_where_nobody_has_one_that_opens_asking_ends_until_a_keeper_asks_again(three: Three) -> None:
    ck, cleo, there = await three.turn_and_break(), three.baobab["cleo"], three.rooms["baobab"]
    await asyncio.to_thread(case_boxes.put, three.cedar.here.kernel.node, ck, await three.mk(), b"nor is this one".ljust(BOX))
    for _ in range(2):
        await until("a box", three.baobab.ask)
        await cleo.settle(there)
    assert (await three.request(ck))[0] == "shut"
    assert (await three.baobab.ask(), await three.tasks(three.baobab)) == (0, ["box_shut"])
    await cleo.settle(there)
    await three.meridian["ilse"].say(three.rooms["meridian"], SAFE)  # what arrives meanwhile does not begin it again
    await until("the message", lambda: three.baobab.here.sql("SELECT 1 FROM sealed_message"))
    assert (await three.request(ck))[0] == "shut"
    await three.mend(three.meridian, ck)
    await three.baobab.here.write(shut_boxes.ask_now, there)
    await until("a box", three.baobab.ask)
    assert (await cleo.open(there)).lacks == frozenset()
    assert await cleo.read(there) == [SAFE]


async def test_boxes_that_open_are_asked_for_no_second_time(three: Three) -> None:
    cleo, there = three.baobab["cleo"], three.rooms["baobab"]
    before = await three.baobab.here.sql("SELECT ck, state, tries, shut FROM key_request ORDER BY ck")
    await cleo.settle(there)
    assert await three.baobab.here.sql("SELECT ck, state, tries, shut FROM key_request ORDER BY ck") == before
    assert await three.tasks(three.baobab) == []
