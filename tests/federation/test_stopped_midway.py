"""Shows that what an admin or an author stops in the midst of a burst of deliveries goes no further."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fedcollab.admin import partners as acts
from fedcollab.base.http import Answer
from fedcollab.features.discussions import service
from fedcollab.federation.models import BLOCKED, SUSPENDED
from tests.nodes import until

from .conftest import Scene


class Gate:
    """Holds each delivery at our own door until it is opened."""

    def __init__(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passes, self.waits = asyncio.Semaphore(0), 0
        self.post = scene.here.kernel.fetcher.post
        monkeypatch.setattr(scene.here.kernel.fetcher, "post", self.hold)

    async def hold(self, *args: Any, **kwargs: Any) -> Answer:
        self.waits += 1
        await self.passes.acquire()
        return await self.post(*args, **kwargs)

    async def let(self, number: int) -> None:
        for _ in range(number):
            self.passes.release()

    async def in_the_midst(self) -> None:
        """The first delivery goes; of the burst with all that has gathered meanwhile the first is under way."""
        await until("the first is under way", self._reached(1))
        await self.let(1)
        await until("the second is under way", self._reached(2))

    def _reached(self, number: int) -> Callable[[], Awaitable[bool]]:
        async def probe() -> bool:
            return self.waits >= number

        return probe


@pytest.mark.rule("FED-02")
@pytest.mark.parametrize("state", [BLOCKED, SUSPENDED])
async def test_a_partner_blocked_or_suspended_during_a_burst_is_sent_nothing_more(
    scene: Scene, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted = await scene.here.write(service.post_thread, scene.here.viewer, scene.group.id, title="One", text="one")
    await until("the first one is there", lambda: arrived(scene, "<p>one</p>"))
    gate = Gate(scene, monkeypatch)
    for number in range(6):
        await scene.here.write(service.post_reply, scene.here.viewer, posted.thread_id, text=f"marker {number}")
    await gate.in_the_midst()
    await scene.here.write(acts.change, scene.here.viewer, scene.p.url, state)
    await gate.let(100)
    await asyncio.sleep(0.5)
    assert len([a for a in scene.p.received if "marker" in str(a)]) <= 2
    assert await scene.here.sql("SELECT count(*) > 0 FROM delivery WHERE state IN ('waiting', 'dropped')") == [(1,)]
    await scene.here.write(acts.change, scene.here.viewer, scene.p.url, "admitted")
    await scene.here.write(service.post_reply, scene.here.viewer, posted.thread_id, text="after")
    await until("it goes on", lambda: arrived(scene, "<p>after</p>"))


async def test_a_post_deleted_while_it_waits_behind_another_is_not_sent(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    posted = await scene.here.write(service.post_thread, scene.here.viewer, scene.group.id, title="One", text="one")
    await until("the first one is there", lambda: arrived(scene, "<p>one</p>"))
    gate = Gate(scene, monkeypatch)
    made = [await scene.here.write(service.post_reply, scene.here.viewer, posted.thread_id, text=f"marker {n}") for n in range(4)]
    await gate.in_the_midst()
    await scene.here.write(service.delete, scene.here.viewer, made[3].post_id)
    await gate.let(100)
    await until("the deletion is there", lambda: arrived(scene, "Tombstone"))
    assert "marker 2" in str(scene.p.received)
    assert "marker 3" not in str(scene.p.received)


async def arrived(scene: Scene, words: str) -> bool:
    return words in str(scene.p.received)
