"""SQL in every parameter of every route, from the routes that the application really has: no error, no delay, no row of another."""

import itertools
import logging
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
import sqlalchemy as sa
from aiohttp import web

from fedcollab.actors.models import Actor
from fedcollab.base.session import Session
from fedcollab.base.web import cookie_name
from fedcollab.features.members import sessions, tokens
from fedcollab.features.members.models import Member
from tests.features.conftest import House, house
from tests.web import Visitor

__all__ = ["house"]
PACKAGE = Path(__file__).parent.parent / "fedcollab"
NAMES = re.compile(r'\b(?:query|fields|form)\.(?:get|getall)\(\s*"(\w+)"|request\.query\["(\w+)"\]')
QUICK = 2  # of the payloads in each place; all of them with --full
SLOW = 2.0  # seconds: far below what the delays below would take
PAYLOADS = (
    "' OR '1'='1",
    "1' UNION SELECT password_hash FROM member --",
    "'; DROP TABLE member; --",
    '" OR ""="',
    "1) OR (1=1",
    "%' OR 1=1 --",
    "' AND 1=length(hex(zeroblob(900000000))) --",
    "'; SELECT pg_sleep(5); --",
    "1 AND (SELECT 1 FROM pg_sleep(5)) IS NULL",
    "' || (SELECT token_hash FROM login_session) || '",
    "\\'; DELETE FROM audit_entry; --",
    "seq DESC, (SELECT 1/0)",
    ":id",
    "?1",
    "%s%(x)s",
    "-1",
    "9" * 40,
    "{1,2}",
)
HEADERS = ("Accept-Language", "User-Agent", "Authorization", "Signature", "Cookie", "Origin", "If-None-Match", "X-Forwarded-For")


def parameters(text: str) -> set[str]:
    """The names that a source text reads from addresses and forms."""
    return {one or other for one, other in NAMES.findall(text)}


def routes(app: web.Application) -> list[tuple[str, str]]:
    """(method, pattern) of all routes, those of files aside."""
    found = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource is not None}
    return sorted((method, path) for method, path in found if method in ("GET", "POST") and path != "/static")


class Attacker:
    """An admin's browser with real ids in addresses, but for the one place that a payload stands in."""

    def __init__(self, house: House, client: aiohttp.ClientSession, ids: dict[str, str], secret: str) -> None:
        self.house, self.client, self.ids, self.secret = house, client, ids, secret
        self.sent, self.slowest, self.token = 0, 0.0, ""

    async def renew(self) -> None:
        """A new session for each route: some of them end it."""
        site, node = self.house.site, self.house.site.kernel.node
        cookie = await site.write(sessions.start_session, self.house.admin.viewer.person_id, "test")
        visitor = Visitor(site, self.house.admin.viewer, {cookie_name(node.settings, "session"): cookie})
        self.token = await visitor.token("/settings")
        self.headers = {"Cookie": f"{cookie_name(node.settings, 'session')}={cookie}", "Host": node.settings.host}

    def path(self, pattern: str, payload: str = "") -> str:
        """A pattern filled with ids that are there, or with the payload."""
        kind = pattern.split("/")[1]
        return re.sub(r"\{\w+\}", quote(payload, safe="") if payload else self.ids.get(kind, "none"), pattern)

    async def send(
        self, method: str, path: str, query: dict[str, str], form: dict[str, str], headers: dict[str, str] | None = None
    ) -> None:
        data = form | {"token": self.token} if method == "POST" else None
        began, sent = time.monotonic(), self.headers | (headers or {})
        url = self.house.site.url + path
        async with self.client.request(method, url, params=query, data=data, headers=sent, allow_redirects=False) as answer:
            body = await answer.text()
        where = (method, path, query, form, headers)
        assert answer.status not in (500, 502), where
        assert self.secret not in body, where
        self.sent += 1
        self.slowest = max(self.slowest, time.monotonic() - began)


def some(payloads: Iterator[str], number: int) -> list[str]:
    return list(itertools.islice(payloads, number))


@pytest.fixture
async def attacker(house: House) -> AsyncIterator[Attacker]:
    group = await house.site.group(house.admin, "leads", "TLP:GREEN")
    posted = await house.site.thread(house.admin, group)
    daan = await house.site.member("daan")
    secret = "$argon2id$hidden-from-everybody"

    def hide(session: Session) -> None:
        session.execute(sa.update(Member).where(Member.person_id == daan.viewer.person_id).values(password_hash=secret))

    await house.site.kernel.database.write(hide)
    ids = {"groups": group, "threads": posted.thread_id, "posts": posted.post_id, "people": daan.viewer.person_id, "language": "en"}
    ids |= {"preview": group, "keep": group}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1), cookie_jar=aiohttp.DummyCookieJar()) as client:
        made = Attacker(house, client, ids, secret)
        await made.renew()
        yield made


