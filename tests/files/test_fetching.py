"""Partners' files: fetched when a member first opens them, checked before anybody gets them, kept within a quota, shown where refused."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from fedcollab.admin import partners as acts
from fedcollab.base import http
from fedcollab.base.clock import new_id
from fedcollab.base.room import MEGABYTE
from fedcollab.federation import partners
from fedcollab.files import fetching, quotas, service
from fedcollab.files.service import Attachment
from fedcollab.files.shelves import SHELVES
from tests.files.holder import PDF, Holder, Sender, library, stored
from tests.nodes import Rogue, rogue, until
from tests.web import Site

WORDS = b"What helps when a driver, a landlord and an agency say the same.\n"


@dataclass
class Pair:
    """A node of ours, a partner that serves what a test wants, and a member who opens files."""

    here: Site
    holder: Holder
    other: Rogue
    member: Sender
    organisation_id: str
    asked: dict[str, int]

    async def learn(self, name: str, data: bytes | None, **said: Any) -> str:
        """Has the partner serve `data` and our node know of it; what is said of it is right but for `said`. Answers the file's id here."""
        path = f"/files/{new_id()}"
        if data is not None:
            self.serve(path, data)
        data = data or b""
        what = dict(media_type="text/plain", size=len(data), sha256=hashlib.sha256(data).hexdigest()) | said
        about = Attachment(self.other.uri(path), name, **what)
        file_id = str(await self.here.write(service.learn, self.organisation_id, about))
        self.holder.things[file_id] = {self.member.visitor.viewer.organisation_id}
        return file_id

    def serve(self, path: str, data: bytes) -> None:
        def answer(request: web.Request) -> web.Response:
            self.asked[path] = self.asked.get(path, 0) + 1
            assert "Signature" in request.headers
            return web.Response(body=data, content_type="application/octet-stream")

        self.other.documents[path] = answer

    async def open(self, file_id: str) -> tuple[int, Any, Any]:
        return await self.member.ask("GET", f"/files/{file_id}")

    @staticmethod
    async def until(what: str, true: Callable[[], bool]) -> None:
        async def probe() -> bool:
            return true()

        await until(what, probe)

    async def state(self, file_id: str) -> tuple[str, str]:
        found = (await self.here.kernel.database.read(service.of, [file_id]))[file_id]
        return found.state, found.reason


@contextlib.asynccontextmanager
async def pair(root: Path, monkeypatch: pytest.MonkeyPatch, *more: Rogue, **settings: object) -> AsyncIterator[Pair]:
    other = await rogue()
    try:
        async with library(root, monkeypatch, loopback_peers=[f"127.0.0.1:{one.port}" for one in (other, *more)], **settings) as (
            here,
            holder,
        ):
            admin = await here.member("admin", "admin", "member")
            await acts.add(here.kernel, admin.viewer, other.uri("/actor"), approve=True)
            found = await here.kernel.database.read(partners.find, f"127.0.0.1:{other.port}")
            yield Pair(here, holder, other, Sender(await here.member("ilse")), found.organisation_id, {})
    finally:
        for one in (other, *more):
            await one.stop()


async def test_a_partners_file_is_fetched_when_it_is_opened_and_then_it_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pair(tmp_path, monkeypatch) as two:
        file_id = await two.learn("notes.txt", WORDS)
        assert (await two.state(file_id), two.asked) == (("away", ""), {})
        for _ in range(2):
            status, headers, body = await two.open(file_id)
            assert (status, body, headers["Content-Type"]) == (200, WORDS, "text/plain")
        assert (await two.state(file_id), list(two.asked.values())) == (("here", ""), [1])
        [path] = stored(two.here)
        assert path.is_relative_to(two.here.kernel.node.files.cache)


async def test_many_who_open_it_at_once_wait_for_one_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pair(tmp_path, monkeypatch) as two:
        file_id = await two.learn("notes.txt", WORDS * 1000)
        found = await asyncio.gather(*(two.open(file_id) for _ in range(8)))
        assert {(status, body) for status, _, body in found} == {(200, WORDS * 1000)}
        assert list(two.asked.values()) == [1]


