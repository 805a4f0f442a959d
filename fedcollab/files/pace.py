"""Decides how slowly a file may come in: as slowly as any network that still carries something, but not for ever."""

import asyncio
from collections.abc import Awaitable, Callable

SILENCE = 60.0  # seconds without a byte: a network that comes back goes on within less
LEAST, WINDOW = (
    8192,
    120.0,
)  # bytes that come within so many seconds of waiting: far below what the weakest phone carries
Read = Callable[[], Awaitable[bytes]]


class Pace:
    """What `take` brings, as long as something does. The time that our own disk takes does not count."""

    def __init__(self, take: Read) -> None:
        self.take = take
        self.waited, self.came = 0.0, 0

    async def read(self) -> bytes:
        """The next bytes. Raises TimeoutError where none, or next to none, come, and what `take` raises."""
        clock = asyncio.get_running_loop().time
        began = clock()
        async with asyncio.timeout(SILENCE):
            chunk = await self.take()
        self.waited, self.came = self.waited + clock() - began, self.came + len(chunk)
        if chunk and self.waited >= WINDOW:
            if self.came < LEAST:
                raise TimeoutError
            self.waited, self.came = 0.0, 0
        return chunk
