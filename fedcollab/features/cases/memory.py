"""Decides which open cases stay in memory between two pages, in whose hands, and until when (docs/decisions/0028): one for each browser and
case, no longer than that browser's keys are unlocked and nothing of the case is taken away; all together within a bound. Nothing of it is
ever written down.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from typing import Any, NamedTuple

from aiohttp import web

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import MINUTE
from fedcollab.base.session import Session
from fedcollab.federation import beside
from fedcollab.federation.kernel import KERNEL, Kernel
from fedcollab.sealing import holding, lessened, unlocked
from fedcollab.sealing.sweeping import SESSION

from .kept import Kept
from .rests import rests

MOST = 64 << 20  # bytes, of all cases together
IDLE = 10 * MINUTE  # after which nobody seems to be at work on one
EVERY = 15.0  # seconds between two looks where nothing calls for one sooner


class Place(NamedTuple):
    """Where one is kept: a browser's session by the hash of its cookie, the person, the case."""

    session: str
    person: str
    case: str


class Memory:
    """Used by readers' threads, the writer's and the loop's. `alive` names the sessions that there are, as the key ring's boxes do."""

    def __init__(self, alive: Callable[[Session], Iterable[str]], most: int = MOST) -> None:
        self.most = most
        self._alive = alive
        self.places = OrderedDict[Place, tuple[Kept, int]]()  # with when each was used last; the longest ago first
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        return sum(kept.weight for kept, _ in self.places.values())

    def get(self, place: Place, now: int) -> Kept | None:
        """What is kept there. Whoever takes it up looks themselves whether it may still be read."""
        with self._lock:
            kept, _ = self.places.get(place, (None, 0))
            if kept is not None:
                self.places[place] = kept, now
                self.places.move_to_end(place)
            return kept

    def put(self, session: Session, node: Node, kept: Kept, place: Place) -> None:
        """Keeps one that has just been found to be as the case is: in a unit that writes, so that whoever locks those keys comes before,
        and nothing is kept, or after, and it is dropped. What it hides from everybody goes from what others have of the case."""
        open_ = unlocked.is_open(session, node, place.session, place.person)
        with self._lock:
            self.places.pop(place, None)
            stale = [one for one, (other, _) in self.places.items() if one.case == place.case and not kept.hidden <= other.hidden]
            self._drop(stale)
            if open_ and kept.weight <= self.most:
                self.places[place] = kept, node.now()
            while self.bytes > self.most:
                self.places.popitem(last=False)

    def drop(self, place: Place) -> None:
        """Forgets what is kept there."""
        with self._lock:
            self._drop([place])

    async def look(self, kernel: Kernel) -> None:
        """Drops what may be read no more, what is not as its case is by now, and what nobody has used for some time."""
        with self._lock:
            there = dict(self.places)
        if not there:
            return
        good: Collection[Place] = ()
        try:
            good = await kernel.database.read(self._good, kernel.node, there)
        finally:
            with self._lock:
                self._drop([place for place, one in there.items() if place not in good and self.places.get(place, one)[0] is one[0]])

    def _good(self, session: Session, node: Node, there: Mapping[Place, tuple[Kept, int]]) -> set[Place]:
        alive, since = set(self._alive(session)), node.now() - IDLE
        return {
            place
            for place, (kept, used) in there.items()
            if used > since and SESSION + place.session in alive and _is_good(session, node, place, kept)
        }

    def _drop(self, places: Iterable[Place]) -> None:
        for place in places:
            self.places.pop(place, None)


def _is_good(session: Session, node: Node, place: Place, kept: Kept) -> bool:
    """Whether a case is still as it is kept, for somebody who is on it with their keys unlocked."""
    if not unlocked.is_open(session, node, place.session, place.person) or not holding.is_assigned(session, place.case, place.person):
        return False
    return rests(session, Viewer(person_id=place.person), place.case) == kept.rests


MEMORY = web.AppKey("memory", Memory)


async def _begin(app: web.Application, busy: Collection[str]) -> dict[str, Coroutine[Any, Any, None]]:
    return {} if busy else {"": app[MEMORY].look(app[KERNEL])}


# at once wherever less may be read than before
run = beside.each(EVERY, _begin, "what is kept of open cases could not be looked at", lessened.TOPIC)
