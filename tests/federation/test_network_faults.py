"""Shows that networks which slow, drop, double and shuffle lose nothing, double nothing and reorder nothing in a conversation."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import DAY
from fedcollab.features.discussions import service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import queue, streams
from fedcollab.federation.models import Partner
from tests import nodes
from tests.ports import free_ports
from tests.proxy import ACCEPT, ANSWER, REQUEST, TWICE, Proxy

THREADS = 5


@asynccontextmanager
async def behind_a_proxy(place: Path, others: int = 0) -> AsyncIterator[tuple[nodes.Here, nodes.Here, Proxy, list[nodes.Here]]]:
    """A host, a partner that it reaches through a proxy, and partners that it reaches as usual; all in one group."""
    ports = free_ports(3 + others)
    async with Proxy(ports[1], ports[2]) as proxy:
        host = await nodes.start(place, port=ports[0], peers=tuple(ports), name="Meridian Outreach")
        far = await nodes.start(place, port=ports[1], behind=ports[2], peers=tuple(ports), name="Casa Ladera")
        near = [await nodes.start(place, port=port, peers=tuple(ports), name=f"Node {port}") for port in ports[3:]]
        try:
            for one in (far, *near):
                await nodes.befriend(host, one)
            yield host, far, proxy, near
        finally:
            for one in (*near, far, host):
                await one.stop()


async def write(host: nodes.Here, number: int) -> None:
    """So many posts in five conversations, each with its number in its conversation."""
    group = await host.group()
    made = [await host.write(service.post_thread, host.viewer, group.id, title=f"T{n}", text=f"m{n}-00000") for n in range(THREADS)]
    for start in range(THREADS, number, 100):

        def some(session: Any, node: Any, start: int = start) -> None:
            for at in range(start, min(start + 100, number)):
                thread = at % THREADS
                text = f"m{thread}-{at // THREADS:05}"
                service.post_reply(session, node, host.viewer, made[thread].thread_id, text=text)

        await host.write(some)


async def judge(far: nodes.Here, number: int) -> str:
    """Compares what was written with what is there. Raises AssertionError with what was lost, doubled, reordered."""
    rows = [html[3:-4] for (html,) in await far.sql("SELECT html FROM post ORDER BY place, posted_at")]
    wanted = {f"m{at % THREADS}-{at // THREADS:05}" for at in range(number)}
    lost, doubled = len(wanted - set(rows)), len(rows) - len(set(rows))
    mine = [[mark for mark in rows if mark.startswith(f"m{thread}-")] for thread in range(THREADS)]
    reordered = sum(found != sorted(found) for found in mine)
    words = f"of {number}: lost {lost}, duplicated {doubled}, reordered {reordered}"
    assert (lost, doubled, reordered) == (0, 0, 0), words
    return words


async def count(here: nodes.Here) -> int:
    return int((await here.sql("SELECT count(*) FROM post"))[0][0])


async def arrive(here: nodes.Here, number: int, seconds: float) -> None:
    async def probe() -> bool:
        return await count(here) >= number

    await nodes.until(f"{number} posts", probe, seconds)
    await here.quiet()


@pytest.mark.slow
@pytest.mark.rule("R3")
@pytest.mark.timeout(900)
async def test_what_waited_a_week_arrives_in_order_over_a_slow_line_while_others_are_served_as_usual(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    number = 10_000 if request.config.getoption("--full") else 200
    async with behind_a_proxy(tmp_path, others=1) as (host, far, proxy, (near,)):
        away = sa.update(Partner).where(Partner.host == far.host)
        await host.read_write(lambda session: session.execute(away.values(paused_at=host.kernel.node.now() - 7 * DAY)))
        await write(host, number)
        await arrive(near, number, 30 + number / 20)
        assert await count(far) == 0
        proxy.delay = 0.1
        began = time.monotonic()
        await host.read_write(lambda session: session.execute(away.values(paused_at=None)))
        await host.write(queue.now)
        await arrive(far, number, 60 + number / 10)
        seconds = time.monotonic() - began
        words = await judge(far, number)
        assert set((await far.sql("SELECT count(*) FROM inbox_item WHERE state <> 'done'"))[0]) == {0}
        print(f"a week away, {words}; {number / seconds:.0f} a second")


@pytest.mark.slow
@pytest.mark.rule("R9")
@pytest.mark.timeout(300)
async def test_connections_dropped_at_any_moment_lose_and_double_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    number = 1000 if request.config.getoption("--full") else 100
    async with behind_a_proxy(tmp_path) as (host, far, proxy, _):
        proxy.chances = {ACCEPT: 0.1, REQUEST: 0.1, ANSWER: 0.1}

        async def impatient() -> None:
            while True:
                await asyncio.sleep(0.2)
                await host.write(queue.now)  # a test need not wait for the pauses between tries

        task = asyncio.create_task(impatient())
        await write(host, number)
        await arrive(far, number, 30 + number / 5)
        task.cancel()
        words = await judge(far, number)
        assert {ACCEPT, REQUEST, ANSWER} <= set(proxy.befell)
        proxy.chances = {}
        await host.write(queue.now)
        await nodes.until("nothing waits", lambda: host.sql("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM delivery WHERE state = 'waiting')"))
        print(f"dropped {dict(proxy.befell)}, {words}")


@pytest.mark.slow
@pytest.mark.rule("R9")
async def test_a_connection_on_which_nothing_comes_is_freed_within_fifteen_seconds(tmp_path: Path) -> None:
    async with behind_a_proxy(tmp_path) as (host, far, proxy, _):
        proxy.delay = 3600.0
        await write(host, THREADS)
        began = time.monotonic()
        error = "SELECT 1 FROM partner WHERE last_error = 'no answer within 15 seconds'"
        await nodes.until("given up", lambda: host.sql(error), 25)
        assert time.monotonic() - began < 18
        proxy.delay = 0.0
        await host.write(queue.now)
        await arrive(far, THREADS, 30)
        await judge(far, THREADS)


def scripted(p: nodes.Rogue, group: str) -> list[dict[str, Any]]:
    """What a partner sends, in order: conversations with answers, changes, deletions."""
    made: list[dict[str, Any]] = []
    author, chance = p.uri("/people/sokha"), random.Random(3)

    def act(kind: str, obj: dict[str, Any]) -> None:
        made.append(p.prove(ap.activity(kind, p.uri(f"/activities/{len(made)}"), author, obj), author))

    posts: list[dict[str, Any]] = []
    for number in range(150):
        thread = p.uri(f"/threads/{number % 6}")
        create = p.create(author, group, context=thread, content=f"<p>{number}</p>", published="2026-01-01T00:00:00Z")
        made.append(create)
        posts.append(dict(create["object"]))  # the one that is sent stays as it was proved
        if number % 3 == 0:
            edited = chance.choice(posts)
            at = f"2026-02-01T{number // 60:02}:{number % 60:02}:00Z"
            edited["updated"] = at
            act("Update", edited | {"content": f"<p>changed at {number}</p>"})
        if number % 7 == 0:
            gone = posts.pop(chance.randrange(len(posts)))
            act("Delete", {"id": gone["id"], "type": "Tombstone", "context": gone["context"]})
    return made


async def state(here: nodes.Here) -> list[tuple[Any, ...]]:
    """The posts that are there. One that was deleted before it came has no row, one that was deleted later an emptied one."""
    assert await here.sql("SELECT html FROM post WHERE deleted_at IS NOT NULL AND html <> ''") == []
    query = "SELECT p.uri, p.html, t.uri, p.label FROM post p JOIN thread t ON t.id = p.thread_id WHERE p.deleted_at IS NULL ORDER BY p.uri"
    return await here.sql(query)


@pytest.mark.slow
@pytest.mark.rule("R13")
@pytest.mark.timeout(180)
async def test_activities_that_come_twice_and_shuffled_end_in_the_same_state_as_in_order(tmp_path: Path) -> None:
    p = await nodes.rogue()
    ports = [nodes.free_port(), nodes.free_port()]
    ends = []
    for port, shuffled in zip(ports, (False, True), strict=True):
        here = await nodes.start(tmp_path, port=port, peers=(p.port,), name="Meridian Outreach")
        try:
            group = await here.group()
            await nodes.admit(here, p)
            script = scripted(p, group.uri)
            numbered = list(enumerate(script, 1))
            if shuffled:
                numbered = shuffle(numbered)
            for seq, activity in numbered:
                assert await p.send(here, activity, extra=streams.header(1, seq)) == 202
            await nodes.until("all is processed", here._idle, 60)
            refused = await here.sql("SELECT reason FROM inbox_item WHERE state = 'refused'")
            found = [(uri.rsplit("/", 1)[0], *rest) for uri, *rest in await state(here)]
            ends.append((sorted(map(str, found)), refused, len(numbered) - len(script)))
        finally:
            await here.stop()
    await p.stop()
    (ordered, none, _), (other, refused, doubled) = ends
    assert none == []
    late = {("deleted here before",), ("its author deleted it before it came",), ("no such post here",)}
    assert set(refused) <= late, "what came after the deletion has no effect, be the post here or not"
    assert ordered == other
    print(f"R13 of {len(ordered)} posts: {doubled} came twice, all shuffled by 50: lost 0, duplicated 0, state as in order")


def shuffle(numbered: list[tuple[int, dict[str, Any]]]) -> list[tuple[int, dict[str, Any]]]:
    """Three in ten twice, then shuffled within windows of 50."""
    chance = random.Random(11)
    more = [one for pair in numbered for one in ([pair, pair] if chance.random() < 0.3 else [pair])]
    windows = [more[at : at + 50] for at in range(0, len(more), 50)]
    return [one for window in windows for one in chance.sample(window, len(window))]


@pytest.mark.rule("R13")
async def test_deliveries_that_a_proxy_sends_twice_have_one_effect(tmp_path: Path) -> None:
    async with behind_a_proxy(tmp_path) as (host, far, proxy, _):
        proxy.chances = {TWICE: 0.3}
        await write(host, 60)
        await arrive(far, 60, 30)
        assert proxy.befell[TWICE] > 5
        print(f"sent twice {proxy.befell[TWICE]}, {await judge(far, 60)}")