async def facts(house: House) -> dict[str, Any]:
    """What no payload may change: the tables, who is a member, what they sign in with."""

    def read(session: Session) -> dict[str, Any]:
        query = sa.select(Member.person_id, Member.password_hash, Member.disabled_at, Actor.username)
        rows = session.execute(query.join(Actor, Actor.id == Member.person_id).order_by(Member.person_id))
        return {"tables": sorted(sa.inspect(session.connection()).get_table_names()), "members": [tuple(row) for row in rows]}

    return dict(await house.site.kernel.database.read(read))


@pytest.mark.slow
@pytest.mark.rule("OPS-04")
@pytest.mark.timeout(600)
async def test_no_parameter_of_any_route_is_taken_for_sql(
    attacker: Attacker, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> None:
    house = attacker.house
    names = sorted(set().union(*(parameters(path.read_text()) for path in PACKAGE.rglob("*.py"))) - {"token"})
    full = request.config.getoption("--full")
    number, each = (len(PAYLOADS), 1) if full else (QUICK, 2)  # every other name at one route, the others at the next
    endless, before = itertools.cycle(PAYLOADS), await facts(house)
    table = routes(house.site.runner.app)
    assert len(table) > 80
    assert {"before", "page", "who", "kind", "since", "next", "resource", "address", "act", "text"} <= set(names)
    for place, (method, pattern) in enumerate(table):
        await attacker.renew()
        if "{" in pattern:
            for payload in PAYLOADS:
                await attacker.send(method, attacker.path(pattern, payload), {}, {})
        for name in names[place % each :: each]:
            for payload in some(endless, number):
                if method == "GET":
                    await attacker.send(method, attacker.path(pattern), {name: payload}, {})
                else:
                    await attacker.send(method, attacker.path(pattern), {}, {name: payload})
    assert attacker.sent > 5000
    assert attacker.slowest < SLOW
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert await facts(house) == before
    assert (await house.admin.get(f"/threads/{attacker.ids['threads']}"))[0] == 200


@pytest.mark.rule("OPS-04")
async def test_no_header_is_taken_for_sql(attacker: Attacker, caplog: pytest.LogCaptureFixture) -> None:
    before = await facts(attacker.house)
    for path in ("/", "/people/x/inbox", "/activities/x", "/actor/stream", "/metrics", "/settings"):
        for name, payload in itertools.product(HEADERS, PAYLOADS):
            value = f"{cookie_name(attacker.house.site.kernel.node.settings, 'session')}={quote(payload)}" if name == "Cookie" else payload
            value = f"Bearer {payload}" if name == "Authorization" else value
            value = f'keyId="{payload}",signature="x",headers="date"' if name == "Signature" else value
            await attacker.send("GET", path, {}, {}, {name: value})
    assert attacker.slowest < SLOW
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert await facts(attacker.house) == before


@pytest.mark.rule("OPS-04")
async def test_what_a_members_tool_hands_in_is_not_taken_for_sql(attacker: Attacker, caplog: pytest.LogCaptureFixture) -> None:
    house, before = attacker.house, await facts(attacker.house)
    person = house.admin.viewer.person_id
    token = await house.site.write(tokens.create, None, person, purpose="x", scopes=["write"], days=1)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/activity+json", "Host": house.site.kernel.node.host}
    for payload in PAYLOADS:
        for name in ("id", "type", "to", "context", "inReplyTo", "content", "name"):
            note = {"type": "Note", "content": "x", "to": "x", "audience": attacker.ids["groups"]} | {name: payload}
            for body in ({"type": "Create", "object": note}, {"type": "Delete", "object": payload}, {"type": payload, "object": payload}):
                async with attacker.client.post(f"{house.site.url}/people/{person}/outbox", json=body, headers=headers) as answer:
                    assert answer.status < 500, (body, await answer.text())
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert await facts(house) == before


@pytest.mark.rule("OPS-04")
@pytest.mark.parametrize("payload", PAYLOADS)
async def test_as_somebodys_words_each_of_them_is_kept_as_it_was_written(house: House, payload: str) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:GREEN")
    posted = await house.site.thread(house.admin, group, title=payload, text=payload)
    rows = await house.site.kernel.database.read(
        lambda session: session.execute(sa.text("SELECT title, source FROM thread JOIN post ON post.thread_id = thread.id")).all()
    )
    assert [tuple(row) for row in rows] == [(payload, payload)]
    assert (await house.admin.get(f"/threads/{posted.thread_id}"))[0] == 200


def test_names_are_found_as_the_code_reads_them() -> None:
    text = 'request.query.get("a", ""), fields.getall(\n "b", []), form.get("c"), request.query["d"], other.get("e")'
    assert parameters(text) == {"a", "b", "c", "d"}
