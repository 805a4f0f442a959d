"""Files come in: by a form, or by an upload that goes on where it broke off; what is wrong leaves nothing behind."""

import asyncio
import contextlib
import hashlib
import socket
from pathlib import Path

import aiohttp
import pytest

from fedcollab.files import uploading
from fedcollab.files.naming import label
from fedcollab.files.receiving import COMPLETE, OFFSET, PARTIAL, TOKEN
from fedcollab.files.shelves import SHELVES
from tests.nodes import until

from .holder import PDF, Sender, library, rows, stored

TEXT = b"a line of plain text, as people write them\n" * 60_000  # 2.6 MB: far over what other addresses take


async def test_a_file_comes_by_a_plain_form_and_its_id_goes_back_to_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        status, location, text = await ilse.form("Prüfliste für Behörden.pdf", PDF)
        assert (status, location.partition("file=")[0]) == (303, "/settings?"), text
        status, headers, body = await ilse.ask("GET", f"/files/{location.partition('file=')[2]}")
        assert (status, body, headers["Content-Type"]) == (200, PDF, "application/pdf")
        assert "filename*=UTF-8''Pr%C3%BCfliste%20f%C3%BCr%20Beh%C3%B6rden.pdf" in headers["Content-Disposition"]
        assert headers["ETag"] == f'"{hashlib.sha256(PDF).hexdigest()}"'
        assert len(stored(here)) == 1
        assert (await rows(here))["upload"] == 0


async def test_a_form_may_be_larger_than_what_any_other_address_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        status, location, text = await ilse.form("notes.txt", TEXT)
        assert status == 303, text
        assert (await ilse.ask("GET", "/files/" + location.partition("file=")[2]))[2] == TEXT
        assert (await ilse.ask("POST", "/settings", TEXT, **{"Content-Type": "application/x-www-form-urlencoded"}))[0] == 413


async def test_a_refused_file_leads_back_to_the_form_and_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        status, _, text = await ilse.form("tool.exe", b"MZ" + bytes(500), path="/files?next=/library/new")
        assert (status, '<a class="btn main" href="/library/new">' in text) == (422, True)
        for away in ("//evil.example", "https://evil.example", "/\\evil.example"):
            _, _, text = await ilse.form("tool.exe", b"MZ" + bytes(500), path=f"/files?next={away}")
            assert "evil.example" not in text.partition("<footer")[0]


async def test_a_form_of_another_site_stores_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        before = await rows(here)
        assert (await ilse.form("a.pdf", PDF, token="0" * 64))[0] == 403
        sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in ilse.visitor.cookies.items())}
        status, _, _ = await ilse.ask("POST", "/uploads", {"name": "a.pdf", "size": "9", "token": "wrong"}, **sent)
        assert status == 403
        assert (await ilse.ask("POST", "/uploads", {"name": "a", "size": "9", "token": ilse.token}, Origin="https://evil.example"))[
            0
        ] == 403
        assert (await ilse.begin("a.pdf", len(PDF)))[0] == 201
        assert (await rows(here))["file"] == before["file"]
        assert stored(here) == []
        assert (await ilse.form("a.pdf", PDF))[0] == 303


async def test_who_has_not_signed_in_sends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        nobody = Sender(here.stranger(), "x")
        assert (await nobody.form("a.pdf", PDF))[0] == 401
        assert (await nobody.begin("a.pdf", 9))[0] == 401
        assert stored(here) == []
        assert (await rows(here))["upload"] == 0


async def test_an_upload_that_was_cut_goes_on_where_it_broke_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        _, begun = await ilse.begin("notes.txt", len(TEXT))
        cut_at = len(TEXT) * 7 // 10
        await cut(ilse, begun["id"], TEXT[:cut_at], len(TEXT))
        status, headers, _ = await ilse.ask("HEAD", f"/uploads/{begun['id']}")
        at = int(headers[OFFSET])
        assert (status, headers[COMPLETE]) == (204, "?0")
        assert 0 < at <= cut_at
        assert (await ilse.part(begun["id"], at, TEXT[at : at + 1000]))[0] == 204
        status, _, told = await ilse.part(begun["id"], at + 1000, TEXT[at + 1000 :])
        assert (status, told["size"]) == (201, len(TEXT))
        assert (await ilse.ask("GET", f"/files/{told['id']}"))[2] == TEXT


