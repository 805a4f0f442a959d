"""A full disk: a file is refused in words and leaves nothing, and everything else works."""

import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from fedcollab.base import blobs
from fedcollab.base.errors import Unavailable
from fedcollab.base.room import Room
from fedcollab.files import uploading

from .holder import PDF, Sender, library, rows, stored


@pytest.mark.rule("R6")
async def test_a_file_that_would_reach_the_reserve_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        held = await ilse.upload()
        monkeypatch.setattr(Room, "figures", lambda self: (500_000_000, 10_000_000_000))
        status, told = await ilse.begin("film.mp4", 100_000_000)
        assert (status, "no room for this file" in told["error"]) == (507, True)
        monkeypatch.setattr(Room, "figures", lambda self: (100_000_000, 10_000_000_000))
        status, _, page = await ilse.form("a.pdf", PDF)
        assert (status, "almost full" in page) == (507, True)
        assert (await ilse.ask("GET", f"/files/{held}"))[2] == PDF
        assert (await ilse.ask("GET", "/settings"))[0] == 200
        assert (len(stored(here)), (await rows(here))["upload"]) == (1, 0)
        monkeypatch.undo()


@pytest.mark.rule("R6")
@pytest.mark.parametrize("way", ["form", "parts"])
async def test_a_disk_that_fills_up_in_the_middle_leaves_no_bytes_and_no_2xx(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, full = os.pwrite, True

    def pwrite(handle: int, data: Any, at: int) -> int:
        if full and at >= blobs.PIECE:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, data, at)

    async with library(tmp_path, monkeypatch) as (here, _):
        ilse, data = Sender(await here.member("ilse")), b"a line of text\n" * 100_000
        monkeypatch.setattr(blobs.os, "pwrite", pwrite)
        if way == "form":
            status, _, page = await ilse.form("a.txt", data)
            assert "disk is full" in page
        else:
            _, begun = await ilse.begin("a.txt", len(data))
            status, _, told = await ilse.part(begun["id"], 0, data)
            assert "is kept for a day" in told["error"]
        assert status == 507
        assert sum(path.stat().st_size for path in stored(here)) == 0
        assert (await rows(here))["upload"] == (0 if way == "form" else 1)  # which can be gone on with
        assert (await rows(here))["file"] == 0
        assert (await ilse.ask("GET", "/settings"))[0] == 200
        full = False
        if way == "parts":
            assert (await ilse.part(begun["id"], 0, data))[0] == 201
        assert await ilse.upload("a.txt", data)


