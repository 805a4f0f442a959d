"""Decides how the command line waits for the queue: everything is tried at once, then watched until it is empty or nothing moves."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from fedcollab.federation import queue
from fedcollab.federation.kernel import Kernel

LOOK = 0.5
STILL = 30.0


@dataclass(frozen=True)
class Drained:
    """What is left: {host: waiting deliveries}; empty where all are sent."""

    left: dict[str, int]


async def drain(kernel: Kernel, partner_id: str, say: Callable[[str], None], *, still: float = STILL) -> Drained:
    """Has the running node try what waits for one partner or all, and tells how it goes; ends when nothing waits, or nothing has moved
    for `still` seconds."""
    await kernel.database.write(queue.now, kernel.node, partner_id=partner_id)
    left = await _left(kernel, partner_id)
    moved = time.monotonic()
    while left and time.monotonic() - moved < still:
        await asyncio.sleep(LOOK)
        after = await _left(kernel, partner_id)
        if after != left:
            moved = time.monotonic()
            say(f"{sum(after.values())} left")
        left = after
    return Drained(left)


async def _left(kernel: Kernel, partner_id: str) -> dict[str, int]:
    lines = await kernel.database.read(queue.lines)
    return {line.host: line.waiting for line in lines if line.waiting and partner_id in ("", line.id)}
