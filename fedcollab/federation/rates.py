"""Decides how fast somebody may send: a bucket of tokens for each, in memory, refilled all the time."""

import math

from fedcollab.base.clock import MICROSECONDS

BURST, A_SECOND = 2000, 200.0  # a partner's requests: far above what one that was away for a week needs while it catches up
MOST = 10_000  # buckets of one kind
HANDFUL = 64  # who has to wait does so until this many go at once


class Buckets:
    """One bucket a name; each holds `size` tokens at most and gains `a_second`."""

    def __init__(self, size: int, a_second: float) -> None:
        self.size, self.a_second = size, a_second
        self._left: dict[str, tuple[float, int]] = {}

    def take(self, name: str, now: int) -> int:
        """Takes a token at `now` (microseconds) and answers 0, or the whole seconds after which to come again."""
        left = self._now_in(name, now)
        if len(self._left) >= MOST:
            self._forget(now)
        self._left[name] = (left - (left >= 1), now)
        return 0 if left >= 1 else max(1, math.ceil((min(HANDFUL, self.size) - left) / self.a_second))

    def wait(self, name: str, now: int) -> int:
        """What `take` would answer; nothing is taken."""
        left = self._now_in(name, now)
        return 0 if left >= 1 else max(1, math.ceil((1 - left) / self.a_second))

    def _forget(self, now: int) -> None:
        """Buckets that are full again say nothing; if that is too few, those that were made first go as well."""
        self._left = {name: kept for name, kept in self._left.items() if self._now_in(name, now) < self.size}
        while len(self._left) >= MOST:
            del self._left[next(iter(self._left))]

    def _now_in(self, name: str, now: int) -> float:
        left, at = self._left.get(name, (float(self.size), now))
        return min(self.size, left + max(0, now - at) * self.a_second / MICROSECONDS)


def of_partners() -> Buckets:
    """The buckets of all partners' activities, or of what they ask for by signed GET."""
    return Buckets(BURST, A_SECOND)
