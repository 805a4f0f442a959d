"""Decides how often a key that we do not know is asked for: anybody can name one of a partner's, and cause a fetch by it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fedcollab.actors.keys import PublicKey
from fedcollab.base.clock import MICROSECONDS, MINUTE
from fedcollab.base.errors import FedcollabError, Unauthorized, Unavailable

from .rates import Buckets

AGAIN_AFTER = MINUTE
REMEMBERED = 1000
MISSES, A_SECOND = 20, 0.5  # keys of one host, asked for by one address, that could not be had: as many at first, then so many
OF_ALL = 10  # times as many asked for by all addresses: one that invents keys closes the door on nobody else


@dataclass(frozen=True)
class Miss:
    """A key that could not be had: why, and until when nobody asks again (microseconds since the epoch)."""

    until: int
    error: FedcollabError


class Sought:
    """Keys that are being fetched, and those that could not be."""

    def __init__(self) -> None:
        self._misses: dict[str, Miss] = {}
        self._running: dict[str, asyncio.Task[PublicKey]] = {}
        self._hosts, self._askers = Buckets(OF_ALL * MISSES, OF_ALL * A_SECOND), Buckets(MISSES, A_SECOND)

    async def find(self, key_uri: str, host: str, now: int, fetch: Callable[[], Awaitable[PublicKey]], asker: str = "") -> PublicKey:
        """The key by `fetch`, run once for all that wait for the same one. Raises what it raised, for a minute without asking again;
        Unavailable where too many keys of this host could not be had just now that the same address (`asker`), or all of them, had
        named: those that can be cost nothing."""
        miss = self._misses.get(key_uri)
        if miss is not None and now < miss.until:
            raise _again(miss, now)
        task = self._running.get(key_uri)
        if task is None:
            wait = max(self._hosts.wait(host, now), self._askers.wait(f"{host} {asker}", now))
            if wait:
                raise Unavailable(reason="too many keys of this host could not be had", retry_after=wait)
            task = self._running[key_uri] = asyncio.create_task(self._fetch(key_uri, host, now, fetch, asker))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, also where nobody waits any more
        return await asyncio.shield(task)

    async def _fetch(self, key_uri: str, host: str, now: int, fetch: Callable[[], Awaitable[PublicKey]], asker: str) -> PublicKey:
        try:
            found = await fetch()
        except FedcollabError as error:
            self._hosts.take(host, now)
            self._askers.take(f"{host} {asker}", now)
            self._remember(key_uri, Miss(now + AGAIN_AFTER, error), now)
            raise
        finally:
            del self._running[key_uri]
        self._misses.pop(key_uri, None)
        return found

    def _remember(self, key_uri: str, miss: Miss, now: int) -> None:
        if len(self._misses) >= REMEMBERED:
            self._misses = {uri: kept for uri, kept in self._misses.items() if kept.until > now}
        while len(self._misses) >= REMEMBERED:
            del self._misses[next(iter(self._misses))]
        self._misses[key_uri] = miss


def _again(miss: Miss, now: int) -> FedcollabError:
    """The same answer as before; who may come back is told when."""
    if isinstance(miss.error, Unauthorized):
        return Unauthorized(reason=miss.error.reason + " (asked less than a minute ago)")
    return Unavailable(reason=miss.error.reason, retry_after=max(1, (miss.until - now) // MICROSECONDS))
