"""Decides how fast passwords may be tried: by account and address together, and by address; nobody can lock another person out."""

import hmac
import os
from collections import OrderedDict

from fedcollab.base.clock import MICROSECONDS, Clock
from fedcollab.base.errors import TooMany

FREE, LONGEST = 5, 15 * 60  # tries, seconds
PER_ADDRESS = 50
MOST = 10_000


class Throttle:
    """Failures in memory alone, under HMAC with a key of this process: no address is kept. After five failures of one address on one
    account each further try waits twice as long, up to 15 minutes; after fifty of one address on any accounts likewise."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = os.urandom(32)
        self._failures: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def check(self, username: str, address: str) -> None:
        """Raises TooMany, with the seconds to wait, where this address has to wait for this account."""
        for name, free in self._names(username, address):
            failures, last = self._counted(name)
            wait = min(2 ** min(failures - free, 10), LONGEST) if failures >= free else 0
            left = last + wait * MICROSECONDS - self._clock()
            if left > 0:
                raise TooMany(retry_after=-(-left // MICROSECONDS))

    def attempt(self, username: str, address: str) -> None:
        """`check`, and counts the try as failed before it is made: many made at once are not more than so many made one by one. Raises
        TooMany."""
        self.check(username, address)
        self.failed(username, address)

    def failed(self, username: str, address: str) -> None:
        for name, _ in self._names(username, address):
            failures, _last = self._counted(name)
            self._failures.pop(name, None)
            self._failures[name] = (failures + 1, self._clock())
        while len(self._failures) > MOST:
            self._failures.popitem(last=False)

    def succeeded(self, username: str, address: str) -> None:
        """Forgets the pair's failures; the address keeps its own, so that one known password opens no way to guess others."""
        self._failures.pop(self._names(username, address)[0][0], None)

    def passed(self, username: str, address: str) -> None:
        """What `attempt` counted was right: as `succeeded`, and the address did not fail by it either."""
        self.succeeded(username, address)
        name = self._names(username, address)[1][0]
        failures, last = self._failures.pop(name, (0, 0))
        if failures > 1:
            self._failures[name] = (failures - 1, last)

    def _counted(self, name: str) -> tuple[int, int]:
        """(failures, the last one's time); each quarter of an hour without one takes one off, so that no office pays for its past."""
        failures, last = self._failures.get(name, (0, 0))
        return max(0, failures - (self._clock() - last) // (LONGEST * MICROSECONDS)), last

    def _names(self, username: str, address: str) -> tuple[tuple[str, int], tuple[str, int]]:
        return (self._hmac(f"{username}\0{address}"), FREE), (self._hmac(address), PER_ADDRESS)

    def _hmac(self, text: str) -> str:
        return hmac.new(self._key, text.encode("utf-8", "surrogateescape"), "sha256").hexdigest()
