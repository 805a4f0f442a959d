"""A server of raw bytes on loopback: answers each connection as the test says, and counts who came."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Listener:
    """`met` counts connections, `asked` has the first lines of what came; `answers` says what to send by path, `otherwise` for others."""

    port: int = 0
    met: int = 0
    asked: list[str] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    otherwise: Answer | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/") -> str:
        return f"http://{self.host}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.met += 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                self.asked.append(head.split("\r\n")[0])
                answer = self.answers.get(head.split(" ")[1], self.otherwise)
                if answer is not None:
                    await answer(writer)
        finally:
            writer.close()


def bytes_of(data: bytes) -> Answer:
    """The answer that is these bytes."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return send


def without_end(start: bytes, piece: bytes, pause: float = 0.0) -> Answer:
    """The answer that goes on until nobody listens any more."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        for _ in range(200_000):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return send


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    made = Listener()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()
