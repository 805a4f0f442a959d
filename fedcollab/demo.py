"""Decides what `fedcollab demo` shows: organisations whose conversation has really travelled, in one process on loopback."""

import asyncio
import contextlib
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from fedcollab import demo_cases
from fedcollab.access.models import STRICT
from fedcollab.access.viewer import ADMIN, CASEWORKER, MEMBER, Viewer
from fedcollab.actors import service as actors
from fedcollab.admin import partners as acts
from fedcollab.app import make_app, make_kernel
from fedcollab.base import config, passwords
from fedcollab.base.clock import new_id
from fedcollab.base.config import Settings
from fedcollab.base.errors import Misconfigured, NotFound, Unreachable
from fedcollab.base.http import Answer
from fedcollab.base.paths import NodeFiles
from fedcollab.demo_cases import Workers
from fedcollab.features.discussions import groups, reading, service
from fedcollab.features.members import service as members
from fedcollab.features.members import sessions
from fedcollab.features.resources import reading as shelf
from fedcollab.features.resources import samples
from fedcollab.features.resources import service as library
from fedcollab.federation.kernel import Kernel
from fedcollab.serve import collect_from_now_on, start
from fedcollab.setup import init

MOST = 8
PATIENCE = 20.0
PASSWORD = "lantern by the river"  # noqa: S105  # of everybody in the demo, whose nodes answer this machine alone


@dataclass(frozen=True)
class Cast:
    """A sample organisation and its people; all of them are invented."""

    name: str
    language: str
    people: tuple[tuple[str, str], ...]


CASTS = (
    Cast("Meridian Outreach", "en", (("ilse", "Ilse V."), ("daan", "Daan K."))),
    Cast("Réseau Passerelle", "fr", (("lea", "Léa D."), ("karim", "Karim B."))),
    Cast("دار السنابل", "ar", (("amal", "أمل ب."),)),
    Cast("Casa Ladera", "es", (("mateo", "Mateo R."),)),
    Cast("Kivuli Support", "en", (("grace", "Grace W."),)),
    Cast("Tamarind Circle", "en", (("sokha", "Sokha P."),)),
    Cast("Sahay Kendra", "en", (("bishnu", "बिष्णु क."),)),
    Cast("Dřevo Help", "en", (("jana", "Jana N."),)),
)
OPENER = (
    "Berry-picking adverts: what do you see this season?",
    (
        "We were shown three adverts for berry-picking this month: the same picture, three company names, and *housing and travel paid "
        "first, settled later*.\n\nDo others see these? Which wording comes back?"
    ),
)
ANSWERS = (
    "Attention aux captures d’écran : on y voit souvent des numéros privés. Décrivons l’annonce **avec des mots**, sans l’image.",
    "نرى الإعلان نفسه في مجموعات الهاتف، وغالباً يُطلب «تأمين» قبل السفر. هل لديكم قائمة أسئلة قصيرة يمكن ترجمتها؟",
    "Aquí también. Preguntamos siempre tres cosas:\n\n- quién paga el viaje\n- dónde se duerme\n- quién guarda el pasaporte",
    "A deposit is asked by mobile money, in two parts. The second comes the night before travel.",
)


