"""Shows that activities which come in together are stored together, each once, and that one's fault is not another's."""

import asyncio
from typing import Any

import pytest

from fedcollab.base.errors import BadRequest, StorageFull
from fedcollab.base.session import Session
from fedcollab.federation import intake
from fedcollab.federation.intake import Intake, Row
from tests.nodes import until


class Writer:
    """A database whose units run one after the other, a moment later; it does not take rows named bad."""

    def __init__(self, error: Exception | None = None) -> None:
        self.units: list[list[str]] = []
        self.error = error
        self.turn = asyncio.Event()
        self.turn.set()

    async def write(self, work: Any, *args: Any) -> Any:
        await self.turn.wait()
        await asyncio.sleep(0.01)
        return work(self, *args)


@pytest.fixture(autouse=True)
def insert(monkeypatch: pytest.MonkeyPatch) -> None:
    def insert(writer: Session, rows: list[Row]) -> None:
        assert isinstance(writer, Writer)
        names = [row["uri"] for row in rows]
        writer.units.append(names)
        if writer.error is not None:
            raise writer.error
        if "bad" in names:
            raise BadRequest(reason="a value that the database does not take")

    monkeypatch.setattr(intake, "insert", insert)


async def stored(made: Intake, writer: Any, *names: str) -> list[Any]:
    return await asyncio.gather(*(made.store(writer, {"uri": name}) for name in names), return_exceptions=True)


async def test_what_comes_in_together_is_one_unit_and_the_next_gathers_meanwhile() -> None:
    made, writer = Intake(), Writer()
    writer.turn.clear()
    first, more = (asyncio.create_task(stored(made, writer, *names)) for names in ("ab", "c"))

    async def all_wait() -> bool:
        return len(made.waiting) == 3

    await until("both are in before the unit begins", all_wait)
    writer.turn.set()
    assert await first == [None, None]
    rest = asyncio.create_task(stored(made, writer, "d", "e"))
    assert (await more, await rest) == ([None], [None, None])
    assert writer.units == [["a", "b", "c"], ["d", "e"]]
    assert made.task is None


async def test_one_that_the_database_does_not_take_is_nobody_elses_fault() -> None:
    made, writer = Intake(), Writer()
    one, bad, two = await stored(made, writer, "a", "bad", "b")
    assert (one, two) == (None, None)
    assert isinstance(bad, BadRequest)
    assert writer.units == [["a", "bad", "b"], ["a"], ["bad"], ["b"]]


async def test_a_full_disk_is_told_to_all_and_the_next_is_stored() -> None:
    made, writer = Intake(), Writer(StorageFull())
    assert [type(answer) for answer in await stored(made, writer, "a", "b")] == [StorageFull] * 2
    writer.error = None
    assert await stored(made, writer, "c") == [None]


async def test_no_unit_takes_more_than_its_share() -> None:
    made, writer = Intake(), Writer()
    assert await stored(made, writer, *(str(number) for number in range(intake.MOST + 3))) == [None] * (intake.MOST + 3)
    assert [len(unit) for unit in writer.units] == [intake.MOST, 3]
