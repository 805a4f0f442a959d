"""Measures what one page costs a node that keeps little, one that keeps much, and the least that shows the same rows, in turns."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

from fedcollab.base.paths import NodeFiles

from .measured import Server, alternating, bare, node
from .stock import Stocked

BLOCKS, TIMES, WARM = 10, 50, 60
Ask = Callable[[Server, Stocked], None]


def beside_its_floor(few: Stocked, many: Stocked, ports: Sequence[int], ask: Ask) -> list[float]:
    """Processor microseconds of one view: of `few`, of `many`, of the floor with `few`'s rows."""
    copy = shutil.copy(NodeFiles(few.place).database, few.place.with_name(few.place.name + "-bare.db"))
    with ExitStack() as stack:
        servers = [node(few.place, ports[0]), node(many.place, ports[1]), bare(ports[2], str(copy))]
        subjects = [(stack.enter_context(made), kept) for made, kept in zip(servers, (few, many, few), strict=True)]
        return alternating([(made, _warm(made, kept, ask)) for made, kept in subjects], BLOCKS, TIMES)


def _warm(made: Server, kept: Stocked, ask: Ask) -> Callable[[], None]:
    """The first views, which load and compile, are not measured."""
    made.wait()
    for _ in range(WARM):
        ask(made, kept)
    return partial(ask, made, kept)
