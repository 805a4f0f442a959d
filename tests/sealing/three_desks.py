"""Gives tests a room that three organisations are in."""

import asyncio
from dataclasses import dataclass
from typing import Any

from fedcollab.sealing import case_boxes, casesecrets, keeper_tasks, working
from fedcollab.sealing.boxes import Public
from fedcollab.sealing.casesecrets import BOX
from tests.nodes import until
from tests.sealing.at_work import Desk

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
