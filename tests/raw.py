"""Speaks to a node as no client does: bytes as given, in pieces, and everything that comes back."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

from .web import Site

CLOSE = b"Connection: close"
LINES = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


@dataclass
class Line:
    """One open connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> bool:
        """False where the other side has closed already."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except ConnectionError:
            return False
        return True

    async def rest(self, seconds: float = 10.0) -> bytes:
        """All that comes until the node closes; fails where it does not within so many seconds."""
        found = bytearray()
        async with asyncio.timeout(seconds):
            with contextlib.suppress(ConnectionError):
                while chunk := await self.reader.read(65536):
                    found += chunk
        return bytes(found)

    async def some(self) -> bytes:
        """What has come by now, waiting a moment for the first of it."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(5):
                return await self.reader.read(65536)
        return b""


@contextlib.asynccontextmanager
async def line(site: Site, source: str = "127.0.0.1", *, takes: int = 0) -> AsyncIterator[Line]:
    """A connection to the node, from an address of this machine. `takes`: so many bytes at most lie ready at our end, of which nobody has
    read any yet."""
    made = socket.socket()
    made.setblocking(False)
    if takes:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes)
    made.bind((source, 0))
    await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port_of(site)))
    reader, writer = await asyncio.open_connection(sock=made)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def port_of(site: Site) -> int:
    return int(site.kernel.node.settings.listen.rpartition(":")[2])


def request(site: Site, method: str = "GET", path: str = "/nodeinfo/2.1", *headers: bytes, body: bytes = b"") -> bytes:
    """A request as bytes, with our Host and, where there is a body, its length."""
    length = [b"Content-Length: %d" % len(body)] if body else []
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: " + site.kernel.node.host.encode(), *headers, *length]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def ask(site: Site, data: bytes, seconds: float = 10.0) -> bytes:
    """Everything that comes back on a connection of its own until the node closes it: the last request has to ask for that."""
    async with line(site) as made:
        await made.send(data)
        return await made.rest(seconds)


def statuses(answer: bytes) -> list[int]:
    """The status of each answer on one connection."""
    return [int(found) for found in LINES.findall(answer)]
