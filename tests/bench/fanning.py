"""Measures how long a member's answer takes until the last of 200 partners, each on a host of its own, has it in its inbox."""

import asyncio
import statistics
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.actors import service as actors
from fedcollab.actors.models import ORGANIZATION, Actor
from fedcollab.actors.node import Node
from fedcollab.app import make_kernel
from fedcollab.base import config
from fedcollab.base.clock import new_id
from fedcollab.base.database import run_sync
from fedcollab.base.paths import NodeFiles
from fedcollab.base.session import Session
from fedcollab.demo import free_ports
from fedcollab.features.discussions import groups
from fedcollab.federation.models import ACCEPTED, ADMITTED, Follow, Partner
from tests.journeys.browserless import TOKEN

from .halves import Sink
from .measured import Server, node
from .stock import Stocked, actor_row, fill
from .table import Row

INBOXES, TIMES, TARGET = 200, 9, 0.3
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def measure(root: Path) -> Iterator[Row]:
    took = asyncio.run(_reached(root / "fanning"))
    yield Row(
        f"an answer in {INBOXES} inboxes on {INBOXES} hosts, the last one; median of {TIMES}", statistics.median(took), "s", None, TARGET
    )


class Inbox(Sink):
    """A partner's server that tells when something was posted to it."""

    def __init__(self, at: int, came: dict[int, float]) -> None:
        super().__init__()
        self.at, self.came = at, came

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"POST"):
            self.came[self.at] = time.monotonic()
        super().data_received(data)


async def _reached(place: Path) -> list[float]:
    """Seconds from the sending of the form to the last inbox, each time."""
    port, *ports = await asyncio.to_thread(free_ports, INBOXES + 1)
    loop, came, took = asyncio.get_running_loop(), dict[int, float](), list[float]()
    servers = [await loop.create_server(lambda at=at: Inbox(at, came), "127.0.0.1", at) for at in ports]  # type: ignore[misc]  # a default that binds the loop's port
    stocked = await asyncio.to_thread(fill, place, port, 50, tuple(ports))
    await asyncio.to_thread(_befriend, stocked, ports)
    with node(place, port) as ours:
        await asyncio.to_thread(ours.wait)
        await _until_all(came, ports)  # the group's document, and whatever waited for the first connection
        for _ in range(TIMES):
            await asyncio.sleep(0.5)
            came.clear()
            began = time.monotonic()
            await asyncio.to_thread(_answer, ours, stocked)
            await _until_all(came, ports)
            took.append(max(came.values()) - began)
    for server in servers:
        server.close()
    return took


def _befriend(stocked: Stocked, ports: list[int]) -> None:
    kernel = make_kernel(config.load(stocked.place, {}), NodeFiles(stocked.place))
    try:
        run_sync(kernel.database, lambda session: _partners(session, kernel.node, stocked.group_id, ports))
    finally:
        kernel.database.close()


def _partners(session: Session, node: Node, group_id: str, ports: list[int]) -> None:
    """Each is admitted, follows us and is inside the group; the last one's admission sends all of them the group's list, once."""
    me, audience = actors.own(session, node), groups.audience_of(session, group_id)
    for port in ports:
        organisation = new_id(node.now())
        row = actor_row(node, organisation, ORGANIZATION, f"127.0.0.1:{port}", f"Organisation {port}", organisation, None)
        session.execute(sa.insert(Actor).values(row | dict(inbox=f"http://127.0.0.1:{port}/inbox")))
        partner = dict(id=new_id(node.now()), organisation_id=organisation, host=f"127.0.0.1:{port}", state=ADMITTED, created_at=node.now())
        session.execute(sa.insert(Partner).values(partner))
        follow = dict(follower_id=organisation, target_id=me.id, state=ACCEPTED, created_at=node.now())
        session.execute(sa.insert(Follow).values(id=new_id(node.now()), uri=f"http://127.0.0.1:{port}/follows/1", **follow))
        policy.admit(session, audience.id, organisation, since=0)
    groups.admit_partner(session, node, organisation)


async def _until_all(came: dict[int, float], ports: list[int]) -> None:
    async with asyncio.timeout(60):
        while len(came) < len(ports):  # noqa: ASYNC110  # told by the other end of a connection
            await asyncio.sleep(0.01)


def _answer(ours: Server, stocked: Stocked) -> None:
    found = TOKEN.search(ours.ask("/settings", stocked.cookie)[1].decode())
    assert found
    form = {"token": found.group(1), "once": new_id(), "text": "The second comes the night before travel.", "act": "send"}
    status, _ = ours.ask(f"/threads/{stocked.thread_id}", stocked.cookie, urllib.parse.urlencode(form).encode(), FORM)
    assert status == 303, status
