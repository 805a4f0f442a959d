"""Measures what the library's page costs a signed-in member's node, among few resources and among many, beside the least that shows it."""

from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.app import make_kernel
from fedcollab.base import config
from fedcollab.base.clock import MINUTE, new_id
from fedcollab.base.database import run_sync
from fedcollab.base.paths import NodeFiles
from fedcollab.base.session import Session
from fedcollab.demo import free_ports
from fedcollab.features.resources import shelves
from fedcollab.features.resources.models import Resource, Version
from fedcollab.federation.models import Partner

from .floor import beside_its_floor
from .measured import Server
from .stock import Stocked, fill
from .table import Row

FEW, MANY = 1000, 100_000
COST, TIMES_FLOOR, GROWTH = 1600.0, 4.0, 1.15
SHOWN = 30
TITLES = ("How to read a seasonal contract with someone", "Lire un contrat saisonnier", "What agencies promise", "Deposit checklist")
ABSTRACT = "Eleven questions to go through with a person who has been offered seasonal work, in the order in which people like to talk."


def measure(root: Path) -> Iterator[Row]:
    ports = free_ports(3)
    few, many = fill(root / "shelf-few", ports[0], 100), fill(root / "shelf-many", ports[1], 100)
    for stocked, number in ((few, FEW), (many, MANY)):
        kernel = make_kernel(config.load(stocked.place, {}), NodeFiles(stocked.place))
        run_sync(kernel.database, lambda session, kernel=kernel, number=number: stock(session, kernel.node, number))
        kernel.database.close()
    small, large, floor = beside_its_floor(few, many, ports, _ask)
    yield Row("the library's page", small, "CPU-us", floor, COST)
    yield Row("the library's page, times its floor", small / floor, "times", 1.0, TIMES_FLOOR)
    yield Row(f"the same page among {MANY} resources, times among {FEW}", large / small, "times", 1.0, GROWTH)


def stock(session: Session, at: Node, number: int) -> None:
    """So many resources: one in four our own, the others of twelve partners; one in ten public, one in fifty withdrawn."""
    ours = shelves.ours(session, at, "TLP:GREEN")
    partners = list(session.scalars(sa.select(Partner.organisation_id).order_by(Partner.id)))
    me = session.execute(sa.text("SELECT owner_id FROM audience WHERE id = :id"), {"id": ours}).scalar_one()
    places = [(me, ours), *((one, shelves.of(session, at, one)) for one in partners)]
    for start in range(0, number, 1000):
        rows = [_row(at, n, *places[0 if n % 4 == 0 else n % len(places)]) for n in range(start, min(number, start + 1000))]
        session.execute(sa.insert(Resource), rows)
        versions = [
            dict(resource_id=row["id"], number=1, note="", link="https://x.example/", reason="", state=row["state"]) for row in rows
        ]
        session.execute(sa.insert(Version), [one | dict(published_at=at.now()) for one in versions])


def _row(at: Node, n: int, organisation_id: str, audience_id: str) -> dict[str, object]:
    resource_id, gone = new_id(at.now()), n % 50 == 0
    texts = dict(
        title=f"{TITLES[n % 4]} {n}", summary="", html=f"<p>{ABSTRACT}</p>", abstract=ABSTRACT, publisher="", source="", identifier=""
    )
    codes = dict(
        kind=("Guide", "Card", "Research", "Law")[n % 4], language=("en", "fr", "km", "ar")[n % 4], licence="CC-BY-4.0", year=2000 + n % 26
    )
    lists = dict(authors=["Sokha P."], countries=["KH"], topics=["Outreach"], review_on="2027-01-01" if n % 7 == 0 else "")
    who = dict(author_id=organisation_id, organisation_id=organisation_id, audience_id=audience_id, added_by_id=None)
    state = dict(state="withdrawn" if gone else "current", reason="The law has changed." if gone else "", number=1, revision=1)
    when = dict(posted_at=at.now() - n * MINUTE, changed_at=at.now() - n * MINUTE, deleted_at=None)
    names = dict(id=resource_id, uri=at.settings.uri(f"/library/{resource_id}"), label="TLP:CLEAR" if n % 10 == 0 else "TLP:GREEN")
    return texts | codes | lists | who | state | when | names


def _ask(made: Server, kept: Stocked) -> None:
    status, body = made.ask("/library", kept.cookie)
    assert status == 200, status
    assert body.count(b'href="/library/') >= SHOWN
