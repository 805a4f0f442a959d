"""Gives tests of cases whole nodes in this process, with cases open, and browsers whose people have unlocked their keys."""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.models import AMBER
from fedcollab.access.viewer import CASEWORKER, MEMBER
from fedcollab.admin import partners as acts
from fedcollab.base.web import cookie_name
from fedcollab.features.cases import acting, beginning, codes, desk
from fedcollab.features.cases.record import Entry, Opened
from fedcollab.features.cases.work import Message
from fedcollab.sealing import crossing, keepers, key_asking, made_ready, people, sheets, state, unlocked
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.room_models import ASKED, HAD, KeyRequest
from tests.nodes import asked, settled, until
from tests.ports import free_ports
from tests.web import Site, Visitor, site

UNLOCK = b"u" * 32
WORKER = (MEMBER, CASEWORKER)
CODE = re.compile(r'<h1 class="case-code ltr"[^>]*>([^<]*)</h1>')
TERMS = {
    "purpose": "Safe support and legal advice",
    "basis": "VitalInterests",
    "condition": "VitalInterests",
    "label": AMBER,
    "review": "2097-01-31",
    "retention": "2098-01-31",
}


def opens(_session: Any, _node: Any, at: desk.Desk, _keys: Any) -> made_ready.Write:
    """The plan of an act that does nothing, and answers with the open case."""
    return lambda _session: at


@dataclass
class Office:
    """A node with cases open: Mila and Ruth are keepers; everybody's keys are unlocked in their browser."""

    site: Site
    people: dict[str, Visitor] = field(default_factory=dict)
    keys: dict[str, list[PersonPrivate]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Visitor:
        return self.people[name]

    @property
    def me(self) -> str:
        return self.site.kernel.node.actor_uri

    async def join(self, name: str, *roles: str) -> Visitor:
        return await self.unlock(name, await self.site.member(name, *(roles or WORKER)), UNLOCK)

    async def unlock(self, name: str, visitor: Visitor, unlock_key: bytes) -> Visitor:
        """Somebody's first key, under what their password gives, unlocked in their browser."""
        settings, viewer = self.site.kernel.node.settings, visitor.viewer

        def work(session: Any, node: Any) -> PersonPrivate:
            with node.ring.begin() as ring:
                made = people.make(session, ring, node, viewer.person_id, unlock_key)
                unlocked.unlock(ring, visitor.cookies[cookie_name(settings, "session")], [made], node.now())
                return made

        self.people[name], self.keys[name] = visitor, [await self.site.write(work)]
        return visitor

    async def open(self, one: str, other: str) -> None:
        """Cases are open from now on: both hold the organisation's key, and there are sheets."""
        await self.site.write(lambda session, node: state.turn_on(session, node, None))
        await self.do(one, keepers.name, self[one].viewer.person_id)
        await self.do(one, keepers.begin)
        await self.do(one, sheets.make, self.keys[one][0], "")
        await self.do(one, keepers.name, self[other].viewer.person_id)
        await self.do(one, keepers.hand, self.keys[one][0], self[other].viewer.person_id, self.keys[other][0].public.kid)

    async def do(self, name: str, act: Any, *values: Any, **more: Any) -> Any:
        """An act of the sealing floor that takes no key."""
        return await self.site.write(act, self.people[name].viewer, *values, **more)

    async def unlocked(self, name: str, act: Any, *values: Any, **more: Any) -> Any:
        return await self.site.write(act, self.people[name].viewer, self.keys[name], *values, **more)

    async def desk(self, name: str, case_id: str) -> desk.Desk:
        return await self.unlocked(name, acting.at_once, case_id, opens)  # type: ignore[no-any-return]

    async def say(self, name: str, case_id: str, entry: Entry | str) -> str:
        """An entry, or a message of this text."""

        def make(open_desk: desk.Desk) -> Entry:
            return Message(at=open_desk.look.now, text=entry) if isinstance(entry, str) else entry

        return await self.unlocked(name, acting.at_once, case_id, acting.says, make)  # type: ignore[no-any-return]

    async def case(self, name: str, label: str = AMBER, **over: Any) -> str:
        """A case that somebody has opened, without its page."""
        now = self.site.kernel.node.now()
        said = {"purpose": "Support", "basis": ("VitalInterests",), "condition": ("VitalInterests",), "lead": self.me, "label": label}
        said |= {"review": "2030-01-31", "retention": "2031-01-31", "code": codes.fresh(), "at": now} | over
        return await self.unlocked(name, beginning.open_case, Opened(**said))  # type: ignore[no-any-return]

    async def keys_come(self, *, some: bool = False) -> None:
        """All boxes that the organisation has asked for are here, or some of them; the node asks by itself, and here once more where that
        was too early."""

        async def here() -> bool:
            await self.site.write(lambda session, _node: session.execute(sa.update(KeyRequest).values(next_at=0)) and None)
            await asked(key_asking.lanes(self.site.kernel))
            states = {state for (state,) in await self.sql("SELECT state FROM key_request")}
            return HAD in states and (some or ASKED not in states)

        await until("the keys are here", here)

    async def sql(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        return await self.site.kernel.database.read(lambda session: [tuple(row) for row in session.execute(sa.text(query), values)])


@contextlib.asynccontextmanager
async def office(root: Path, **settings: Any) -> AsyncIterator[Office]:
    """A node with two keepers, and Noor and Daan, who work on cases."""
    async with site(root, **settings) as made:
        at = Office(made)
        await at.join("mila", "admin", MEMBER)
        await at.join("ruth")
        await at.open("mila", "ruth")
        await at.join("noor")
        await at.join("daan")
        yield at


async def befriend(one: Office, other: Office) -> None:
    """Each approves the other, as their admins do."""
    for a, b in ((one, other), (other, one)):
        await acts.add(a.site.kernel, a["mila"].viewer, b.site.url, approve=True)


@contextlib.asynccontextmanager
async def partners(root: Path, one: str = "Meridian Outreach", other: str = "Kivuli Support") -> AsyncIterator[tuple[Office, Office]]:
    """Two such nodes that are partners."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    for name in ("a", "b"):
        (root / name).mkdir()

    def settings(name: str, address: str) -> dict[str, Any]:
        return {"name": name, "base_url": f"http://{address}", "listen": address, "loopback_peers": addresses}

    async with (
        office(root / "a", **settings(one, addresses[0])) as first,
        office(root / "b", **settings(other, addresses[1])) as second,
    ):
        await befriend(first, second)
        followed = "SELECT state FROM follow WHERE state = 'accepted' GROUP BY state HAVING count(*) = 2"
        for at in (first, second):
            await until("both follow each other", lambda at=at: at.sql(followed))  # type: ignore[misc]  # a lambda's default has no type
        await settled(first, second)
        yield first, second


def locks_once_found(at: Office, monkeypatch: pytest.MonkeyPatch, pages: Any, viewer: Any) -> None:
    """Whoever asks a page of this module for something locks their access as soon as it has found their keys."""
    found = pages.unlocked_of

    async def and_locked(request: Any) -> Any:
        keys = await found(request)
        await at.site.write(crossing.lock, viewer)
        return keys

    monkeypatch.setattr(pages, "unlocked_of", and_locked)
