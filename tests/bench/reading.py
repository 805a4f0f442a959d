"""Measures what a conversation's page of 50 posts costs a signed-in member's node, beside the least that shows the same rows."""

from collections.abc import Iterator
from pathlib import Path

from fedcollab.demo import free_ports

from .floor import beside_its_floor
from .growing import grow
from .measured import Server
from .stock import POSTS, Stocked, fill
from .table import Row

FEW, MANY = 1000, 1_000_000
COST, TIMES_FLOOR, GROWTH = 1600.0, 4.0, 1.15


def measure(root: Path) -> Iterator[Row]:
    ports = free_ports(3)
    few, many = fill(root / "few", ports[0], FEW), fill(root / "many", ports[1], FEW)
    grow(many, MANY)
    small, large, floor = beside_its_floor(few, many, ports, _ask)
    yield Row("a page of 50 posts", small, "CPU-us", floor, COST)
    yield Row("a page of 50 posts, times its floor", small / floor, "times", 1.0, TIMES_FLOOR)
    yield Row(f"the same page among {MANY} posts, times among {FEW}", large / small, "times", 1.0, GROWTH)


def _ask(made: Server, kept: Stocked) -> None:
    status, body = made.ask(f"/threads/{kept.thread_id}", kept.cookie)
    assert status == 200, status
    assert body.count(b"<article") == POSTS
