"""Gives tests three nodes that are partners, and a rogue partner that publishes records of its own making."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fedcollab.access.viewer import Viewer
from fedcollab.base.clock import new_id
from fedcollab.features.resources import service
from fedcollab.features.resources.record import Record
from fedcollab.federation import activitystreams as ap
from tests.nodes import Here, Rogue, befriend, running, until

GUIDE = Record(
    title="How to read a contract",
    authors=("Sokha Prak", "Mateo Ruiz"),
    publisher="Tamarind Collective",
    year=2026,
    language="en",
    countries=("KH", "TH"),
    kind="Guide",
    topics=("LabourRecruitment",),
    licence="CC-BY-4.0",
    summary="Eleven *questions*.",
    source="https://guides.example/contract",
    review_on="2027-11-30",
)


@contextlib.asynccontextmanager
async def friends(place: Path, *names: str) -> AsyncIterator[list[Here]]:
    """Nodes that have each approved each other."""
    async with running(place, *names) as made:
        for number, one in enumerate(made):
            for other in made[number + 1 :]:
                await befriend(one, other)
        yield made


async def add(here: Here, record: Record = GUIDE, *, label: str = "TLP:GREEN", **more: Any) -> str:
    """A record's row id."""
    return str((await here.write(service.add, here.viewer, record, label=label, **more)).id)


async def there(here: Here, column: str, **where: str) -> list[Any]:
    """A column of the records on a node that are like this."""
    clauses = " AND ".join(f"{name} = :{name}" for name in where) or "1 = 1"
    return [row[0] for row in await here.sql(f"SELECT {column} FROM resource WHERE {clauses} ORDER BY posted_at", **where)]


async def arrives(here: Here, column: str, value: Any, **where: str) -> None:
    """Waits until a column of one record reads so."""

    async def look() -> bool:
        return await there(here, column, **where) == [value]

    await until(f"{column} is {value!r}", look)


def moderator(here: Here) -> Viewer:
    return here.viewer


def resource(rogue: Rogue, **more: Any) -> dict[str, Any]:
    """A record as a partner's Organization publishes it; `record` and whatever else is over the usual."""
    record = {"revision": 1, "state": "current", "kind": "Guide", "versions": [{"number": 1, "state": "current"}]} | more.pop("record", {})
    author = rogue.uri("/actor")
    made: dict[str, Any] = {
        "id": rogue.uri(f"/library/{new_id()}"),
        "type": ["Article", ap.RESOURCE],
        "attributedTo": author,
        "to": [author + "/followers"],
        "name": "A guide",
        "content": "<p>What it is for.</p>",
        ap.LABEL: "TLP:GREEN",
        ap.RECORD: record,
    }
    return made | more


async def tell(rogue: Rogue, here: Here, kind: str, obj: dict[str, Any], *, actor: str = "/actor", **more: Any) -> int:
    """Sends an activity about it; answers the status once it has been processed."""
    who = rogue.uri(actor)
    made = ap.activity(kind, rogue.uri(f"/activities/{new_id()}"), who, obj, to=[who + "/followers"], **more)
    status = await rogue.send(here, rogue.prove(made, who))
    await here.quiet()
    return status


async def last_reason(here: Here) -> str:
    """Why the newest thing that came in was refused."""
    return str((await here.sql("SELECT reason FROM inbox_item ORDER BY id DESC LIMIT 1"))[0][0])
