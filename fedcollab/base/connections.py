"""Decides how many connections strangers may hold, and for how long: aiohttp's protocol stands behind one that counts and times."""

import asyncio
from collections import Counter
from collections.abc import Callable

HEADER_SECONDS, ANSWER_SECONDS, LINGER_SECONDS = 10.0, 30.0, 2.0
HEADER_BYTES = 32_768
MOST, MOST_PER_ADDRESS, MOST_LINGERING = 1000, 100, 100
LOOK = 0.5  # seconds between two looks at what dawdles
OWN_WEB_SERVER = ("127.0.0.1", "::1")  # speaks for many, and has its own limits
END = b"\r\n\r\n"
LATE, LONG, FULL = "408 Request Timeout", "431 Request Header Fields Too Large", "503 Service Unavailable"


class Connections:
    """All connections of a server; the event loop calls it for each new one. `make` gives the protocol that speaks HTTP.

    At most `most` at once, and `per_address` of one address (0: as many as there are). Where all are taken, the one that has sat there
    longest without a whole request goes, so that idlers push out each other and nobody else."""

    def __init__(self, make: Callable[[], asyncio.Protocol], *, most: int = MOST, per_address: int = MOST_PER_ADDRESS) -> None:
        self.make, self.most, self.per_address = make, most, per_address
        self.open: dict[Connection, None] = {}
        self.lingering: dict[Connection, None] = {}
        self.addresses: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self) -> "Connection":
        return Connection(self, self.make())

    def enter(self, connection: "Connection") -> bool:
        """Counts a new connection; False where there is no room for it."""
        self._timer = self._timer or asyncio.get_running_loop().call_later(LOOK, self._look)
        crowded = 0 < self.per_address <= self.addresses[connection.address] and connection.address not in OWN_WEB_SERVER
        if crowded or (len(self.open) >= self.most and not self._make_room()):
            return False
        self.open[connection] = None
        self.addresses[connection.address] += 1
        return True

    def leave(self, connection: "Connection") -> None:
        self.lingering.pop(connection, None)
        if connection in self.open:
            del self.open[connection]
            self.addresses[connection.address] -= 1
            if not self.addresses[connection.address]:
                del self.addresses[connection.address]

    def linger(self, connection: "Connection") -> bool:
        """Whether a refused one is read on for a moment: closed at once, what it still sends would wipe out our answer."""
        self.leave(connection)
        if len(self.lingering) >= MOST_LINGERING:
            return False
        self.lingering[connection] = None
        return True

    def _make_room(self) -> bool:
        oldest = next((one for one in self.open if not one.taken), None)
        if oldest is not None:
            oldest.refuse(FULL)
        return oldest is not None

    def _look(self) -> None:
        """Ends what has had its time, and comes back while there is anything to look at."""
        loop = asyncio.get_running_loop()
        for one in (*self.open, *self.lingering):
            one.end_if_late(loop.time())
        self._timer = loop.call_later(LOOK, self._look) if self.open or self.lingering else None


class Connection(asyncio.Protocol):
    """One connection: hands on what comes, and measures a header by its bytes and seconds, an answer by how long nobody reads it.

    `taken` says that a request is being worked at."""

    def __init__(self, house: Connections, inner: asyncio.Protocol) -> None:
        self.house, self.inner = house, inner
        self.address = ""
        self.taken = self.refused = self.handed_on = False
        self.since: float | None = None  # when a header began that is not whole yet; where refused, when that was
        self.stuck: float | None = None  # since when the other side has not read
        self.size, self.tail = 0, b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # of TCP
        peer = transport.get_extra_info("peername")
        self.address, self.since = str(peer[0]) if peer else "", asyncio.get_running_loop().time()
        if not self.house.enter(self):
            self.refuse(FULL)
            return
        self.handed_on = True
        self.inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if not self.taken and not self.refused:
            self._measure(data)
        if not self.refused:
            self.inner.data_received(data)

    def _measure(self, data: bytes) -> None:
        if END in self.tail + data:
            self.work()
            return
        self.since = self.since or asyncio.get_running_loop().time()
        self.size, self.tail = self.size + len(data), (self.tail + data)[-3:]
        if self.size > HEADER_BYTES:
            self.refuse(LONG)

    def work(self) -> None:
        """A request's header is whole."""
        self.taken, self.since, self.size, self.tail = True, None, 0, b""

    def rest(self) -> None:
        """The request was answered: what comes next begins a header."""
        self.taken = False

    def end_if_late(self, now: float) -> None:
        waited = now - self.since if self.since is not None and not self.taken else 0.0
        unread = now - self.stuck if self.stuck is not None else 0.0
        if unread > ANSWER_SECONDS or (self.refused and waited > LINGER_SECONDS):
            self.transport.abort()
        elif waited > HEADER_SECONDS and not self.refused:
            self.refuse(LATE) if self.size else self.transport.close()

    def refuse(self, answer: str) -> None:
        """Says why in one line, and closes; what comes after is thrown away."""
        if self.refused or self.transport.is_closing():
            return
        self.refused, self.taken, self.since = True, False, asyncio.get_running_loop().time()
        wait = "Retry-After: 5\r\n" if answer == FULL else ""
        self.transport.write(f"HTTP/1.1 {answer}\r\n{wait}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        if self.stuck is None and self.house.linger(self):
            self.transport.write_eof()
        else:
            self.house.leave(self)
            self.transport.close()

    def eof_received(self) -> bool | None:
        return None if self.refused else self.inner.eof_received()

    def pause_writing(self) -> None:
        self.stuck = asyncio.get_running_loop().time()
        if self.handed_on:
            self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.stuck = None
        if self.handed_on:
            self.inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self.house.leave(self)
        if self.handed_on:
            self.inner.connection_lost(exc)
