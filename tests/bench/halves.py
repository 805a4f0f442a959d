"""One half of the talk between nodes as a process of its own: the node that only accepts, the one that only delivers, and their floors."""

import asyncio
import base64
import hashlib
import json
import sys
import time
from functools import partial
from pathlib import Path

import sqlalchemy as sa
import uvloop
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fedcollab.app import make_app, make_kernel
from fedcollab.base import config
from fedcollab.base.database import wake
from fedcollab.base.paths import NodeFiles
from fedcollab.base.session import Session
from fedcollab.federation import workers
from fedcollab.federation.models import PARKED, WAITING, Delivery
from fedcollab.serve import collect_from_now_on, start

LANES = 8


async def accept(place: str) -> None:
    """The node in `place` as `serve` serves it, without its workers: what is accepted stays unprocessed."""
    kernel = make_kernel(config.load(Path(place), {}), NodeFiles(Path(place)))
    app = make_app(kernel)
    app.cleanup_ctx.clear()
    await start(app)
    collect_from_now_on()
    await asyncio.Event().wait()


async def deliver(place: str) -> None:
    """Delivers what waits, then what is parked, and prints what the latter has cost: microseconds a delivery."""
    kernel = make_kernel(config.load(Path(place), {}), NodeFiles(Path(place)))
    kernel.database.watch()
    task = asyncio.create_task(workers.run(kernel))
    await _until_none_waits(kernel.database.read)
    collect_from_now_on()
    before = time.process_time()
    count = await kernel.database.write(_release)
    await _until_none_waits(kernel.database.read)
    print(json.dumps((time.process_time() - before) * 1_000_000 / count), flush=True)
    task.cancel()


def _release(session: Session) -> int:
    wake(session, "delivery")
    query = sa.update(Delivery).where(Delivery.state == PARKED).values(state=WAITING).returning(Delivery.seq)
    return len(session.execute(query).all())


async def _until_none_waits(read: object) -> None:
    def waits(session: Session) -> bool:
        return session.execute(sa.select(Delivery.seq).where(Delivery.state == WAITING).limit(1)).first() is not None

    while await read(waits):  # type: ignore[operator]  # noqa: ASYNC110  # what it waits for is in the database
        await asyncio.sleep(0.1)


class Lean(asyncio.Protocol):
    """The least client: one request after the other is signed and sent, of each answer only its end is looked for."""

    def __init__(self, sign: object, body: bytes, count: int) -> None:
        self.sign, self.body, self.left = sign, body, count
        self.done = asyncio.get_running_loop().create_future()
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        digest = base64.b64encode(hashlib.sha256(self.body).digest()).decode()
        text = f'"@method": POST\n"@target-uri": http://127.0.0.1/inbox\n"content-digest": sha-256=:{digest}:\n'
        said = f'("@method" "@target-uri" "content-digest");created={int(time.time())};keyid="http://127.0.0.1/actor#main-key"'
        signature = base64.b64encode(self.sign((text + '"@signature-params": ' + said).encode())).decode()  # type: ignore[operator]
        head = f"POST /inbox HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/activity+json\r\nContent-Length: {len(self.body)}\r\n"
        fields = f"Content-Digest: sha-256=:{digest}:\r\nSignature-Input: a={said}\r\nSignature: a=:{signature}:\r\n\r\n"
        self.transport.write((head + fields).encode() + self.body)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if b"\r\n\r\n" in self.buffer:
            assert self.buffer.startswith(b"HTTP/1.1 202"), self.buffer
            self.buffer, self.left = b"", self.left - 1
            if self.left:
                self.send()
            else:
                self.done.set_result(None)


async def lean(port: str, kind: str, count: str) -> None:
    """Sends so many signed bodies of 2 kB, 8 in flight, and prints what one has cost in microseconds."""
    if kind == "rsa":
        key = rsa.generate_private_key(65537, 2048)
        sign = lambda message: key.sign(message, padding.PKCS1v15(), hashes.SHA256())  # noqa: E731
    else:
        sign = Ed25519PrivateKey.generate().sign
    loop, body, best = asyncio.get_running_loop(), b'{"x":"' + b"x" * 2000 + b'"}', float("inf")
    for _ in range(5):
        each = int(count) // 5 // LANES
        before = time.process_time()
        make = partial(Lean, sign, body, each)
        made = [await loop.create_connection(make, "127.0.0.1", int(port)) for _ in range(LANES)]
        await asyncio.gather(*(protocol.done for _, protocol in made))
        best = min(best, (time.process_time() - before) * 1_000_000 / (each * LANES))
        for transport, _ in made:
            transport.close()
    print(json.dumps(best), flush=True)


class Sink(asyncio.Protocol):
    """Takes every body with 202 and keeps none."""

    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            status = b"202 Accepted" if head.startswith(b"post") else b"200 OK"
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")  # type: ignore[attr-defined]


async def sink(port: str) -> None:
    await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", int(port))
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run({"accept": accept, "deliver": deliver, "lean": lean, "sink": sink}[sys.argv[1]](*sys.argv[2:]))
