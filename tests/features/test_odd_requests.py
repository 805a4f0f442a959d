"""Shows what odd ids, parameters, fields and headers get out of a node: words, the headers of all answers, and no question to others."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import new_id
from fedcollab.base.paths import shipped
from tests.listener import Listener, listening
from tests.raw import CLOSE, ask, request, statuses
from tests.web import PASSWORD, Visitor, site

from .conftest import House


def sent_names() -> set[str]:
    """The names of all fields in all forms of ours."""
    return set(re.findall(r'name="(\w+)"', " ".join(path.read_text() for path in shipped("templates").rglob("*.html"))))


@pytest.fixture
async def canary() -> AsyncIterator[Listener]:
    async with listening() as made:
        yield made


@pytest.fixture
def asked(house: House, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the node asks others for from now on."""
    found, fetcher = list[str](), house.site.kernel.fetcher
    real = fetcher._request

    async def request(method: str, url: str, *more: Any) -> Any:
        found.append(url)
        return await real(method, url, *more)

    monkeypatch.setattr(fetcher, "_request", request)
    return found


async def post_all(house: House, by: Visitor, fields: dict[str, str]) -> int:
    """Sends the same fields to everything that takes a form, with a good token; answers how many took them."""
    taken = 0
    for route in house.site.runner.app.router.routes():
        if route.method == "POST" and route.resource is not None and not route.resource.canonical.startswith(("/logout", "/login")):
            path = re.sub(r"\{\w+\}", lambda _: new_id(), route.resource.canonical)
            status, _, _ = await by.ask("POST", path, fields | {"token": await by.token("/settings")})
            assert status < 500, path
            taken += status in (200, 303, 422)
    return taken


@pytest.mark.rule("SSRF-16")
@pytest.mark.timeout(300)
async def test_no_form_of_a_member_makes_the_node_ask_anybody(house: House, canary: Listener, asked: list[str]) -> None:
    """No feature takes something "from an address" yet; the one that comes first without a guard fails here."""
    daan = await house.site.member("daan", "member", "moderator")
    likely = set(re.findall(r"\w+", "url uri href src link avatar avatar_url icon image feed webinar source import callback"))
    for target in (canary.url("/x"), f"https://{canary.host}/x", "https://inside.test/x", "file:///etc/passwd"):
        taken = await post_all(house, daan, dict.fromkeys(sent_names() | likely, target))
        assert taken >= 2, "some do take these fields"
        text = f"![]({target}) <img src={target}> [x]({target}) {target}"
        await post_all(house, daan, dict.fromkeys(sent_names() | likely, text) | {"act": "preview"})
    assert canary.met == 0
    assert asked == []


@pytest.mark.rule("SSRF-16")
async def test_an_admins_form_for_a_partners_address_reaches_nothing_inside(house: House, canary: Listener) -> None:
    before = await house.site.kernel.database.read(partners)
    for address in (
        canary.url(),
        f"https://{canary.host}",
        "http://localhost:1/",
        "https://[::1]/",
        "https://169.254.169.254/",
        "file:///etc",
    ):
        for act in ("look", "add", "approve"):
            status, _, _ = await house.admin.post("/admin/partners", at="/admin/partners", address=address, act=act)
            assert status in (200, 400, 404, 422, 502), (address, status)
    assert canary.met == 0
    assert await house.site.kernel.database.read(partners) == before


def partners(session: Any) -> int:
    return int(session.execute(sa.text("SELECT count(*) FROM partner")).scalar_one())


ODD_IDS = [
    "..",
    "../../etc/passwd",
    "%2e%2e%2f%2e%2e",
    "x?size=1",
    "x%3fsize=9999999",
    "x%26format=raw",
    "x%23fragment",
    "x%00.png",
    "x%0d%0aX-Evil:1",
    "%ff%fe",
    "%ed%a0%80",
    "%f0%9f%92%a9" * 60,
    "a" * 2000,
    "%e2%80%ae" * 300,
    "http:%2f%2f127.0.0.1:1%2fx",
    "' OR 1=1 --",
    "{{7*7}}",
    "<script>",
    "-1",
    "0",
    "9" * 400,
    "null",
    "None",
    "*",
]
ODD_QUERIES = [
    "page=-1",
    "page=0",
    "page=999999999999999999999999",
    "page=%d9%a1",
    "page=1e9",
    "page=" + "9" * 4000,
    "page=%00",
    "page=1&page=2",
    "before=%ff",
    "before=-",
    "before=1-",
    "before=99999999999999999-x",
    "before=%d9%a1-x",
    "before=1-%00",
    "before=1-" + "a" * 4000,
    "before=" + "9" * 4000 + "-x",
    "resource[]=x",
    "&" * 4000,
    "=",
    "a=" + "b" * 7000,
    "&".join(f"a{n}=1" for n in range(900)),
]


