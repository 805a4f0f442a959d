"""Decides how what a node lacks, or has left to do, is seen to beside its server: again and again, from its start to its end, at once when
a commit says so; a failure ends nothing, and whoever is slow to answer keeps nobody else waiting."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping
from typing import Any

from aiohttp import web

from fedcollab.actors.node import Node
from fedcollab.base.errors import FedcollabError
from fedcollab.base.session import Session

from .kernel import KERNEL, Kernel

PAUSE, AGAIN = 0.01, 2.0  # seconds: between two units of work that goes on, after one that failed
log = logging.getLogger(__name__)
Work = Coroutine[Any, Any, object]
Begin = Callable[[web.Application, Collection[str]], Awaitable[Mapping[str, Work]]]
Run = Callable[[web.Application], AsyncIterator[None]]


def each(seconds: float, begin: Begin, failed: str, topic: str) -> Run:
    """For an application's `cleanup_ctx`: asks so many seconds apart, and at once when a commit wakes `topic` (database.wake), but while
    the node is being worked on; `failed` is what the log says where it could not. `begin` answers {whom: what is asked of them}, without
    those who are `busy` with what they were asked before."""

    async def run(app: web.Application) -> AsyncIterator[None]:
        asking = _Asking(app, begin, failed, topic)
        task = asyncio.create_task(_forever(app[KERNEL], asking.look, failed, topic, seconds, seconds))
        yield
        await _cancelled(task, *asking.lanes.values())

    return run


def in_units(seconds: float, work: Callable[[Session, Node], bool], failed: str, topic: str) -> Run:
    """The same for work of the node's own, a little in each unit, which answers whether there may be more: one unit after the other until
    nothing is left, and soon again after one that failed."""

    async def run(app: web.Application) -> AsyncIterator[None]:
        kernel = app[KERNEL]

        async def do() -> bool:
            return await kernel.database.write(work, kernel.node)

        task = asyncio.create_task(_forever(kernel, do, failed, topic, seconds, AGAIN))
        yield
        await _cancelled(task)

    return run


async def _forever(kernel: Kernel, do: Callable[[], Awaitable[bool]], failed: str, topic: str, seconds: float, again: float) -> None:
    """`do` answers whether there may be more to do at once; `again` is the wait after a failure."""
    event = kernel.database.wakes.event(topic)
    while True:
        event.clear()
        wait = seconds
        if kernel.node.maintenance.state() is None:
            try:
                wait = PAUSE if await do() else seconds
            except Exception:
                log.exception(failed)
                wait = again
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await event.wait()


async def _cancelled(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Asking:
    """What is under way: one task for each who is asked."""

    def __init__(self, app: web.Application, begin: Begin, failed: str, topic: str) -> None:
        self.app, self.begin, self.failed = app, begin, failed
        self.event = app[KERNEL].database.wakes.event(topic)
        self.lanes: dict[str, asyncio.Task[None]] = {}
        self.missed: set[str] = set()  # who were busy when there may have been more

    async def look(self) -> bool:
        self.missed.update(self.lanes)
        for whom, work in (await self.begin(self.app, frozenset(self.lanes))).items():
            self.lanes[whom] = asyncio.create_task(self._safe(work), name=whom)
            self.lanes[whom].add_done_callback(self._over)
        return False

    def _over(self, lane: asyncio.Task[None]) -> None:
        """What came for them meanwhile is asked for now."""
        del self.lanes[lane.get_name()]
        if lane.get_name() in self.missed:
            self.missed.discard(lane.get_name())
            self.event.set()

    async def _safe(self, work: Work) -> None:
        try:
            await work
        except FedcollabError as error:
            log.info(self.failed, extra={"reason": error.reason})
        except Exception:
            log.exception(self.failed)
