"""Decides who plays a case between three organisations in browsers without script, and what each of their pages is held to."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, expect
from playwright.sync_api import Page as Tab

from fedcollab.access.viewer import CASEWORKER, MEMBER, Viewer
from fedcollab.actors.node import Node
from fedcollab.admin import partners as acts
from fedcollab.base.session import Session
from fedcollab.base.web import cookie_name
from fedcollab.demo import Cast, Stage, stage
from fedcollab.features.members import service as members
from fedcollab.features.members import sessions
from fedcollab.features.referrals import fetching
from fedcollab.features.referrals.models import Referral
from fedcollab.sealing import ending, keepers, key_asking, people, sheets, state, unlocked
from fedcollab.sealing.ending_models import RoomEnding
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.room_models import KeyRequest
from tests.nodes import asked
from tests.ports import free_ports

from .scene import AGENT, PASSWORD

CASTS = (
    Cast("Meridian Outreach", "en", (("ilse", "Ilse V."),)),
    Cast("Baobab House", "en", (("amara", "Amara D."), ("juma", "Juma K."))),
    Cast("Cedar Law", "en", (("lina", "Lina H."), ("omar", "Omar S."))),
)
# What a title may say beside the node's name.
TITLES = {"Case", "Cases", "Ended cases", "Referral", "Referrals", "Your case", "Keepers", "Set-up"}
SEALED = ("/cases", "/referrals", "/guest", "/keepers")


@dataclass
class Person:
    """Somebody at their browser, which runs no script. What pages are held to is looked at with each one that opens."""

    node: str
    context: BrowserContext
    tab: Tab = field(init=False)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tab = self.context.new_page()
        self.tab.on("console", self._hear)
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("response", lambda answer: self.complaints.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    @property
    def path(self) -> str:
        return urlsplit(self.tab.url).path

    def go(self, path: str) -> None:
        self.tab.goto(path if path.startswith("http") else self.node + path)
        self.look()

    def press(self, name: str, within: str = "main") -> None:
        self.tab.locator(within).get_by_role("button", name=name, exact=True).click()
        self.look()

    def follow(self, name: str, within: str = "body") -> None:
        self.tab.locator(within).get_by_role("link", name=name).first.click()
        self.look()

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.tab.locator(f"main [name={name}]:not([type=hidden])").fill(value)

    def choose(self, **fields: str) -> None:
        """Choices by the code of each."""
        for name, value in fields.items():
            for one in value.split():
                self._pick(name, one)

    def _pick(self, name: str, value: str) -> None:
        found = self.tab.locator(f"main select[name={name}]")
        if found.count():
            found.select_option(value)
            return
        box = self.tab.locator(f'main [name={name}][value="{value}"]')
        if not box.is_visible():
            self.tab.locator("main details", has=box).locator("summary").first.click()
        box.check()

    def unfold(self, name: str) -> None:
        self.tab.locator("main summary", has_text=name).first.click()

    def sees(self, *words: str) -> None:
        for one in words:
            expect(self.tab.locator("main")).to_contain_text(one)

    def waits_for(self, path: str, words: str, seconds: float = 20.0) -> None:
        """Looks again until it is there: what comes from elsewhere takes a moment."""
        end = time.monotonic() + seconds
        while True:
            self.go(path)
            if words in self.tab.locator("main").inner_text():
                return
            assert time.monotonic() < end, (path, words, self.tab.locator("main").inner_text())
            time.sleep(0.2)

    def look(self) -> None:
        """No complaint, a title that says nothing, a quick way out."""
        assert self.complaints == [], (self.tab.url, self.complaints, self.tab.locator("main").inner_text())
        if self.path.startswith(SEALED):
            title = self.tab.title().partition(" · ")[0]
            assert title in TITLES, (self.path, self.tab.title())
            leave = self.tab.get_by_role("link", name="Leave now")
            assert [one.get_attribute("rel") for one in leave.all()] == ["noreferrer"], self.path


@dataclass
class World:
    """Three running organisations and the windows of their people."""

    browser: Browser
    loop: asyncio.AbstractEventLoop
    stages: list[Stage] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Does something in the nodes' own loop, from the browser's thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def window(self, one: Stage) -> Person:
        context = self.browser.new_context(java_script_enabled=False, locale="en-GB")
        context.set_default_timeout(10_000)
        self.contexts.append(context)
        return Person(one.url, context)

    def by_link(self, one: Stage, name: str) -> Person:
        """Comes by a one-time link and chooses a password, as people do who were given an account."""
        viewer = next(viewer for viewer, (username, _) in zip(one.viewers, one.cast.people, strict=True) if username == name)
        token = self.run(one.write(members.make_link, None, viewer.person_id))
        person = self.window(one)
        person.go(f"/link/{token}")
        person.press("Sign in")
        person.tab.get_by_label("New password").fill(PASSWORD)
        person.press("Save the password")
        return person

    def signed_in(self, one: Stage, name: str) -> Person:
        """Somebody of an organisation that was set up the quick way, their keys unlocked."""
        at = [username for username, _ in one.cast.people].index(name)
        token = self.run(one.write(_signed_in, one.viewers[at].person_id))
        person = self.window(one)
        person.context.add_cookies([{"name": cookie_name(one.kernel.node.settings, "session"), "value": token, "url": one.url}])
        return person

    def set_up(self, one: Stage) -> None:
        """The quick way: the first two of its people keep, and work on cases."""
        self.run(one.write(_open_cases, one.viewers))

    def days_pass(self, one: Stage) -> None:
        """The days in which somebody there may hold back what another organisation has ended are over."""
        self.run(one.write(_time_is_up))

    def hand_over(self) -> None:
        """What nodes ask each other for every few minutes, they ask for now."""
        for one in self.stages:
            self.run(_ask(one))


async def _ask(one: Stage) -> None:
    await one.write(_ask_now)
    await asked(key_asking.lanes(one.kernel))
    await asked(fetching.lanes(one.kernel))


def _ask_now(session: Session, _node: Node) -> None:
    for table in (KeyRequest, Referral):
        session.execute(sa.update(table).values(next_at=0))


def _time_is_up(session: Session, node: Node) -> None:
    session.execute(sa.update(RoomEnding).where(RoomEnding.done_at.is_(None)).values(due_at=node.now()))
    ending.end_due(session, node)


def _unlock_key(person_id: str) -> bytes:
    return person_id.encode()[:32].ljust(32)


def _signed_in(session: Session, node: Node, person_id: str) -> str:
    token = sessions.start_session(session, node, person_id, AGENT)
    with node.ring.begin() as ring:
        unlocked.unlock(ring, token, people.opened(ring, person_id, _unlock_key(person_id)), node.now())
    return token


def _key(session: Session, node: Node, person_id: str) -> PersonPrivate:
    with node.ring.begin() as ring:
        return people.make(session, ring, node, person_id, _unlock_key(person_id))


def _open_cases(session: Session, node: Node, viewers: list[Viewer]) -> None:
    one, other = viewers[:2]
    state.turn_on(session, node, one.person_id)
    mine, theirs = _key(session, node, one.person_id), _key(session, node, other.person_id)
    keepers.name(session, node, one, one.person_id)
    keepers.begin(session, node, one)
    sheets.make(session, node, one, mine, "")
    keepers.name(session, node, one, other.person_id)
    keepers.hand(session, node, one, mine, other.person_id, theirs.public.kid)
    members.set_roles(session, node, one, other.person_id, [MEMBER, CASEWORKER])


@contextlib.contextmanager
def world(browser: Browser, root: Path) -> Iterator[World]:
    """Three organisations that have approved each other."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    made, stack = World(browser, loop), contextlib.AsyncExitStack()
    try:
        made.run(_set(made, stack, root))
        yield made
    finally:
        for context in made.contexts:
            context.close()
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _set(made: World, stack: contextlib.AsyncExitStack, root: Path) -> None:
    ports = free_ports(len(CASTS))
    for at, cast in enumerate(CASTS):
        made.stages.append(await stack.enter_async_context(stage(root / f"n{at}", cast, ports, at)))
    for near in made.stages:
        for far in made.stages:
            if near is not far:
                await acts.add(near.kernel, near.viewers[0], far.url, approve=True)
