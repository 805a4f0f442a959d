"""Files go out: to whom their holders let read them and nobody else, as what no browser runs, whole or exactly the range asked for."""

import json
from pathlib import Path

import pytest

from fedcollab.access.viewer import ANYBODY as NOBODY
from fedcollab.files.ranges import OutOfRange, part
from fedcollab.files.views import disposition
from tests.web import Visitor

from .holder import ANYBODY, PDF, Sender, library, stored

TEXT = bytes(range(32, 127)) * 20
GIF = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"


def is_closed(headers: "dict[str, str]") -> bool:
    """Whether a browser that follows the headers runs nothing of what it gets."""
    return (
        headers["Content-Disposition"].startswith("attachment;")
        and headers["X-Content-Type-Options"] == "nosniff"
        and headers["Content-Security-Policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"
    )


@pytest.mark.rule("FILE-01")
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        ("a.html", b"<!doctype html><script>alert(1)</script>"),
        ("a.xhtml", b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>'),
        ("a.xml", b'<?xml version="1.0"?><?xml-stylesheet href="x.xsl"?><a/>'),
        ("a.mht", b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>"),
        ("a.js", b"alert(1)"),
        ("a.pdf", PDF.replace(b"/Type /Catalog", b"/Type /Catalog /OpenAction << /S /JavaScript /JS (app.alert(1)) >>")),
    ],
)
async def test_what_could_run_is_refused_or_goes_out_as_what_no_browser_runs(
    name: str, data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        status, location, _ = await ilse.form(name, data)
        if status == 422:
            assert stored(here) == []
        else:
            status, headers, body = await ilse.ask("GET", "/files/" + location.partition("file=")[2])
            assert (status, body) == (200, data)
            assert is_closed(headers)
            assert headers["Content-Type"] in ("application/pdf", "text/plain", "text/csv", "text/markdown")
        assert (await ilse.ask("GET", f"/files/{await ilse.upload()}"))[0] == 200


@pytest.mark.rule("FILE-02")
async def test_the_type_is_what_the_bytes_are_whatever_the_name_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        file_id = await ilse.upload("a.html", GIF)
        status, headers, body = await ilse.ask("GET", f"/files/{file_id}")
        assert (status, headers["Content-Type"]) == (200, "image/gif")
        assert body.startswith(b"GIF89a")
        assert is_closed(headers)
        assert "a.html" not in headers["Content-Disposition"]


@pytest.mark.rule("FILE-05")
async def test_no_upload_is_ever_a_document_of_activitypub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, holder):
        ilse, nobody = Sender(await here.member("ilse")), Sender(here.stranger(), "x")
        actor = {"@context": "https://www.w3.org/ns/activitystreams", "id": here.url + "/actor", "type": "Organization", "inbox": "x"}
        status, location, _ = await ilse.form("actor.json", json.dumps(actor).encode())
        if status == 303:
            file_id = location.partition("file=")[2]
            holder.things[file_id] = {ANYBODY}
            for who in (ilse, nobody):
                _, headers, _ = await who.ask("GET", f"/files/{file_id}", Accept="application/activity+json")
                assert "json" not in headers["Content-Type"]
                assert is_closed(headers)
        else:
            assert status == 422
        _, headers, _ = await nobody.ask("GET", "/actor", Accept="application/activity+json")
        assert headers["Content-Type"].startswith("application/activity+json")


@pytest.mark.rule("CONF-05")
async def test_who_may_not_read_what_holds_a_file_finds_nothing_at_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, holder):
        ilse, omar, nobody = Sender(await here.member("ilse")), Sender(await here.member("omar")), Sender(here.stranger(), "x")
        file_id = await ilse.upload()
        addresses = [
            f"/files/{file_id}",
            f"/files/{file_id}/preview",
            f"/files?uri={here.url}/files/{file_id}",
        ]
        absent = await answer(nobody, "/files/01890000-0000-7000-8000-000000000000")

        async def sees(who: Sender) -> bool:
            found = [await answer(who, address) for address in addresses]
            assert all(one[0] in (404, 405) for one in found[1:]), found
            assert found[0][0] == 200 or found[0] == await answer(who, "/files/01890000-0000-7000-8000-000000000000")
            return found[0][0] == 200

        assert [await sees(who) for who in (ilse, omar, nobody)] == [True, False, False]  # nothing holds it: its uploader's alone
        holder.things[file_id] = {omar.visitor.viewer.organisation_id}
        assert [await sees(who) for who in (ilse, omar, nobody)] == [True, True, False]
        holder.things[file_id] = {"another organisation"}  # as after a removal: its uploader is no exception
        assert [await sees(who) for who in (ilse, omar, nobody)] == [False, False, False]
        assert absent[1] == "no-store"
        holder.things[file_id] = {ANYBODY}
        assert [await sees(who) for who in (ilse, omar, nobody)] == [True, True, True]


async def answer(who: Sender, path: str) -> tuple[int, str]:
    status, headers, _ = await who.ask("GET", path)
    return status, headers["Cache-Control"]


