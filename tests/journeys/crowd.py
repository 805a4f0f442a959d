"""Is a crowd, in a process of its own: `python -m tests.journeys.crowd PORT SENDERS READERS PAUSE`, until its standard input closes.

Prints how many of those who send slowly, and of those who never read, have been sent away."""

import asyncio
import contextlib
import json
import random
import socket
import sys

HEADER = b"GET /login HTTP/1.1\r\nHost: HOST\r\nX-Header: " + b"a" * 1000
BODY = b"POST /inbox HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1000\r\n\r\n" + b"a" * 1000


def on(port: int, data: bytes) -> bytes:
    return data.replace(b"HOST", f"127.0.0.1:{port}".encode())


async def slow(port: int, data: bytes, pause: float, over: asyncio.Event) -> int:
    """Sends a byte now and then, and comes again when it is sent away; answers how often that was."""
    away = 0
    while not over.is_set():
        with contextlib.suppress(ConnectionError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            gone = asyncio.create_task(reader.read())
            for number in range(len(data)):
                if over.is_set() or gone.done():
                    break
                writer.write(data[number : number + 1] if number else data[: data.index(b"a" * 1000)])
                await asyncio.wait((gone,), timeout=pause)
            away += gone.done()
            gone.cancel()
            writer.close()
    return away


async def deaf(port: int, over: asyncio.Event) -> int:
    """Asks for the largest file, again and again, and reads nothing of it; answers how often it was cut off."""
    away, ask = 0, on(port, b"GET /static/htmx.min.js HTTP/1.1\r\nHost: HOST\r\n\r\n") * 30
    while not over.is_set():
        with contextlib.suppress(ConnectionError):
            made = socket.socket()
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what the kernel takes for us is no sign that somebody reads
            made.setblocking(False)
            await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
            _, writer = await asyncio.open_connection(sock=made)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(ask)
            while not over.is_set() and not writer.transport.is_closing():
                await asyncio.sleep(1)
                writer.write(b"\r\n")
            away += writer.transport.is_closing()
            writer.transport.abort()
    return away


async def main(port: int, senders: int, readers: int, pause: float) -> None:
    over = asyncio.Event()

    async def later(number: int) -> int:
        await asyncio.sleep(random.uniform(0, min(pause, 5.0)))
        return await slow(port, on(port, (HEADER, BODY)[number % 2]), pause, over)

    slow_ones = [asyncio.create_task(later(number)) for number in range(senders)]
    deaf_ones = [asyncio.create_task(deaf(port, over)) for _ in range(readers)]
    await asyncio.to_thread(sys.stdin.read)
    over.set()
    found = [await asyncio.gather(*ones) for ones in (slow_ones, deaf_ones)]
    print(json.dumps([sum(map(bool, away)) for away in found]))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
