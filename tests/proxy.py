"""Stands between two nodes on loopback and does to requests what networks do: slows them, drops them at any moment, sends them twice."""

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Self

ACCEPT, REQUEST, ANSWER, PASS, TWICE = "after the connection", "after the request", "after the answer", "passed on", "twice"


@dataclass
class Proxy:
    """Listens at `port` and passes on to `to`. `delay` is a round trip in seconds; `chances` say how often what befalls a request."""

    port: int
    to: int
    delay: float = 0.0
    chances: dict[str, float] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    befell: "Counter[str]" = field(default_factory=Counter)
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for writer in list(self.open):
            writer.close()
        await asyncio.sleep(0)

    def _draw(self) -> str:
        names = [*self.chances, PASS]
        weights = [*self.chances.values(), max(0.0, 1 - sum(self.chances.values()))]
        return self.chance.choices(names, weights)[0]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while await self._one(reader, writer):
                pass
        self.open.discard(writer)
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; False where the connection ends."""
        fate = self._draw()
        if fate == ACCEPT:
            await reader.readexactly(1)
            self.befell[fate] += 1
            return False
        request = await _message(reader)
        self.befell[fate] += 1
        await asyncio.sleep(self.delay / 2)
        if fate == REQUEST:
            return False
        answer = await self._ask(request)
        if fate == TWICE:
            answer = await self._ask(request)
        await asyncio.sleep(self.delay / 2)
        if fate == ANSWER:
            return False
        writer.write(answer)
        await writer.drain()
        return True

    async def _ask(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.to)
        try:
            writer.write(request)
            return await _message(reader)
        finally:
            writer.close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """A whole request or answer, by its Content-Length."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return head + await reader.readexactly(int(value))
    return head
