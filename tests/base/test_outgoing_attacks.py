"""Shows what a hostile name, address, redirect or environment gets out of the one outgoing client: nothing, and nobody else is asked."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcollab.base import addresses, http
from fedcollab.base.errors import BadRequest, Unreachable
from fedcollab.base.http import Fetcher
from tests.listener import Listener, bytes_of, listening

OK = bytes_of(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
STAY = bytes_of(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


@pytest.fixture
async def peer() -> AsyncIterator[Listener]:
    async with listening() as made:
        made.otherwise = OK
        yield made


@pytest.fixture
async def canary() -> AsyncIterator[Listener]:
    """A listener that nobody has a reason to call."""
    async with listening() as made:
        yield made


def anybody(_host: str) -> bool:
    return True


async def ask(fetcher: Fetcher, url: str) -> str:
    """What came back, or why nobody was asked."""
    try:
        return (await fetcher.get(url, permit=anybody, accept="*/*")).body.decode()
    except Unreachable as error:
        return error.reason
    finally:
        await fetcher.close()
        fetcher._session = None


def go(location: str) -> bytes:
    return b"HTTP/1.1 302 Found\r\nLocation: " + location.encode() + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.rule("SSRF-06")
async def test_a_name_is_looked_up_once_and_the_vetted_address_is_the_one_that_is_connected_to(peer: Listener, canary: Listener) -> None:
    """The second answer of a rebinding name server would be the canary's address."""
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.9"]

    fetcher = Fetcher(peers=frozenset({f"p.test:{peer.port}"}), lookup=rebinding)
    peer.otherwise = STAY
    assert (await fetcher.get(f"http://p.test:{peer.port}/a", permit=anybody, accept="*/*")).body == b"ok"
    assert asked == ["p.test"]
    await fetcher.close()
    public: list[str] = []

    async def later_inside(_host: str, _port: int) -> list[str]:
        public.append("asked")
        return ["203.0.113.1"] if len(public) == 1 else ["127.0.0.1"]

    for _ in range(3):
        assert "not public" in await ask(Fetcher(lookup=later_inside), f"https://p.test:{canary.port}/")
    assert canary.met == 0


