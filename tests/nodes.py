"""Makes nodes and a rogue partner for tests: real servers on loopback in this process, real databases in a temporary folder."""

import asyncio
import contextlib
import io
import json
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import sqlalchemy as sa
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fedcollab.access.viewer import Viewer
from fedcollab.actors import keys
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.admin import partners as acts
from fedcollab.app import named
from fedcollab.base import config
from fedcollab.base.clock import Clock, new_id, system_clock
from fedcollab.base.database import Database, open_database
from fedcollab.base.http import Fetcher, agent_of
from fedcollab.base.paths import NodeFiles
from fedcollab.base.templates import Templates
from fedcollab.base.web import SECRET, SETTINGS, add_headers, answer_errors, token_base
from fedcollab.feature import ARRIVALS, ASKED, MENU, OUTBOX, TEMPLATES
from fedcollab.features.discussions import groups, reading
from fedcollab.features.discussions.feature import FEATURE as DISCUSSIONS
from fedcollab.features.members.feature import FEATURE as MEMBERS
from fedcollab.features.members.feature import RATE, Rate
from fedcollab.features.referrals.feature import FEATURE as REFERRALS
from fedcollab.features.resources import reading as resources
from fedcollab.features.resources.feature import FEATURE as LIBRARY
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import follows, mirror, offers, profiles, proofs, signatures, streams, succession, views, vouching, workers
from fedcollab.federation.kernel import KERNEL, Kernel
from fedcollab.federation.registry import Registry
from fedcollab.files import previews, sweeping
from fedcollab.files import views as files
from fedcollab.files.holding import HOLDS
from fedcollab.files.shelves import SHELVES, shelves
from fedcollab.sealing import consents_in, file_serving, head_asking, head_receiving, key_serving, partner_keys, room_receiving
from fedcollab.sealing.ring import Ring
from fedcollab.sealing.ring_models import RingModel
from tests import pooled
from tests.ports import free_port, free_ports


