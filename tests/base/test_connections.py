"""Shows that those who send slowly, read nothing or come in crowds hold a connection for a stated time and nobody else up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcollab.base import connections, gate, wire
from tests.raw import CLOSE, Line, ask, line, request, statuses
from tests.web import Site, site

FORM = b"Content-Type: application/x-www-form-urlencoded"
STRANGER, OTHER = "127.0.0.2", "127.0.0.3"  # this machine's addresses are not limited as the web server in front is


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    monkeypatch.setattr(connections, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(connections, "LINGER_SECONDS", 0.2)
    monkeypatch.setattr(connections, "LOOK", 0.05)
    monkeypatch.setattr(gate, "BODY_SECONDS", 0.4)
    monkeypatch.setattr(wire, "LEFTOVERS", 0.1)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path, connections=20, connections_per_address=5) as made:
        yield made


async def works(here: Site) -> None:
    assert statuses(await ask(here, request(here, "GET", "/login", CLOSE))) == [200]


async def trickle(made: Line, data: bytes) -> bytes:
    """Sends a byte every 20 ms until the node answers or closes; what it answered."""
    answer = asyncio.create_task(made.rest())
    for number in range(len(data)):
        if answer.done() or not await made.send(data[number : number + 1]):
            break
        await asyncio.sleep(0.02)
    return await answer


@pytest.mark.rule("DOS-08")
async def test_a_header_that_trickles_is_ended_at_its_time_however_steadily_it_comes(here: Site) -> None:
    async with line(here) as slow:
        assert statuses(await trickle(slow, request(here) * 5)) == [408]
    async with line(here) as silent:
        assert await silent.rest() == b""
    async with line(here) as second:
        await second.send(request(here))
        assert statuses(await second.some()) == [200]
        assert statuses(await trickle(second, request(here) * 5)) == [408], "the second request on a connection too"
    async with line(here) as patient:  # in pieces, and in time
        for piece in (request(here, "GET", "/login", CLOSE)[:20], request(here, "GET", "/login", CLOSE)[20:]):
            await patient.send(piece)
            await asyncio.sleep(0.05)
        assert statuses(await patient.rest()) == [200]


@pytest.mark.rule("DOS-08")
async def test_a_body_that_trickles_is_ended_at_its_time_on_every_way_in(here: Site) -> None:
    for path in ("/login", "/inbox", "/nothing/here"):
        for length in (b"Content-Length: 5000", b"Transfer-Encoding: chunked"):
            async with line(here) as slow:
                await slow.send(request(here, "POST", path, FORM, length))
                body = b"a" * 5000 if b"Length" in length else b"1\r\na\r\n" * 500
                assert statuses(await trickle(slow, body)) == [408], (path, length)
    await works(here)
    async with line(here) as patient:
        await patient.send(request(here, "POST", "/login", FORM, CLOSE, b"Content-Length: 5"))
        for piece in (b"to", b"ken"):
            await asyncio.sleep(0.05)
            await patient.send(piece)
        assert statuses(await patient.rest()) == [403], "read whole, and a form without a token"


@pytest.mark.rule("DOS-08")
async def test_large_bodies_that_stall_make_others_of_their_size_wait_and_nobody_else(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    here.runner.app[gate.LARGE_BODIES]._value = 1
    async with line(here) as stalled:
        await stalled.send(request(here, "POST", "/inbox", b"Content-Length: 900000") + b"a" * 100_000)
        await works(here)
        second = request(here, "POST", "/inbox", CLOSE, body=b"a" * 100_000)
        assert statuses(await ask(here, second))[0] in (401, 503), "its turn, or no turn in time"
        assert statuses(await stalled.rest()) == [408]
    assert statuses(await ask(here, second)) == [401]


@pytest.mark.rule("DOS-08")
async def test_whoever_reads_nothing_of_an_answer_is_let_go(here: Site) -> None:
    async with line(here, takes=4096) as deaf:
        deaf.writer.transport.pause_reading()
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(60):
                while True:  # one page after the other, until the node has had enough
                    deaf.writer.write(request(here, "GET", "/login") * 20)
                    await asyncio.sleep(0.05)
                    if not here_is_open(here):
                        break
    await works(here)


def here_is_open(here: Site) -> int:
    """How many connections the node has open."""
    return len(here.runner._server.connections)


@pytest.mark.rule("DOS-08")
async def test_where_all_connections_are_taken_the_idle_make_room_and_good_requests_are_answered(here: Site) -> None:
    async with contextlib.AsyncExitStack() as stack:
        idle = [await stack.enter_async_context(line(here)) for _ in range(20)]
        for _ in range(5):
            await works(here)
        assert statuses(await idle[0].rest()) == [503], "the oldest went first"
        assert here_is_open(here) <= 20
    await works(here)


async def test_where_all_are_at_work_the_newcomer_is_told_when_to_come_again(here: Site) -> None:
    async with contextlib.AsyncExitStack() as stack:
        busy = [await stack.enter_async_context(line(here)) for _ in range(20)]
        for one in busy:
            await one.send(request(here, "POST", "/inbox", b"Content-Length: 50") + b"a")
        answer = b""
        while b"503" not in answer:  # the first may come before all twenty are seen
            answer = await ask(here, request(here, "GET", "/login", CLOSE))
        assert b"Retry-After: 5" in answer
    await works(here)


async def test_one_address_holds_so_many_and_others_beside_it_are_served(here: Site) -> None:
    async with contextlib.AsyncExitStack() as stack:
        crowd = [await stack.enter_async_context(line(here, STRANGER)) for _ in range(5)]
        for one in crowd:
            await one.send(request(here, "POST", "/inbox", b"Content-Length: 50") + b"a")
        async with line(here, STRANGER) as sixth:
            assert statuses(await sixth.rest()) == [503]
        async with line(here, OTHER) as other:
            await other.send(request(here, "GET", "/login", CLOSE))
            assert statuses(await other.rest()) == [200]
        await works(here)
        assert [statuses(await one.rest()) for one in crowd] == [[408]] * 5
    async with line(here, STRANGER) as later:
        await later.send(request(here, "GET", "/login", CLOSE))
        assert statuses(await later.rest()) == [200]


async def test_a_connection_that_ended_counts_no_longer() -> None:
    house = connections.Connections(asyncio.Protocol, most=3, per_address=2)
    for _ in range(10):
        made = house()
        made.connection_made(Wire(("192.0.2.1", 1)))  # type: ignore[arg-type]
        assert (len(house.open), dict(house.addresses)) == (1, {"192.0.2.1": 1})
        made.connection_lost(None)
    assert (len(house.open), len(house.lingering), dict(house.addresses)) == (0, 0, {})


class Wire(asyncio.Transport):
    """A transport that leads nowhere."""

    def __init__(self, peer: tuple[str, int]) -> None:
        super().__init__({"peername": peer})
