"""Shows when what a node lacks is asked for beside its server: at its start, at once when a commit says so, not while it is worked on; and
that whoever is slow to answer keeps nobody else waiting."""

import asyncio
from types import SimpleNamespace
from typing import Any

from aiohttp import web

from fedcollab.base.database import Wakes
from fedcollab.federation import beside
from fedcollab.federation.kernel import KERNEL
from tests.nodes import until

HOURS = 3600.0


async def test_it_asks_at_the_start_and_when_its_topic_wakes_and_a_failure_or_another_topic_changes_nothing() -> None:
    wakes, asked, closed = Wakes(), list[int](), list[str]()

    async def ask(_kernel: Any) -> None:
        asked.append(1)
        if len(asked) == 2:
            raise RuntimeError("a partner has sent nonsense")

    maintenance = SimpleNamespace(state=lambda: closed or None)
    app = web.Application()
    app[KERNEL] = SimpleNamespace(database=SimpleNamespace(wakes=wakes), node=SimpleNamespace(maintenance=maintenance))  # type: ignore[assignment,misc]
    running = beside.every(HOURS, ask, "could not ask", "keys")(app)
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

    app = web.Application()
    node = SimpleNamespace(maintenance=SimpleNamespace(state=lambda: None))
    app[KERNEL] = SimpleNamespace(database=SimpleNamespace(wakes=wakes), node=node)  # type: ignore[assignment,misc]
    running = beside.each(HOURS, begin, "could not ask", "keys")(app)
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
