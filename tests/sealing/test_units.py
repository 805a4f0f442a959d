"""Shows the key ring used from units of the node's database: what is run again is written once, and what fails leaves an orphan at most."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fedcollab.actors.node import Node
from fedcollab.base.database import Database, open_database
from fedcollab.base.session import Session
from fedcollab.sealing import wraps
from fedcollab.sealing.ring import Ring
from tests.rows import node


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_database(f"sqlite:///{tmp_path / 'node.db'}")
    yield made
    made.close()


async def test_units_that_are_run_again_because_another_one_failed_have_put_their_boxes_once(ring: Ring, database: Database) -> None:
    at, ran = replace(node(), ring=ring), list[int]()

    def unit(_session: Session, at: Node, number: int) -> str:
        ran.append(number)
        with at.ring.begin() as put:
            wraps.put_wrap(put, f"mk:{number}", "k", b"box", 1)
            wraps.destroy(put, "ck:old", 2)
        if number == 5:
            raise ZeroDivisionError
        return f"mk:{number}"

    answers = await asyncio.gather(*(database.write(unit, at, number) for number in range(10)), return_exceptions=True)
    assert [type(answer) for answer in answers if not isinstance(answer, str)] == [ZeroDivisionError]
    assert len(ran) > 10, "those beside it were run again"

    def look() -> tuple[list[str], bool]:
        with ring.look() as found:
            return sorted(wraps.wraps_to(found, "k")), wraps.is_destroyed(found, "ck:old")

    assert await asyncio.to_thread(look) == (sorted(f"mk:{number}" for number in range(10)), True)


async def test_a_reading_unit_sees_the_ring_and_a_glance_on_the_loops_thread_does_not(ring: Ring, database: Database) -> None:
    at = replace(node(), ring=ring)

    def unit(_session: Session, at: Node) -> bytes | None:
        with at.ring.look() as found:
            return wraps.wrap(found, "mk:1", "k")

    assert await database.read(unit, at) is None
    with pytest.raises(RuntimeError, match="hold up the event loop"):
        await database.glance(unit, at)
