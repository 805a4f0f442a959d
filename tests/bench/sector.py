"""Measures the sector as large as its platform was in its first years: 300 nodes in a few processes, as a hub with spokes and as a mesh."""

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fedcollab.demo import free_ports

from .table import Row

HUB, MESH, PROCESSES, POSTS = 300, 20, 4, 10
PATIENCE = 900.0
ALONE = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")  # loopback of their own: its counters are ours alone


@dataclass
class Crowd:
    """One process with several nodes; they answer a line of JSON with a line of JSON."""

    process: "subprocess.Popen[str]"
    ports: list[int]

    def ask(self, **command: Any) -> Any:
        self.tell(**command)
        return self.hear()

    def tell(self, **command: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "a process with nodes has ended"
        return json.loads(line)

    def cpu(self) -> float:
        """Processor seconds so far."""
        return time.clock_gettime_ns(~self.process.pid << 3 | 2) / 1e9


@dataclass
class Sector:
    """All nodes; `pairs` are who is whose partner, the first is the host of the group."""

    crowds: list[Crowd]
    pairs: list[tuple[int, int]] = field(default_factory=list)

    def all(self, **command: Any) -> list[Any]:
        """One command to all processes at once."""
        for crowd in self.crowds:
            crowd.tell(**command)
        return [crowd.hear() for crowd in self.crowds]

    def of(self, port: int) -> Crowd:
        return next(crowd for crowd in self.crowds if port in crowd.ports)

    def cpu(self) -> float:
        return sum(crowd.cpu() for crowd in self.crowds)

    def wait(self, what: str, **question: Any) -> None:
        """Until no process answers with a number other than zero."""
        end = time.monotonic() + PATIENCE
        while left := sum(self.all(**question)):
            assert time.monotonic() < end, f"not in time: {what}, {left} left"
            time.sleep(0.25)


def measure(root: Path) -> Iterator[Row]:
    """The hub's spokes do not know each other: what one writes reaches the others through the hub alone."""
    ports = free_ports(HUB)
    yield from _measured(root / "hub", f"hub with {HUB - 1} spokes", ports, [(ports[0], port) for port in ports[1:]])
    ports = free_ports(MESH)
    yield from _measured(root / "mesh", f"mesh of {MESH}", ports, [(a, b) for i, a in enumerate(ports) for b in ports[i + 1 :]])


def _measured(place: Path, name: str, ports: list[int], pairs: list[tuple[int, int]]) -> Iterator[Row]:
    place.mkdir(parents=True)
    began = time.monotonic()
    sector = _start(place, ports, pairs)
    try:
        _acquaint(sector, pairs)
        yield Row(f"{name}: set up, all know the group", time.monotonic() - began, "s")
        yield from _travel(sector, name, ports)
        yield Row(f"{name}: memory a node", sum(sector.all(do="memory")) / len(ports), "MiB")
    finally:
        for crowd in sector.crowds:
            crowd.process.kill()
            crowd.process.wait()
        shutil.rmtree(place)


def _start(place: Path, ports: list[int], pairs: Sequence[tuple[int, int]]) -> Sector:
    peers: dict[int, list[int]] = {port: [] for port in ports}
    for a, b in pairs:
        peers[a].append(b)
        peers[b].append(a)
    (place / "plan.json").write_text(json.dumps({str(port): known for port, known in peers.items()}))
    shares = [ports[at::PROCESSES] for at in range(PROCESSES)]
    first, crowds = None, list[Crowd]()
    for share in shares:
        inside = ALONE if first is None else ("nsenter", "--net", f"--target={first}")
        words = [*inside, sys.executable, "-m", "tests.bench.crowd", str(place), *map(str, share)]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        crowds.append(Crowd(process, share))
        assert crowds[-1].hear() == "ready"
        first = first or process.pid
    return Sector(crowds, list(pairs))


def _acquaint(sector: Sector, pairs: Sequence[tuple[int, int]]) -> None:
    """Each admin approves the other; then the host makes its group, which all get to know."""
    for crowd in sector.crowds:
        crowd.tell(do="approve", pairs=[p for p in [*pairs, *((b, a) for a, b in pairs)] if p[0] in crowd.ports])
    for crowd in sector.crowds:
        crowd.hear()
    sector.wait("all follow each other", do="strangers")
    host = pairs[0][0]
    sector.of(host).ask(do="group", port=host)
    sector.wait("all know the group", do="unaware", group=host)


def _travel(sector: Sector, name: str, ports: list[int]) -> Iterator[Row]:
    """Posts by the host and by the others in turn; each is timed until its last node has it."""
    took: list[float] = []
    sector.of(ports[0]).ask(do="post", port=ports[0], text="opener")
    sector.wait("the opener", do="without", text="opener", count=1)
    sector.wait("all quiet", do="waiting")
    cpu, sent, bytes_before = sector.cpu(), sum(sector.all(do="deliveries")), sector.crowds[0].ask(do="bytes")
    for number in range(POSTS):
        author, text = ports[number * 7 % len(ports)] if number % 2 else ports[0], f"marker {number}."
        at = sector.of(author).ask(do="post", port=author, text=text)
        sector.wait(f"post {number}", do="without", text=text, count=1)
        took.append((max(sector.all(do="arrived", text=text)) - at) / 1e6)
        sector.wait("all quiet", do="waiting")
    made = sum(sector.all(do="deliveries")) - sent
    yield Row(f"{name}: a post on its last node, median of {POSTS}", statistics.median(took), "s")
    yield Row(f"{name}: a post on its last node, worst of {POSTS}", max(took), "s")
    yield Row(f"{name}: a delivery, both sides with all their work", (sector.cpu() - cpu) / made * 1e6, "CPU-us")
    yield Row(f"{name}: a delivery on the wire, both ways", (sector.crowds[0].ask(do="bytes") - bytes_before) / made, "bytes")
