"""Gives tests two offices with one case that both are on."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fedcollab.sealing import head_telling, working
from fedcollab.sealing.chain_models import RoomChain
from tests.features.cases.desks import Office, partners
from tests.nodes import until


@dataclass
class Shared:
    """Meridian has opened a case and Baobab has accepted it: Noor works on it at both. `case` is its id at Meridian, `there` at Baobab."""

    one: Office
    other: Office
    case: str
    there: str

    async def tell(self) -> None:
        """Each node tells where its record ends, and countersigns the other's, as if an hour had passed."""
        for at in (self.one, self.other):
            await at.site.write(lambda session, _node: session.execute(sa.update(RoomChain).values(told_at=0)) and None)
            await at.site.write(head_telling.tell)
        for at in (self.one, self.other):
            await until("the head is here", lambda at=at: at.sql("SELECT 1 FROM chain_head WHERE organisation <> :me", me=at.me))
            await at.site.write(head_telling.countersign)
        for at in (self.one, self.other):
            await until("it is countersigned", lambda at=at: at.sql("SELECT 1 FROM chain_signed WHERE organisation = :me", me=at.me))


@contextlib.asynccontextmanager
async def shared(root: Path) -> AsyncIterator[Shared]:
    async with partners(root, other="Baobab") as (one, other):
        case = await one.case("noor")

        async def has_key() -> bool:
            try:
                return bool(await one.do("noor", working.invite, case, other.me))
            except working.acting.NoKey:
                return False

        await until("the invitation is sent", has_key)
        await until("the invitation is there", lambda: other.sql("SELECT id FROM room"))
        there = (await other.sql("SELECT id FROM room"))[0][0]

        def accept(session: Any, node: Any) -> None:
            room = working.rooms.by_row(session, node, there)
            invitation = room.seats[0].invitation.id
            viewer = other["noor"].viewer
            working.accept(session, node, viewer, there, invitation, [viewer.person_id])

        await other.site.write(accept)
        await until("they are inside", lambda: other.sql("SELECT 1 FROM room WHERE state = 'open'"))
        yield Shared(one, other, case, there)