@pytest.mark.rule("SSRF-18")
@pytest.mark.timeout(300)
async def test_odd_ids_and_parameters_name_nothing_and_reach_nothing(house: House, asked: list[str]) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    posted = await house.site.thread(house.admin, group)
    cookie = f"Cookie: {'; '.join(f'{k}={v}' for k, v in house.admin.cookies.items())}".encode()
    paths = [found.canonical for found in house.site.runner.app.router.resources() if "{" in found.canonical]
    assert len(paths) > 10
    for pattern in paths:
        for odd in ODD_IDS:
            sent = re.sub(r"\{\w+\}", lambda _, odd=odd: odd, pattern).replace(" ", "%20").replace("<", "%3c").replace(">", "%3e")
            answer = await ask(house.site, request(house.site, "GET", sent, cookie, CLOSE))
            asks_first = (200,) if pattern.startswith("/link/") else ()  # the page of every one-time link, good or not
            assert statuses(answer)[0] in (303, 400, 401, 403, 404, 405, 410, *asks_first), (sent, answer[:200])
            assert b"\nX-Evil" not in answer.partition(b"\r\n\r\n")[0]
    for path in (f"/groups/{group}", f"/threads/{posted.thread_id}", "/groups", "/", "/.well-known/webfinger", "/settings"):
        for query in ODD_QUERIES:
            answer = await ask(house.site, request(house.site, "GET", f"{path}?{query}", cookie, CLOSE))
            assert statuses(answer)[0] in (200, 303, 400, 404), (path, query[:40], answer[:200])
    assert asked == []
    assert (await house.admin.get(f"/threads/{posted.thread_id}?page=1"))[0] == 200
    assert (await house.admin.get(f"/groups/{group}?before=99999999999999999-{new_id()}"))[0] == 200


RESOURCES = [
    "",
    "resource=",
    "resource",
    "resource[]=acct:organisation@HERE",
    "resource=acct:organisation@HERE%0d%0aX-Evil:1",
    "resource=acct:organisation@HERE%00",
    "resource=acct:organisation%00@HERE",
    "resource=acct:organisation@evil.test",
    "resource=acct:organisation@HERE.evil.test",
    "resource=acct:organisation@evil.test@HERE",
    "resource=acct:@HERE",
    "resource=acct:organisation%40HERE%40HERE",
    "resource=acct:'%20OR%201=1--@HERE",
    "resource=acct:" + "a" * 7000 + "@HERE",
    "resource=acct:%f0%9f%92%a9@HERE",
    "resource=acct:%ed%a0%80@HERE",
    "resource=acct:%ff@HERE",
    "resource=acct:%25@HERE",
    "resource=acct:%2a@HERE",
    "resource=acct:../../etc/passwd@HERE",
    "resource=https://evil.test/actor",
    "resource=http://HERE/actor%23x",
    "resource=http://HERE/people/x",
    "resource=file:///etc/passwd",
    "resource=javascript:alert(1)",
    "resource=%3cscript%3e",
    "resource=evil&resource=acct:organisation@HERE",
]


@pytest.mark.rule("HOST-05")
async def test_whatever_webfinger_is_asked_it_answers_json_about_ourselves_or_nothing(house: House) -> None:
    host = house.site.kernel.node.host
    for resource in RESOURCES:
        path = "/.well-known/webfinger?" + resource.replace("HERE", host)
        answer = await ask(house.site, request(house.site, "GET", path, b"Accept: application/jrd+json", CLOSE))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert statuses(answer)[0] in (400, 401, 404), (resource[:60], answer[:200])
        assert b"evil" not in head.lower()
        assert b"evil" not in body
        assert set(json.loads(body)) == {"type", "title", "status", "detail"}
    twin = request(house.site, "GET", f"/.well-known/webfinger?resource=acct:organisation@{host}", CLOSE)
    answer = await ask(house.site, twin)
    assert statuses(answer) == [200]
    assert b"application/jrd+json" in answer
    assert f'"acct:organisation@{host}"'.encode() in answer


