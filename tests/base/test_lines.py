"""Shows how connections to others are kept, replaced and ended, and that no header can become two."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base import http
from fedcollab.base.errors import Unreachable
from fedcollab.base.http import Fetcher
from fedcollab.base.lines import head

ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Wire:
    """A server that answers each request with the next of its answers, and closes where one is empty."""

    answers: list[bytes] = field(default_factory=list)
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                text = await reader.readuntil(b"\r\n\r\n")
                length = int(text.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
                self.requests.append(text + await reader.readexactly(length))
                answer = self.answers.pop(0) if self.answers else ANSWER
                if not answer:
                    break
                writer.write(answer)
                if b"onnection: close" in answer:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    async def post(self, fetcher: Fetcher, body: bytes = b"x") -> int:
        url = f"http://127.0.0.1:{self.port}/inbox"
        answer = await fetcher.post(url, body, permit=lambda _host: True, content_type="a/b", sign=lambda *_: {})
        return answer.status


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    made = Wire()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


@pytest.fixture
async def fetcher(wire: Wire) -> AsyncIterator[Fetcher]:
    made = Fetcher(peers=frozenset({f"127.0.0.1:{wire.port}"}))
    yield made
    await made.close()


async def test_one_connection_carries_many_requests_and_many_at_once_need_many(wire: Wire, fetcher: Fetcher) -> None:
    assert [await wire.post(fetcher) for _ in range(5)] == [202] * 5
    assert wire.connections == 1
    assert await asyncio.gather(*(wire.post(fetcher) for _ in range(12))) == [202] * 12
    assert 2 <= wire.connections <= 8, "at most eight to one host"


async def test_a_kept_connection_that_was_closed_meanwhile_is_replaced_once(wire: Wire, fetcher: Fetcher) -> None:
    wire.answers = [ANSWER, b"", ANSWER]
    assert await wire.post(fetcher, b"one") == 202
    assert await wire.post(fetcher, b"two") == 202
    assert [request[-3:] for request in wire.requests] == [b"one", b"two", b"two"]
    wire.answers = [b"", b"", b""]
    with pytest.raises(Unreachable, match="broke"):
        await wire.post(fetcher)
    assert len(wire.answers) == 1, "a fresh connection that breaks is not tried again"


async def test_an_answer_that_ends_the_connection_or_says_more_than_asked_keeps_nothing(wire: Wire, fetcher: Fetcher) -> None:
    for answer in (
        b"HTTP/1.1 202 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        ANSWER + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ):
        wire.answers, before = [answer], wire.connections
        assert await wire.post(fetcher) == 202
        await asyncio.sleep(0.05)
        assert await wire.post(fetcher) == 202
        assert wire.connections - before >= 1
        assert wire.answers == []


async def test_a_broken_answer_is_no_answer(wire: Wire, fetcher: Fetcher) -> None:
    broken = (
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
    )
    for answer in broken:
        wire.answers = [answer]
        with pytest.raises(Unreachable):
            await wire.post(fetcher)
        assert await wire.post(fetcher) == 202


async def test_who_never_answers_is_given_up_and_its_connection_with_it(
    wire: Wire, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.1)
    wire.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na"]
    with pytest.raises(Unreachable, match="no answer"):
        await wire.post(fetcher)
    monkeypatch.undo()
    assert await wire.post(fetcher) == 202
    assert wire.connections == 2


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=3), st.text(max_size=20))
def test_no_header_or_target_becomes_two_lines(headers: dict[str, str], target: str) -> None:
    try:
        made = head("GET", target, headers, None)
    except ValueError:
        return
    assert made.count(b"\r\n") == len(headers) + 2
    assert made.endswith(b"\r\n\r\n")
