"""Shows how a wrong clock is found: by the times that partners' answers carry, the one in the middle of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiohttp import web

from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import MICROSECONDS, http_date, system_clock
from fedcollab.base.session import Session
from fedcollab.doctor.findings import FAIL, OK, SKIP, WARN
from fedcollab.federation.models import Partner
from tests.nodes import Rogue, free_port, rogue

from .patients import PARTNERS, Ward, ward


@pytest.fixture
async def partners() -> AsyncIterator[list[Rogue]]:
    made = [await rogue(), await rogue()]
    yield made
    for one in made:
        await one.stop()


def trial(place: Path, others: list[Rogue]) -> Ward:
    """A trial node whose partners are these servers on loopback."""
    made = ward(place)
    address = f"127.0.0.1:{free_port()}"
    made.set(base_url=f"http://{address}", listen=address, trial=True, loopback_peers=[f"127.0.0.1:{one.port}" for one in others])

    def work(session: Session, _node: Node) -> None:
        for host, other in zip(PARTNERS, others, strict=True):
            organisation = sa.select(Partner.organisation_id).where(Partner.host == host).scalar_subquery()
            session.execute(
                sa.update(Actor).where(Actor.id == organisation).values(uri=other.uri("/actor"), host=f"127.0.0.1:{other.port}")
            )
            session.execute(sa.update(Partner).where(Partner.host == host).values(host=f"127.0.0.1:{other.port}"))

    made.write(work)
    return made


def skewed(one: Rogue, seconds: int) -> None:
    """Has a partner's answers carry another time, whatever their status."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=401, headers={"Date": http_date(system_clock() + seconds * MICROSECONDS)})

    one.answer = answer


@pytest.mark.rule("R8")
@pytest.mark.parametrize(
    ("first", "second", "level"),
    [(0, 0, OK), (40, 40, OK), (90, 90, WARN), (-90, -90, WARN), (600, 620, FAIL), (-7200, -7200, FAIL)],
)
async def test_a_clock_that_differs_from_partners_is_found(
    tmp_path: Path, partners: list[Rogue], first: int, second: int, level: str
) -> None:
    node = trial(tmp_path, partners)
    assert await node.levels("clock") == {"clock": OK}
    skewed(partners[0], first)
    skewed(partners[1], second)
    [(_, finding)] = await node.examine("clock")
    assert finding.level == level
    assert ("behind" in finding.words(), "ahead" in finding.words()) == (level != OK and first > 0, level != OK and first < 0)


async def test_partners_that_answer_nothing_or_no_time_say_nothing(tmp_path: Path, partners: list[Rogue]) -> None:
    node = trial(tmp_path, partners)

    async def timeless(_request: web.Request) -> web.Response:
        return web.Response(headers={"Date": "yesterday"})

    partners[0].answer = partners[1].answer = timeless
    assert await node.levels("clock") == {"clock": SKIP}
    await partners[0].stop()
    await partners[1].stop()
    assert await node.levels("clock") == {"clock": SKIP}
    assert [one.received for one in partners] == [[], []]
