"""Shows that what cannot simply be done keeps nobody else's waiting: it goes on by itself, is not tried over and over, and is found out."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.base.database import Database, open_database
from fedcollab.base.errors import Needs, Refused
from fedcollab.base.http import Fetcher
from fedcollab.base.model import Model
from fedcollab.base.session import Session
from fedcollab.base.statements import DRIVER
from fedcollab.federation import inbox, lanes, workers
from fedcollab.federation.kernel import Kernel
from fedcollab.federation.models import InboxItem
from fedcollab.federation.registry import Handler, Registry, Verified
from tests.nodes import until
from tests.rows import Hands, node, organisation, receive

HOSTS = ("p.example", "q.example")


@dataclass
class Inbox:
    """A node's inbox and its worker, with a handler that does what the test says of each activity, by (host, number)."""

    database: Database
    does: Callable[[str, int, Session], None] = lambda _host, _number, _session: None
    tried: Counter[tuple[str, int]] = field(default_factory=Counter)
    clock: Hands = field(default_factory=Hands)
    documents: Callable[[str], Awaitable[Any]] | None = None

    def __post_init__(self) -> None:
        registry = Registry([Handler("Create", (), self.handle)])
        self.kernel = Kernel(node(self.clock), self.database, Fetcher(peers=frozenset(), agent="a"), registry)

    def handle(self, session: Session, _node: object, received: Verified) -> None:
        host, number = received.actor.host, int(received.activity["id"].rsplit("/", 1)[1])
        self.tried[host, number] += 1
        self.does(host, number, session)

    async def come(self, host: str, numbers: range, thread: str = "") -> None:
        """Activities of one conversation, or each of its own."""

        def arrive(session: Session) -> None:
            sender = actors.by_uri(session, f"https://{host}/actor")
            assert sender
            for number in numbers:
                obj = {"id": f"https://{host}/n{number}", "type": "Note", "context": thread or f"t{number}"}
                receive(session, self.kernel.node, sender, {"id": f"https://{host}/{number}", "type": "Create", "object": obj})

        await self.database.write(arrive)

    async def states(self) -> Counter[tuple[str, str]]:
        query = sa.select(InboxItem.host, InboxItem.state)
        rows = await self.database.read(lambda session: session.execute(query).all())
        return Counter((host, state) for host, state in rows)

    async def until(self, what: str, seconds: float = 10.0, **expected: dict[str, int]) -> None:
        """Until so many items of each host are in each state; dots in a host's name are left out."""
        wanted = {(f"{host}.example", state): number for host, states in expected.items() for state, number in states.items()}

        async def there() -> bool:
            return {key: number for key, number in (await self.states()).items() if key in wanted} == wanted

        await until(what, there, seconds)


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Inbox]:
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    Model.metadata.create_all(database.engine)
    made = Inbox(database)
    await database.write(lambda session: [organisation(session, host) for host in HOSTS] and None)
    monkeypatch.setattr(workers, "_fetch", lambda _kernel, uri: made.documents(uri) if made.documents else asyncio.sleep(0))
    async with asyncio.TaskGroup() as group:
        at_work = workers.Lanes(made.kernel, group, "inbox", workers._inbox_lane)
        worker = group.create_task(workers._forever(made.kernel, "inbox", at_work.start_inbox))
        yield made
        for task in (worker, *at_work.running.values()):
            task.cancel()
    await asyncio.to_thread(database.close)