async def cut(by: Sender, upload_id: str, data: bytes, announced: int) -> None:
    """Sends the beginning of a body, and loses the connection."""
    by.token = by.token or await by.visitor.token("/settings")
    host = by.visitor.site.kernel.node.settings.host
    lines = [
        f"PATCH /uploads/{upload_id} HTTP/1.1",
        f"Host: {host}",
        "Cookie: " + "; ".join(f"{k}={v}" for k, v in by.visitor.cookies.items()),
        f"{TOKEN}: {by.token}",
        f"Content-Type: {PARTIAL}",
        f"{OFFSET}: 0",
        f"Content-Length: {announced}",
    ]
    name, _, port = by.visitor.site.kernel.node.settings.listen.rpartition(":")
    _, writer = await asyncio.open_connection(name, int(port))
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + data)
    await writer.drain()
    await asyncio.sleep(0.3)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.close()


async def test_an_upload_goes_on_after_the_node_was_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        _, begun = await ilse.begin("notes.txt", len(TEXT))
        assert (await ilse.part(begun["id"], 0, TEXT[:1_000_000]))[0] == 204
        uploading.close(here.runner.app[SHELVES], begun["id"])  # as a new process begins: nothing is in hand
        with stored(here)[0].open("ab") as file:
            file.write(b"what was not safe yet when the power failed")
        _, headers, _ = await ilse.ask("HEAD", f"/uploads/{begun['id']}")
        assert headers[OFFSET] == "1000000"
        status, _, told = await ilse.part(begun["id"], 1_000_000, TEXT[1_000_000:])
        assert status == 201, told
        assert (await ilse.ask("GET", f"/files/{told['id']}"))[2] == TEXT


async def test_bytes_for_another_place_are_refused_with_the_right_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse, omar = Sender(await here.member("ilse")), Sender(await here.member("omar"))
        _, begun = await ilse.begin("a.pdf", len(PDF))
        assert (await ilse.part(begun["id"], 0, PDF[:10]))[0] == 204
        for wrong in ("0", "11", "-1", "x", "١٠"):
            status, headers, _ = await ilse.ask("PATCH", f"/uploads/{begun['id']}", b"zz", **{OFFSET: wrong, "Content-Type": PARTIAL})
            assert (status, headers[OFFSET]) == (409, "10"), wrong
        assert (await omar.part(begun["id"], 10, PDF[10:]))[0] == 404
        assert (await omar.ask("HEAD", f"/uploads/{begun['id']}"))[0] == 404
        assert (await ilse.part(begun["id"], 10, PDF[10:]))[0] == 201


async def test_the_same_last_part_sent_twice_makes_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        _, begun = await ilse.begin("a.pdf", len(PDF))
        assert (await ilse.part(begun["id"], 0, PDF))[0] == 201
        status, headers, told = await ilse.part(begun["id"], 0, PDF)
        assert (status, headers[COMPLETE], told["id"]) == (409, "?1", begun["id"])
        assert (await rows(here))["file"] == 1
        assert len(stored(here)) == 1
        twice = await asyncio.gather(*(ilse.upload() for _ in range(2)))
        assert len(set(twice)) == 2


async def test_two_connections_for_one_upload_keep_one_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        _, begun = await ilse.begin("notes.txt", len(TEXT))
        hung = asyncio.create_task(cut_later(ilse, begun["id"]))
        await asyncio.sleep(0.2)
        status, headers, _ = await ilse.ask("HEAD", f"/uploads/{begun['id']}")  # the one that hangs is given up for it
        at = int(headers[OFFSET])
        assert status == 204
        assert (await ilse.part(begun["id"], at, TEXT[at:]))[0] == 201
        hung.cancel()
        await asyncio.gather(hung, return_exceptions=True)


