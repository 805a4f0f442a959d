"""Measures what a conversation's page of 50 posts costs a signed-in member's node, beside the least that shows the same rows."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from fedcollab.base.paths import NodeFiles
from fedcollab.demo import free_ports

from .growing import grow
from .measured import Server, alternating, bare, node
from .stock import POSTS, Stocked, fill
from .table import Row

FEW, MANY = 1000, 1_000_000
BLOCKS, TIMES, WARM = 10, 50, 60
COST, TIMES_FLOOR, GROWTH = 1600.0, 4.0, 1.15


def measure(root: Path) -> Iterator[Row]:
    ports = free_ports(3)
    few, many = fill(root / "few", ports[0], FEW), fill(root / "many", ports[1], FEW)
    grow(many, MANY)
    copy = shutil.copy(NodeFiles(few.place).database, root / "bare.db")
    with ExitStack() as stack:
        subjects = [
            (stack.enter_context(node(few.place, ports[0])), few),
            (stack.enter_context(node(many.place, ports[1])), many),
            (stack.enter_context(bare(ports[2], str(copy))), few),
        ]
        small, large, floor = alternating([(made, _asking(made, kept)) for made, kept in subjects], BLOCKS, TIMES)
    yield Row("a page of 50 posts", small, "CPU-us", floor, COST)
    yield Row("a page of 50 posts, times its floor", small / floor, "times", 1.0, TIMES_FLOOR)
    yield Row(f"the same page among {MANY} posts, times among {FEW}", large / small, "times", 1.0, GROWTH)


def _asking(made: Server, kept: Stocked) -> Callable[[], None]:
    """One view of the page; the first ones, which load and compile, are not measured."""
    path = f"/threads/{kept.thread_id}"

    def ask() -> None:
        status, body = made.ask(path, kept.cookie)
        assert status == 200, status
        assert body.count(b"<article") == POSTS

    made.wait()
    for _ in range(WARM):
        ask()
    return ask
