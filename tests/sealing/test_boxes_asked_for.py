"""Boxes of case keys: asked for until they are here, handed to members alone, and told of where they don't come."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import DAY, MINUTE
from fedcollab.sealing import acting, boxes, case_boxes, casesecrets, keeper_tasks, key_asking, rooms
from fedcollab.sealing.boxes import Public
from fedcollab.sealing.casekeys import CaseKey
from fedcollab.sealing.key_asking import LONGEST, TOLD, Wanted
from fedcollab.sealing.room_models import KeyRequest, RoomKey
from tests.nodes import Rogue, admit, asked, befriend, may_also_reach, rogue, running, settled, until
from tests.sealing.test_rooms_travel import Party, Three, found


@dataclass
class Two:
    """An owner and a member, and a partner that is not inside; `key` is the private half that the member's boxes are for."""

    owner: Party
    ben: Party
    uri: str
    key: boxes.Private

    async def head(self) -> CaseKey:
        room = await self.owner.room(self.uri)
        assert room.head is not None
        return room.head

    async def make(self) -> None:
        """The owner's people make the member's box of the newest case key."""
        head = await self.head()
        sealed = casesecrets.boxed(self.owner.secrets[head.ck], self.key.public)
        await asyncio.to_thread(case_boxes.put, self.owner.here.kernel.node, head.ck, self.key.public.kid, sealed)

    async def ask(self) -> int:
        return await asked(key_asking.lanes(self.ben.here.kernel))

    async def requests(self) -> list[Any]:
        return await self.ben.here.sql("SELECT tries, state FROM key_request")

    async def ago(self, micros: int) -> None:
        """As if the box had been asked for that long ago."""
        earlier = sa.update(KeyRequest).values(asked_at=KeyRequest.asked_at - micros, next_at=0)
        await self.ben.here.read_write(lambda session: session.execute(earlier) and None)


@pytest.fixture
async def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Two]:
    async with running(tmp_path, "Meridian", "Baobab") as (one, other):
        owner, ben = Party(one), Party(other)
        await befriend(one, other)
        uri, key = await found(owner), boxes.generate()
        with monkeypatch.context() as patch:
            patch.setattr(boxes, "generate", lambda: key)
            await Three(owner, ben, ben, uri).join(ben)
        await settled(one, other)  # or what comes later asks for boxes beside the test
        yield Two(owner, ben, uri, key)


async def test_a_request_wakes_whoever_asks_for_boxes(two: Two) -> None:
    event = two.ben.here.kernel.database.wakes.event("keys")
    head = await two.head()
    room = await two.ben.room(two.uri)
    await two.ben.here.read_write(lambda session: session.execute(sa.delete(KeyRequest)) and None)
    event.clear()  # whatever came before
    await asyncio.sleep(0.05)
    assert not event.is_set(), "what asks for nothing wakes nobody"
    [(room_id,)] = await two.ben.here.sql("SELECT id FROM room")
    await two.ben.here.write(rooms._settle_requests, room_id, room)
    assert await two.ben.here.sql("SELECT ck FROM key_request") == [(head.ck,)]
    await asyncio.wait_for(event.wait(), 5)


