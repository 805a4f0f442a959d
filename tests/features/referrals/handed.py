"""Gives tests two organisations with cases open, a case at one, and referrals between them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fedcollab.features.referrals import fetching, service
from fedcollab.features.referrals.preview import Preview
from fedcollab.sealing import working
from tests.nodes import asked, befriend, running, until
from tests.sealing.at_work import Desk, Person, open_cases

CANARY = "Lantern Street 14"
OPENED, IDENTITY = {"kind": "opened", "code": "bafuko-tezara"}, {"kind": "identity", "name": CANARY}
DEADLINE = "2199-01-31"
REGION = "Kandal"
PREVIEW = Preview(
    reason="AdditionalServicesRequired",
    support=("Legal", "Health"),
    urgency="Days",
    age="18-20",
    languages=("km", "en"),
    country="KH",
    region=REGION,
    basis="VitalInterests",
    without="Danger",
    out_of="KH",
    into="TH",
    transfer="VitalInterests",
)


@dataclass
class Two:
    """Meridian has a case, in which Ilse and Omar work, and refers to Baobab, where Ilse and Ruth are keepers and Cleo a colleague."""

    meridian: Desk
    baobab: Desk
    case: str

    @property
    def ilse(self) -> Person:
        return self.meridian["ilse"]

    async def refer(self, *, deadline: str = DEADLINE, preview: Preview = PREVIEW) -> tuple[str, str]:
        """Ilse sends one: (its row, its room's row)."""
        to = await self.organisation()
        what = service.HandOver(to, deadline, preview, (OPENED, IDENTITY), self.case)
        sent: tuple[str, str] = await self.ilse.unlocked(service.offer, what)
        return sent

    async def organisation(self) -> str:
        """The row of Baobab at Meridian."""
        return str((await self.meridian.here.sql("SELECT id FROM actor WHERE uri = :uri", uri=self.baobab.me))[0][0])

    async def came(self, number: int = 1) -> str:
        """The newest that has come to Baobab, with its box."""
        waiting = "SELECT id FROM referral WHERE NOT sent ORDER BY at DESC"

        async def there() -> Any:
            rows = await self.baobab.here.sql(waiting)
            return rows if len(rows) >= number else None

        rows = await until("the referral is there", there)
        await self.baobab.here.read_write(lambda session: session.execute(sa.text("UPDATE referral SET next_at = 0")) and None)
        await asked(fetching.lanes(self.baobab.here.kernel))
        return str(rows[0][0])

    async def state(self, desk: Desk, state: str) -> None:
        await until(f"it is {state} there", lambda: desk.here.sql("SELECT 1 FROM referral WHERE state = :state", state=state))

    async def accepted(self, *names: str) -> tuple[str, str, str]:
        """One that Baobab has taken on: (its row at Meridian, the room's row there, the room's row at Baobab)."""
        sent, here = await self.refer()
        came = await self.came()
        there = await self.baobab["ilse"].do(service.accept, came, [self.baobab[name].id for name in names])
        await self.state(self.meridian, "accepted")
        await until("they are inside", lambda: self.baobab.here.sql("SELECT 1 FROM room WHERE id = :id AND state = 'open'", id=there))
        return sent, here, str(there)

    async def history(self, here: str) -> None:
        """Ilse opens the room of an accepted one, and Baobab asks for what is its own."""
        await self.ilse.settle(here)
        await until("the boxes have come", self.baobab.ask)


@asynccontextmanager
async def two_at_work(place: Path) -> AsyncIterator[Two]:
    async with running(place, "Meridian", "Baobab") as (one, other):
        meridian, baobab = await open_cases(one), await open_cases(other)
        await baobab.join("cleo")
        await meridian.join("omar")
        await befriend(one, other)
        yield Two(meridian, baobab, await meridian["ilse"].unlocked(working.found, "case", "TLP:AMBER"))
