"""Gives tests two offices with one case that both are on."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from fedcollab.sealing import head_telling
from fedcollab.sealing.chain_models import RoomChain
from tests.features.cases.desks import Office, partners
from tests.features.cases.test_access_pages import together
from tests.nodes import until


@dataclass
class Shared:
    """Meridian has opened a case and Kivuli has accepted it: Noor works on it at both. `case` is its id at Meridian, `there` at Kivuli."""

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
    async with partners(root) as (one, other):
        yield Shared(one, other, *await together(one, other))
