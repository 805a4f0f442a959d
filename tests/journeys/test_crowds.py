"""Shows a node under hundreds of clients that send slowly or never read: good ones are served beside them, and memory stays as it was."""

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path

import pytest

from tests.documents import ROOT

from .processes import Process, nodes

SOME = pytest.param(100, 40, 6.0, id="some", marks=pytest.mark.slow)
ALL = pytest.param(500, 200, 120.0, id="all", marks=[pytest.mark.full, pytest.mark.timeout(900)])
GOOD = b"GET /login HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"


def rss(node: Process) -> int:
    """The node's resident memory in kB."""
    assert node.running is not None
    lines = Path(f"/proc/{node.running.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


async def good(node: Process) -> float:
    """One request of a good client; its seconds."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    writer.write(GOOD.replace(b"HOST", f"127.0.0.1:{node.port}".encode()))
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:100]
    return time.monotonic() - began


async def p95s(seconds: float, *asked: Process) -> list[float]:
    """Of good clients' requests to each node, in turns, one every 50 ms: what else the machine does meets all alike."""
    took: list[list[float]] = [[] for _ in asked]
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(took[-1]) < 40:
        for one, found in zip(asked, took, strict=True):
            found.append(await good(one))
            await asyncio.sleep(0.05)
    return [statistics.quantiles(found, n=20)[-1] for found in took]


@pytest.mark.rule("R11", "DOS-08")
@pytest.mark.parametrize(("senders", "readers", "seconds"), [SOME, ALL])
def test_slow_senders_and_those_who_never_read_hold_up_nobody(tmp_path: Path, senders: int, readers: int, seconds: float) -> None:
    with nodes(tmp_path, ["Meridian Outreach", "Casa Ladera"]) as (node, other):
        asyncio.run(besieged(node, other, senders, readers, seconds))
        assert node.run("user", "list").returncode == 0
        assert "Traceback" not in (node.place / "log").read_text()
        assert node.stop() == 0


async def besieged(node: Process, other: Process, senders: int, readers: int, seconds: float) -> None:
    """Compares a node with another one beside it that nobody besieges."""
    await p95s(1, node, other)
    before = rss(node)
    options = [str(value) for value in (node.port, senders, readers, min(10.0, seconds / 4))]
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    crowd = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.journeys.crowd", *options, cwd=ROOT, **pipes)
    try:
        await asyncio.sleep(2)
        found, usual = await p95s(seconds, node, other)
        grown = rss(node) - before
    finally:
        away = json.loads((await crowd.communicate(b""))[0])
    assert found < max(2 * usual, 0.1), (found, usual)
    assert grown < 50_000, grown
    if seconds > 60:
        assert away == [senders, readers], "each was sent away at its time"
