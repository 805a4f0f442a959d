"""Measures what partners cost each other: an activity accepted, a delivery sent, an actor's document asked for; beside the bare work."""

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fedcollab.actors import keys
from fedcollab.actors.models import PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.app import make_kernel
from fedcollab.base import config
from fedcollab.base.clock import new_id, system_clock
from fedcollab.base.database import run_sync
from fedcollab.base.paths import NodeFiles
from fedcollab.base.session import Session
from fedcollab.demo import free_ports
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import signatures
from fedcollab.federation.models import ADMITTED, PARKED, WAITING, Activity, Delivery, Partner
from tests.journeys.databases import query
from tests.journeys.processes import Process
from tests.nodes import Rogue, rogue

from .measured import Server, server
from .stock import Stocked, fill
from .table import Row

BLOCKS, TIMES, LANES = 8, 200, 8
DELIVERED, WARM, THREADS = 2000, 300, 24
TEXT = "<p>" + "A deposit is asked by mobile money, in two parts. The second comes the night before travel. " * 8 + "</p>"
ACCEPTED, PROCESSED, ASKED, SENT = 350.0, 1200.0, 150.0, {keys.RSA: 450.0, keys.ED25519: 200.0}


def measure(root: Path) -> Iterator[Row]:
    accepted, asked = asyncio.run(_taken(root / "accepting"))
    processed = asyncio.run(_processed(root / "processing"))
    yield Row("a partner's activity: verified, stored, 202", accepted, "CPU-us", _bare(root / "bare.db", store=True), ACCEPTED)
    yield Row("the same until it is in its conversation, on record and nothing waits", processed, "CPU-us", None, PROCESSED)
    yield Row("an actor's document for a partner's signed GET", asked, "CPU-us", _bare(root / "bare.db", store=False), ASKED)
    for kind, target in SENT.items():
        floor, value = _sent(root / f"sending-{kind}", kind)
        yield Row(f"a delivery sent, {kind}, 8 in flight", value, "CPU-us", floor, target)


def _bare(place: Path, *, store: bool) -> float:
    """Processor microseconds to verify an Ed25519 signature over a request and to store, or read, one row: no HTTP, no JSON."""
    key, message, body = Ed25519PrivateKey.generate(), b"x" * 300, "x" * 2000
    public, signature = key.public_key(), key.sign(message)
    connection = sqlite3.connect(place, isolation_level=None)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS t (a TEXT UNIQUE, b TEXT)")
    best = float("inf")
    for block in range(BLOCKS):
        before = time.process_time()
        for number in range(TIMES):
            public.verify(signature, message)
            if store and number % LANES == 0:
                connection.execute("BEGIN IMMEDIATE")
            if store:
                connection.execute("INSERT INTO t VALUES (?, ?)", (f"{block} {number}", body))
            else:
                connection.execute("SELECT b FROM t WHERE a = ?", (f"{block} {number}",)).fetchone()
            if store and number % LANES == LANES - 1:
                connection.execute("COMMIT")
        best = min(best, (time.process_time() - before) * 1_000_000 / TIMES)
    connection.close()
    return best


async def _taken(place: Path) -> tuple[float, float]:
    """What accepting a Create and answering a GET cost the node's process, 8 requests at once; both signed with Ed25519."""
    partner, port = await rogue(), (await asyncio.to_thread(free_ports, 1))[0]
    stocked = await asyncio.to_thread(fill, place, port, 50, (partner.port,))
    there = Process(place, port)
    await asyncio.to_thread(there.run, "partner", "add", partner.uri("/actor"), "--approve")
    person = query(there, "SELECT uri FROM actor WHERE known = 'own' AND kind = 'Person'")[0][0].removeprefix(there.url)
    with server(port, "tests.bench.halves", "accept", str(place)) as ours:
        await asyncio.to_thread(ours.wait)
        posts = [_post(partner, there, stocked) for _ in range(TIMES * (BLOCKS + 1))]
        accepted = await _blocks(ours, port, posts, b"HTTP/1.1 202")
        asked = await _blocks(ours, port, [_get(partner, there, person) for _ in posts], b"HTTP/1.1 200")
    await partner.stop()
    return accepted, asked


async def _processed(place: Path) -> float:
    """What a Create costs the whole node, from its POST until nothing waits; 8 requests at once, the best of blocks."""
    partner, port = await rogue(), (await asyncio.to_thread(free_ports, 1))[0]
    stocked = await asyncio.to_thread(fill, place, port, 50, (partner.port,))
    there, costs = Process(place, port), []
    await asyncio.to_thread(there.run, "partner", "add", partner.uri("/actor"), "--approve")
    with server(port, "fedcollab", "-C", str(place), "serve") as ours:
        await asyncio.to_thread(ours.wait)
        for _ in range(BLOCKS):
            posts = [_post(partner, there, stocked) for _ in range(TIMES)]
            before = ours.cpu()
            await _blocks(ours, port, posts, b"HTTP/1.1 202")
            while await asyncio.to_thread(query, there, "SELECT 1 FROM inbox_item WHERE state = 'waiting' LIMIT 1"):  # noqa: ASYNC110  # it is another process's table
                await asyncio.sleep(0.1)
            costs.append((ours.cpu() - before) / TIMES)
        assert not await asyncio.to_thread(query, there, "SELECT reason FROM inbox_item WHERE state <> 'done'")
    await partner.stop()
    return min(costs[1:])


