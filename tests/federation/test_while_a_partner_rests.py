"""A partner whose disk is almost full, or that is being worked on: it answers 503, loses nothing, and takes it all afterwards."""

from pathlib import Path
from typing import Any

import pytest

from fedcollab.base.maintenance import Closed
from fedcollab.features.discussions import service
from fedcollab.federation import queue
from tests.nodes import Here, befriend, running, settled, until

MORE = 3


async def waiting(one: Here) -> list[Any]:
    """What its partner's line says, once a try has failed."""
    return await one.sql("SELECT attempts, last_error, next_try_at FROM partner WHERE attempts > 0")


async def said(one: Here, number: int) -> bool:
    return bool((await one.sql("SELECT count(*) FROM post"))[0][0] == number)


@pytest.mark.rule("R6")
async def test_what_is_sent_to_a_disk_that_is_almost_full_waits_and_arrives_later(tmp_path: Path) -> None:
    async with running(tmp_path, "Meridian Outreach", "Tamarind Circle") as (one, other):
        await befriend(one, other)
        group = await one.group()
        room = other.kernel.node.room
        await until("the group is known", lambda: other.sql("SELECT 1 FROM actor WHERE username = 'leads'"))
        await settled(one, other)
        room.place, room.wanted, room._figures, room._looked = tmp_path, 500, (0, 100_000), float("inf")
        before = await other.tables()
        for number in range(MORE):
            await one.write(service.post_thread, one.viewer, group.id, title=f"T{number}", text="Who knows?")
        [(_, error, next_try_at)] = await until("a try has failed", lambda: waiting(one))
        assert error == "answered 503"
        assert next_try_at - one.kernel.node.now() > 500_000_000, "it waits as long as it was told, ten minutes"
        assert await other.tables() == before
        room.wanted = 0
        await one.write(queue.now)
        await until("all has arrived", lambda: said(other, MORE))
        await until("and nothing waits", lambda: nothing_waits(one))


async def test_workers_rest_while_the_node_is_worked_on_and_go_on_afterwards(tmp_path: Path) -> None:
    async with running(tmp_path, "Meridian Outreach", "Tamarind Circle") as (one, other):
        await befriend(one, other)
        group = await one.group()
        await until("the group is known", lambda: other.sql("SELECT 1 FROM actor WHERE username = 'leads'"))
        await until("nothing waits", lambda: nothing_waits(one))
        one.kernel.node.maintenance.file = tmp_path / "maintenance.json"
        one.kernel.node.maintenance.begin(Closed(1))
        pulse = dict(one.kernel.pulse)
        await one.write(service.post_thread, one.viewer, group.id, title="Later", text="Who knows?")
        await until("every worker has seen it", lambda: beaten(one, pulse))
        assert await one.sql("SELECT count(*) FROM delivery WHERE state = 'waiting'") == [(1,)]
        assert await said(other, 0)
        one.kernel.node.maintenance.end()
        await until("it has arrived", lambda: said(other, 1))


async def nothing_waits(one: Here) -> bool:
    return await one.sql("SELECT 1 FROM delivery WHERE state <> 'done'") == []


async def beaten(one: Here, pulse: dict[str, float]) -> bool:
    return all(one.kernel.pulse[topic] > pulse[topic] for topic in ("delivery",))
