"""Decides which key ring comes back with a node: the newest that the printed key opens and whose time is not over, without what was
destroyed since."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from fedcollab.base.crash import reach
from fedcollab.base.errors import Misconfigured
from fedcollab.base.migrate import RING, migrate
from fedcollab.sealing import carrying
from fedcollab.sealing.ring import Ring

from . import printed, ring_sets, sets
from .store import Store


class Brought(NamedTuple):
    """When the ring was written down that came back (0: none did, it is empty), how many of its backups this key does not open or nobody
    can read, how many were too old."""

    made_at: int
    dark: int
    over: int


def bring_back(directory: Path, pair: printed.Pair, node: str, ring: Ring, destroyed: Iterable[str], now: int) -> Brought:
    """Fills an empty key ring from the newest backup of it that can be read; `destroyed` is what the node's own backups name. Run after
    those of the node, for theirs are older: what its rows name is in the ring."""
    place, gone, over = directory / ring_sets.FOLDER, list(destroyed), 0
    dark = len(sets.damaged(place))
    found = [(path, head) for path, head in reversed(sets.by_age(place)) if head.node == node]
    for path, head in found:
        if ring_sets.is_over(path, now):
            over += 1
            continue
        try:
            _, manifest = ring_sets.read(path, pair)
            gone += ring_sets.named(manifest.erased)
            store = Store(place / "pieces", manifest.secret)
            for _ in ring_sets.rows(store, manifest.files[0]):
                pass  # all of it is there
        except Misconfigured:
            dark += 1
            continue
        _fill(ring, head.step, store, manifest.files[0], gone)
        return Brought(head.made_at, dark, over)
    migrate(ring.engine, steps=RING)
    with ring.begin() as empty:
        carrying.destroy_again(empty, gone)
    return Brought(0, dark, over)


def _fill(ring: Ring, step: str, store: Store, file: sets.File, destroyed: Iterable[str]) -> None:
    """At the step that it was written at, then on to the newest, as a node's ring goes."""
    migrate(ring.engine, steps=RING, to=step)
    with ring.begin() as empty:
        carrying.fill(empty, ring_sets.rows(store, file))
    migrate(ring.engine, steps=RING)
    with ring.begin() as filled:
        carrying.destroy_again(filled, destroyed)
    ring.scrub()
    reach("ring.restored")
