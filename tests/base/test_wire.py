"""Shows that a request which two servers could read in two ways is refused whole, and that refusals repeat and reveal nothing."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.raw import CLOSE, ask, line, request, statuses
from tests.web import Site, site

END = b"0\r\n\r\n"
TE = b"Transfer-Encoding: "
AMBIGUOUS: dict[str, tuple[tuple[bytes, ...], bytes]] = {
    "both lengths": ((TE + b"chunked", b"Content-Length: 6"), END),
    "both lengths the other way": ((b"Content-Length: 4", TE + b"chunked"), END),
    "two lengths": ((b"Content-Length: 0", b"Content-Length: 44"), b""),
    "one length twice": ((b"Content-Length: 2", b"Content-Length: 2"), b"ab"),
    "a list of lengths": ((b"Content-Length: 0, 44",), b""),
    "a signed length": ((b"Content-Length: +0",), b""),
    "a negative length": ((b"Content-Length: -1",), b""),
    "a length in hex": ((b"Content-Length: 0x0",), b""),
    "a length beyond 64 bits": ((b"Content-Length: 99999999999999999999999",), b""),
    "a blank before the colon": ((b"Content-Length : 0",), b""),
    "a blank before the name": ((b" Content-Length: 0",), b""),
    "almost chunked": ((TE + b"xchunked",), END),
    "identity": ((TE + b"identity",), END),
    "chunked and then identity": ((TE + b"chunked, identity",), END),
    "packed and chunked": ((TE + b"gzip, chunked",), END),
    "two codings": ((TE + b"chunked", TE + b"identity"), END),
    "chunked twice": ((TE + b"chunked", TE + b"chunked"), END),
    "a vertical tab": ((TE + b"\x0bchunked",), END),
    "a blank before the coding's colon": ((b"Transfer-Encoding : chunked",), END),
    "a folded coding": ((b"Transfer-Encoding:\r\n chunked",), END),
    "a folded field": ((b"X-A: b\r\n c",), b""),
    "one bare line feed": ((b"X-A: y\nContent-Length: 0",), b""),
    "a bare carriage return": ((b"X-A: y\rContent-Length: 3",), b"abc"),
    "a NUL": ((b"X-A: a\0b",), b""),
    "no colon": ((b"Nonsense",), b""),
    "no name": ((b": x",), b""),
    "a line feed in a chunk's extension": ((TE + b"chunked",), b"0;a\nb\r\n\r\n"),
    "bare line feeds between chunks": ((TE + b"chunked",), b"1\na\n0\n\n"),
    "a negative chunk": ((TE + b"chunked",), b"-1\r\n\r\n"),
    "a chunk in C's spelling": ((TE + b"chunked",), b"0x1\r\na\r\n0\r\n\r\n"),
    "a chunk beyond 64 bits": ((TE + b"chunked",), b"ffffffffffffffffff\r\na"),
    "a chunk longer than it says": ((TE + b"chunked",), b"1\r\nabc\r\n0\r\n\r\n"),
    "a length behind the chunks": ((TE + b"chunked",), b"0\r\nContent-Length: 5\r\n\r\n"),
    "a second host": ((b"Host: evil.test",), b""),
}
STARTS = {
    "bare line feeds": b"POST /inbox HTTP/1.1\nHost: HERE\nContent-Length: 0\n\n",
    "no host": b"GET /login HTTP/1.1\r\n\r\n",
    "chunks in 1.0": b"POST /inbox HTTP/1.0\r\nHost: HERE\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a whole address": b"GET http://evil.test/login HTTP/1.1\r\nHost: HERE\r\n\r\n",
    "a tunnel": b"CONNECT evil.test:443 HTTP/1.1\r\nHost: HERE\r\n\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\nHost: HERE\r\n\r\n",
    "a version of letters": b"GET /login HTTP/1.1x\r\nHost: HERE\r\n\r\n",
    "a version of the future": b"GET /login HTTP/9.9\r\nHost: HERE\r\n\r\n",
    "a method of brackets": b"<script>alert(1)</script> /login HTTP/1.1\r\nHost: HERE\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 40 + b"\r\n\r\n",
}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as made:
        yield made


def smuggled(here: Site) -> bytes:
    """What must never be seen as a request of its own."""
    return request(here, "GET", "/nodeinfo/2.1", CLOSE)


def reveals(answer: bytes) -> list[bytes]:
    """What an answer to a broken request says of us or repeats of it."""
    return re.findall(rb"(?i)aiohttp|python|nodeinfo|<script|evil|chunked|nonsense", answer)


@pytest.mark.rule("HTTP-01")
async def test_a_request_whose_end_can_be_seen_in_two_places_is_refused_and_nothing_behind_it_is_read(here: Site) -> None:
    for what, (headers, body) in AMBIGUOUS.items():
        answer = await ask(here, request(here, "POST", "/inbox", *headers) + body + smuggled(here))
        assert statuses(answer) == [400], (what, answer[:200])
        assert b'"software"' not in answer, what
    twin = request(here, "POST", "/inbox", b"Transfer-Encoding: Chunked") + b"1\r\na\r\n0\r\n\r\n" + smuggled(here)
    assert statuses(await ask(here, twin)) == [401, 200], "one way to say where a request ends, and then the next"


@pytest.mark.rule("HTTP-01")
async def test_what_is_no_request_to_this_node_in_http_1_is_refused(here: Site) -> None:
    for what, start in STARTS.items():
        answer = await ask(here, start.replace(b"HERE", here.kernel.node.host.encode()) + smuggled(here))
        assert statuses(answer) == [400], (what, answer[:200])
        assert b'"software"' not in answer, what
    for version in (b"2.0", b"0.9"):
        answer = await ask(here, request(here, "POST", "/inbox", b"Content-Length: 0").replace(b"1.1", version))
        assert re.match(rb"HTTP/\d\.\d 505 ", answer), answer[:200]
    assert statuses(await ask(here, smuggled(here))) == [200]


@pytest.mark.rule("HTTP-04")
async def test_the_answer_to_what_is_no_request_has_the_headers_of_all_others_and_repeats_nothing(here: Site) -> None:
    broken = [request(here, "POST", "/inbox", *headers) + body for headers, body in AMBIGUOUS.values()]
    broken += [start.replace(b"HERE", here.kernel.node.host.encode()) for start in STARTS.values() if b"evil" not in start]
    broken.append(request(here, "POST", "/login", b"Expect: <script>", body=b"abc"))
    for sent in broken:
        answer = await ask(here, sent)
        assert re.match(rb"HTTP/1\.[01] 4\d\d ", answer), answer[:100]
        for wanted in (b"Content-Security-Policy: default-src 'none'", b"X-Content-Type-Options: nosniff", b"Server: fedcollab\r\n"):
            assert wanted in answer, (sent[:80], answer[:300])
        assert b"<!doctype" in answer or reveals(answer) == [], answer[:600]


@pytest.mark.rule("DOS-24")
async def test_floods_of_headers_are_refused_and_large_ordinary_ones_taken(here: Site) -> None:
    floods = {
        "a signature of 64 kB": [b"Signature: " + b"a" * 65_536],
        "a signature of 9 kB": [b"Signature: " + b"a" * 9_000],
        "a thousand fields": [b"X-%d: y" % number for number in range(1000)],
        "many fields of 8 kB": [b"X-%d: %s" % (number, b"y" * 8_000) for number in range(90)],
        "a name of 9 kB": [b"X" * 9_000 + b": y"],
    }
    for what, headers in floods.items():
        assert statuses(await ask(here, request(here, "GET", "/login", *headers)))[:1] in ([400], [431]), what
    assert statuses(await ask(here, request(here, "GET", "/" + "a" * 8_200))) == [400]
    async with line(here) as endless:
        while await endless.send(b"X-Header-without-end: " + b"y" * 1000):
            pass
    cookies = b"Cookie: " + b"; ".join(b"c%d=d" % number for number in range(900))
    for twin in (request(here, "GET", "/login?next=/" + "a" * 4000, CLOSE), request(here, "GET", "/login", cookies, CLOSE)):
        assert statuses(await ask(here, twin)) == [200]