@pytest.mark.rule("SSRF-06")
async def test_the_address_is_looked_at_once_more_where_the_connection_is_made(
    peer: Listener, canary: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the look at the name had let it pass."""
    fetcher = Fetcher(peers=frozenset({peer.host}))
    monkeypatch.setattr(fetcher, "_addresses", as_it_says)
    assert "not public" in await ask(fetcher, f"https://p.test:{canary.port}/")
    assert canary.met == 0
    assert await ask(fetcher, peer.url()) == "ok"


async def as_it_says(_to: object) -> list[str]:
    return ["127.0.0.1"]


@pytest.mark.rule("SSRF-08")
async def test_only_http_is_spoken_whatever_scheme_is_asked_for_or_redirected_to(peer: Listener, canary: Listener, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the house")
    at = canary.host
    for url in (
        f"file://{secret}",
        f"file://localhost{secret}",
        "data:application/activity+json,{}",
        f"ftp://{at}/",
        f"gopher://{at}/_GET",
        f"dict://{at}/",
        f"ws://{at}/",
        f"unix://{tmp_path}/socket",
        f"http+unix://{tmp_path}/socket",
        f"ldap://{at}/",
        "javascript:alert(1)",
        "about:blank",
        f"jar:http://{at}!/",
        f"//{at}/",
        "/etc/passwd",
        "",
        f"HTTP://{at}/",
        f"view-source:http://{at}/",
    ):
        fetcher = Fetcher(peers=frozenset({peer.host}))
        assert (await ask(fetcher, url)).startswith("refused"), url
        if "://" in url:
            peer.answers["/go"] = bytes_of(go(url))
            assert (await ask(fetcher, peer.url("/go"))).startswith("refused"), url
    assert canary.met == 0
    assert await ask(Fetcher(peers=frozenset({peer.host})), peer.url()) == "ok"


@pytest.mark.rule("SSRF-09")
async def test_no_request_goes_over_plain_http_and_no_redirect_leads_back_to_it(peer: Listener) -> None:
    asked: list[str] = []

    async def lookup(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    fetcher = Fetcher(lookup=lookup)
    for url in (f"http://p.test:{peer.port}/o", "http://p.test/o", f"http://127.0.0.1:{peer.port}/o"):
        assert await ask(fetcher, url) == "refused: only https to public names"
    peer.answers["/go"] = bytes_of(go(f"http://p.test:{peer.port}/o"))
    trial = Fetcher(peers=frozenset({peer.host}), lookup=lookup)
    assert await ask(trial, peer.url("/go")) == "refused: only https to public names"
    assert asked == []
    assert peer.asked == ["GET /go HTTP/1.1"]
    peer.answers["/go"] = bytes_of(go(peer.url("/o")))
    assert await ask(trial, peer.url("/go")) == "ok"


@pytest.mark.rule("SSRF-13")
@pytest.mark.parametrize("port", [0, 1, 22, 25, 53, 80, 110, 389, 445, 636, 993, 3306, 5432, 6379, 9200, 11211, 27017, 65536, -1])
async def test_a_port_that_serves_something_else_is_never_connected_to(peer: Listener, port: int) -> None:
    asked: list[str] = []

    async def lookup(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["8.8.8.8"]

    fetcher = Fetcher(peers=frozenset({peer.host}), lookup=lookup)
    assert (await ask(fetcher, f"https://p.test:{port}/")).startswith("refused")
    peer.answers["/go"] = bytes_of(go(f"https://p.test:{port}/"))
    assert (await ask(fetcher, peer.url("/go"))).startswith("refused")
    assert asked == []
    for good in ("https://p.test/", "https://p.test:443/", "https://p.test:8443/"):
        assert fetcher.check(good) == good.removeprefix("https://").rstrip("/").removesuffix(":443")


@pytest.mark.rule("SSRF-13")
async def test_another_port_of_a_partners_host_is_another_server() -> None:
    """The list of partners holds hosts with their ports, so a port that nobody approved is nobody's."""
    fetcher = Fetcher()
    for url in ("https://p.test:8443/", "https://p.test:2222/"):
        with pytest.raises(Unreachable, match="not one of our partners"):
            await fetcher.get(url, permit={"p.test"}.__contains__, accept="*/*")
    await fetcher.close()


@pytest.mark.rule("SSRF-15")
async def test_neither_proxies_nor_passwords_of_the_environment_are_used(
    peer: Listener, canary: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login ilse password secret\ndefault login ilse password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY"):
        monkeypatch.setenv(name, canary.url())
        monkeypatch.setenv(name.lower(), canary.url())
    heads: list[bytes] = []

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        await OK(writer)
        writer.close()

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    assert await ask(Fetcher(peers=frozenset({host})), f"http://{host}/") == "ok"
    server.close()
    await server.wait_closed()
    assert len(heads) == 1
    assert b"uthorization" not in heads[0]
    assert canary.met == 0


@pytest.mark.rule("HOST-03")
@pytest.mark.parametrize(
    "url",
    [
        "https://p.test.evil.test/",
        "https://evilp.test/",
        "https://p.test@evil.test/",
        "https://p.test:443@evil.test/",
        "https://p.test%2eevil.test/",
        "https://p.test%40evil.test/",
        "https://evil.test/p.test",
        "https://evil.test?p.test/",
        "https://evil.test#p.test/",
        "https://evil.test\\@p.test/",
        "https://evil.test\t.p.test/",
        "https://p.test\n.evil.test/",
        "https://p.test\0.evil.test/",
        "https://p.test;evil.test/",
        "https://p.test,evil.test/",
        "https://sub.p.test/",
        "https://p.test:8443/",
        "https://p.tes/",
        "https://p.testt/",
        "https://[p.test]/",
        "https://p%2etest/",
        "https:/p.test/",
        "https:p.test/",
        "https:///p.test/",
        "https://p..test/",
        "https://.p.test/",
        "https://xn--p.test/",
        "https://\uff50.test/",
        "https://p\u3002test/",
        "https://p.te\u00adst/",
        "https://p.t\u0435st/",
    ],
)
async def test_what_only_looks_like_a_partners_host_is_not_on_the_list(url: str) -> None:
    asked: list[str] = []

    async def lookup(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["8.8.8.8"]

    fetcher = Fetcher(lookup=lookup)
    with pytest.raises(Unreachable, match="refused"):
        await fetcher.get(url, permit={"p.test"}.__contains__, accept="*/*")
    await fetcher.close()
    assert asked == []
    for twin in ("https://p.test/", "https://P.TEST./x", "https://p.test:443/x?y#@evil.test", "https://p.test/@evil.test"):
        assert fetcher.check(twin) == "p.test"


@pytest.mark.rule("HOST-03")
@pytest.mark.parametrize(
    ("partner", "other"), [("fass.de", "fa\u00df.de"), ("ss.de", "\u1e9e.de"), ("xn--4xa.gr", "\u03c2.gr"), ("ab.de", "a\u200db.de")]
)
async def test_a_letter_that_two_versions_of_idna_read_differently_is_in_no_host(partner: str, other: str) -> None:
    """Checked as the partner's name and connected to as the other: whoever held the other would have been asked in the partner's stead."""
    with pytest.raises(BadRequest):
        addresses.host_of(f"https://{other}/")
    with pytest.raises(Unreachable):
        await Fetcher().get(f"https://{other}/", permit={partner}.__contains__, accept="*/*")
    assert addresses.host_of(f"https://{partner}/") == partner
    assert addresses.host_of("https://b\u00fccher.example/") == "xn--bcher-kva.example"
    assert Fetcher().check("https://b\u00fccher.example/") == "xn--bcher-kva.example"


@pytest.mark.rule("SSRF-02")
@pytest.mark.parametrize(
    "address",
    [
        "0:0:0:0:0:ffff:7f00:1",
        "::ffff:0:127.0.0.1",
        "0000:0000:0000:0000:0000:0000:0000:0001",
        "::7f00:1",
        "64:ff9b::127.0.0.1",
        "64:ff9b:1::a00:1",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "2002:c0a8:101::",
        "2001:0:0:0:0:0:80ff:fffe",
        "100::1",
        "2001:2::1",
        "2001:10::1",
        "3fff::1",
        "5f00::1",
        "fe80::1%1",
        "::1%lo",
        "ff0e::1",
        "192.88.99.1",
        "not an address",
        "",
    ],
)
def test_an_inner_address_in_another_spelling_is_not_public(address: str) -> None:
    assert not addresses.is_global(address)


@pytest.mark.rule("SSRF-05")
async def test_a_redirect_to_nowhere_or_to_another_partners_host_is_refused(peer: Listener, canary: Listener) -> None:
    """What one partner answers must not make us ask another in its name."""
    hosts = frozenset({peer.host, canary.host})
    for location in (
        "//[",
        "http://[",
        "http://a]b/",
        "\x01",
        f"http://{canary.host}/",
        f"http://{canary.host}\\@{peer.host}/",
        "?" + "a" * 5000,
    ):
        peer.answers["/go"] = bytes_of(go(location))
        fetcher = Fetcher(peers=hosts)
        with pytest.raises(Unreachable):
            await fetcher.get(peer.url("/go"), permit={peer.host}.__contains__, accept="*/*")
        await fetcher.close()
    assert canary.met == 0
    assert await ask(Fetcher(peers=hosts), peer.url("/x")) == "ok"


def test_names_are_looked_up_by_the_systems_resolver_alone() -> None:
    assert asyncio.run(http.resolve("127.0.0.1", 1)) == ["127.0.0.1"]
    with pytest.raises(socket.gaierror):
        asyncio.run(http.resolve("nothing.invalid", 1))
