"""Shows a node under hundreds of clients that send slowly or never read: good ones are served beside them, and memory stays as it was."""

import asyncio
import contextlib
import statistics
import time
from pathlib import Path

import pytest

from .processes import Process, nodes

SOME = pytest.param(100, 40, 6.0, id="some", marks=pytest.mark.slow)
ALL = pytest.param(500, 200, 120.0, id="all", marks=[pytest.mark.full, pytest.mark.timeout(900)])
GOOD = b"GET /login HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"
HEADER = b"GET /login HTTP/1.1\r\nHost: HOST\r\nX-Header: " + b"a" * 1000
BODY = b"POST /inbox HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1000\r\n\r\n" + b"a" * 1000


def rss(node: Process) -> int:
    """The node's resident memory in kB."""
    assert node.running is not None
    lines = Path(f"/proc/{node.running.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def on(node: Process, data: bytes) -> bytes:
    return data.replace(b"HOST", f"127.0.0.1:{node.port}".encode())


async def good(node: Process) -> float:
    """One request of a good client; its seconds."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    writer.write(on(node, GOOD))
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:100]
    return time.monotonic() - began


async def p95(node: Process, seconds: float) -> float:
    """Of good clients' requests, one every 50 ms."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end or len(took) < 40:
        took.append(await good(node))
        await asyncio.sleep(0.05)
    return statistics.quantiles(took, n=20)[-1]


async def slow(node: Process, data: bytes, pause: float, over: asyncio.Event) -> int:
    """Sends a byte now and then, and comes again when it is sent away; answers how often that was."""
    away = 0
    while not over.is_set():
        with contextlib.suppress(ConnectionError):
            reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
            gone = asyncio.create_task(reader.read())
            for number in range(len(data)):
                if over.is_set() or gone.done():
                    break
                writer.write(data[number : number + 1] if number else data[: data.index(b"a" * 1000)])
                await asyncio.wait((gone,), timeout=pause)
            away += gone.done()
            gone.cancel()
            writer.close()
    return away


async def deaf(node: Process, over: asyncio.Event) -> int:
    """Asks for the largest file again and again and reads nothing; answers how often it was cut off."""
    away, ask = 0, on(node, b"GET /static/htmx.min.js HTTP/1.1\r\nHost: HOST\r\n\r\n") * 200
    while not over.is_set():
        with contextlib.suppress(ConnectionError):
            _, writer = await asyncio.open_connection("127.0.0.1", node.port)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            while not over.is_set() and not writer.transport.is_closing():
                writer.write(ask)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        await writer.drain()
                        await asyncio.sleep(1)
                if writer.transport.get_write_buffer_size() > 1 << 20:
                    await asyncio.sleep(1)
            away += writer.transport.is_closing()
            writer.transport.abort()
    return away


@pytest.mark.rule("R11", "DOS-08")
@pytest.mark.parametrize(("senders", "readers", "seconds"), [SOME, ALL])
def test_slow_senders_and_those_who_never_read_hold_up_nobody(tmp_path: Path, senders: int, readers: int, seconds: float) -> None:
    with nodes(tmp_path, ["Meridian Outreach"]) as (node,):
        asyncio.run(besieged(node, senders, readers, seconds))
        assert node.run("user", "list").returncode == 0
        assert "Traceback" not in (node.place / "log").read_text()
        assert node.stop() == 0


async def besieged(node: Process, senders: int, readers: int, seconds: float) -> None:
    await p95(node, 1)
    usual, before, over = await p95(node, 3), rss(node), asyncio.Event()
    pause = min(10.0, seconds / 4)
    crowd = [asyncio.create_task(slow(node, on(node, (HEADER, BODY)[n % 2]), pause, over)) for n in range(senders)]
    crowd += [asyncio.create_task(deaf(node, over)) for _ in range(readers)]
    await asyncio.sleep(1)
    besieged = await p95(node, seconds)
    grown = rss(node) - before
    over.set()
    away = await asyncio.gather(*crowd)
    assert besieged < max(2 * usual, 0.1), (besieged, usual)
    assert grown < 50_000, grown
    if seconds > 60:
        assert all(away[:senders]), "each slow one was sent away at its time"
        assert all(away[senders:]), "and each that never read"
    assert await p95(node, 2) < max(2 * usual, 0.1)
