"""Decides how what a node lacks is asked for beside its server: again and again, from its start to its end; a failure ends nothing, and
whoever is slow to answer keeps nobody else waiting."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping
from typing import Any

from aiohttp import web

from fedcollab.base.errors import FedcollabError

from .kernel import KERNEL, Kernel

log = logging.getLogger(__name__)
Work = Coroutine[Any, Any, object]
Begin = Callable[[web.Application, Collection[str]], Awaitable[Mapping[str, Work]]]
Run = Callable[[web.Application], AsyncIterator[None]]


def every(seconds: float, ask: Callable[[Kernel], Work], failed: str, topic: str) -> Run:
    """For an application's `cleanup_ctx`: asks so many seconds apart, and at once when a commit wakes `topic` (database.wake), but while
    the node is being worked on; `failed` is what the log says where it could not."""

    async def begin(app: web.Application, busy: Collection[str]) -> Mapping[str, Work]:
        return {} if busy else {"": ask(app[KERNEL])}

    return each(seconds, begin, failed, topic)


def each(seconds: float, begin: Begin, failed: str, topic: str) -> Run:
    """The same of several: `begin` answers {whom: what is asked of them}, without those who are `busy` with what they were asked before."""

    async def run(app: web.Application) -> AsyncIterator[None]:
        asking = _Asking(app, begin, failed, topic)
        task = asyncio.create_task(asking.forever(seconds))
        yield
        for one in (task, *asking.lanes.values()):
            one.cancel()
        await asyncio.gather(task, *asking.lanes.values(), return_exceptions=True)

    return run


class _Asking:
    """What is under way: one task for each who is asked."""

    def __init__(self, app: web.Application, begin: Begin, failed: str, topic: str) -> None:
        self.app, self.begin, self.failed = app, begin, failed
        self.event = app[KERNEL].database.wakes.event(topic)
        self.lanes: dict[str, asyncio.Task[None]] = {}
        self.missed: set[str] = set()  # who were busy when more came

    async def forever(self, seconds: float) -> None:
        while True:
            self.event.clear()
            if self.app[KERNEL].node.maintenance.state() is None:
                await self._safe(self._look())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self.event.wait()
                    self.missed.update(self.lanes)

    async def _look(self) -> None:
        for whom, work in (await self.begin(self.app, frozenset(self.lanes))).items():
            self.lanes[whom] = asyncio.create_task(self._safe(work), name=whom)
            self.lanes[whom].add_done_callback(self._over)

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