async def cut_later(by: Sender, upload_id: str) -> None:
    async def slowly():  # type: ignore[no-untyped-def]
        yield TEXT[:300_000]
        await asyncio.sleep(30)

    await by.part(upload_id, 0, slowly())


async def test_an_upload_is_given_up_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        _, begun = await ilse.begin("notes.txt", len(TEXT))
        assert (await ilse.part(begun["id"], 0, TEXT[:1000]))[0] == 204
        assert len(stored(here)) == 1
        assert (await ilse.ask("DELETE", f"/uploads/{begun['id']}"))[0] == 204
        assert stored(here) == []
        assert (await ilse.ask("HEAD", f"/uploads/{begun['id']}"))[0] == 404


@pytest.mark.parametrize("size", ["0", "-1", "1e9", "", "99999999999999999999", "٣"])
async def test_an_odd_size_begins_nothing(size: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        ilse.token = await ilse.visitor.token("/settings")
        status, _, _ = await ilse.ask("POST", "/uploads", {"name": "a.pdf", "size": size, "token": ilse.token})
        assert status in (400, 413, 422)
        assert (await rows(here))["upload"] == 0
        await ilse.upload()


async def test_more_than_was_said_is_refused_and_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def chunked():  # type: ignore[no-untyped-def]
        yield PDF
        yield PDF

    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        _, begun = await ilse.begin("a.pdf", len(PDF))
        assert (await ilse.part(begun["id"], 0, PDF + b"x"))[0] == 413  # before it is read
        assert (await ilse.part(begun["id"], 0, chunked()))[0] == 413  # while it is read
        assert stored(here) == []
        assert (await rows(here))["upload"] == 0


async def test_an_empty_file_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        status, _, text = await ilse.form("a.txt", b"")
        assert status == 422
        assert "empty" in text
        status, told = await ilse.begin("a.txt", 0)
        assert (status, "0 bytes" in told["error"]) == (422, True)
        assert stored(here) == []
        assert (await rows(here))["upload"] == 0


async def test_a_file_over_the_limit_is_refused_before_and_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def five_gb(token: str):  # type: ignore[no-untyped-def]
        yield f'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n{token}\r\n'.encode()
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="notes.txt"\r\n\r\n'
        for _ in range(5000):
            yield b"x" * 1_000_000

    async with library(tmp_path, monkeypatch, file_limit=1) as (here, _):
        ilse = Sender(await here.member("ilse"))
        status, told = await ilse.begin("film.mp4", 5_000_000_000)
        assert (status, told["error"]) == (413, "A file may have at most 1 MB here. Make it smaller, or share it in another way.")
        assert (await ilse.form("notes.txt", TEXT))[0] == 413
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):  # a sender of 5 GB may hear nothing but the end
            form = {"Content-Type": "multipart/form-data; boundary=b"}
            assert (await ilse.ask("POST", "/files", five_gb(ilse.token), **form))[0] == 413
        assert stored(here) == []
        assert (await rows(here))["upload"] == 0
        assert (await ilse.form("notes.txt", TEXT[:900_000]))[0] == 303


@pytest.mark.rule("FILE-04")
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("/etc/cron.d/x.txt", "x.txt"),
        ("..\\..\\boot.txt", "boot.txt"),
        ("a\r\nSet-Cookie: x=1\r\n.txt", "a Set-Cookie: x=1 .txt"),
        ("nul\0byte.txt", "nul byte.txt"),
        ("CON", "CON"),
        ("..", "file"),
        ("\u202egpj.txt", "gpj.txt"),
        ("x" * 300 + ".txt", "x" * 196 + ".txt"),
        ("", "file"),
    ],
)
def test_a_name_is_only_a_label(said: str, shown: str) -> None:
    assert label(said) == shown


