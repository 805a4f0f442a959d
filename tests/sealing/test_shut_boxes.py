"""Shows that a box that does not open is asked for again of another member, that keepers are told, and that it comes to an end."""

import asyncio

from fedcollab.sealing import case_boxes, shut_boxes
from fedcollab.sealing.casesecrets import BOX
from tests.nodes import until
from tests.sealing.three_desks import SAFE, Three


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
