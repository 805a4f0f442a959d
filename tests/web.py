"""Gives tests a whole node in this process, set up as `init` does, and browsers that sign in to it."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa
from aiohttp import web

from fedcollab.access.viewer import Viewer
from fedcollab.app import make_app, make_kernel
from fedcollab.base import config
from fedcollab.base.passwords import hash_password
from fedcollab.base.paths import NodeFiles
from fedcollab.base.session import Session
from fedcollab.base.web import cookie_name
from fedcollab.feature import ASKED_FOR
from fedcollab.features.discussions import groups, service
from fedcollab.features.members import service as members
from fedcollab.features.members import sessions
from fedcollab.features.members.feature import THROTTLE
from fedcollab.features.members.models import LoginSession
from fedcollab.federation.kernel import Kernel
from fedcollab.serve import start
from fedcollab.setup import init
from tests.ports import free_ports

TOKEN = re.compile(r'name="token" value="([0-9a-f]+)"')
PASSWORD = "four plain words here"


@cache
def hashed() -> str:
    """PASSWORD's hash, made once: it is dear by design."""
    return hash_password(PASSWORD)


@dataclass
class Visitor:
    """A browser without script; `cookies` is its jar."""

    site: "Site"
    viewer: Viewer
    cookies: dict[str, str] = field(default_factory=dict)

    async def ask(
        self, method: str, path: str, form: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, str]:
        """(status, headers, body), not following redirects."""
        sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()), "Host": self.site.kernel.node.settings.host}
        sent |= headers or {}
        async with aiohttp.request(method, self.site.url + path, data=form, headers=sent, allow_redirects=False) as answer:
            text = await answer.text()
            self.cookies |= {name: morsel.value for name, morsel in answer.cookies.items() if morsel.value}
            return answer.status, answer.headers, text

    async def get(self, path: str) -> tuple[int, str]:
        status, _, text = await self.ask("GET", path)
        return status, text

    async def token(self, path: str = "/login") -> str:
        found = TOKEN.search((await self.get(path))[1])
        assert found, path
        return found.group(1)

    async def post(self, path: str, at: str = "/settings", **form: str) -> tuple[int, str, str]:
        """(status, Location, body) of a form sent with the token of the page at `at`."""
        status, headers, text = await self.ask("POST", path, form | {"token": await self.token(at)})
        return status, headers.get("Location", ""), text


@dataclass
class Site:
    """A running node, its members by name."""

    kernel: Kernel
    place: Path
    runner: web.AppRunner

    @property
    def url(self) -> str:
        """Where it listens; a node in earnest has its own web server in front, which speaks https for it."""
        return f"http://{self.kernel.node.settings.listen}"

    async def write(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        return await self.kernel.database.write(work, self.kernel.node, *args, **kwargs)

    def hold_time_for_guesses(self) -> None:
        """Who tries passwords has to wait a second, then two: that is over by no time which this machine takes for trying them."""
        throttle = self.runner.app[THROTTLE]
        now = throttle._clock()
        throttle._clock = lambda: now

    async def member(self, username: str, *roles: str) -> Visitor:
        """A new member with PASSWORD, signed in."""
        made = await self.write(
            members.add_member,
            None,
            username=username,
            name=username.title(),
            roles=list(roles or ("member",)),
            password_hash=hashed(),
        )
        token = await self.write(sessions.start_session, made.person_id, "test")
        found = await self.kernel.database.read(sessions.signed_in, self.kernel.node, token)
        return Visitor(self, found.viewer, {cookie_name(self.kernel.node.settings, "session"): token})

    def stranger(self) -> Visitor:
        return Visitor(self, Viewer())

    async def group(self, by: Visitor, slug: str, label: str) -> str:
        made = await self.write(groups.create, by.viewer, slug=slug, name=slug.title(), label=label)
        return str(made.id)

    async def thread(self, by: Visitor, group_id: str, title: str = "A question", text: str = "What do you see?") -> service.Posted:
        made: service.Posted = await self.write(service.post_thread, by.viewer, group_id, title=title, text=text)
        return made


async def forget_asking(at: Site) -> None:
    """Nobody has given their password in the last ten minutes, in any session."""

    def work(session: Session) -> None:
        session.execute(sa.update(LoginSession).values(asked_at=LoginSession.asked_at - ASKED_FOR))

    await at.kernel.database.write(work)


@contextlib.asynccontextmanager
async def site(root: Path, **settings: object) -> AsyncIterator[Site]:
    """Sets up and serves a node."""
    port = free_ports(1)[0]
    place = root / "node"
    written = {"name": "Meridian Outreach", "base_url": f"http://127.0.0.1:{port}", "listen": f"127.0.0.1:{port}", "trial": True}

    await asyncio.to_thread(init, place, written | settings)
    kernel = make_kernel(config.load(place, {}), NodeFiles(place))
    runner = await start(make_app(kernel))
    try:
        yield Site(kernel, place, runner)
    finally:
        await runner.cleanup()
