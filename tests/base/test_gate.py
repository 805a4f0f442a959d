"""Shows which requests reach no handler: those for another host, packed ones, and those that are too much."""

import asyncio
import gzip
import resource
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcollab.base import wire
from tests.raw import CLOSE, ask, request, statuses
from tests.timing import spending
from tests.web import Site, site

FORM = b"Content-Type: application/x-www-form-urlencoded"
PACKED = {b"gzip": b"bomb", b"GZip": b"bomb", b"gzip, gzip": b"bomb", b"deflate": b"raw", b"br": b"x", b"zstd": b"x", b"nonsense": b"x"}
OTHERS = ("evil.test", "node.example.org.evil.test", "evil.test:443", "node.example.org:8000", "127.0.0.1", "", "a b", "[::1]", "é.test")


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(wire, "LEFTOVERS", 0.2)
    async with site(tmp_path) as made:
        yield made


@pytest.mark.rule("HOST-07")
async def test_another_host_than_ours_is_answered_nothing_and_no_link_ever_names_it(tmp_path: Path) -> None:
    async with site(tmp_path, base_url="https://node.example.org", trial=False) as here:
        admin = await here.member("ilse", "admin", "member")
        session = f"Cookie: {next(iter(admin.cookies))}={next(iter(admin.cookies.values()))}".encode()
        ours = request(here, "GET", "/login", CLOSE)
        for host in OTHERS:
            for path in ("/login", "/actor", "/admin/members", "/.well-known/webfinger?resource=https://node.example.org/"):
                sent = request(here, "GET", path, session, CLOSE).replace(b"node.example.org\r\n", host.encode() + b"\r\n", 1)
                answer = await ask(here, sent)
                assert statuses(answer)[0] in (400, 421), (host, answer[:200])
                assert b"evil" not in answer
        for host in (b"node.example.org", b"Node.Example.ORG", b"node.example.org:443", b"node.example.org."):
            assert statuses(await ask(here, ours.replace(b"node.example.org", host))) == [200]
        forwarded = (b"X-Forwarded-Host: evil.test", b"Forwarded: host=evil.test", b"X-Original-URL: /admin", b"X-Rewrite-URL: /admin")
        for path in ("/login", "/actor", "/nothing", "/groups"):
            answer = await ask(here, request(here, "GET", path, *forwarded, b"Accept: application/activity+json", CLOSE))
            assert b"evil" not in answer


@pytest.mark.rule("DOS-03")
async def test_a_packed_request_is_refused_before_a_byte_of_it_is_unpacked(here: Site) -> None:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = gzip.compress(b"\0" * 300_000_000, 9)
    raw = deflate.compress(b"\0" * 100_000_000) + deflate.flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with spending() as spent:
        for path in ("/inbox", "/login", "/nothing"):
            for coding, kind in PACKED.items():
                body = {b"bomb": bomb, b"raw": raw}.get(kind, kind)
                answer = await ask(here, request(here, "POST", path, FORM, b"Content-Encoding: " + coding, CLOSE, body=body[:900_000]))
                assert statuses(answer) == [415], (path, coding)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB
    assert spent.seconds < 2
    assert statuses(await ask(here, request(here, "POST", "/inbox", b"Content-Encoding: identity", CLOSE, body=b"x"))) == [401]
    assert statuses(await ask(here, request(here, "POST", "/login", FORM, b"Content-Encoding: identity", CLOSE, body=b"x=y"))) == [200]


@pytest.mark.rule("DOS-21")
async def test_floods_of_parts_chunks_and_fields_are_refused_and_hold_up_nobody(here: Site) -> None:
    parts = b"".join(b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n' % n for n in range(10_000)) + b"--x--\r\n"
    file = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n' + b"a" * 990_000
    chunked = b"Transfer-Encoding: chunked"
    floods = {
        "ten thousand parts": request(here, "POST", "/login", b"Content-Type: multipart/form-data; boundary=x", CLOSE, body=parts),
        "a file without an end": request(here, "POST", "/login", b"Content-Type: multipart/form-data; boundary=x", CLOSE, body=file),
        "a million chunks of one byte": request(here, "POST", "/inbox", chunked, CLOSE) + b"1\r\na\r\n" * 1_000_001,
        "long extensions of chunks": request(here, "POST", "/inbox", chunked, CLOSE)
        + (b"1;" + b"e" * 5000 + b"\r\na\r\n") * 300
        + b"0\r\n\r\n",
        "a hundred thousand fields": request(here, "POST", "/login", FORM, CLOSE, body=b"&".join(b"a=%d" % n for n in range(100_000))),
        "names alone": request(here, "POST", "/login", FORM, CLOSE, body=b"&" * 500_000),
        "one field": request(here, "POST", "/login", FORM, CLOSE, body=b"a=" + b"x" * 700_000),
        "more than a megabyte": request(here, "POST", "/inbox", b"Content-Length: 1000001", CLOSE),
        "a terabyte": request(here, "POST", "/inbox", b"Content-Length: 1000000000000", CLOSE),
        "trailers without an end": request(here, "POST", "/inbox", chunked, CLOSE) + b"0\r\n" + b"X-A: y\r\n" * 100_000,
    }
    slowest = 0.0
    await ask(here, request(here, "GET", "/nothing", CLOSE))  # the first page of all compiles its template
    for what, flood in floods.items():
        watch = asyncio.create_task(longest_pause())
        answer = await ask(here, flood)
        watch.cancel()
        slowest = max(slowest, await watch)
        assert statuses(answer)[:1] in ([400], [401], [413]), (what, answer[:200])
        assert (statuses(answer) == [401]) <= ("extensions" in what), what
    assert slowest < 1.0, "a fifth of this where nothing else runs"
    visitor = await here.member("daan")
    status, _, _ = await visitor.post("/settings", at="/settings", name="Daan", summary="x" * 500, language="", time_zone="")
    assert status == 303


async def longest_pause() -> float:
    """The longest time for which the loop did nothing else, in seconds of its thread, until it is cancelled: what else the machine does
    is not counted."""
    longest, last = 0.0, time.thread_time()
    while True:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return longest
        longest, last = max(longest, time.thread_time() - last), time.thread_time()
