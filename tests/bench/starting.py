"""Measures a node's cold start and its memory at rest, beside a server of one route."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from fedcollab.demo import free_ports

from .measured import Server, bare, node
from .stock import fill
from .table import Row

STARTS, VIEWS, REST = 7, 20, 3.0
START, MEMORY = 0.9, 100.0
Begin = Callable[[], AbstractContextManager[Server]]


def measure(root: Path) -> Iterator[Row]:
    """Starts take turns, so that noise meets both; the median of each counts."""
    ports = free_ports(2)
    stocked = fill(root / "starting", ports[0], 50)
    begin: tuple[Begin, Begin] = (lambda: node(stocked.place, ports[0]), lambda: bare(ports[1]))
    starts = [[_start(one) for one in begin] for _ in range(STARTS)]
    seconds, cpu = ([statistics.median(start[who][what] for start in starts) for who in (0, 1)] for what in (0, 1))
    yield Row("cold start to the first page", seconds[0], "s", seconds[1], START)
    yield Row("cold start, processor time", cpu[0], "CPU-s", cpu[1])
    pages = ("/", "/groups", f"/groups/{stocked.group_id}", f"/threads/{stocked.thread_id}", "/settings")
    memory = [_memory(one, pages, stocked.cookie) for one in begin]
    yield Row("memory at rest", memory[0], "MiB", memory[1], MEMORY)


def _start(begin: Begin) -> tuple[float, float]:
    """(seconds, processor seconds) from the start of the process to its first 200."""
    began = time.perf_counter()
    with begin() as made:
        made.wait()
        return time.perf_counter() - began, made.cpu() / 1_000_000


def _memory(begin: Begin, pages: tuple[str, ...], cookie: str) -> float:
    """MiB after a member has looked around and a pause; the floor, which has one page, is asked as often."""
    with begin() as made:
        made.wait()
        for _ in range(VIEWS):
            for path in pages:
                made.ask(path, cookie)
        time.sleep(REST)
        return made.memory()
