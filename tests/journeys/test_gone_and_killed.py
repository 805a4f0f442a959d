"""Shows that the rooms of somebody whose account has ended get new keys though the node is killed on the way."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from fedcollab.sealing import leaving
from tests.features.cases.desks import office

from .processes import Process, until

CASES = 7


def prepared(root: Path) -> tuple[Process, str]:
    """A node, stopped, on which Noor is on several cases; her row."""

    async def make() -> tuple[int, str]:
        async with office(root) as at:
            for _ in range(CASES):
                await at.case("noor")
            return int(at.site.kernel.node.settings.listen.rpartition(":")[2]), at["noor"].viewer.person_id

    port, person_id = asyncio.run(make())
    return Process(root / "node", port), person_id


def epochs(node: Process) -> list[int]:
    with sqlite3.connect(node.place / "node.db") as database:
        return [epoch for (epoch,) in database.execute("SELECT epoch FROM room ORDER BY created_at")]


def left(node: Process, person_id: str) -> int:
    with sqlite3.connect(node.place / "node.db") as database:
        query = "SELECT count(*) FROM room_person WHERE person_id = ? AND until IS NULL"
        return int(database.execute(query, [person_id]).fetchone()[0])


@pytest.mark.slow
@pytest.mark.rule("P28", "R1")
def test_a_node_that_is_killed_while_it_makes_keys_anew_goes_on_with_its_start(tmp_path: Path) -> None:
    node, noor = prepared(tmp_path)
    before = epochs(node)
    node.run("user", "disable", "noor")
    assert left(node, noor) == CASES - leaving.FIRST, "the command does the first one with the account"
    try:
        node.environment = {"FEDCOLLAB_CRASH_AT": "ring.committed:2"}
        node.start()
        assert node.reap() != 0
        assert 0 < left(node, noor) <= CASES - leaving.FIRST
        node.environment = {}
        node.serve()
        until("all rooms are done", lambda: left(node, noor) == 0, 5)
        assert epochs(node) == [epoch + 1 for epoch in before]
    finally:
        node.kill()