@dataclass
class Stage:
    """One running organisation of the demo."""

    cast: Cast
    kernel: Kernel
    runner: web.AppRunner
    viewers: list[Viewer]
    unlock_keys: dict[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        return self.kernel.node.settings.base_url

    async def write(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await self.kernel.database.write(work, self.kernel.node, *args, **kwargs)


def run(
    count: int, port: int, keep: Path | None, check: bool, say: Callable[[str], None], answer: Callable[[object], None] = lambda _: None
) -> None:
    """Plays the demo until it is stopped, or checks it once; `say` gets words, `answer` what they say as one document.

    Raises Misconfigured for a busy port, Unreachable with what did not arrive."""
    if not 2 <= count <= MOST:
        raise Misconfigured("The demo has 2 to %(most)s organisations.", most=MOST)
    ports = [port + i for i in range(count)] if port else free_ports(count)
    asyncio.run(_play(ports, keep, check, say, answer))


def free_ports(count: int) -> list[int]:
    """As many free ports of loopback."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for found in sockets:
            found.bind(("127.0.0.1", 0))
        return [found.getsockname()[1] for found in sockets]


async def _play(ports: list[int], keep: Path | None, check: bool, say: Callable[[str], None], answer: Callable[[object], None]) -> None:
    root = keep or Path(tempfile.mkdtemp(prefix="fedcollab-demo-"))
    try:
        async with contextlib.AsyncExitStack() as stack:
            stages = [await stack.enter_async_context(stage(root / f"node{i + 1}", CASTS[i], ports, i)) for i in range(len(ports))]
            if not (await stages[0].kernel.database.read(lambda session: reading.groups(session, stages[0].viewers[0]))):
                workers = [Workers(one.kernel, one.viewers, one.unlock_keys) for one in stages if len(one.viewers) > 1]
                for one in workers:
                    await demo_cases.open_cases(one)
                await perform(stages, say)
                await shelve(stages, say)
                say("two of them work on a case ...")
                await demo_cases.work_together(workers[0], workers[1], until)
            collect_from_now_on()
            if check:
                answer(await check_all(stages, say))
                return
            await _show(stages, say, answer)
    finally:
        if keep is None:
            shutil.rmtree(root, ignore_errors=True)


@contextlib.asynccontextmanager
async def stage(place: Path, cast: Cast, ports: list[int], number: int) -> AsyncIterator[Stage]:
    """Sets up (once) and starts one organisation."""
    peers = tuple(f"127.0.0.1:{p}" for p in ports if p != ports[number])
    listen = f"127.0.0.1:{ports[number]}"
    if not NodeFiles(place).settings.exists():
        written = {
            "name": cast.name,
            "base_url": f"http://{listen}",
            "listen": listen,
            "trial": True,
            "loopback_peers": peers,
            "language": cast.language,
        }
        await asyncio.to_thread(init, place, written)
    kernel = make_kernel(_own_settings(place), NodeFiles(place))
    runner = await start(make_app(kernel))
    made = Stage(cast, kernel, runner, [])
    for at, (username, name) in enumerate(cast.people):
        roles = [MEMBER, *([ADMIN] if at == 0 else []), *([CASEWORKER] if len(cast.people) > 1 else [])]
        password = await asyncio.to_thread(passwords.make, PASSWORD, passwords.pepper(kernel.node.master_key))
        viewer = await kernel.database.write(_person, kernel, username, name, roles, password.hashed)
        made.viewers.append(viewer)
        made.unlock_keys[viewer.person_id] = password.unlock
    try:
        yield made
    finally:
        await runner.cleanup()


def _own_settings(place: Path) -> Settings:
    """Those of a node that this machine alone can reach. Raises Misconfigured for any other, where everybody's password is no secret."""
    settings = config.load(place, {})
    if not settings.trial or not settings.base_url.startswith("http://127.0.0.1:") or not settings.listen.startswith("127.0.0.1:"):
        raise Misconfigured("%(place)s holds a node that is not the demo's. Choose an empty directory to keep the demo in.", place=place)
    return settings


def _person(session: Any, kernel: Kernel, username: str, name: str, roles: list[str], hashed: str) -> Viewer:
    there = actors.by_username(session, kernel.node, username)
    if there is None:
        members.add_member(session, kernel.node, None, username=username, name=name, roles=roles, password_hash=hashed)
        there = actors.by_username(session, kernel.node, username)
    assert there is not None
    return Viewer(there.organisation_id, there.id, frozenset(roles), there.name)


async def perform(stages: list[Stage], say: Callable[[str], None]) -> None:
    """The partnerships, the groups and a conversation, all by signed activities. The last organisation knows only the first, the host."""
    host, last = stages[0], stages[-1]
    say(f"{len(stages)} organisations are up; they get to know each other ...")
    for one in stages:
        for other in stages:
            if one is not other and (len(stages) < 3 or host in (one, other) or last not in (one, other)):
                await acts.add(one.kernel, one.viewers[0], other.url, approve=True)
    group = await host.write(
        groups.create,
        host.viewers[0],
        slug="recruitment",
        name="Labour recruitment",
        label="TLP:GREEN",
        summary="<p>Adverts, agencies and seasonal work: what we see, and what helps.</p>",
    )
    await host.write(groups.create, host.viewers[0], slug="interpreters", name="Working with interpreters", label="TLP:CLEAR")
    await host.write(groups.create, host.viewers[0], slug="handover", name="Shift handover", label="TLP:AMBER+STRICT")
    for one in stages[1:]:
        await until(partial(_sees_group, one, group.uri), f"the group at {one.cast.name}")
    posted = await host.write(service.post_thread, host.viewers[0], group.id, title=OPENER[0], text=OPENER[1], language="en")
    say("a conversation travels ...")
    for at, one in enumerate(stages[1:]):
        thread = await until(partial(_thread, one, posted.uri), f"the conversation at {one.cast.name}")
        reply = await one.write(service.post_reply, one.viewers[0], thread, text=ANSWERS[at % len(ANSWERS)], language=one.cast.language)
        for other in stages:
            await until(partial(_thread, other, reply.uri), f"an answer at {other.cast.name}")


async def shelve(stages: list[Stage], say: Callable[[str], None]) -> None:
    """The libraries: what each organisation has, and what of it the host sees on its own shelf."""
    say("libraries become one shelf ...")
    for at, one in enumerate(stages):
        for label, record in samples.SHELVES[at] if at < len(samples.SHELVES) else ():
            made = await one.write(library.add, one.viewers[0], record, label=label)
            if label != STRICT:
                await until(partial(_has, stages[0], made.uri), f"a resource of {one.cast.name} at {stages[0].cast.name}")


async def _has(one: Stage, uri: str) -> bool:
    """Whether an organisation's first member sees a resource."""
    return await one.kernel.database.read(shelf.sees, one.viewers[0], uri)


async def until(probe: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Waits for what has to arrive. Raises Unreachable, naming it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = await probe()
        if found:
            return found
        await asyncio.sleep(0.02)
    raise Unreachable(f"not within {PATIENCE:.0f} seconds: {what}")


async def _sees_group(one: Stage, uri: str) -> bool:
    found = await one.kernel.database.read(reading.groups, one.viewers[0])
    return any(group.actor.uri == uri for group in found)


async def _thread(one: Stage, post_uri: str) -> str | None:
    """The row id of the thread that holds a post, as the organisation's first member sees it."""
    try:
        row = await one.kernel.database.read(reading.post_by_uri, one.viewers[0], post_uri)
    except NotFound:
        return None
    return str(row.thread_id)


async def check_all(stages: list[Stage], say: Callable[[str], None]) -> dict[str, dict[str, float]]:
    """Posts on each node, then reads every other's page as a member who signed in by link, and as somebody who has not.

    Answers the seconds that each organisation's post took to all."""
    cookies, took = {one.url: await _sign_in(one) for one in stages}, dict[str, float]()
    group_uri = next(
        g.actor.uri for g in await stages[0].kernel.database.read(reading.groups, stages[0].viewers[0]) if g.label == "TLP:GREEN"
    )
    for author in stages:
        mark = f"check-{new_id()}"
        found = await author.kernel.database.read(actors.by_uri, group_uri)
        assert found is not None
        began = time.monotonic()
        posted = await author.write(service.post_thread, author.viewers[0], found.id, title=mark, text=f"Marked {mark}.")
        for reader in stages:
            thread = await until(partial(_thread, reader, posted.uri), f"a post of {author.cast.name} at {reader.cast.name}")
            page = f"{reader.url}/threads/{thread}"
            if mark not in await _page(reader, page, cookies[reader.url]):
                raise Unreachable(f"{reader.cast.name} does not show a member the post of {author.cast.name}")
            if await _shown_to_strangers(reader, page):
                raise Unreachable(f"{reader.cast.name} shows somebody who has not signed in the post of {author.cast.name}")
        took[author.cast.name] = round(time.monotonic() - began, 3)
        say(f"a post of {author.cast.name} is on all {len(stages)} nodes after {took[author.cast.name]:.2f} s, for members alone")
    return {"seconds": took}


async def _get(reader: Stage, url: str, cookie: str) -> Answer:
    here = reader.kernel.node.host
    fetcher = reader.kernel.fetcher.also(here)
    try:
        return await fetcher.get(url, permit=lambda host: host == here, accept="text/html", headers={"Cookie": cookie} if cookie else {})
    finally:
        await fetcher.close()


async def _page(reader: Stage, url: str, cookie: str) -> str:
    return (await _get(reader, url, cookie)).body.decode()


async def _shown_to_strangers(reader: Stage, url: str) -> bool:
    try:
        await _get(reader, url, "")
    except Unreachable as error:
        return error.answer != 404
    return True


async def _sign_in(one: Stage) -> str:
    """A session for the organisation's first member, as the name=value of its cookie."""
    from fedcollab.base.web import cookie_name

    token = await one.write(sessions.start_session, one.viewers[0].person_id, "fedcollab demo")
    return f"{cookie_name(one.kernel.node.settings, 'session')}={token}"


async def _show(stages: list[Stage], say: Callable[[str], None], answer: Callable[[object], None]) -> None:
    organisations = []
    say("")
    for one in stages:
        names = {viewer.name: username for viewer, (username, _) in zip(one.viewers, one.cast.people, strict=True)}
        organisations.append({"name": one.cast.name, "url": one.url, "names": names})
        people = (f"{names[viewer.name]}{' (admin)' if viewer.is_admin else ''}" for viewer in one.viewers)
        say(f"{one.cast.name}: {one.url}/login as {' or '.join(people)}")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    answer({"organisations": organisations, "password": PASSWORD})
    say(f"\nEverybody's password is: {PASSWORD}\nTrial data only. Stop with Ctrl-C.")
    await stop.wait()
