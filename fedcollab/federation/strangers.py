"""Decides how often a key is fetched for servers outside: once for a while, few a host and minute, and one that failed not again soon."""

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from fedcollab.base.clock import HOUR, MINUTE
from fedcollab.base.errors import Unavailable

from .profiles import Profile

KEPT = 2_000
GOOD, BAD = HOUR, 10 * MINUTE
A_HOST, ALL, AT_ONCE = 10, 120, 4  # fetches a minute; side by side


@dataclass
class Strangers:
    """What one process knows of servers outside without storing anything of them: their actors by key, None for those that failed."""

    found: "OrderedDict[str, tuple[int, Profile | None]]" = field(default_factory=OrderedDict)
    asked: "deque[tuple[int, str]]" = field(default_factory=deque)
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def known(self, key_uri: str, now: int) -> tuple[bool, Profile | None]:
        """Whether a key was fetched of late, and its owner, if that went well."""
        until, profile = self.found.get(key_uri, (0, None))
        return until > now, profile

    def keep(self, key_uri: str, profile: Profile | None, now: int) -> None:
        self.found[key_uri] = (now + (GOOD if profile else BAD), profile)
        self.found.move_to_end(key_uri)
        while len(self.found) > KEPT:
            self.found.popitem(last=False)

    def ask(self, host: str, now: int) -> None:
        """Counts a fetch. Raises Unavailable where there were too many within this minute."""
        while self.asked and self.asked[0][0] <= now - MINUTE:
            self.asked.popleft()
        if len(self.asked) >= ALL or sum(asked == host for _, asked in self.asked) >= A_HOST:
            raise Unavailable(reason="too many keys asked for", retry_after=60)
        self.asked.append((now, host))