def _post(partner: Rogue, there: Process, stocked: Stocked) -> bytes:
    author, group = partner.uri("/people/sokha"), f"{there.url}/groups/{stocked.group_id}"
    body = json.dumps(partner.create(author, group, content=TEXT)).encode()
    headers = signatures.sign(
        partner.signers[author]["ed25519"], "POST", there.url + "/inbox", body, system_clock(), form=signatures.RFC9421
    )
    return _request("POST /inbox", there, headers | {"Content-Type": ap.MEDIA_TYPE, "Content-Length": str(len(body))}) + body


def _get(partner: Rogue, there: Process, path: str) -> bytes:
    signer = partner.signers[partner.uri("/actor")]["ed25519"]
    headers = signatures.sign(signer, "GET", there.url + path, b"", system_clock(), form=signatures.RFC9421)
    return _request(f"GET {path}", there, headers | {"Accept": ap.MEDIA_TYPE})


def _request(line: str, there: Process, headers: dict[str, str]) -> bytes:
    fields = {"Host": f"127.0.0.1:{there.port}", "User-Agent": "fedcollab"} | headers
    return (f"{line} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n").encode()


async def _blocks(ours: Server, port: int, requests: Sequence[bytes], expected: bytes) -> float:
    """Processor microseconds a request: the best of blocks, after one that warms."""
    lanes = [await asyncio.open_connection("127.0.0.1", port) for _ in range(LANES)]
    costs = []
    for at in range(0, len(requests), TIMES):
        turn = iter(requests[at : at + TIMES])
        before = ours.cpu()
        await asyncio.gather(*(_one_after_the_other(reader, writer, turn, expected) for reader, writer in lanes))
        costs.append((ours.cpu() - before) / TIMES)
    for _, writer in lanes:
        writer.close()
    return min(costs[1:] or costs)


async def _one_after_the_other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, turn: Iterator[bytes], expected: bytes) -> None:
    for request in turn:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(expected), head
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        await reader.readexactly(length)


def _sent(place: Path, kind: str) -> tuple[float, float]:
    """What sending costs the least client, and the node's delivering half, to a server that takes everything."""
    ports = free_ports(2)
    stocked = fill(place, ports[0], 50, (ports[1],))
    _queue(stocked, ports[1], kind)
    with server(ports[1], "tests.bench.halves", "sink", str(ports[1])) as sink:
        sink.wait()
        floor = _said("lean", str(ports[1]), kind, str(DELIVERED))
        return floor, _said("deliver", str(place))


def _said(*words: str) -> float:
    done = subprocess.run([sys.executable, "-m", "tests.bench.halves", *words], capture_output=True, text=True, timeout=60, check=True)
    return float(json.loads(done.stdout))


def _queue(stocked: Stocked, port: int, kind: str) -> None:
    kernel = make_kernel(config.load(stocked.place, {}), NodeFiles(stocked.place))
    try:
        run_sync(kernel.database, lambda session: _deliveries(session, kernel.node, port, kind))
    finally:
        kernel.database.close()


def _deliveries(session: Session, node: Node, port: int, kind: str) -> None:
    """The first partner lies at the sink; to nobody else anything waits."""
    person = session.execute(sa.select(Actor.id).where(Actor.known == "own", Actor.kind == PERSON)).scalars().first()
    partner_id, organisation_id = session.execute(sa.select(Partner.id, Partner.organisation_id).order_by(Partner.id).limit(1)).one()
    session.execute(sa.delete(Delivery))
    values: dict[str, object] = dict(host=f"127.0.0.1:{port}", form=signatures.RFC9421, state=ADMITTED)
    session.execute(sa.update(Partner).where(Partner.id == partner_id).values(**values))
    document = {ap.PROTOCOL_TERM: ap.PROTOCOL} if kind == keys.ED25519 else {}
    session.execute(
        sa.update(Actor).where(Actor.id == organisation_id).values(document=document, inbox=f"http://127.0.0.1:{port}/actor/inbox")
    )
    for number in range(WARM + DELIVERED):
        uri, activity_id = node.settings.uri(f"/activities/{number}"), new_id(node.now())
        thread = node.settings.uri(f"/threads/{number % THREADS}")
        what = dict(
            uri=uri, type="Create", actor_id=person, object_uri=uri, order_key=thread, body=json.dumps({"id": uri, "content": TEXT * 2})
        )
        session.execute(sa.insert(Activity).values(id=activity_id, created_at=node.now(), **what))
        state = WAITING if number < WARM else PARKED
        row = dict(partner_id=partner_id, seq=1000 + number, activity_id=activity_id, order_key=thread, state=state)
        session.execute(sa.insert(Delivery).values(row))
