"""Shows that a backup does not fill the disk on which the node lives: where there is no room for it, none is begun."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from fedcollab.backup import keeping, making, printed, sets
from fedcollab.base import config
from fedcollab.base.errors import Misconfigured
from fedcollab.base.paths import NodeFiles

SETTINGS = 'name = "Meridian"\nbase_url = "https://node.example.org"\n'
KEPT = keeping.Kept(printed.pair(bytes(range(32))).public, b"s" * 32)


def node(place: Path) -> NodeFiles:
    """A node's directory with a database and a member's file of 100 kB."""
    files = NodeFiles(place)
    files.uploads.mkdir(parents=True)
    files.settings.write_text(SETTINGS)
    files.key.write_text("0123456789abcdef" * 4)
    (files.uploads / "one").write_bytes(b"x" * 100_000)
    with sqlite3.connect(files.database) as made:
        made.execute("CREATE TABLE words (word TEXT)")
    made.close()
    return files


async def nothing() -> dict[str, list[str]]:
    return {}


@pytest.mark.rule("R6")
async def test_without_room_nothing_is_begun_and_with_it_a_backup_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, backups, free = node(tmp_path / "node"), tmp_path / "backups", 100_000
    real = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: real._replace(free=free))
    settings = config.load(files.root, {})

    async def make() -> making.Made:
        return await making.create(files, settings, KEPT, backups, say=lambda *_: None, erased=nothing)

    with pytest.raises(Misconfigured, match="has 0 MB free, and a backup needs 1"):
        await make()
    assert sets.listed(backups) == []
    assert not (files.root / "backup.tmp").exists()
    free = 1_000_000
    made = await make()
    assert sets.listed(backups) == [made.path]
