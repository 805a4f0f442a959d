"""Decides how what a node lacks is asked for beside its server: again and again, from its start to its end; a failure ends nothing."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from .kernel import KERNEL, Kernel

log = logging.getLogger(__name__)


def every(
    seconds: float, ask: Callable[[Kernel], Awaitable[object]], failed: str, topic: str
) -> Callable[[web.Application], AsyncIterator[None]]:
    """For an application's `cleanup_ctx`: asks so many seconds apart, and at once when a commit wakes `topic` (database.wake), but while
    the node is being worked on; `failed` is what the log says where it could not."""

    async def run(app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(_forever(app[KERNEL]))
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _forever(kernel: Kernel) -> None:
        event = kernel.database.wakes.event(topic)
        while True:
            event.clear()
            if kernel.node.maintenance.state() is None:
                try:
                    await ask(kernel)
                except Exception:
                    log.exception(failed)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await event.wait()

    return run