@pytest.mark.rule("FILE-04")
@pytest.mark.parametrize("name", ["../../../x.txt", "/tmp/x.txt", "..\\x.txt", "a\nb.txt", "nul\0.txt", "CON", "x" * 300 + ".txt"])
async def test_whatever_a_name_says_the_bytes_lie_under_a_random_one_in_the_store(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        outside = {path for path in tmp_path.rglob("*") if path.is_file() and "files" not in path.parts}
        status, begun = await ilse.begin(name, 5)
        assert status == 201
        status, _, told = await ilse.part(begun["id"], 0, b"hello")
        assert status == 201, told
        [path] = stored(here)
        files = here.kernel.node.files
        assert path.parent.parent == files.uploads
        assert path.name.isalnum()
        assert path.name[:2] == path.parent.name
        assert path.stat().st_mode & 0o777 == 0o600
        assert {place.stat().st_mode & 0o777 for place in (path.parent, files.uploads, files.arriving)} == {0o700}
        assert {path for path in tmp_path.rglob("*") if path.is_file() and "files" not in path.parts} == outside
        _, headers, _ = await ilse.ask("GET", f"/files/{told['id']}")
        assert headers["Content-Disposition"].startswith('attachment; filename="')


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        b"x" * 300_000,
        b"--b\r\n" + b"A: b\r\n" * 5000,
        b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n' + b"0" * 100_000,
        b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data; name=\xff\xfe\r\n\r\nx\r\n--b--\r\n",
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the program does not show it either
async def test_a_form_that_can_t_be_read_is_refused(body: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        status, _, _ = await ilse.ask("POST", "/files", body, **{"Content-Type": "multipart/form-data; boundary=b"})
        assert status in (400, 403)
        assert (await ilse.ask("POST", "/files", body, **{"Content-Type": "multipart/form-data"}))[0] == 400
        assert (await rows(here))["upload"] == 0
        assert (await ilse.form("a.pdf", PDF))[0] == 303


async def test_who_uploads_too_much_that_is_in_nothing_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch, file_limit=1, upload_quota=2) as (here, _):
        ilse, omar = Sender(await here.member("ilse")), Sender(await here.member("omar"))
        for _ in range(2):
            await ilse.upload("notes.txt", TEXT[:900_000])
        status, told = await ilse.begin("notes.txt", 900_000)
        assert (status, "2 MB" in told["error"]) == (422, True)
        await omar.upload("notes.txt", TEXT[:900_000])


async def test_the_room_of_the_node_for_files_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch, files_quota=1) as (here, _):
        ilse = Sender(await here.member("ilse"))
        await ilse.upload("notes.txt", TEXT[:900_000])
        status, told = await ilse.begin("notes.txt", 200_000)
        assert (status, "used up" in told["error"]) == (507, True)
        assert (await ilse.ask("GET", "/settings"))[0] == 200
        await ilse.upload("notes.txt", TEXT[:50_000])


async def test_slow_senders_do_not_hold_what_others_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        slow = [Sender(await here.member(f"slow{number}")) for number in range(4)]
        hung = []
        for one in slow:
            for _ in range(uploading.SENDERS_EACH):
                _, begun = await one.begin("notes.txt", len(TEXT))
                hung.append(asyncio.create_task(cut_later(one, begun["id"])))

        async def all_hang() -> bool:
            return here.runner.app[SHELVES].senders.total() == len(hung)

        await until("all are coming in", all_hang)
        _, told = await slow[0].begin("one_more.pdf", len(PDF))
        assert (await slow[0].part(told["id"], 0, PDF))[0] == 429  # one person has six at once
        ilse = Sender(await here.member("ilse"))
        form = {"token": await ilse.visitor.token("/settings"), "name": "Ilse", "summary": "x" * 100_000}
        assert (await ilse.ask("POST", "/settings", form))[0] != 503  # a large form of another address
        await ilse.upload()
        for one in hung:
            one.cancel()
        await asyncio.gather(*hung, return_exceptions=True)