async def test_a_node_that_dies_before_earlier_messages_have_come_asks_for_box_and_messages_once_more(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """No error that anything would catch."""

    async def dies(*_: object) -> None:
        raise Killed

    await two.make()
    with monkeypatch.context() as patch:
        patch.setattr(key_asking, "_messages", dies)
        with pytest.raises(Killed):
            await two.ask()
    assert await two.requests() == [(0, "open")]
    assert await two.ask() == 1
    assert await two.requests() == [(0, "had")]


async def test_a_box_is_asked_for_until_it_is_there_and_opens(two: Two) -> None:
    head = await two.head()
    assert await two.ask() == 0
    assert await two.requests() == [(1, "open")]
    assert [task.kind for task in await two.owner.here.read(keeper_tasks.waiting)] == ["box_to_make"]
    await two.make()
    assert await two.ask() == 0  # not before its time
    await two.ago(MINUTE)
    assert await two.ask() == 1
    box = await asyncio.to_thread(case_boxes.get, two.ben.here.kernel.node, head.ck, two.key.public.kid)
    assert box is not None
    assert casesecrets.opened(head, two.key, box).raw == two.owner.secrets[head.ck].raw
    assert await two.requests() == [(1, "had")]


async def test_after_a_week_the_keepers_are_told_once_and_no_more_once_it_is_there(two: Two) -> None:
    await two.ask()
    await two.ago(TOLD - DAY)
    await two.ask()
    assert not await two.ben.here.read(keeper_tasks.waiting)
    await two.ago(DAY)
    await two.ask()
    await two.ago(0)
    await two.ask()
    assert [task.kind for task in await two.ben.here.read(keeper_tasks.waiting)] == ["key_missing"]
    await two.make()
    await two.ago(0)
    assert await two.ask() == 1
    assert not await two.ben.here.read(keeper_tasks.waiting)


async def test_it_is_asked_for_ever_more_rarely_but_never_less_than_four_times_a_day(two: Two) -> None:
    await two.ben.here.read_write(lambda session: session.execute(sa.update(KeyRequest).values(tries=5000)) and None)
    before = two.ben.here.kernel.node.now()
    await two.ask()
    [(next_at,)] = await two.ben.here.sql("SELECT next_at FROM key_request")
    assert before < next_at <= two.ben.here.kernel.node.now() + LONGEST


async def test_a_box_that_is_ours_no_longer_is_not_asked_for(two: Two) -> None:
    await two.owner.say(two.uri, acting.remove, two.ben.me)
    await two.ben.state(two.uri, "out")
    assert (await two.requests())[0][1] == "refused"
    gone = Wanted((await two.ben.here.sql("SELECT room_id FROM key_request"))[0][0], (await two.head()).ck, (two.key.public.kid,), ())
    assert not await two.ben.here.write(key_asking.came_in, gone, {})


async def stranger_asks(at: Two, other: Rogue, path: str) -> Any:
    return await other.get(at.owner.here, path)


@pytest.mark.rule("CONF-01")
async def test_whoever_is_not_inside_is_answered_as_if_there_was_nothing(two: Two) -> None:
    other = await rogue()
    try:
        await admit(may_also_reach(two.owner.here, other), other)
        await two.make()
        head = await two.head()
        kid, none = two.key.public.kid, Public(b"0" * 1216).kid
        nothing = await stranger_asks(two, other, f"/rooms/keys/{none}/boxes/{none}")
        assert nothing[0] == 404
        for path in [f"{head.ck}/boxes/{kid}", f"{head.ck}/boxes/{none}", f"{head.ck}", "x/boxes/y", f"{none}"]:
            assert await stranger_asks(two, other, f"/rooms/keys/{path}") == nothing
        assert not await two.owner.here.read(keeper_tasks.waiting)
        assert await two.ask() == 1  # and the member gets it
    finally:
        await other.stop()


async def test_who_was_removed_is_handed_nothing_before_the_key_is_turned(two: Two) -> None:
    await two.make()
    wanted = Wanted("", (await two.head()).ck, (two.key.public.kid,), (two.owner.me,))
    assert await key_asking._one(two.ben.here.kernel, wanted, two.key.public.kid)
    await two.owner.say(two.uri, acting.remove, two.ben.me)
    assert not await key_asking._one(two.ben.here.kernel, wanted, two.key.public.kid)


async def test_a_node_that_has_forgotten_its_own_case_key_gets_its_document_back(two: Two) -> None:
    await two.owner.turn(two.uri)
    head, here = await two.head(), two.owner.here

    async def seen() -> bool:
        return (await two.owner.room(two.uri)).seen.get(two.ben.me) == head.ck

    await until("the member works with it, and has said so", seen)
    await here.read_write(lambda session: session.execute(sa.delete(RoomKey).where(RoomKey.ck == head.ck)) and None)
    await here.write(rooms.learn, two.uri, [])
    assert await two.head() != head
    await asked(key_asking.lanes(here.kernel))
    assert await two.head() == head
    assert (await two.owner.room(two.uri)).state == "open"