@pytest.mark.rule("R6")
async def test_a_disk_that_is_full_when_a_file_moves_into_the_store_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(path: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        with monkeypatch.context() as patch:
            patch.setattr(blobs, "_move", no_room)
            assert (await ilse.form("a.pdf", PDF))[0] == 507
        assert stored(here) == []
        assert (await rows(here))["upload"] == 0
        assert (await ilse.form("a.pdf", PDF))[0] == 303


def test_a_store_on_another_disk_takes_a_file_as_a_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "a", tmp_path / "ab" / "b"
    source.write_bytes(PDF)
    real = Path.replace

    def other_disk(path: Path, to: Path) -> Path:
        if path == source:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return real(path, to)

    monkeypatch.setattr(Path, "replace", other_disk)
    blobs._move(source, target)
    assert target.read_bytes() == PDF
    assert target.stat().st_mode & 0o777 == 0o600
    assert not source.exists()
    source.write_bytes(PDF)
    with monkeypatch.context() as patch:
        patch.setattr(blobs.shutil, "copyfileobj", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        with pytest.raises(OSError, match="full"):
            blobs._move(source, tmp_path / "cd" / "d")
    assert list((tmp_path / "cd").iterdir()) == []
    assert source.exists()


@pytest.mark.rule("R6")
async def test_what_others_fill_meanwhile_is_noticed_before_more_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free, written, real = [5_000_000_000], [0], os.pwrite

    def pwrite(handle: int, data: Any, at: int) -> int:
        written[0] += len(data)
        return real(handle, data, at)

    async with library(tmp_path, monkeypatch) as (here, _):
        ilse, data = Sender(await here.member("ilse")), b"a line of text\n" * 100_000
        monkeypatch.setattr(Room, "figures", lambda self: (free[0], 10_000_000_000))
        monkeypatch.setattr(blobs.os, "pwrite", pwrite)
        _, begun = await ilse.begin("a.txt", len(data))
        assert (await ilse.part(begun["id"], 0, data[:500_000]))[0] == 204
        free[0] = 100_000_000
        before = written[0]
        status, _, told = await ilse.part(begun["id"], 500_000, data[500_000:])
        assert (status, "is kept for a day" in told["error"]) == (507, True)
        assert (written[0], [path.stat().st_size for path in stored(here)]) == (before, [500_000])
        free[0] = 5_000_000_000
        status, _, told = await ilse.part(begun["id"], 500_000, data[500_000:])
        assert status == 201, told
        assert (await ilse.ask("GET", f"/files/{told['id']}"))[2] == data


@pytest.mark.rule("R6")
async def test_what_did_not_fit_of_a_part_is_not_in_the_hash_of_what_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, full = os.pwrite, True

    def pwrite(handle: int, data: Any, at: int) -> int:
        if full and at >= 3 * blobs.PIECE:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, data[:100_000], at)  # a disk may take less than it is given

    async with library(tmp_path, monkeypatch) as (here, _):
        ilse, data = Sender(await here.member("ilse")), b"a line of text\n" * 100_000
        _, begun = await ilse.begin("a.txt", len(data))
        assert (await ilse.part(begun["id"], 0, data[:300_000]))[0] == 204
        monkeypatch.setattr(blobs.os, "pwrite", pwrite)
        assert (await ilse.part(begun["id"], 300_000, data[300_000:]))[0] == 507
        assert [path.read_bytes() for path in stored(here)] == [data[:300_000]]
        full = False
        status, _, told = await ilse.part(begun["id"], 300_000, data[300_000:])
        assert status == 201, told
        _, headers, came = await ilse.ask("GET", f"/files/{told['id']}")
        assert came == data
        assert headers["ETag"] == f'"{hashlib.sha256(data).hexdigest()}"'


@pytest.mark.rule("R6")
async def test_a_disk_that_is_full_at_the_last_step_costs_nothing_of_what_has_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(path: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        _, begun = await ilse.begin("a.pdf", len(PDF))
        with monkeypatch.context() as patch:
            patch.setattr(blobs, "_move", no_room)
            assert (await ilse.part(begun["id"], 0, PDF))[0] == 507
        assert (await ilse.ask("HEAD", f"/uploads/{begun['id']}"))[1]["Upload-Offset"] == str(len(PDF))
        assert (await ilse.part(begun["id"], len(PDF), b""))[0] == 201
        assert (len(stored(here)), (await rows(here))["upload"]) == (1, 0)


@pytest.mark.rule("R6")
async def test_a_file_that_the_store_has_and_the_database_has_not_begins_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise Unavailable(reason="busy")

    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        _, begun = await ilse.begin("a.pdf", len(PDF))
        with monkeypatch.context() as patch:
            patch.setattr(uploading, "keep", busy)
            assert (await ilse.part(begun["id"], 0, PDF))[0] == 503
        assert (await ilse.ask("HEAD", f"/uploads/{begun['id']}"))[0] == 404
        assert (await rows(here))["upload"] == 0
        await ilse.upload("a.pdf", PDF)


@pytest.mark.rule("R6")
async def test_a_file_needs_its_room_once_and_leaves_enough_for_what_people_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse, data = Sender(await here.member("ilse")), b"a line of text\n" * 100_000
        free = 1_000_000_000 + len(data)  # twice the reserve, and the file
        monkeypatch.setattr(Room, "figures", lambda _: (free - sum(path.stat().st_size for path in stored(here)), 100_000_000_000))
        await ilse.upload("a.txt", data)
        status, told = await ilse.begin("b.txt", 1)
        assert (status, "no room for this file" in told["error"]) == (507, True)
        here.kernel.node.room.need()
