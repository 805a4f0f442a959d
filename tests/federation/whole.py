"""A whole node with an admin who is signed in, and an admitted partner that says whatever the test wants: to look at what was stored."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from fedcollab.actors.service import ActorData
from tests import nodes
from tests.web import Site, Visitor, site

LINK = re.compile(r'href="([/?][^"#]*)')


@dataclass
class Whole:
    """The node as tests of federation and as visitors know it."""

    site: Site
    here: nodes.Here
    p: nodes.Rogue
    group: ActorData
    admin: Visitor

    @property
    def author(self) -> str:
        return self.p.uri("/people/sokha")

    async def views(self) -> dict[str, tuple[int, str]]:
        """(status, page) of every page that can be reached from the start, each once, one page of each list after the other."""
        found: dict[str, tuple[int, str]] = {}
        waiting = ["/", "/groups", "/admin/partners", "/admin/audit", "/admin/members", "/settings"]
        while waiting:
            path = waiting.pop()
            if path in found:
                continue
            status, text = await self.admin.get(path)
            found[path] = (status, text)
            links = [urljoin(path, link.replace("&amp;", "&")) for link in LINK.findall(text)]
            waiting += [link for link in links if not link.startswith(("/static/", "/language/", "/login")) and link not in found]
        return found


@contextlib.asynccontextmanager
async def whole(root: Path, **settings: object) -> AsyncIterator[Whole]:
    """Starts both, befriends them, and makes a group that they share."""
    p = await nodes.rogue()
    async with site(root, loopback_peers=[f"127.0.0.1:{p.port}"], **settings) as made:
        admin = await made.member("ilse", "admin", "member", "moderator")
        here = nodes.Here(made.kernel, admin.viewer, made.runner, asyncio.create_task(asyncio.sleep(0)))
        group = await here.group()
        await nodes.admit(here, p)
        yield Whole(made, here, p, group, admin)
    await p.stop()
