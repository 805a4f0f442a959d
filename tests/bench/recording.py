"""Measures what the record of a room costs: an entry beside the node's own record, and 10,000 entries read whole beside the bare hashes."""

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import PERSON
from fedcollab.base.clock import new_id
from fedcollab.sealing import room_chain, rooms
from fedcollab.sealing.room_activities import Header
from tests.rows import home, memory, node, quick_keys

from .table import Row

ENTRIES, BLOCKS = 2_000, 5
ADDED = 60.0  # the most: microseconds beside the node's own record
ONE = b"x" * 300  # an entry in canonical JSON has some 300 bytes


def measure(root: Path) -> Iterator[Row]:
    """Processor time alone, on a database in memory; of several blocks the best counts."""
    with memory() as session, quick_keys():
        at = node()
        home(session, at)
        person = actors.create_own(session, at, PERSON, username="ilse", name="Ilse V.")
        viewer = Viewer("home", person.id)
        room = rooms.begin(session, at, Header(f"https://home.example/rooms/{new_id()}", "case", "TLP:AMBER"), at.actor_uri)
        every = range(ENTRIES)
        both = _best(lambda: [room_chain.add(session, at, room, viewer, "case.read") for _ in every])
        own = _best(lambda: [audit.record(session, at.now(), viewer, "case.read", room) for _ in every])
        yield Row("an entry of a room's record, beside the node's own", (both - own) * 1e6 / ENTRIES, "CPU-us", own * 1e6 / ENTRIES, ADDED)
        read = _best(lambda: room_chain.verify(session, at, room))
        bare = _best(lambda: [hashlib.sha256(ONE).digest() for _ in range(ENTRIES * BLOCKS)])
        yield Row("a room's record of 10,000 entries read whole", read * 1e3, "CPU-ms", bare * 1e3)


def _best(work: Callable[[], object]) -> float:
    """Seconds of the best of some blocks."""
    took = []
    for _ in range(BLOCKS):
        before = time.process_time()
        work()
        took.append(time.process_time() - before)
    return min(took)
