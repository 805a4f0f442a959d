"""Fills a node's library for tests of what goes out: public, for partners, for us, withdrawn, a story, a partner's."""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from fedcollab.actors.models import Actor
from fedcollab.base.clock import new_id
from fedcollab.features.resources import service, shelves
from fedcollab.features.resources.models import Resource
from fedcollab.features.resources.record import Record
from tests.features.conftest import House

PUBLIC = Record(
    "Le <premier> accueil & après",
    ("Léa Dubois", "Réseau, du Port"),
    "Réseau du Port",
    2016,
    "fr",
    ("FR", "TN"),
    "Guide",
    ("Shelter", "Outreach"),
    "CC-BY-4.0",
    "Ce qu'il faut *savoir* d'abord.",
    "https://port.example/accueil",
    "doi:10.5555/accueil",
)
GREEN = Record(
    "Secretly for partners", ("Gertrud Green",), "Greenhouse", 2019, kind="Card", topics=("Shelter",), identifier="doi:10.5555/green"
)
STRICT = Record("Strictly for us", ("Stefan Strict",), "Strongroom", 2018, kind="Policy", topics=("Shelter",))
HIDDEN = ("Secretly", "Gertrud", "Greenhouse", "10.5555/green", "Strictly", "Stefan", "Strongroom", "Story told", "TLP:GREEN", "STRICT")


async def add(house: House, record: Record, label: str) -> str:
    return str((await house.site.write(service.add, house.admin.viewer, record, label=label)).id)


async def fill(house: House) -> dict[str, str]:
    """The ids of what stands there, by what it is."""
    made = {"public": await add(house, PUBLIC, "TLP:CLEAR"), "green": await add(house, GREEN, "TLP:GREEN")}
    made["strict"] = await add(house, STRICT, "TLP:AMBER+STRICT")
    made["withdrawn"] = await add(house, Record("Out of date", kind="Report", topics=("Health",)), "TLP:CLEAR")
    await house.site.write(service.withdraw, house.admin.viewer, made["withdrawn"], reason="The law changed.")
    made["story"] = await add(house, Record("Story told", kind="Other"), "TLP:CLEAR")
    await sql(house, "UPDATE resource SET kind = 'Story' WHERE id = :id", id=made["story"])
    return made


async def sql(house: House, text: str, **values: Any) -> None:
    await house.site.kernel.database.write(lambda session: session.execute(sa.text(text), values) and None)


async def of_partner(house: House, record: Record, label: str = "TLP:CLEAR") -> str:
    """A partner's record, as if it had come in."""
    from fedcollab.features.resources import found, sending

    def put(session: Any) -> str:
        node, now = house.site.kernel.node, house.site.kernel.node.now()
        actor_id, resource_id = new_id(now), new_id(now)
        uri = f"https://tamarind.example/{actor_id}"
        row = dict(id=actor_id, uri=uri, kind="Organization", username="organisation", name="Tamarind", host="tamarind.example")
        session.execute(sa.insert(Actor).values(**row, organisation_id=actor_id, inbox=uri, known="partner", created_at=0, updated_at=0))
        audience_id = shelves.of(session, node, actor_id)
        shared = dict(uri=f"{uri}/1", audience_id=audience_id, label=label, author_id=actor_id, organisation_id=actor_id, posted_at=now)
        rest = dict(state="current", number=1, revision=1, changed_at=now)
        session.execute(sa.insert(Resource).values(id=resource_id, **shared, **sending.values_of(replace(record), ""), **rest))
        found.put(session, resource_id)
        return resource_id

    return await house.site.kernel.database.write(put)
