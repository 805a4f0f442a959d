"""Measures, for information, what storing costs: a member's answer, and a partner's activity from its signed POST to its effect."""

import asyncio
import json
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from fedcollab.base.clock import new_id, system_clock
from fedcollab.demo import free_ports
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import signatures
from tests.journeys.browserless import TOKEN
from tests.journeys.databases import query
from tests.journeys.processes import Process
from tests.nodes import Rogue, rogue

from .growing import grow
from .measured import Server, alternating, bare, node
from .stock import Stocked, fill
from .table import Row

BLOCKS, TIMES, RECEIVED = 8, 25, 200
MANY, GROWTH = 1_000_000, 1.2
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TEXT = "A deposit is asked by mobile money, in **two parts**. The second comes the night before travel. " * 4


def measure(root: Path) -> Iterator[Row]:
    ports = free_ports(2)
    stocked = fill(root / "writing", ports[0], 50)
    with ExitStack() as stack:
        ours, floor = stack.enter_context(node(stocked.place, ports[0])), stack.enter_context(bare(ports[1], str(root / "writing.db")))
        for made in (ours, floor):
            made.wait()
        token = _token(ours, stocked)
        value, least = alternating([(ours, lambda: _answer(ours, stocked, token)), (floor, lambda: _hand(floor))], BLOCKS, TIMES)
    yield Row("a member's answer: stored, proved, on record", value, "CPU-us", least)
    few, many = (asyncio.run(_received(root / f"receiving{stored}", stored)) for stored in (0, MANY))
    yield Row("a partner's post: verified, stored, announced to it", few, "CPU-us", least)
    yield Row(f"the same where {MANY} posts are stored, times where few are", many / few, "times", 1.0, GROWTH)


def _token(ours: Server, stocked: Stocked) -> str:
    found = TOKEN.search(ours.ask("/settings", stocked.cookie)[1].decode())
    assert found
    return found.group(1)


def _answer(ours: Server, stocked: Stocked, token: str) -> None:
    form = {"token": token, "once": new_id(), "text": TEXT, "act": "send"}
    path = f"/threads/{stocked.thread_id}"
    status, body = ours.ask(path, stocked.cookie, urllib.parse.urlencode(form).encode(), FORM)
    assert status == 303, (status, body[-500:])


def _hand(floor: Server) -> None:
    assert floor.ask("/posts", body=urllib.parse.urlencode({"text": TEXT}).encode(), headers=FORM)[0] == 303


async def _received(place: Path, stored: int) -> float:
    """Processor microseconds for each signed Create of a partner, from its POST until it is in the thread and its receipt delivered."""
    partner, port = await rogue(), (await asyncio.to_thread(free_ports, 1))[0]
    stocked = await asyncio.to_thread(fill, place, port, 50, (partner.port,))
    if stored:
        await asyncio.to_thread(grow, stocked, stored)
    there = Process(place, port)
    with node(place, port) as ours:
        await asyncio.to_thread(ours.wait)
        await asyncio.to_thread(there.run, "partner", "add", partner.uri("/actor"), "--approve")
        follow = ap.activity("Follow", partner.uri(f"/activities/{new_id()}"), partner.uri("/actor"), there.url + "/actor")
        assert await partner.send(there, follow) == 202
        author, group = partner.uri("/people/sokha"), f"{there.url}/groups/{stocked.group_id}"
        await _send(partner, ours, there, [partner.create(author, group, content=f"<p>{TEXT}</p>") for _ in range(3)])
        activities = [partner.create(author, group, content=f"<p>{TEXT}</p>") for _ in range(RECEIVED)]
        before = ours.cpu()
        await _send(partner, ours, there, activities)
        cost = (ours.cpu() - before) / RECEIVED
    await partner.stop()
    return cost


async def _send(partner: Rogue, ours: Server, there: Process, activities: list[dict[str, object]]) -> None:
    """Posts them one after the other and waits until all have had their effect and nothing waits to be delivered."""
    for activity in activities:
        body = json.dumps(activity).encode()
        signer = partner.signers[str(activity["actor"])]["rsa"]
        headers = signatures.sign(signer, "POST", there.url + "/inbox", body, system_clock())
        status, _ = await asyncio.to_thread(ours.ask, "/inbox", "", body, {"Content-Type": ap.MEDIA_TYPE, **headers})
        assert status == 202, status
    waiting = "SELECT 1 FROM inbox_item WHERE state = 'waiting' UNION SELECT 1 FROM delivery WHERE state = 'waiting'"
    end = time.monotonic() + 60
    while await asyncio.to_thread(query, there, waiting):
        assert time.monotonic() < end, "something still waits"
        await asyncio.sleep(0.1)
    assert not await asyncio.to_thread(query, there, "SELECT reason FROM inbox_item WHERE state <> 'done'")
