"""Decides how a request travels: over connections that are kept, to addresses vetted beforehand, read by aiohttp's parser.

aiohttp's own client costs twice as much a request (docs/decisions/0012-lean-client.md). What it would add (cookies, redirects,
proxies, unpacking) is unwanted here or done in `http`, which alone may ask.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import aiohappyeyeballs
from aiohttp import ClientConnectionError
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import RawResponseMessage
from aiohttp.streams import StreamReader

CONNECT_SECONDS = 5
KEPT = 15.0  # seconds that a connection without work stays open
LIMIT = 100  # requests under way, to whomever
LINE = 8190  # bytes: the longest status line or header field that is read
Addresses = Callable[[], Awaitable[list[str]]]
Vet = Callable[[str], None]


class Line:
    """One connection; `reused` says that it carried an answer before, so that the other side may just now have closed it. `good_until` is
    the end of the other side's certificate, as the certificate writes it."""

    def __init__(self, handler: ResponseHandler, good_until: str = "") -> None:
        self.handler = handler
        self.good_until = good_until
        self.reused = False
        self.idle_since = 0.0

    async def ask(self, data: bytes) -> tuple[RawResponseMessage, StreamReader]:
        """Sends a request and answers the head of its answer, with the reader of its body."""
        transport = self.handler.transport
        if transport is None:
            raise ClientConnectionError("closed")
        self.handler.set_response_params(read_until_eof=True, auto_decompress=False, max_line_size=LINE, max_field_size=LINE)
        transport.write(data)
        while True:
            message, payload = await self.handler.read()
            if not 100 <= message.code < 200 or message.code == 101:
                return message, payload


class Lines:
    """All connections of a node to others, by `scheme://host:port`."""

    def __init__(self) -> None:
        self._idle: dict[str, list[Line]] = {}
        self._turns = asyncio.Semaphore(LIMIT)
        self._tls: ssl.SSLContext | None = None
        self._sweeper: asyncio.TimerHandle | None = None

    async def ask(
        self, origin: str, name: str, port: int, data: bytes, *, addresses: Addresses, vet: Vet
    ) -> tuple[Line, RawResponseMessage, StreamReader]:
        """Sends a request over a kept connection or a new one. A kept one that the other side has closed meanwhile is replaced once:
        documents and deliveries may come twice. `vet` is called with the address that a new one leads to, and raises to refuse it.

        The caller gives the line back by `keep` or ends it by `drop`."""
        async with self._turns:
            while True:
                line = self._kept(origin) or await self._connect(origin, name, port, addresses, vet)
                try:
                    return line, *await line.ask(data)
                except (ClientConnectionError, ConnectionError):
                    self.drop(line)
                    if not line.reused:
                        raise
                except BaseException:
                    self.drop(line)
                    raise

    def _kept(self, origin: str) -> Line | None:
        """The connection used last, unless it is closed or too old."""
        lines, now = self._idle.get(origin, []), asyncio.get_running_loop().time()
        while lines:
            line = lines.pop()
            if line.handler.is_connected() and not line.handler.should_close and now - line.idle_since < KEPT:
                return line
            self.drop(line)
        return None

    async def _connect(self, origin: str, name: str, port: int, addresses: Addresses, vet: Vet) -> Line:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_SECONDS):
            found_at = await addresses()
            for address in found_at:
                vet(address)
            infos = [_info(address, port) for address in found_at]
            found = await aiohappyeyeballs.start_connection(infos, happy_eyeballs_delay=0.25, interleave=1)
            try:
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                tls, named = (self._context(), name) if origin.startswith("https:") else (None, None)
                transport, handler = await loop.create_connection(lambda: ResponseHandler(loop), sock=found, ssl=tls, server_hostname=named)
            except BaseException:
                found.close()
                raise
        try:
            vet(str((transport.get_extra_info("peername") or ("",))[0]))
        except BaseException:
            transport.abort()
            raise
        return Line(handler, str((transport.get_extra_info("peercert") or {}).get("notAfter", "")))

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls

    def keep(self, origin: str, line: Line) -> None:
        """Takes back a line whose answer was read to its end."""
        if line.handler.should_close or not line.handler.is_connected():
            self.drop(line)
            return
        loop = asyncio.get_running_loop()
        line.reused, line.idle_since = True, loop.time()
        self._idle.setdefault(origin, []).append(line)
        if self._sweeper is None:
            self._sweeper = loop.call_later(KEPT, self._sweep)

    def drop(self, line: Line) -> None:
        """Ends a line, whatever is still to come on it."""
        with suppress(RuntimeError):  # the loop is closed already
            line.handler.abort()

    def _sweep(self) -> None:
        """Closes what has had no work for its time; comes back as long as anything is kept."""
        loop = asyncio.get_running_loop()
        until, self._sweeper = loop.time() - KEPT, None
        for origin, lines in list(self._idle.items()):
            for line in [line for line in lines if line.idle_since <= until]:
                lines.remove(line)
                self.drop(line)
            if not lines:
                del self._idle[origin]
        if self._idle:
            self._sweeper = loop.call_later(KEPT, self._sweep)

    def close(self) -> None:
        """Ends all that is kept."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for lines in self._idle.values():
            for line in lines:
                self.drop(line)
        self._idle.clear()


def _info(address: str, port: int) -> tuple[int, int, int, str, tuple[str, int]]:
    return (socket.AF_INET6 if ":" in address else socket.AF_INET), socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)


def head(method: str, target: str, headers: Mapping[str, str], length: int | None) -> bytes:
    """The head of a request. Raises ValueError where a part of it could end its line."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    text = "\r\n".join(lines)
    if text.count("\r") != len(lines) - 1 or text.count("\n") != len(lines) - 1 or "\0" in text:
        raise ValueError("a line break inside a header")
    return (text + "\r\n\r\n").encode("latin-1")