@pytest.mark.parametrize(
    ("data", "said", "reason"),
    [
        (WORDS, {"sha256": "0" * 64}, "hash"),
        (WORDS, {"size": 5}, "size"),
        (WORDS, {"size": 500, "sha256": ""}, "size"),
        (PDF, {"media_type": "image/png"}, "type"),
        (b"<!doctype html><script>alert(1)</script>", {}, "type"),
        (b"MZ" + bytes(500), {"media_type": ""}, "type"),
    ],
)
async def test_what_is_not_what_was_said_is_refused_and_shown(
    data: bytes, said: dict[str, Any], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pair(tmp_path, monkeypatch) as two:
        file_id = await two.learn("notes.txt", data, **said)
        status, _, page = await two.open(file_id)
        assert status == 502
        assert (await two.state(file_id)) == ("refused", reason)
        assert "It was refused." in page.decode()
        assert data not in page
        assert stored(two.here) == []
        assert (await two.open(file_id))[0] == 502  # and not asked for again by itself
        assert list(two.asked.values()) == [1]
        assert (await two.open(await two.learn("good.txt", WORDS)))[0] == 200


async def test_a_moderator_has_a_refused_file_fetched_again_and_a_member_can_t(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pair(tmp_path, monkeypatch) as two:
        file_id = await two.learn("notes.txt", WORDS, sha256=hashlib.sha256(PDF).hexdigest(), media_type="application/pdf", size=0)
        assert (await two.open(file_id))[0] == 502
        two.serve(next(iter(two.asked)), PDF)
        status, _, _ = await two.member.visitor.post(f"/files/{file_id}/again")
        assert (status, await two.state(file_id)) == (404, ("refused", "hash"))
        moderator = await two.here.member("mo", "moderator", "member")
        assert (await moderator.post(f"/files/{file_id}/again"))[0] == 303
        assert (await two.open(file_id))[2] == PDF


async def test_what_a_partner_says_anew_is_fetched_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pair(tmp_path, monkeypatch) as two:
        file_id = await two.learn("notes.txt", WORDS)
        assert (await two.open(file_id))[2] == WORDS
        path = next(iter(two.asked))
        two.serve(path, PDF)
        about = Attachment(two.other.uri(path), "guide.pdf", "application/pdf", len(PDF), hashlib.sha256(PDF).hexdigest())
        assert await two.here.write(service.learn, two.organisation_id, about) == file_id
        assert (await two.open(file_id))[2] == PDF
        await two.until("the bytes of before are gone", lambda: len(stored(two.here)) == 1)


async def test_a_partner_that_is_down_is_said_so_with_when_to_try_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pair(tmp_path, monkeypatch) as two:
        file_id = await two.learn("notes.txt", WORDS)
        two.other.answer = _busy
        status, headers, page = await two.open(file_id)
        assert (status, headers["Retry-After"]) == (503, "60")
        assert f"lies on the node of 127.0.0.1:{two.other.port}, which does not answer just now" in page.decode()
        assert await two.state(file_id) == ("away", "")
        asked = files_asked(two)
        assert (await two.open(file_id))[0] == 503
        assert files_asked(two) == asked  # left alone for a minute
        two.other.answer = None
        two.here.runner.app[SHELVES].failed.clear()
        assert (await two.open(file_id))[0] == 200


def files_asked(two: Pair) -> int:
    """How often the other was asked for a file; what is delivered to it meanwhile is no question."""
    return sum(request.method == "GET" and request.path.startswith("/files/") for request in two.other.asked)


async def _busy(_request: web.Request) -> web.Response:
    return web.Response(status=503)


async def test_what_a_partner_gives_out_no_more_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pair(tmp_path, monkeypatch) as two:
        file_id = await two.learn("notes.txt", None, size=5)
        status, _, page = await two.open(file_id)
        assert status == 404
        assert "does not give it out any more" in page.decode()


async def test_a_transfer_that_stalls_ends_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stalls(request: web.Request) -> web.StreamResponse | None:
        if not request.path.startswith("/files/"):
            return None
        response = web.StreamResponse(headers={"Content-Length": "100000"})
        await response.prepare(request)
        await response.write(b"x" * 1000)
        await asyncio.sleep(3)
        return response

    monkeypatch.setattr(http, "WINDOW", 0.3)
    async with pair(tmp_path, monkeypatch) as two:
        file_id = await two.learn("notes.txt", None, size=100_000)
        two.other.answer = stalls
        assert (await two.open(file_id))[0] == 503
        assert stored(two.here) == []
        assert await two.state(file_id) == ("away", "")


async def test_who_waits_too_long_is_told_so_while_the_fetch_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    going_on = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse | None:
        if request.path.startswith("/files/"):
            await going_on.wait()
        return None

    monkeypatch.setattr(fetching, "PATIENCE", 0.2)
    async with pair(tmp_path, monkeypatch) as two:
        file_id = await two.learn("notes.txt", WORDS)
        two.other.answer = slow
        status, _, page = await two.open(file_id)
        assert (status, "being fetched" in page.decode()) == (503, True)
        going_on.set()
        await two.until("it has come", lambda: not two.here.runner.app[SHELVES].fetching)
        assert (await two.open(file_id))[0] == 200
        assert list(two.asked.values()) == [1]


@pytest.mark.rule("R11")
async def test_a_partner_that_sends_slowly_keeps_nobody_elses_files_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    going_on = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse | None:
        if request.path.startswith("/files/"):
            await going_on.wait()
        return None

    usual = fetching.PATIENCE
    monkeypatch.setattr(fetching, "PATIENCE", 0.5)
    monkeypatch.setattr(fetching, "OF_ONE", 8)
    other = await rogue("S")
    async with pair(tmp_path, monkeypatch, other) as two:
        bad = await also(two, other)
        bad.other.answer = slow
        held = [await bad.learn(f"{number}.txt", WORDS + b"%d" % number) for number in range(9)]
        assert {status for status, _, _ in await asyncio.gather(*(bad.open(file_id) for file_id in held))} == {503}
        assert len(two.here.runner.app[SHELVES].fetching) == 8  # the ninth waits nowhere
        monkeypatch.setattr(fetching, "PATIENCE", usual)
        assert (await two.open(await two.learn("good.txt", WORDS)))[2] == WORDS
        going_on.set()
        await two.until("all have come", lambda: not two.here.runner.app[SHELVES].turns)
        assert [(await bad.open(file_id))[0] for file_id in held] == [200] * 9


async def also(two: Pair, other: Rogue) -> Pair:
    """The same node with another partner."""
    admin = await two.here.member("boss", "admin", "member")
    await acts.add(two.here.kernel, admin.viewer, other.uri("/actor"), approve=True)
    found = await two.here.kernel.database.read(partners.find, f"127.0.0.1:{other.port}")
    return replace(two, other=other, organisation_id=found.organisation_id, asked={})


@pytest.mark.rule("FILE-09")
async def test_partners_files_never_take_more_than_their_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pair(tmp_path, monkeypatch, cache_quota=1, cache_share=100) as two:
        posted = [await two.learn(f"{number}.txt", WORDS * 4000 + b"%d" % number) for number in range(40)]  # 10 MB announced
        assert stored(two.here) == []  # nothing is fetched that nobody opens
        for file_id in posted[:8]:
            assert (await two.open(file_id))[0] == 200
            held = await two.here.kernel.database.read(quotas.cached_bytes)
            assert held <= 1 * MEGABYTE
        await two.until("the bytes are gone too", lambda: sum(path.stat().st_size for path in stored(two.here)) <= 1 * MEGABYTE)
        states = [(await two.state(file_id))[0] for file_id in posted[:8]]
        assert states == ["away"] * 5 + ["here"] * 3  # those that were read least recently are gone
        assert (await two.open(posted[0]))[0] == 200
        await two.member.upload()  # and our own members' files still come in


@pytest.mark.rule("FILE-09")
async def test_one_partner_takes_no_more_than_its_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pair(tmp_path, monkeypatch, cache_quota=2, cache_share=50) as two:
        for number in range(6):
            assert (await two.open(await two.learn(f"{number}.txt", WORDS * 4000 + b"%d" % number)))[0] == 200
        assert await two.here.kernel.database.read(quotas.cached_bytes, two.organisation_id) <= 1 * MEGABYTE
        large = await two.learn("large.txt", WORDS * 20_000)
        status, _, page = await two.open(large)
        assert (status, "larger than what this node keeps" in page.decode()) == (413, True)
        assert (await two.open(await two.learn("small.txt", WORDS)))[0] == 200


async def test_a_file_of_which_no_size_is_said_is_taken_up_to_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "UNSAID", 100_000)
    async with pair(tmp_path, monkeypatch) as two:
        assert (await two.open(await two.learn("a.txt", WORDS, size=0, sha256="", media_type="")))[2] == WORDS
        assert (await two.open(await two.learn("b.txt", WORDS * 4000, size=0, sha256="")))[0] == 502
        assert len(stored(two.here)) == 1


async def test_who_is_no_partner_any_more_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pair(tmp_path, monkeypatch) as two:
        file_id = await two.learn("notes.txt", WORDS)
        await two.here.kernel.database.write(_suspend, two)
        before = files_asked(two)
        assert (await two.open(file_id))[0] == 503
        assert files_asked(two) == before


def _suspend(session: Any, two: Pair) -> None:
    partners.move(session, two.here.kernel.node, None, partners.find(session, f"127.0.0.1:{two.other.port}"), "suspended")


async def test_a_file_on_another_host_than_its_organisations_is_not_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fedcollab.base.errors import BadRequest

    async with pair(tmp_path, monkeypatch) as two:
        for uri in ("https://canary.example/x", two.here.url + "/files/x", "http://127.0.0.1:1/x"):
            with pytest.raises(BadRequest):
                await two.here.write(service.learn, two.organisation_id, Attachment(uri, "x"))
        assert await two.learn("good.txt", WORDS)


async def test_who_has_not_signed_in_makes_us_fetch_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pair(tmp_path, monkeypatch) as two:
        file_id = await two.learn("notes.txt", WORDS)
        two.holder.things[file_id] = {"anybody"}
        status, headers, _ = await Sender(two.here.stranger(), "x").ask("GET", f"/files/{file_id}")
        assert (status, headers["Location"].startswith(two.other.url)) == (303, True)
        assert two.asked == {}
        assert (await two.open(file_id))[0] == 200
        assert (await Sender(two.here.stranger(), "x").ask("GET", f"/files/{file_id}"))[2] == WORDS


async def test_a_partner_gets_ours_by_signed_get_under_the_label_and_nobody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pair(tmp_path, monkeypatch) as two:
        own, theirs = await two.member.upload(), await two.learn("notes.txt", WORDS)
        two.holder.things[own] = {two.member.visitor.viewer.organisation_id}
        assert (await two.other.get(two.here, f"/files/{own}"))[0] == 404  # type: ignore[arg-type]
        two.holder.things[own] = {two.organisation_id}
        status, headers, _ = await two.other.get(two.here, f"/files/{own}")  # type: ignore[arg-type]
        assert (status, headers["Content-Type"]) == (200, "application/pdf")
        two.holder.things[theirs] = {two.organisation_id, two.member.visitor.viewer.organisation_id}
        assert (await two.other.get(two.here, f"/files/{theirs}"))[0] == 404  # type: ignore[arg-type]
        assert two.asked == {}
        uri = (await two.here.kernel.database.read(service.of, [theirs]))[theirs].uri
        assert (await two.other.get(two.here, f"/files?uri={uri}"))[0] == 200  # type: ignore[arg-type]
        two.holder.things[theirs] = {two.member.visitor.viewer.organisation_id}
        assert (await two.other.get(two.here, f"/files?uri={uri}"))[0] == 404  # type: ignore[arg-type]
        assert (await two.member.ask("GET", f"/files?uri={uri}"))[0] == 404
