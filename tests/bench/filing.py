"""Measures what a file of 50 MB costs that goes into a case, and out of it: the node's processor time against sealing and writing alone,
and the memory that it adds."""

import os
import re
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from fedcollab.sealing.chunks import FileSecret, Opener, Sealer
from tests.journeys.cased import BLOCK, Cased, prepared, repeated

from .table import Row
from .uploading import Watched

SIZE, TIMES = 50_000_000, 3
LINE = b"the house behind the mill\n"
TWICE, MORE = 2.0, 20.0  # the most: times the floor, MiB


def measure(root: Path) -> Iterator[Row]:
    """By the form that needs no script; of three times the best counts, the floor between them."""
    place = root / "filing"
    place.mkdir()
    cased = prepared(place)
    cased.node.serve()
    try:
        yield from _rows(cased, place)
    finally:
        cased.node.kill()


def _rows(cased: Cased, place: Path) -> Iterator[Row]:
    assert cased.send(_noise(4 * BLOCK), 4 * BLOCK, "film.bin") == 303  # what is loaded or allotted once is not this file's
    into, out, floors = [], [], []
    for _ in range(TIMES):
        floors.append(_floors(place / "floor"))
        into.append(Watched(cased.node).during(lambda: _sent(cased)))
        path = re.findall(rf'href="({cased.files}/[0-9a-f-]+)"', cased.browser.ask("GET", cased.files)[2])[0]
        out.append(Watched(cased.node).during(partial(_taken, cased, path)))
    sealing, opening = (min(one) for one in zip(*floors, strict=True))
    for words, found, floor in (("into", into, sealing), ("out of", out, opening)):
        yield Row(f"50 MB {words} a case: CPU", min(cpu for cpu, _ in found), "s", floor, TWICE * floor)
        yield Row(f"50 MB {words} a case: memory", max(memory for _, memory in found), "MiB", None, MORE)


def _sent(cased: Cased) -> None:
    assert cased.send(_noise(SIZE), SIZE, "film.bin") == 303


def _taken(cased: Cased, path: str) -> None:
    assert cased.download(path) == SIZE


def _noise(size: int) -> Iterator[bytes]:
    """Of no kind that is read to its end."""
    yield b"\0\1\2\3"
    yield from repeated(LINE, size - 4)


def _floors(path: Path) -> tuple[float, float]:
    """Seconds of processor time: for sealing and writing a file, and having it safe; for reading and opening it."""
    began = time.process_time()
    secret = _written(path)
    sealed = time.process_time()
    opener = Opener(secret)
    with path.open("rb", buffering=0) as file:
        while piece := file.read(BLOCK):
            opener.update(piece)
    opener.finish()
    path.unlink()
    return sealed - began, time.process_time() - sealed


def _written(path: Path) -> FileSecret:
    sealer = Sealer()
    with path.open("wb", buffering=0) as file:
        for piece in _noise(SIZE):
            file.write(sealer.update(piece))
        for piece in sealer.finish():
            file.write(piece)
        os.fdatasync(file.fileno())
    return sealer.secret
