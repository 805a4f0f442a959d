"""Files go: when nothing holds them any more, bytes after the commit; what a backup brings back fits what lies on the disk."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import DAY
from fedcollab.files import service, sweeping, taken_away, uploading
from fedcollab.files.holding import HOLDS
from fedcollab.files.models import File, Upload
from fedcollab.files.shelves import SHELVES
from tests.nodes import until
from tests.web import Site

from .holder import PDF, Sender, library, rows, stored


async def sweep(here: Site) -> None:
    await sweeping.sweep(here.kernel, here.runner.app[SHELVES], here.runner.app[HOLDS])


async def later(here: Site, days: int = 2) -> None:
    """Has everything happened so long ago."""

    def back(session: Any) -> None:
        for column in (File.look_at, Upload.updated_at):
            session.execute(sa.update(column.table).values({column.key: column - days * DAY}))

    await here.kernel.database.write(back)


async def test_what_is_put_to_nothing_goes_after_a_day_and_what_is_held_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, holder):
        ilse = Sender(await here.member("ilse"))
        held, loose = await ilse.upload(), await ilse.upload()
        holder.things[held] = {"anybody"}
        await sweep(here)
        assert len(stored(here)) == 2
        await later(here)
        await sweep(here)
        assert [(await ilse.ask("GET", f"/files/{one}"))[0] for one in (held, loose)] == [200, 404]
        assert len(stored(here)) == 1
        assert (await rows(here))["file"] == 1


async def test_what_is_let_go_is_gone_at_once_unless_something_else_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, holder):
        ilse = Sender(await here.member("ilse"))
        both, one = await ilse.upload(), await ilse.upload()
        holder.things = {both: {"anybody"}}
        await here.write(service.let_go, [both, one])

        async def gone() -> bool:
            return len(stored(here)) == 1

        await until("its bytes are gone", gone)
        assert (await ilse.ask("GET", f"/files/{both}"))[0] == 200


async def test_bytes_stay_while_a_backup_runs_and_go_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        file_id = await ilse.upload()
        (here.place / "backup.tmp").mkdir()
        await here.write(service.let_go, [file_id])
        await sweep(here)
        assert (await ilse.ask("GET", f"/files/{file_id}"))[0] == 404
        assert len(stored(here)) == 1  # the backup's database still says that it is there
        (here.place / "backup.tmp").rmdir()
        await sweep(here)
        assert stored(here) == []


async def test_an_upload_that_nobody_goes_on_with_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        _, begun = await ilse.begin("a.pdf", len(PDF))
        assert (await ilse.part(begun["id"], 0, PDF[:10]))[0] == 204
        await sweep(here)
        assert len(stored(here)) == 1
        await later(here)
        await sweep(here)
        assert stored(here) == []
        assert (await rows(here))["upload"] == 0


async def test_what_a_process_left_that_died_is_cleared_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        _, begun = await ilse.begin("a.pdf", len(PDF))
        assert (await ilse.part(begun["id"], 0, PDF[:10]))[0] == 204
        left = here.kernel.node.files.arriving / "00" / ("0" * 32)
        left.parent.mkdir(exist_ok=True)
        left.write_bytes(b"x")
        await sweeping._begin(here.kernel, here.runner.app[SHELVES])
        assert not left.exists()
        assert (await ilse.part(begun["id"], 10, PDF[10:]))[0] == 201


async def test_an_upload_that_begins_while_a_node_starts_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse, shelves, came = Sender(await here.member("ilse")), here.runner.app[SHELVES], list[str]()

        async def meanwhile() -> None:
            _, begun = await ilse.begin("a.pdf", len(PDF))
            assert (await ilse.part(begun["id"], 0, PDF[:10]))[0] == 204
            came.append(begun["id"])

        read, found = here.kernel.database.read, type(shelves.arriving).found

        async def slow_read(work: Any, *args: Any, **kwargs: Any) -> Any:
            answer = await read(work, *args, **kwargs)
            if work is sweeping._coming and not came:
                await meanwhile()
            return answer

        async def slow_list(arriving: Any) -> list[str]:
            listed = await found(arriving)
            await meanwhile()
            return listed

        for patched, patch in ((here.kernel.database, {"read": slow_read}), (type(shelves.arriving), {"found": slow_list})):
            came.clear()
            with monkeypatch.context() as slow:
                for name, work in patch.items():
                    slow.setattr(patched, name, work)
                await sweeping._begin(here.kernel, shelves)
            assert (await ilse.part(came[0], 10, PDF[10:]))[0] == 201


async def test_a_file_is_put_to_something_by_its_uploader_alone_and_then_waits_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fedcollab.base.errors import NotFound

    async with library(tmp_path, monkeypatch) as (here, _):
        ilse, omar = Sender(await here.member("ilse")), Sender(await here.member("omar"))
        file_id = await ilse.upload()
        for viewer in (omar.visitor.viewer, here.stranger().viewer):
            with pytest.raises(NotFound):
                await here.write(service.attachable, viewer, file_id)
        found = await here.write(service.attachable, ilse.visitor.viewer, file_id)
        assert (found.id, found.name, found.path) == (file_id, "guide.pdf", f"/files/{file_id}")
        with pytest.raises(NotFound):
            await here.write(service.attachable, ilse.visitor.viewer, "01890000-0000-7000-8000-000000000000")


@pytest.mark.rule("P11")
async def test_a_file_that_was_taken_away_does_not_come_back_with_an_older_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, holder):
        ilse = Sender(await here.member("ilse"))
        gone, kept = await ilse.upload(), await ilse.upload()
        before = here.kernel.node.now()
        holder.things = {kept: {"anybody"}}
        await later(here)
        await sweep(here)
        listed = await here.kernel.database.read(taken_away.listed, before - 1000)
        assert listed == [gone]
    async with library(tmp_path / "older", monkeypatch) as (older, holder):
        ilse = Sender(await older.member("ilse"))
        one, two = await ilse.upload(), await ilse.upload()
        holder.things = {one: {"anybody"}, two: {"anybody"}}
        await older.write(taken_away.take_again, one)
        await sweep(older)
        assert [(await ilse.ask("GET", f"/files/{each}"))[0] for each in (one, two)] == [410, 200]
        assert len(stored(older)) == 1
        with pytest.raises(Exception, match="nothing here"):
            await older.write(taken_away.take_again, one)


@pytest.mark.rule("R14")
async def test_after_a_backup_comes_back_the_files_on_the_disk_are_those_of_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with library(tmp_path, monkeypatch) as (here, _):
        ilse = Sender(await here.member("ilse"))
        await ilse.upload()
        _, begun = await ilse.begin("a.pdf", len(PDF))
        assert (await ilse.part(begun["id"], 0, PDF[:10]))[0] == 204
        uploading.close(here.runner.app[SHELVES], begun["id"])
        files = here.kernel.node.files
        for place in (files.uploads, files.cache):  # what came in after the database was copied; partners' files of before
            (place / "00").mkdir(parents=True, exist_ok=True)
            (place / "00" / ("0" * 32)).write_bytes(b"x")
        assert len(stored(here)) == 4
        await here.write(taken_away.begin_anew, 0)
        assert len(stored(here)) == 1
        known = await here.kernel.database.read(lambda session: list(session.scalars(sa.select(File.key))))
        assert [path.name for path in stored(here)] == known
        assert (await rows(here))["upload"] == 0
