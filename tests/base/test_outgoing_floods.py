"""Shows that whatever a partner's server answers costs this node a stated number of bytes, seconds and requests, and no more."""

import asyncio
import gc
import gzip
import resource
import time
import zlib
from collections.abc import AsyncIterator

import pytest

from fedcollab.base import http
from fedcollab.base.errors import Unreachable
from fedcollab.base.http import Answer, Fetcher
from tests.listener import Listener, bytes_of, listening, without_end
from tests.timing import spending

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\n"
FINE = bytes_of(HEAD + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")


@pytest.fixture
async def peer() -> AsyncIterator[Listener]:
    async with listening() as made:
        made.answers["/fine"] = FINE
        yield made


@pytest.fixture
async def fetcher(peer: Listener) -> AsyncIterator[Fetcher]:
    made = Fetcher(peers=frozenset({peer.host}))
    yield made
    await made.close()


def anybody(_host: str) -> bool:
    return True


async def get(fetcher: Fetcher, url: str) -> Answer:
    return await fetcher.get(url, permit=anybody, accept="*/*")


async def gives_up(fetcher: Fetcher, url: str) -> str:
    with pytest.raises(Unreachable) as caught:
        await get(fetcher, url)
    return caught.value.reason


async def grown(work: object) -> int:
    """By how many kB the process has grown at its highest over some work."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await work  # type: ignore[misc]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


@pytest.mark.rule("DOS-01")
@pytest.mark.parametrize("length", [b"", b"Content-Length: 1073741824\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_an_answer_without_end_is_cut_at_a_megabyte(peer: Listener, fetcher: Fetcher, length: bytes) -> None:
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n" if b"chunked" in length else b"x" * 65536
    peer.answers["/much"] = without_end(HEAD + length + b"\r\n", piece)
    assert await grown(gives_up(fetcher, peer.url("/much"))) < 20_000
    assert (await gives_up(fetcher, peer.url("/much")), peer.met) == ("answered with more than 1 MB", 1), "nor asked again at once"
    assert (await get(fetcher, peer.url("/fine"))).body == b"{}"


def packed(body: bytes, coding: bytes) -> bytes:
    return HEAD + b"Content-Encoding: " + coding + b"\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body


@pytest.mark.rule("DOS-02")
async def test_packed_answers_are_cut_at_a_megabyte_unpacked_and_read_in_one_way_alone(peer: Listener, fetcher: Fetcher) -> None:
    zeros = b"\0" * 10_000_000
    bomb = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    large = b"".join(bomb.compress(zeros) for _ in range(60)) + bomb.flush()
    once = gzip.compress(b"{}")
    refused = {
        "a bomb": (large, b"gzip"),
        "a bomb in deflate": (zlib.compress(zeros), b"deflate"),
        "a bomb in a bomb": (gzip.compress(large), b"gzip, gzip"),
        "brotli": (b"x", b"br"),
        "zstd": (b"x", b"zstd"),
        "two members": (once + gzip.compress(b'{"other": 1}'), b"gzip"),
        "a tail": (once + b"{}", b"gzip"),
        "cut off": (gzip.compress(b"{}" * 1000)[:-12], b"gzip"),
        "not packed": (b"{}", b"gzip"),
        "packed twice and said so once": (gzip.compress(large[:100_000]), b"gzip, identity"),
    }
    with spending() as spent:
        for what, (body, coding) in refused.items():
            peer.answers["/packed"] = bytes_of(packed(body, coding))
            fetcher._failed.clear()
            reason = await gives_up(fetcher, peer.url("/packed"))
            assert reason.startswith(("answered with", "answered in")), (what, reason)
    assert spent.seconds < 2
    peer.answers["/packed"] = bytes_of(packed(once, b"gzip"))
    fetcher._failed.clear()
    assert (await get(fetcher, peer.url("/packed"))).body == b"{}"


@pytest.mark.rule("DOS-07")
async def test_a_loop_of_redirects_ends_after_three_and_is_not_tried_again_within_a_minute(peer: Listener, fetcher: Fetcher) -> None:
    for number in range(100):
        answer = b"HTTP/1.1 302 Found\r\nLocation: /%d\r\nContent-Length: 0\r\n\r\n" % (number + 1)
        peer.answers[f"/{number}"] = bytes_of(answer)
    peer.answers["/self"] = bytes_of(b"HTTP/1.1 302 Found\r\nLocation: /self\r\nContent-Length: 0\r\n\r\n")
    for path in ("/self", "/0"):
        peer.asked.clear()
        for _ in range(3):
            assert await gives_up(fetcher, peer.url(path)) == "more than three redirects"
        assert len(peer.asked) == 4, "the first and three more, once"
    assert (await get(fetcher, peer.url("/fine"))).body == b"{}"
    at = fetcher._failed[peer.url("/self")]
    fetcher._failed[peer.url("/self")] = (at[0] - http.FAILED_SECONDS, at[1])
    peer.answers["/self"] = FINE
    assert (await get(fetcher, peer.url("/self"))).body == b"{}", "and after a minute it is asked again"


async def test_what_failed_is_remembered_for_so_many_addresses_and_only_where_it_was_costly(peer: Listener, fetcher: Fetcher) -> None:
    peer.answers["/gone"] = bytes_of(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    assert [await gives_up(fetcher, peer.url("/gone")) for _ in range(2)] == ["answered 404"] * 2
    assert len(peer.asked) == 2
    for number in range(http.FAILED_MOST + 10):
        fetcher._remember(f"https://p.test/{number}", http.COSTLY[0])
    assert len(fetcher._failed) == http.FAILED_MOST
    with pytest.raises(Unreachable):
        fetcher._recall(f"https://p.test/{http.FAILED_MOST + 9}")
    fetcher._recall("https://p.test/0")


@pytest.mark.rule("DOS-09")
async def test_an_answer_that_trickles_ends_at_its_time_in_whatever_part_it_trickles(
    peer: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = {
        "in the body": without_end(HEAD + b"\r\n", b"x", 0.02),
        "in a promised length": without_end(HEAD + b"Content-Length: 900000\r\n\r\n", b"x", 0.02),
        "in its chunks": without_end(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.02),
        "in one chunk's length": without_end(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0", 0.02),
        "in the header": without_end(HEAD, b"X-A: y\r\n", 0.02),
        "in one field": without_end(HEAD + b"X-A: ", b"y", 0.02),
        "in the first line": without_end(b"HTTP/1.1 200 ", b"O", 0.02),
        "before anything": without_end(b"", b"", 0.02),
        "in answers that are none yet": without_end(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.02),
        "in trailers": without_end(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: y\r\n", 0.02),
    }
    for number, (what, answer) in enumerate(slow.items()):
        peer.answers[f"/{number}"] = answer
        made = Fetcher(peers=frozenset({peer.host}))
        began = time.monotonic()
        with monkeypatch.context() as soon:
            soon.setattr(http, "TOTAL_SECONDS", 0.4)
            assert await gives_up(made, peer.url(f"/{number}")) in ("no answer within 0.4 seconds", "the connection broke"), what
        assert time.monotonic() - began < 3, what
        assert (await get(made, peer.url("/fine"))).body == b"{}", "the next one is not held up"
        await made.close()


@pytest.mark.rule("DOS-09")
async def test_the_time_is_one_for_all_redirects_and_for_waiting_ones_turn(peer: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    async def later(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /later\r\nContent-Length: 0\r\n\r\n")

    peer.answers["/later"] = later
    made = Fetcher(peers=frozenset({peer.host}))
    began = time.monotonic()
    with monkeypatch.context() as soon:
        soon.setattr(http, "TOTAL_SECONDS", 0.5)
        asked = await asyncio.gather(*(gives_up(made, peer.url(f"/later?{n}" if n else "/later")) for n in range(12)))
    assert set(asked) <= {"no answer within 0.5 seconds", "the connection broke", "answered 404"}
    assert time.monotonic() - began < 3
    assert (await get(made, peer.url("/fine"))).body == b"{}"
    await made.close()


LIES = {
    "fewer bytes than promised": HEAD + b"Content-Length: 100\r\nConnection: close\r\n\r\n{}",
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length and chunks": HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a negative length": HEAD + b"Content-Length: -2\r\n\r\n{}",
    "a length in letters": HEAD + b"Content-Length: two\r\n\r\n{}",
    "a broken chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    "HTTP/0.9": b"{}",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "a status beyond all": b"HTTP/1.1 99999 OK\r\nContent-Length: 0\r\n\r\n",
    "a thousand fields": HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(1000)) + b"Content-Length: 2\r\n\r\n{}",
    "a field of 20 kB": HEAD + b"X: " + b"y" * 20_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
    "a NUL in a field": HEAD + b"X: \0\r\nContent-Length: 2\r\n\r\n{}",
    "nothing": b"",
    "another protocol from here on": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + b"x" * 1000,
    "a status without a body and a body": b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.rule("DOS-01")
async def test_an_answer_that_lies_about_itself_is_no_answer(peer: Listener, fetcher: Fetcher) -> None:
    for what, answer in LIES.items():
        peer.otherwise = bytes_of(answer)
        assert await gives_up(fetcher, peer.url("/lie")), what
    assert (await get(fetcher, peer.url("/fine"))).body == b"{}"


@pytest.mark.rule("DOS-09")
@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (b"120", 120),
        (b"9" * 5000, http.LONGEST_WAIT),
        (b"0" * 5000 + b"1", 0),
        ("\u00b2".encode(), None),
        ("\u0661".encode(), None),
        (b"-5", None),
        (b"1e9", None),
        (b"soon", None),
        (b"Fri, 31 Dec 9999 23:59:59 GMT", http.LONGEST_WAIT),
        (b"Mon, 01 Jan 0001 00:00:00 GMT", 0),
        (b"Mon, 99 Foo 2020 99:99:99 GMT", None),
        (b"", None),
    ],
)
async def test_whatever_somebody_asks_us_to_wait_is_a_week_at_most_and_never_an_error(
    peer: Listener, fetcher: Fetcher, said: bytes, seconds: int | None
) -> None:
    peer.answers["/inbox"] = bytes_of(b"HTTP/1.1 503 Busy\r\nRetry-After: " + said + b"\r\nContent-Length: 0\r\n\r\n")
    answer = await fetcher.post(peer.url("/inbox"), b"{}", permit=anybody, content_type="text/plain", sign=lambda _m, _u, _b: {})
    assert (answer.status, answer.retry_after) == (503, seconds)


async def test_of_hosts_that_were_asked_once_nothing_is_kept() -> None:
    async def nowhere(_host: str, _port: int) -> list[str]:
        raise OSError

    fetcher = Fetcher(lookup=nowhere)
    for number in range(200):
        assert await gives_up(fetcher, f"https://h{number}.example/actor") == "the name was not found"
    gc.collect()
    kept = [held for held in vars(fetcher).values() if hasattr(held, "__len__") and len(held) >= 10]
    assert kept == []