async def until(what: str, probe: Callable[[], Awaitable[Any]], seconds: float = 10.0) -> Any:
    """Waits until `probe` answers something true; fails by name after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = await probe()
        if found:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


@dataclass
class Here:
    """A running node of ours, with an admin who is a member."""

    kernel: Kernel
    viewer: Viewer
    runner: web.AppRunner
    task: "asyncio.Task[None]"

    @property
    def url(self) -> str:
        return self.kernel.node.settings.base_url

    @property
    def host(self) -> str:
        return self.kernel.node.host

    async def write(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await self.kernel.database.write(work, self.kernel.node, *args, **kwargs)

    async def read(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await self.kernel.database.read(work, *args, **kwargs)

    async def read_write(self, work: Callable[[Any], Any]) -> Any:
        """A unit that knows nothing of the node."""
        return await self.kernel.database.write(work)

    async def sql(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        return await self.read(lambda session: [tuple(row) for row in session.execute(sa.text(query), values)])

    async def group(self, slug: str = "leads", label: str = "TLP:GREEN", **more: Any) -> actors.ActorData:
        return await self.write(groups.create, self.viewer, slug=slug, name=slug.title(), label=label, **more)

    async def tables(self) -> dict[str, int]:
        """Rows in each table that holds facts: to show that a refusal changed nothing."""
        await self.write(groups.renew_lists)  # or the minute's chore does it between two counts
        names = ("actor", "actor_key", "partner", "follow", "activity", "delivery", "inbox_item", "thread", "post", "audit_entry")
        names += ("resource", "resource_version", "country_note", "file")
        return {name: (await self.sql(f"SELECT count(*) FROM {name}"))[0][0] for name in names}

    async def quiet(self) -> None:
        """Waits until the inbox has nothing left to do."""
        await until("the inbox is empty", self._idle)

    async def _idle(self) -> bool:
        return (await self.sql("SELECT count(*) FROM inbox_item WHERE state IN ('waiting', 'early')"))[0][0] == 0

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.runner.cleanup()
        await self.kernel.fetcher.close()
        await asyncio.to_thread(self.kernel.database.close)
        self.kernel.node.ring.close()


async def start(
    place: Path,
    *,
    port: int = 0,
    peers: tuple[int, ...] = (),
    name: str = "Meridian Outreach",
    clock: Clock = system_clock,
    database: Database | None = None,
    behind: int = 0,
) -> Here:
    """Starts a node; `peers` are the loopback ports it may talk to. It listens at `behind`, where something stands before it at `port`."""
    port = port or free_port()
    written: dict[str, object] = {"name": name, "base_url": f"http://127.0.0.1:{port}", "listen": f"127.0.0.1:{port}", "trial": True}
    settings = config.parse(written | {"loopback_peers": [f"127.0.0.1:{p}" for p in peers]}, {})
    opened = database or open_database(f"sqlite:///{place / f'{port}.db'}")
    pooled.tables(opened.engine)
    ring = Ring(f"sqlite:///{place / f'{port}.ring.db'}")
    pooled.tables(ring.engine, RingModel)
    trust = (*offers.HANDLERS, *succession.HANDLERS, *vouching.HANDLERS, *partner_keys.HANDLERS)
    in_rooms = (*room_receiving.HANDLERS, *head_receiving.HANDLERS, *consents_in.HANDLERS, *REFERRALS.handlers)
    registry = Registry((*follows.HANDLERS, *trust, *DISCUSSIONS.handlers, *LIBRARY.handlers, *in_rooms))
    fetcher = Fetcher(peers=frozenset(settings.loopback_peers), agent=agent_of(settings.base_url))
    files_of = NodeFiles(place / f"{port}.files")
    kernel = Kernel(Node(settings, os.urandom(32), clock, files=files_of, named=named, ring=ring), opened, fetcher, registry)

    def people(session: Any) -> Viewer:
        me = actors.create_own(session, kernel.node, actors.ORGANIZATION, username="organisation", name=name)
        profiles.document(session, kernel.node, me)
        person = actors.create_own(session, kernel.node, actors.PERSON, username="ilse", name="Ilse V.")
        profiles.document(session, kernel.node, person)
        return Viewer(me.id, person.id, frozenset({"admin", "member"}), person.name)

    viewer = await opened.write(people)
    app = web.Application(middlewares=[answer_errors, token_base])
    app[KERNEL], app[SETTINGS], app[SECRET] = kernel, settings, b"s" * 32
    app[TEMPLATES], app[MENU] = Templates(), DISCUSSIONS.menu + LIBRARY.menu
    app[OUTBOX], app[ARRIVALS], app[ASKED] = DISCUSSIONS.outbox, DISCUSSIONS.arrivals, (reading.may_ask_about, resources.may_ask_about)
    app[RATE] = Rate(clock)
    app[HOLDS] = tuple(one.holds for one in (DISCUSSIONS, LIBRARY) if one.holds)
    app[SHELVES] = shelves(settings, files_of)
    every = (*DISCUSSIONS.routes, *LIBRARY.routes, *MEMBERS.routes, *REFERRALS.routes, *files.ROUTES, *previews.ROUTES, *key_serving.ROUTES)
    app.add_routes([*views.ROUTES, *streams.ROUTES, *mirror.ROUTES, *every, *file_serving.ROUTES, *head_asking.ROUTES])
    app.cleanup_ctx.append(sweeping.run)
    app.on_response_prepare.append(add_headers)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", behind or port).start()
    opened.watch()
    return Here(kernel, viewer, runner, asyncio.create_task(workers.run(kernel)))


class Asked(Protocol):
    async def sql(self, query: str, **values: Any) -> list[tuple[Any, ...]]: ...


async def asked(lanes: Awaitable[Mapping[str, Awaitable[int]]]) -> int:
    """Asks, as a node does beside its server, for all that is due, by whom it is asked of; how much has come."""
    return sum(await asyncio.gather(*(await lanes).values()))


async def settled(*here: Asked) -> None:
    """Waits until nothing is under way between these nodes: what one has sent, another has taken in, with what it sent for that."""

    async def nothing() -> bool:
        looks = ("SELECT 1 FROM delivery WHERE state = 'waiting'", "SELECT 1 FROM inbox_item WHERE state IN ('waiting', 'early')")
        return not [row for look in (*looks, looks[0]) for one in here for row in await one.sql(look)]

    await until("nothing is under way", nothing)


@contextlib.asynccontextmanager
async def running(place: Path, *names: str) -> AsyncIterator[list[Here]]:
    """Nodes that may all talk to each other."""
    ports = free_ports(len(names))
    made = [await start(place, port=port, peers=tuple(ports), name=name) for port, name in zip(ports, names, strict=True)]
    try:
        yield made
    finally:
        await asyncio.gather(*(one.stop() for one in made))


async def settled_between(one: Here, other: Here) -> None:
    """Waits until neither has anything on its way to the other, whoever else is away."""

    async def nothing() -> bool:
        goes = "SELECT 1 FROM delivery JOIN partner ON partner.id = partner_id WHERE delivery.state = 'waiting' AND partner.host = :host"
        comes = "SELECT 1 FROM inbox_item WHERE host = :host AND state IN ('waiting', 'early')"
        looks = [(a, b, query) for query in (goes, comes, goes) for a, b in ((one, other), (other, one))]
        return not [row for a, b, query in looks for row in await a.sql(query, host=b.host)]

    await until("nothing is under way between them", nothing)


async def befriend(one: Here, other: Here) -> None:
    """Each approves the other, the follows have gone through, and nothing of that is on its way any more."""
    for a, b in ((one, other), (other, one)):
        await acts.add(a.kernel, a.viewer, b.url, approve=True)
    for a in (one, other):
        await until(
            "the follow is accepted",
            lambda a=a: a.sql("SELECT 1 FROM follow WHERE state = 'accepted' AND follower_id = :me", me=a.viewer.organisation_id),
        )
    await settled_between(one, other)


@dataclass
class Rogue:
    """A server made for the test, which can be an approved partner and serves and sends what the test wants."""

    port: int
    runner: web.AppRunner
    documents: dict[str, Any] = field(default_factory=dict)
    received: list[dict[str, Any]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    signers: dict[str, dict[str, keys.Signer]] = field(default_factory=dict)
    form: str = signatures.CAVAGE
    asked: list[web.Request] = field(default_factory=list)
    answer: Callable[[web.Request], Awaitable[web.Response | None]] | None = None  # asked before anything else; None goes on as usual
    gate: "Callable[[web.Request], bool] | None" = None  # whether it reads a request's signature; it says `gate.refusal` where not

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def uri(self, path: str) -> str:
        return self.url + path

    def actor(self, path: str, kind: str, **more: object) -> dict[str, Any]:
        """Makes an actor with both keys and serves its document, proved by the organisation at /actor."""
        uri = self.uri(path)
        rsa, ed = pooled.rsa(), Ed25519PrivateKey.generate()
        self.signers[uri] = {"rsa": keys.Signer(uri + "#main-key", "rsa", rsa), "ed25519": keys.Signer(uri + "#ed25519-key", "ed25519", ed)}
        pem = rsa.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        multibase = keys.multibase(ed.public_key().public_bytes_raw())
        document: dict[str, Any] = {
            "@context": ap.CONTEXT,
            "id": uri,
            "type": kind,
            "preferredUsername": path.rsplit("/", 1)[-1],
            "name": path.rsplit("/", 1)[-1].title(),
            "inbox": uri + "/inbox",
            ap.PROTOCOL_TERM: ap.PROTOCOL,
            "publicKey": {"id": uri + "#main-key", "owner": uri, "publicKeyPem": pem},
            "assertionMethod": [{"id": uri + "#ed25519-key", "type": "Multikey", "controller": uri, "publicKeyMultibase": multibase}],
        }
        if kind != "Organization":
            document[ap.ORGANISATION] = self.uri("/actor")
        self.documents[path] = self.prove(document | more, self.uri("/actor"))
        return self.documents[path]

    def prove(self, document: dict[str, Any], actor: str) -> dict[str, Any]:
        return proofs.prove(document, self.signers[actor]["ed25519"], system_clock())

    def create(self, author: str, group: str, **note: Any) -> dict[str, Any]:
        """A Create by an actor of ours, addressed to a group, with its proof."""
        uri = self.uri(f"/posts/{new_id()}")
        obj = {
            "id": uri,
            "type": "Note",
            "attributedTo": author,
            "content": "<p>hello</p>",
            "audience": group,
            "to": [group + "/followers"],
        } | note
        return self.prove(ap.activity("Create", self.uri(f"/activities/{new_id()}"), author, obj, to=[group + "/followers"]), author)

    async def send(self, to: Here, activity: object, *, actor: str = "", key: str = "rsa", path: str = "/inbox", **over: Any) -> int:
        """Posts an activity, well signed unless `over` changes headers or bytes; answers the status."""
        body = activity if isinstance(activity, bytes) else json.dumps(activity).encode()
        signer = self.signers[actor or (activity["actor"] if isinstance(activity, dict) else "")][key]
        now, extra = over.pop("now", system_clock()), over.pop("extra", {})
        headers = signatures.sign(signer, "POST", to.url + path, body, now, form=self.form, extra=extra)
        return await raw_post(to.url + path, headers | over.pop("headers", {}), over.pop("body", body), **over)

    async def get(self, to: Here, path: str) -> tuple[int, dict[str, str], str]:
        """(status, headers but the date, body) of a signed GET by the organisation; ids of 36 characters are left out of the body."""
        headers = signatures.sign(self.signers[self.uri("/actor")]["rsa"], "GET", to.url + path, b"", system_clock(), form=self.form)
        async with aiohttp.request("GET", to.url + path, headers=headers | {"Accept": ap.MEDIA_TYPE}, allow_redirects=False) as answer:
            kept = {name: value for name, value in answer.headers.items() if name not in ("Date", "Set-Cookie", "Location")}
            return answer.status, kept, re.sub(r'name="token" value="\w+"|[0-9a-f-]{36}', "", await answer.text())

    async def stop(self) -> None:
        await self.runner.cleanup()


async def raw_post(url: str, headers: Mapping[str, str] | list[tuple[str, str]], body: bytes, method: str = "POST") -> int:
    """One request exactly as given; answers its status."""
    from multidict import CIMultiDict

    fields = CIMultiDict(headers)
    fields.setdefault("Content-Type", ap.MEDIA_TYPE)
    data = io.BytesIO(body) if len(body) > 1 << 20 else body
    async with aiohttp.request(method, url, data=data, headers=fields, allow_redirects=False) as response:
        return response.status


async def rogue(name: str = "Tamarind") -> Rogue:
    """Starts the server, its organisation and one person made."""
    port = free_port()
    made: Rogue

    async def serve(request: web.Request) -> web.Response:
        made.asked.append(request)
        own = await made.answer(request) if made.answer else None
        if own is not None:
            return own
        if made.gate is not None and not made.gate(request):
            return web.Response(status=getattr(made.gate, "refusal", 401))
        if request.method == "POST":
            made.received.append(json.loads(await request.read()))
            return web.Response(status=202)
        made.fetched.append(request.path)
        found = made.documents.get(request.path)
        if callable(found):
            return found(request)
        return web.json_response(found, content_type=ap.MEDIA_TYPE) if found else web.Response(status=404)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    made = Rogue(port, runner)
    made.actor("/actor", "Organization", name=name)
    made.actor("/people/sokha", "Person", name="Sokha P.")
    return made


def may_also_reach(here: Here, other: Rogue) -> Here:
    """The same node with one more loopback peer, as if its settings had named it."""
    fetcher = here.kernel.fetcher.also(f"127.0.0.1:{other.port}")
    return replace(here, kernel=replace(here.kernel, fetcher=fetcher))


async def admit(here: Here, other: Rogue) -> None:
    """The node approves the rogue, which begins to follow."""
    await acts.add(here.kernel, here.viewer, other.uri("/actor"), approve=True)
    follow = ap.activity("Follow", other.uri(f"/activities/{new_id()}"), other.uri("/actor"), here.url + "/actor")
    assert await other.send(here, follow) == 202
    await here.quiet()
