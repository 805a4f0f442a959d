"""Shows what the one outgoing client refuses, with a canary listening, each beside the legitimate request."""

import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base import addresses
from fedcollab.base.errors import BadRequest, Unreachable
from fedcollab.base.http import Fetcher, is_activity

SPECIAL = [
    "0.0.0.1",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd12::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    "::127.0.0.1",
    "fec0::1",
    "fe80::1%eth0",
]
GLOBAL = ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]


@dataclass
class Other:
    """A server on loopback that answers what the test wants and counts who came."""

    port: int = 0
    hits: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: dict[str, web.Response] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    async def serve(self, request: web.Request) -> web.Response:
        self.hits.append(request.path)
        self.headers.append(dict(request.headers))
        made = self.answers.get(request.path)
        if made is not None:
            return web.Response(status=made.status, headers=made.headers, body=made.body)
        return web.json_response({"ok": True}, headers={"Set-Cookie": "a=b"})


async def started(made: Other) -> web.AppRunner:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", made.serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    return runner


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Other, Other]]:
    """A peer that may be asked, and a canary that may not."""
    made = (Other(), Other())
    runners = [await started(one) for one in made]
    yield made
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def fetcher(pair: tuple[Other, Other]) -> AsyncIterator[Fetcher]:
    made = Fetcher(peers=frozenset({pair[0].host}))
    yield made
    await made.close()


def anybody(_host: str) -> bool:
    return True


@pytest.mark.rule("SSRF-02")
@pytest.mark.parametrize("address", SPECIAL)
def test_special_addresses_are_not_public(address: str) -> None:
    assert not addresses.is_global(address)


@pytest.mark.parametrize("address", GLOBAL)
def test_public_addresses_are_public_also_when_carried_inside_others(address: str) -> None:
    assert addresses.is_global(address)


@pytest.mark.rule("SSRF-02")
@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "::1", "169.254.169.254"])
async def test_a_name_that_leads_inside_is_refused_before_anything_connects(pair: tuple[Other, Other], address: str) -> None:
    async def lookup(_host: str, _port: int) -> list[str]:
        return ["8.8.8.8", address]

    made = Fetcher(lookup=lookup)
    with pytest.raises(Unreachable, match="not public"):
        await made.get(f"https://inside.example:{pair[1].port}/", permit=anybody, accept="*/*")
    assert pair[1].hits == []
    await made.close()


@pytest.mark.rule("SSRF-01")
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "2130706433", "0x7f.1", "0177.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]", "0"]
)
async def test_loopback_in_every_spelling_is_refused_unless_it_is_the_exact_peer(
    pair: tuple[Other, Other], fetcher: Fetcher, host: str
) -> None:
    for scheme in ("http", "https"):
        with pytest.raises(Unreachable):
            await fetcher.get(f"{scheme}://{host}:{pair[1].port}/", permit=anybody, accept="*/*")
    assert pair[1].hits == []
    assert (await fetcher.get(pair[0].url("/"), permit=anybody, accept="*/*")).status == 200


@pytest.mark.rule("SSRF-05")
async def test_a_redirect_inside_is_refused_at_the_hop(pair: tuple[Other, Other], fetcher: Fetcher) -> None:
    peer, canary = pair
    for target in (canary.url("/x"), "http://169.254.169.254/", "https://127.0.0.1/", "file:///etc/passwd", "//[::1]/"):
        peer.answers["/go"] = web.Response(status=302, headers={"Location": target})
        with pytest.raises(Unreachable, match="refused"):
            await fetcher.get(peer.url("/go"), permit=anybody, accept="*/*")
    assert canary.hits == []
    peer.answers["/go"] = web.Response(status=302, headers={"Location": "/there"})
    assert (await fetcher.get(peer.url("/go"), permit=anybody, accept="*/*")).url == peer.url("/there")


async def test_signed_requests_follow_no_redirect_and_others_three_at_most(pair: tuple[Other, Other], fetcher: Fetcher) -> None:
    pair[0].answers["/go"] = web.Response(status=302, headers={"Location": "/go"})
    with pytest.raises(Unreachable, match="redirect"):
        await fetcher.get(pair[0].url("/go"), permit=anybody, accept="*/*", sign=lambda _m, _u, _b: {})
    assert pair[0].hits == ["/go"]
    with pytest.raises(Unreachable, match="more than three"):
        await fetcher.get(pair[0].url("/go"), permit=anybody, accept="*/*")
    assert len(pair[0].hits) == 5


@pytest.mark.rule("SSRF-12")
async def test_a_host_that_is_not_allowed_is_neither_looked_up_nor_reached(pair: tuple[Other, Other]) -> None:
    asked: list[str] = []

    async def lookup(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["8.8.8.8"]

    made = Fetcher(peers=frozenset({pair[0].host}), lookup=lookup)
    for url in ("https://x.test/o", pair[0].url("/o")):
        with pytest.raises(Unreachable, match="not one of our partners"):
            await made.get(url, permit=lambda _host: False, accept="*/*")
    assert asked == []
    assert pair[0].hits == []
    assert (await made.get(pair[0].url("/o"), permit=anybody, accept="*/*")).status == 200
    await made.close()


async def test_more_than_a_megabyte_is_refused_plain_and_packed(pair: tuple[Other, Other], fetcher: Fetcher) -> None:
    pair[0].answers["/plain"] = web.Response(body=b"x" * 1_000_001)
    pair[0].answers["/bomb"] = web.Response(body=gzip.compress(b"x" * 50_000_000), headers={"Content-Encoding": "gzip"})
    pair[0].answers["/fine"] = web.Response(body=gzip.compress(b"y" * 1000), headers={"Content-Encoding": "gzip"})
    for path in ("/plain", "/bomb"):
        with pytest.raises(Unreachable, match="more than 1 MB"):
            await fetcher.get(pair[0].url(path), permit=anybody, accept="*/*")
    assert (await fetcher.get(pair[0].url("/fine"), permit=anybody, accept="*/*")).body == b"y" * 1000


async def test_no_cookie_is_kept_and_no_proxy_of_the_environment_is_used(
    pair: tuple[Other, Other], fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", pair[1].url("/"))
    monkeypatch.setenv("http_proxy", pair[1].url("/"))
    for _ in range(2):
        await fetcher.get(pair[0].url("/"), permit=anybody, accept="*/*")
    assert all("Cookie" not in headers for headers in pair[0].headers)
    assert pair[1].hits == []


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("application/activity+json", True),
        ("Application/Activity+JSON; charset=utf-8", True),
        ('application/ld+json; profile="https://www.w3.org/ns/activitystreams"', True),
        ("application/ld+json", False),
        ("application/json", False),
        ("text/html; application/activity+json", False),
        ("application/activity+json-x", False),
    ],
)
def test_only_activitypubs_own_media_types_are_believed(text: str, right: bool) -> None:
    assert is_activity(text) is right


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("https://Example.ORG./a", "example.org"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://a.example:443/", "a.example"),
        ("https://a.example:8443/", "a.example:8443"),
        ("http://127.0.0.1:8001/x", "127.0.0.1:8001"),
    ],
)
def test_hosts_are_compared_in_one_spelling(uri: str, host: str) -> None:
    assert addresses.host_of(uri) == host


@given(st.text(max_size=60))
def test_any_text_is_a_host_or_refused_and_never_an_ip_literal(text: str) -> None:
    try:
        host = addresses.host_of("https://" + text)
    except BadRequest:
        return
    assert not host.split(":")[0].replace(".", "").isdigit() or host.startswith("127.0.0.1")
    assert "@" not in host
