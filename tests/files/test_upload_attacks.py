"""Attacks on uploads by a member: another's upload, forms that say no length or come slowly, names that are no text."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcollab.files import pace
from fedcollab.files.receiving import OFFSET
from fedcollab.files.shelves import SHELVES
from tests.nodes import until

from .holder import PDF, Sender, library, rows, stored

TEXT = b"a line of plain text, as people write them\n" * 20_000
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


def form(token: str, name: bytes, data: bytes) -> bytes:
    """The form without script, byte by byte."""
    head = f'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n{token}\r\n--b\r\n'.encode()
    return head + b'Content-Disposition: form-data; name="file"; filename=' + name + b"\r\n\r\n" + data + b"\r\n--b--\r\n"


async def in_two(data: bytes, pause: float = 0.0) -> AsyncIterator[bytes]:
    yield data[: len(data) // 2]
    await asyncio.sleep(pause)
    yield data[len(data) // 2 :]


async def test_nobody_else_cuts_an_upload_that_is_coming_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse, omar = Sender(await here.member("ilse")), Sender(await here.member("omar"))
        _, begun = await ilse.begin("notes.txt", len(TEXT))
        coming = asyncio.create_task(ilse.part(begun["id"], 0, in_two(TEXT, 0.8)))
        await asyncio.sleep(0.3)
        for method in ("HEAD", "DELETE"):
            assert (await omar.ask(method, f"/uploads/{begun['id']}"))[0] == 404
        assert (await omar.part(begun["id"], 0, TEXT))[0] == 404
        assert (await coming)[0] == 201
        assert await rows(here) == {"file": 1, "upload": 0, "gone_bytes": 0, "audit_entry": (await rows(here))["audit_entry"]}


@pytest.mark.rule("R6")
async def test_a_form_that_does_not_say_how_long_it_is_counts_as_the_largest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch, files_quota=2, file_limit=1) as (here, _):
        ilse = Sender(await here.member("ilse"))
        ilse.token = await ilse.visitor.token("/settings")
        sent = form(ilse.token, b'"notes.txt"', TEXT)
        assert (await ilse.ask("POST", "/files", in_two(sent), **FORM))[0] == 303
        before = stored(here)
        await ilse.upload("more.txt", b"x" * 400_000)
        status, _, page = await ilse.ask("POST", "/files", in_two(sent), **FORM)
        assert (status, "used up" in page.decode()) == (507, True)
        assert len(stored(here)) == len(before) + 1
        assert (await ilse.form("small.txt", TEXT[:1000]))[0] == 303


@pytest.mark.rule("R11")
async def test_a_form_that_comes_slowly_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        monkeypatch.setattr(pace, "SILENCE", 0.3)
        sent = f"name=a.pdf&size=9&token={ilse.token}".encode()
        for path in ("/uploads", "/files"):
            status, _, _ = await ilse.ask("POST", path, in_two(sent, 5), **{"Content-Type": "application/x-www-form-urlencoded"})
            assert status == 408
        assert (await rows(here))["upload"] == 0
        assert (await ilse.form("a.pdf", PDF))[0] == 303


async def drops(data: bytes, each: int, pause: float) -> AsyncIterator[bytes]:
    for at in range(0, len(data), each):
        yield data[at : at + each]
        await asyncio.sleep(pause)


@pytest.mark.rule("R11")
@pytest.mark.parametrize("way", ["form", "parts"])
async def test_who_sends_a_byte_now_and_then_is_ended_and_a_weak_network_is_not(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse, omar, shelves = Sender(await here.member("ilse")), Sender(await here.member("omar")), here.runner.app[SHELVES]
        monkeypatch.setattr(pace, "LEAST", 100)
        monkeypatch.setattr(pace, "WINDOW", 0.6)
        data = TEXT[:4000]
        if way == "form":
            ilse.token = await ilse.visitor.token("/settings")
            coming = asyncio.create_task(ilse.ask("POST", "/files", drops(form(ilse.token, b'"a.txt"', data), 4, 0.05), **FORM))
        else:
            _, begun = await ilse.begin("a.txt", len(data))
            coming = asyncio.create_task(ilse.part(begun["id"], 0, drops(data, 4, 0.05)))

        async def comes() -> bool:
            return shelves.senders.total() == 1

        await until("it comes in", comes)
        await omar.upload("b.txt", data)  # nothing that others need is held meanwhile: no writing, no transaction
        status, _, told = await coming
        assert (status, "Almost nothing came" in (told.decode() if way == "form" else told["error"])) == (408, True)
        assert shelves.senders.total() == 0

        monkeypatch.setattr(pace, "WINDOW", 0.3)
        if way == "form":
            assert sum(path.stat().st_size for path in stored(here)) == len(data)
            sent = form(ilse.token, b'"a.txt"', data)
            assert (await ilse.ask("POST", "/files", drops(sent, 200, 0.04), **FORM))[0] == 303
        else:
            at = int((await ilse.ask("HEAD", f"/uploads/{begun['id']}"))[1][OFFSET])
            assert 0 < at < 1000
            assert (await ilse.part(begun["id"], at, drops(data[at:], 200, 0.04)))[0] == 201
        assert (await rows(here))["upload"] == 0


@pytest.mark.rule("FILE-04")
@pytest.mark.parametrize(
    "name", [b'"\xff\xfe.txt"', b"\"a\"; filename*=utf-8''%ED%A0%80.txt", b"\"a\"; filename*=utf-16''%FF%FE.txt", b'"\xed\xa0\x80.txt"']
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the program does not show it either
async def test_a_name_that_is_no_text_stores_the_file_or_says_why_not(name: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        ilse.token = await ilse.visitor.token("/settings")
        status, headers, _ = await ilse.ask("POST", "/files", form(ilse.token, name, TEXT[:500]), **FORM)
        assert status in (303, 400, 422)
        if status == 303:
            status, headers, body = await ilse.ask("GET", "/files/" + headers["Location"].partition("file=")[2])
            assert (status, body) == (200, TEXT[:500])
        assert (await rows(here))["upload"] == 0
        urlencoded = {"Content-Type": "application/x-www-form-urlencoded"}
        for said in ("%FF%FE.txt", "%ED%A0%80.txt", "a%00b"):
            status, _, _ = await ilse.ask("POST", "/uploads", f"name={said}&size=9&token={ilse.token}".encode(), **urlencoded)
            assert status in (201, 400)
        assert (await ilse.form("a.pdf", PDF))[0] == 303


@pytest.mark.parametrize("signed_in", [True, False], ids=["a member", "a stranger"])
async def test_a_member_hears_why_after_all_is_sent_and_a_stranger_s_body_is_not_read(
    signed_in: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with library(tmp_path, monkeypatch, file_limit=1) as (here, _):
        who = Sender(await here.member("ilse") if signed_in else here.stranger(), "x")
        size = 3_000_000
        lines = ["POST /files HTTP/1.1", f"Host: {here.kernel.node.settings.host}", f"Content-Length: {size}"]
        lines += ["Cookie: " + "; ".join(f"{k}={v}" for k, v in who.visitor.cookies.items())] if signed_in else []
        lines += [f"Content-Type: {FORM['Content-Type']}", "", ""]
        name, _, port = here.kernel.node.settings.listen.rpartition(":")
        reader, writer = await asyncio.open_connection(name, int(port))
        writer.write("\r\n".join(lines).encode() + b"x" * 1000)
        early = await asyncio.wait({answer := asyncio.create_task(reader.readline())}, timeout=1.0 if signed_in else 10.0)
        assert (answer in early[0]) is not signed_in
        writer.write(b"x" * (size - 1000))
        assert (await asyncio.wait_for(answer, 10)).split()[1] == (b"413" if signed_in else b"401")
        writer.close()
        assert (await rows(here))["upload"] == 0
        assert (await Sender(await here.member("omar")).form("a.pdf", PDF))[0] == 303
