"""Gives the tests of sealing a key ring of either kind, at the newest step, two nodes that share a room on consents, and three
that are in one room."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from fedcollab.base.migrate import RING, migrate
from fedcollab.sealing.ring import Ring
from tests.nodes import befriend, running, settled, until
from tests.sealing.at_work import found, join_room, open_cases
from tests.sealing.consenting import Two
from tests.sealing.three_desks import Three


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


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[Three]:
    async with running(tmp_path, "Meridian", "Baobab", "Cedar") as nodes:
        meridian, baobab, cedar = [await open_cases(one) for one in nodes]
        await baobab.join("cleo")
        await cedar.join("dora")
        for one, other in ((0, 1), (0, 2), (1, 2)):
            await befriend(nodes[one], nodes[other])
        uri, row = await found(meridian["ilse"])
        rows = {"meridian": row, "baobab": await join_room(meridian["ilse"], baobab, uri, row, "cleo")}
        rows["cedar"] = await join_room(meridian["ilse"], cedar, uri, row, "dora")
        ck = (await meridian.room(row))[2]
        await until("all agree", lambda: baobab.here.sql("SELECT 1 FROM room WHERE ck = :ck", ck=ck))
        await until("the box", baobab.ask)
        await settled(*nodes)
        yield Three(meridian, baobab, cedar, uri, rows)
