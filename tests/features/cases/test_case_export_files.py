"""Files that go along in a case's signed copy: those that may be opened, whole; a changed, cut or marked one is seen or left out."""

import os
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from fedcollab.base.canonical import canonical
from fedcollab.cli import app
from fedcollab.sealing.bundle_files import PIECE
from fedcollab.sealing.room_models import SealedFile
from tests.features.cases.desks import Office, office
from tests.features.cases.filed import send
from tests.features.cases.test_case_export import Lines, kinds, lines, run

LONG = os.urandom(PIECE + 100_000)


@pytest.fixture
async def at(tmp_path: Path) -> Any:
    async with office(tmp_path) as made:
        yield made


async def taken(at: Office, case: str, **fields: str) -> bytes:
    form = {"token": await at["noor"].token(f"/cases/{case}/export")} | fields
    status, _, body = await at["noor"].ask("POST", f"/cases/{case}/export", form)
    assert status == 200
    return body.encode()


async def filed(at: Office) -> str:
    """A case with two files."""
    case = await at.case("noor")
    for content, name in ((LONG, "scan.bin"), (b"She called from the station.", "notes.txt")):
        assert (await send(at["noor"], case, content, name))[0] == 303
    return case


@pytest.mark.rule("P9")
async def test_files_go_along_where_asked_for_and_come_out_in_clear_under_numbers(at: Office, tmp_path: Path) -> None:
    case = await filed(at)
    without = await taken(at, case)
    assert kinds(lines(without), "piece") == []
    code, said = run(tmp_path, without)
    assert (code, "what is in 2 files that entries name" in said) == (0, True)
    assert await at.sql("SELECT count(*) FROM room_entry WHERE action = 'room.file_read'") == [(0,)]
    bundle = await taken(at, case, files="yes")
    assert await at.sql("SELECT count(*) FROM room_entry WHERE action = 'room.file_read'") == [(2,)]
    assert b"She called" not in bundle  # sealed as it lies there
    into = tmp_path / "files"
    code, said = run(tmp_path, bundle, "--files", str(into))
    assert code == 0, said
    assert {one.name: one.read_bytes() for one in into.iterdir()} == {"0001": LONG, "0002": b"She called from the station."}
    assert "file 0002 is the one that an entry names: notes.txt" in said
    assert CliRunner().invoke(app, ["verify", str(tmp_path / "case.jsonl"), "--files", str(into)]).exit_code == 2  # it is there already
    assert len(list(into.iterdir())) == 2


@pytest.mark.rule("P9")
async def test_a_changed_cut_or_foreign_file_is_seen_and_nothing_of_it_is_left(at: Office, tmp_path: Path) -> None:
    bundle = await taken(at, await filed(at), files="yes")

    def changed(found: Lines) -> None:
        piece = kinds(found, "piece")[0]["is"]
        piece["data"] = piece["data"][:100] + ("A" if piece["data"][100] != "A" else "B") + piece["data"][101:]

    def cut(found: Lines) -> None:
        found.remove(kinds(found, "piece")[1])

    def swapped(found: Lines) -> None:
        first, second, third = kinds(found, "piece")
        first["is"]["of"] = second["is"]["of"] = third["is"]["of"]

    def foreign(found: Lines) -> None:
        kinds(found, "piece")[2]["is"]["of"] += "x"

    for number, change in enumerate((changed, cut, swapped, foreign)):
        found = lines(bundle)
        change(found)
        into = tmp_path / f"files{number}"
        code, said = run(tmp_path, b"".join(canonical(one) + b"\n" for one in found), "--files", str(into))
        assert code == 1, (change.__name__, said)
        assert all(one.read_bytes() in (LONG, b"She called from the station.") for one in into.iterdir())
        assert len(list(into.iterdir())) < 2


@pytest.mark.rule("P23")
async def test_a_marked_file_never_goes_along(at: Office, tmp_path: Path) -> None:
    case = await filed(at)
    marked = sa.update(SealedFile).where(SealedFile.size > PIECE).values(marked_at=1)
    await at.site.write(lambda session, _node: session.execute(marked) and None)
    bundle = await taken(at, case, files="yes")
    code, said = run(tmp_path, bundle, "--files", str(tmp_path / "files"))
    assert code == 0, said
    assert [one.read_bytes() for one in (tmp_path / "files").iterdir()] == [b"She called from the station."]
    assert "scan.bin" not in bundle.decode()
