"""Gives the tests of sealing a key ring of either kind, at the newest step, and two nodes that share a room on consents."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from fedcollab.base.migrate import RING, migrate
from fedcollab.sealing.ring import Ring
from tests.nodes import befriend, running, settled
from tests.sealing.at_work import found, join_room, open_cases
from tests.sealing.consenting import Two


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def ring(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ring]:
    """An empty key ring."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'ring.db'}"
    else:
        make: Callable[[str], str] = request.getfixturevalue("postgres")
        url = make("ring")
    made = Ring(url)
    migrate(made.engine, steps=RING)
    yield made
    made.close()


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with running(tmp_path, "Meridian", "Baobab") as (one, other):
        meridian, baobab = await open_cases(one), await open_cases(other)
        await baobab.join("cleo")
        await befriend(one, other)
        uri, here = await found(meridian["ilse"])
        there = await join_room(meridian["ilse"], baobab, uri, here, "cleo")
        await settled(one, other)
        yield Two(meridian, baobab, uri, here, there)