@pytest.mark.rule("HOST-08")
async def test_an_address_that_the_visitor_makes_up_is_not_counted_instead_of_their_own(house: House) -> None:
    await house.site.member("daan")
    house.site.hold_time_for_guesses()
    statuses_, guesser = [], house.site.stranger()
    token = await guesser.token()
    made_up = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "CF-Connecting-IP", "True-Client-IP", "X-Cluster-Client-IP")
    for number in range(14):
        headers = {name: (f"for=198.51.100.{number}" if name == "Forwarded" else f"198.51.100.{number}") for name in made_up}
        form = {"token": token, "username": "daan", "password": f"guess number {number}", "next": "/"}
        statuses_.append((await guesser.ask("POST", "/login", form, headers))[0])
    assert statuses_[:5] == [422] * 5
    assert 429 in statuses_[5:8]
    assert statuses_.count(429) >= 7


@pytest.mark.rule("HOST-08")
async def test_behind_our_own_web_server_only_what_it_wrote_last_is_believed(tmp_path: Path) -> None:
    async with site(tmp_path, trusted_proxy=True) as here:
        await here.member("daan")
        here.hold_time_for_guesses()
        found, guesser = [], here.stranger()
        token = await guesser.token()
        for number in range(10):
            form = {"token": token, "username": "daan", "password": f"guess number {number}", "next": "/"}
            sent = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.7"}
            found.append((await guesser.ask("POST", "/login", form, sent))[0])
        assert 429 in found
        good = form | {"password": PASSWORD}
        assert (await guesser.ask("POST", "/login", good, {"X-Forwarded-For": "203.0.113.8"}))[0] == 303, "another visitor is not held up"


@pytest.mark.rule("HTTP-04")
@pytest.mark.timeout(300)
async def test_every_route_by_every_method_answers_with_the_headers_and_without_a_version(house: House, site_paths: list[str]) -> None:
    cookie = f"Cookie: {'; '.join(f'{k}={v}' for k, v in house.admin.cookies.items())}".encode()
    seen: set[int] = set()
    for path in site_paths:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
            for more in [(cookie, b"Accept: text/html"), *(OTHERS if method in ("GET", "POST") else ())]:
                answer = await ask(house.site, request(house.site, method, path, *more, CLOSE))
                head = answer.partition(b"\r\n\r\n")[0]
                seen.add(statuses(answer)[0])
                assert statuses(answer)[0] < 500, (method, path)
                for wanted in WANTED:
                    assert wanted in head, (method, path, head)
                assert not re.search(rb"(?i)aiohttp|python/|x-powered-by|unsafe-", head), (method, path)
                assert method != "TRACE" or b"session" not in answer.partition(b"\r\n\r\n")[2]
    assert {200, 303, 401, 403, 404, 405} <= seen


OTHERS = [(b"Accept: application/activity+json",), (b"HX-Request: true",)]
WANTED = (
    b"Content-Security-Policy: default-src 'none'",
    b"frame-ancestors 'none'",
    b"X-Content-Type-Options: nosniff",
    b"Referrer-Policy: no-referrer",
    b"Server: fedcollab",
    b"Cross-Origin-Resource-Policy: same-origin",
)


@pytest.fixture
async def site_paths(house: House) -> list[str]:
    """Every address of the router, with ids of things that are there and that are not, files, and what is no address."""
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    posted = await house.site.thread(house.admin, group)
    there = {"groups": group, "threads": posted.thread_id, "posts": posted.post_id, "people": str(house.admin.viewer.person_id)}
    found = {"/nothing", "/static/app.css", "/static/none.css", "/static/", "/robots.txt", "/favicon.ico", "/%00", "//", "/x/y/z/../.."}
    for resource in house.site.runner.app.router.resources():
        pattern = resource.canonical
        if not pattern.startswith(("/static", "/logout")):
            found.add(re.sub(r"\{\w+\}", lambda _: new_id(), pattern))
            found.add(re.sub(r"\{\w+\}", lambda _, p=pattern: there.get(p.split("/")[1], "fr"), pattern))
    return sorted(found)


async def test_a_node_in_earnest_says_hsts_on_errors_too(tmp_path: Path) -> None:
    async with site(tmp_path, base_url="https://node.example.org", trial=False) as here:
        for path in ("/login", "/nothing", "/static/app.css", "/nodeinfo/2.1", "/actor"):
            answer = await ask(here, request(here, "GET", path, CLOSE))
            assert b"Strict-Transport-Security: max-age=63072000" in answer
