"""Shows that the demo, whose password everybody knows, touches no node but its own."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from fedcollab import demo
from fedcollab.base.errors import Misconfigured
from fedcollab.setup import init
from tests.ports import free_ports

REAL = {"name": "Shelter", "base_url": "https://shelter.example", "listen": "127.0.0.1:8080"}


async def test_the_demo_leaves_a_real_node_alone_that_lies_where_it_is_to_be_kept(tmp_path: Path) -> None:
    place = tmp_path / "node1"
    await asyncio.to_thread(init, place, dict(REAL))
    with pytest.raises(Misconfigured, match="not the demo's"):
        async with demo.stage(place, demo.CASTS[0], free_ports(2), 0):
            pass
    [database] = [one for one in place.glob("*.db") if one.name != "ring.db"]
    assert sqlite3.connect(database).execute("SELECT count(*) FROM member").fetchone() == (0,)


async def test_the_demo_goes_on_with_a_node_of_its_own(tmp_path: Path) -> None:
    ports = free_ports(2)
    for _ in range(2):
        async with demo.stage(tmp_path / "node1", demo.CASTS[2], ports, 0) as stage:
            assert [viewer.name for viewer in stage.viewers] == ["أمل ب."]
