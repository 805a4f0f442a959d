"""Shows when what a node lacks or has to do is seen to beside its server: at its start, at once when a commit says so, not while it is
worked on; that whoever is slow to answer keeps nobody else waiting; one unit after the other, and soon again after a failure."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from fedcollab.base.database import Wakes
from fedcollab.federation import beside
from fedcollab.federation.kernel import KERNEL
from tests.nodes import until

HOURS = 3600.0


def node(wakes: Wakes, closed: list[str]) -> web.Application:
    async def write(work: Callable[..., Any], at: Any) -> Any:
        return work(None, at)

    app, maintenance = web.Application(), SimpleNamespace(state=lambda: closed or None)
    database = SimpleNamespace(wakes=wakes, write=write)
    app[KERNEL] = SimpleNamespace(database=database, node=SimpleNamespace(maintenance=maintenance))  # type: ignore[assignment,misc]
    return app


async def test_it_asks_at_the_start_and_when_its_topic_wakes_and_a_failure_or_another_topic_changes_nothing() -> None:
    wakes, asked, closed = Wakes(), list[int](), list[str]()

    async def ask() -> None:
        asked.append(1)
        if len(asked) == 2:
            raise RuntimeError("a partner has sent nonsense")

    async def begin(_app: Any, busy: Any) -> dict[str, Any]:
        return {} if busy else {"a partner": ask()}

    app = node(wakes, closed)
    running = beside.each(HOURS, begin, "could not ask", "keys")(app)
    await anext(running)

    async def comes(number: int) -> bool:
        return len(asked) == number

    for number in (1, 2, 3):
        await until(f"it has asked {number} times", lambda number=number: comes(number))  # type: ignore[misc]  # a lambda's default has no type
        wakes.wake({"heads"})
        await asyncio.sleep(0.05)
        assert len(asked) == number, "another topic"
        if number < 3:
            wakes.wake({"keys"})
    closed.append("an upgrade")
    wakes.wake({"keys"})
    await asyncio.sleep(0.05)
    assert len(asked) == 3, "the node is being worked on"
    assert await anext(running, "over") == "over"


async def test_who_is_slow_to_answer_keeps_nobody_waiting_and_is_asked_once_more_for_what_came_meanwhile() -> None:
    wakes, asked, slow = Wakes(), list[str](), asyncio.Event()

    async def answers(whom: str) -> None:
        asked.append(whom)
        if whom == "slow":
            await slow.wait()

    async def begin(_app: Any, busy: Any) -> dict[str, Any]:
        return {whom: answers(whom) for whom in ("slow", "quick") if whom not in busy}

    running = beside.each(HOURS, begin, "could not ask", "keys")(node(wakes, []))
    await anext(running)

    async def so_often(slow: int, quick: int) -> bool:
        return (asked.count("slow"), asked.count("quick")) == (slow, quick)

    for times in (1, 2, 3):
        await until(f"the quick one {times} times", lambda times=times: so_often(1, times))  # type: ignore[misc]
        if times < 3:
            wakes.wake({"keys"})
    slow.set()
    await until("what came meanwhile", lambda: so_often(2, 4))
    await asyncio.sleep(0.05)
    assert await so_often(2, 4), "and no more than that"
    slow.clear()
    assert await anext(running, "over") == "over"


@pytest.mark.rule("P28")
async def test_work_goes_on_unit_by_unit_until_nothing_is_left_and_a_failure_is_tried_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "AGAIN", 0.02)
    wakes, left, units, closed = Wakes(), [3], list[int](), list[str]()

    def work(_session: Any, _node: Any) -> bool:
        units.append(left[0])
        if len(units) == 2:
            raise RuntimeError("the key ring is busy")
        left[0] -= 1
        return left[0] > 0

    async def done(number: int) -> bool:
        return len(units) == number

    running = beside.in_units(HOURS, work, "could not be done", "gone")(node(wakes, closed))
    await anext(running)
    await until("all is done, though one unit failed", lambda: done(4))
    assert units == [3, 2, 2, 1]
    await asyncio.sleep(0.05)
    assert len(units) == 4, "nothing is left to do"
    left[0] = 2
    wakes.wake({"gone"})
    await until("a commit brings more", lambda: done(6))
    closed.append("an upgrade")
    left[0] = 2
    wakes.wake({"gone"})
    await asyncio.sleep(0.05)
    assert len(units) == 6
    assert await anext(running, "over") == "over"