async def test_hundreds_that_are_refused_are_tried_twice_each_and_no_unit_goes_over_its_time(
    here: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, longest = inbox.process_ready, [0]

    def counted(session: Session, *args: Any, **kwargs: Any) -> Any:
        before = sum(here.tried.values())
        try:
            return real(session, *args, **kwargs)
        finally:
            longest.append(sum(here.tried.values()) - before)

    def refuse(_host: str, _number: int, _session: Session) -> None:
        time.sleep(0.001)
        raise Refused(reason="no")

    monkeypatch.setattr(inbox, "process_ready", counted)
    here.does = refuse
    await here.come(HOSTS[0], range(300))
    await here.until("all are refused", 60, p={"refused": 300})
    assert set(here.tried.values()) == {2}, "in the unit, and by itself"
    assert max(longest) <= lanes.PER_HOST


async def test_a_long_conversation_that_waits_for_a_document_stops_neither_others_nor_other_conversations(here: Inbox) -> None:
    asked, come = asyncio.Event(), asyncio.Event()

    async def slow(_uri: str) -> None:
        asked.set()
        await come.wait()

    def needs(host: str, number: int, _session: Session) -> None:
        if (host, number) == (HOSTS[0], 0) and not come.is_set():
            raise Needs("https://p.example/document")

    here.documents, here.does = slow, needs
    await here.come(HOSTS[0], range(2 * lanes.PAGE), "one")
    await here.come(HOSTS[1], range(1))
    await here.come(HOSTS[0], range(1000, 1001), "two")
    await here.until("the others are done", q={"done": 1}, p={"done": 1, "waiting": 2 * lanes.PAGE})
    async with asyncio.timeout(10):
        await asked.wait()
    come.set()
    await here.until("the conversation too", p={"done": 2 * lanes.PAGE + 1})


async def test_a_host_whose_documents_never_come_has_so_many_lanes_and_no_more_while_others_go_on(here: Inbox) -> None:
    waits = list[str]()

    async def never(uri: str) -> None:
        waits.append(uri)
        await asyncio.Event().wait()

    def needs(host: str, number: int, _session: Session) -> None:
        if host == HOSTS[0]:
            raise Needs(f"https://p.example/{number}")

    here.documents, here.does = never, needs
    await here.come(HOSTS[0], range(3 * lanes.PAGE))
    await here.come(HOSTS[1], range(50))
    await here.until("the others are done", q={"done": 50})

    async def all_wait() -> bool:
        return len(waits) >= lanes.PER_HOST

    await until("so many lanes wait", all_wait)
    await asyncio.sleep(0.1)
    assert len(waits) == lanes.PER_HOST
    await here.come(HOSTS[1], range(50, 60))
    await here.until("and what comes later", q={"done": 60})


async def test_what_takes_the_whole_unit_with_it_is_found_out_and_the_rest_is_done(here: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    def lose(host: str, number: int, session: Session) -> None:
        if (host, number) == (HOSTS[0], 7):
            session.info[DRIVER].execute("ROLLBACK")
            raise ValueError

    here.does = lose
    await here.come(HOSTS[0], range(20))
    await here.come(HOSTS[1], range(20))
    await here.until("all the others", p={"done": 19, "waiting": 1}, q={"done": 20})
    there = sa.select(InboxItem.uri, InboxItem.attempts).where(InboxItem.state == "waiting")
    assert await here.database.read(lambda session: session.execute(there).all()) == [("https://p.example/7", 1)]


async def test_while_what_came_early_is_looked_at_the_database_is_not_asked_again_and_again(
    here: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    units, asked = [0], asyncio.Event()
    real = inbox.process_ready

    def counted(*args: Any, **kwargs: Any) -> Any:
        units[0] += 1
        return real(*args, **kwargs)

    async def never(_uri: str) -> None:
        asked.set()
        await asyncio.Event().wait()

    def needs(_host: str, _number: int, _session: Session) -> None:
        raise Needs("https://p.example/document")

    monkeypatch.setattr(inbox, "process_ready", counted)
    here.documents, here.does = never, needs
    early = sa.update(InboxItem).values(state="early")

    def come_early(session: Session) -> None:
        sender = actors.by_uri(session, "https://p.example/actor")
        assert sender
        receive(session, here.kernel.node, sender, {"id": "https://p.example/1", "type": "Create", "object": "https://p.example/n"})
        session.execute(early)

    await here.database.write(come_early)
    await asyncio.wait_for(asked.wait(), 10)
    before = units[0]
    await asyncio.sleep(0.4)
    assert units[0] - before <= 1