async def test_only_what_is_public_may_be_kept_by_a_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, holder):
        ilse = Sender(await here.member("ilse"))
        file_id = await ilse.upload()
        status, headers, _ = await ilse.ask("GET", f"/files/{file_id}")
        assert headers["Cache-Control"] == "no-store"
        holder.things[file_id] = {ANYBODY}
        status, headers, _ = await ilse.ask("GET", f"/files/{file_id}")
        assert headers["Cache-Control"] == "private, no-cache"
        for said in (headers["ETag"], f'"x", W/{headers["ETag"]}', "*"):
            status, _, body = await ilse.ask("GET", f"/files/{file_id}", **{"If-None-Match": said})
            assert (status, body) == (304, b""), said
        assert (await ilse.ask("GET", f"/files/{file_id}", **{"If-None-Match": '"other"'}))[0] == 200
        holder.things[file_id] = {"another organisation"}
        assert (await ilse.ask("GET", f"/files/{file_id}", **{"If-None-Match": headers["ETag"]}))[0] == 404


async def test_a_range_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        file_id, size = await ilse.upload("a.txt", TEXT), len(TEXT)
        for said, start, end in (
            ("0-0", 0, 1),
            ("5-9", 5, 10),
            (f"{size - 1}-", size - 1, size),
            ("-3", size - 3, size),
            ("0-99999", 0, size),
        ):
            status, headers, body = await ilse.ask("GET", f"/files/{file_id}", Range=f"bytes={said}")
            assert (status, body) == (206, TEXT[start:end]), said
            assert headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
            assert is_closed(headers)
        tag = headers["ETag"]
        assert (await ilse.ask("GET", f"/files/{file_id}", **{"Range": "bytes=0-1", "If-Range": tag}))[0] == 206
        assert (await ilse.ask("GET", f"/files/{file_id}", **{"Range": "bytes=0-1", "If-Range": '"old"'}))[0] == 200
        status, headers, body = await ilse.ask("HEAD", f"/files/{file_id}")
        assert (status, body, headers["Content-Length"]) == (200, b"", str(size))


@pytest.mark.rule("FILE-12")
@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("bytes=١-٢", 200),
        ("bytes=-0", 416),
        ("bytes=--5", 200),
        ("bytes=5-2", 200),
        ("bytes=999999-", 416),
        ("bytes=9999999999999999999999-", 200),
        ("bytes=" + ",".join("0-0" for _ in range(1000)), 200),
        ("bytes=0-1,5-9", 200),
        ("lines=0-1", 200),
        ("bytes", 200),
        ("bytes=-", 200),
        ("bytes=a-b", 200),
        ("bytes=0x1-0x2", 200),
        ("bytes= 0-1", 200),
        ("", 200),
    ],
)
async def test_an_odd_range_is_no_error_of_ours(said: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        file_id = await ilse.upload("a.txt", TEXT)
        found, headers, body = await ilse.ask("GET", f"/files/{file_id}", Range=said)
        assert found == status
        if status == 200:
            assert body == TEXT
        else:
            assert headers["Content-Range"] == f"bytes */{len(TEXT)}"
        assert (await ilse.ask("GET", f"/files/{file_id}", Range="bytes=0-1"))[0] == 206


@pytest.mark.rule("FILE-12")
def test_ranges_are_read_in_one_way() -> None:
    assert part("bytes=0-4", 10) == (0, 5)
    assert part("bytes=-20", 10) == (0, 10)
    assert part("", 10) is None
    with pytest.raises(OutOfRange):
        part("bytes=10-", 10)


def test_a_name_in_any_script_is_said_so_that_old_and_new_browsers_read_it() -> None:
    assert disposition("guide.pdf") == "attachment; filename=\"guide.pdf\"; filename*=UTF-8''guide.pdf"
    said = disposition('คู่มือ"; x=1\\.pdf')
    assert said.startswith('attachment; filename="______')
    assert '"; x' not in said
    assert "\\" not in said
    assert said.isascii()


async def test_bytes_that_are_missing_are_said_and_are_no_500(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        file_id = await ilse.upload()
        stored(here)[0].unlink()
        status, _, text = await ilse.ask("GET", f"/files/{file_id}")
        assert status == 503
        assert "not where they should be" in text.decode()


async def test_a_link_in_the_store_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        file_id = await ilse.upload()
        [path] = stored(here)
        path.unlink()
        path.symlink_to(here.place / "node.key")
        status, _, body = await ilse.ask("GET", f"/files/{file_id}")
        assert status == 503
        assert (here.place / "node.key").read_bytes() not in body


async def test_a_tool_or_page_of_nobody_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        nobody = Visitor(here, NOBODY)
        assert (await nobody.get("/files/%00"))[0] == 404
        assert (await nobody.get("/files/" + "x" * 5000))[0] == 404
        assert (await nobody.get("/files/../node.key"))[0] == 404
