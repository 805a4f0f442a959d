"""Gives tests of sealed groups running nodes: a coalition of organisations, each with Vera, who leads for it, and Omar, a member."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fedcollab.access.models import AMBER
from fedcollab.access.viewer import CASEWORKER, MEMBER
from fedcollab.features.rooms import acting, filing, reading, units
from fedcollab.features.rooms.entries import Group, Reply, Thread
from fedcollab.sealing.entries import Entry
from fedcollab.sealing.refusals import KeyNotHere
from tests.nodes import Here, befriend, running, settled, until
from tests.sealing.at_work import Desk, open_cases

QUESTION = "Has anybody seen this advert?"


@dataclass
class Coalition:
    """The nodes by name, and each one's own row of the group. The first one leads it."""

    desks: dict[str, Desk]
    uri: str = ""
    rows: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Desk:
        return self.desks[name]

    async def do(self, name: str, act: Any, *values: Any, by: str = "vera", **more: Any) -> Any:
        """An act of somebody at a node in the group."""
        return await self.desks[name][by].unlocked(act, self.rows[name], *values, **more)

    async def plan(self, name: str, plan: Any, *values: Any, by: str = "vera") -> Any:
        """The same, in one unit, of what is made ready by a reader else."""
        return await self.do(name, units.at_once, plan, *values, by=by)

    async def opens(self, name: str, by: str = "vera") -> Any:
        return await self.plan(name, units.opens, by=by)

    async def begin(self, name: str, label: str = AMBER) -> None:
        vera = self.desks[name]["vera"]
        self.rows = {name: await vera.unlocked(acting.begin, label, Group(at=1, name="Coalition"))}
        self.uri = (await vera.open(self.rows[name])).uri

    async def invite(self, owner: str, name: str, who: str = "", history: str = "") -> None:
        await self.do(owner, acting.invite, who or self.desks[name].me, history)
        self.rows[name] = await self.desks[name].room_id(self.uri)
        asked = "SELECT 1 FROM room_member WHERE room_id = :id AND state = 'invited'"
        await until(f"{name} is asked", lambda: self.desks[name].here.sql(asked, id=self.rows[name]))

    async def accept(self, name: str, *people: str, by: str = "vera") -> None:
        desk = self.desks[name]
        await self.do(name, acting.answer, [desk[one].id for one in people or ("vera",)], yes=True, by=by)
        await until(f"{name} is inside", lambda: desk.here.sql("SELECT 1 FROM room WHERE id = :id AND state = 'open'", id=self.rows[name]))
        await until(f"{name} has its box", desk.ask)

    async def start(self, name: str, text: str, title: str = QUESTION, by: str = "vera") -> str:
        """A conversation; its message's id."""
        return await self.say(name, Thread(at=1, title=title, text=text), by)

    async def reply(self, name: str, thread: str, text: str, by: str = "vera") -> str:
        return await self.say(name, Reply(at=2, thread=thread, text=text), by)

    async def say(self, name: str, entry: Entry, by: str = "vera") -> str:
        """Says it as soon as the newest case key is there; the message's id."""
        here = self.desks[name].here

        async def said() -> str:
            await self.desks[name].ask()
            with contextlib.suppress(KeyNotHere):
                return str(await self.plan(name, filing.says, lambda _: entry, by=by))
            return ""

        row = await until(f"{name} has the newest key", said)
        return str((await here.sql("SELECT uri FROM sealed_message WHERE id = :id", id=row))[0][0])

    async def row(self, name: str, uri: str) -> str:
        """A message's row at a node, as soon as it is there."""
        query = "SELECT id FROM sealed_message WHERE uri = :uri"
        found = await until(f"{uri} is at {name}", lambda: self.desks[name].here.sql(query, uri=uri))
        return str(found[0][0])

    async def read(self, name: str, thread: str, by: str = "vera") -> list[str]:
        """What somebody reads in a conversation: texts, or why there is none."""
        row = await self.row(name, thread)
        page: reading.Conversation = await self.plan(name, reading.conversation, row, 1, by=by)
        return [one.text or one.state for one in page.posts]

    async def reads(self, name: str, thread: str, *texts: str, by: str = "vera") -> None:
        """Waits until that is what they read."""

        async def there() -> bool:
            await self.desks[name].ask()
            with contextlib.suppress(Exception):
                return await self.read(name, thread, by=by) == list(texts)
            return False

        try:
            await until(f"{name} reads {texts}", there)
        except AssertionError:
            assert await self.read(name, thread, by=by) == list(texts)

    async def reach(self, name: str) -> tuple[int, int, int]:
        here = await self.opens(name)
        return here.reach.people, here.reach.organisations, here.reach.silent


@contextlib.asynccontextmanager
async def coalition(root: Path, *names: str, early: bool = False) -> AsyncIterator[Coalition]:
    """Nodes with cases open; the first one is a partner of all others, which are none of each other's. `early`: they are so before anybody
    has a key, so that all hear of each person's."""
    async with running(root, *names) as nodes:
        if early:
            await _befriend(nodes)
        desks = dict(zip(names, await asyncio.gather(*(open_cases(one) for one in nodes)), strict=True))
        for desk in desks.values():
            await desk.join("vera", MEMBER, CASEWORKER)
            await desk.join("omar", MEMBER)
        if not early:
            await _befriend(nodes)
        await settled(*nodes)
        yield Coalition(desks)


async def _befriend(nodes: Sequence[Here]) -> None:
    for other in nodes[1:]:
        await befriend(nodes[0], other)
