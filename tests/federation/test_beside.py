"""Shows when what a node lacks is asked for beside its server: at its start, at once when a commit says so, not while it is worked on."""

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
