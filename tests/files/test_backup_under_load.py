"""A backup that is made while files come and go: restored, each row has its bytes and each of the bytes its row."""

import asyncio
import contextlib
import hashlib
from pathlib import Path

import pytest
import sqlalchemy as sa

from fedcollab.app import FEATURES
from fedcollab.backup import keeping, making, printed, restoring
from fedcollab.base.database import open_database
from fedcollab.base.paths import NodeFiles
from fedcollab.files import service
from fedcollab.files.models import HERE, File
from tests.rows import session_on

from .holder import PDF, Sender, library

PAIR = printed.pair(bytes(range(32)))


def quiet(_what: str, _done: int, _of: int) -> None:
    """Says nothing."""


async def nothing() -> dict[str, list[str]]:
    return {}


@pytest.mark.rule("R14")
async def test_files_match_their_rows_after_a_backup_under_load_and_a_restore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch) as (here, holder):
        ilse, kept, over = Sender(await here.member("ilse")), list[str](), asyncio.Event()
        enough = asyncio.Event()

        async def come_and_go() -> None:
            while not over.is_set():
                kept.append(await ilse.upload("a.pdf", PDF + f"% {len(kept)}".encode()))
                holder.things[kept[-1]] = {"anybody"}
                if len(kept) > 8:
                    enough.set()
                    gone = kept.pop(0)
                    del holder.things[gone]
                    await here.write(service.let_go, [gone])

        hands = [asyncio.create_task(come_and_go()) for _ in range(2)]
        try:
            await enough.wait()
            files = here.kernel.node.files
            of_key = keeping.Kept(PAIR.public, b"s" * 32)
            settings = here.kernel.node.settings
            making_it = making.create(files, settings, of_key, tmp_path / "backups", say=quiet, erased=nothing)
            made = await asyncio.to_thread(asyncio.run, making_it)  # as its own process does
            await asyncio.sleep(0.2)
        finally:
            over.set()
            await asyncio.gather(*hands)
        assert len(kept) > 5
    units = [unit for feature in FEATURES for unit in feature.restored]
    await asyncio.to_thread(restoring.restore, tmp_path / "backups", made.path, PAIR, tmp_path / "again", say=quiet, units=units)
    rows, lying = known(tmp_path / "again"), {path.name: path for path in (tmp_path / "again" / "files").rglob("*") if path.is_file()}
    assert len(rows) > 3
    assert set(rows) == set(lying)
    assert {key: hashlib.sha256(path.read_bytes()).hexdigest() for key, path in lying.items()} == rows
    assert {path.stat().st_mode & 0o777 for path in lying.values()} == {0o600}


def known(place: Path) -> dict[str, str]:
    """{key: hash} of the files that the database says are here."""
    database = open_database(f"sqlite:///{NodeFiles(place).database}")
    with contextlib.closing(database), session_on(database.engine) as session:
        return {row.key: row.sha256 for row in session.execute(sa.select(File.key, File.sha256).where(File.state == HERE))}
