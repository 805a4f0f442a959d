"""Shows that nothing of a node but its database lies in clear beside it while a backup is made, and that what goes wrong is said."""

import asyncio
import errno
from pathlib import Path

import pytest

from fedcollab.backup import keeping, making, printed, restoring, sets
from fedcollab.backup.store import Store
from fedcollab.base import config
from fedcollab.base.clock import DAY
from fedcollab.base.database import open_database
from fedcollab.base.errors import Misconfigured
from fedcollab.base.migrate import migrate
from fedcollab.base.paths import NodeFiles
from fedcollab.base.room import Room
from tests.rows import START, Hands

KEY = bytes(range(32))
SETTINGS = 'name = "Meridian"\nbase_url = "https://node.example.org"\n'


def quiet(_what: str, _done: int, _of: int) -> None:
    """Says nothing."""


async def nothing() -> dict[str, list[str]]:
    return {}


def node(place: Path, **uploads: bytes) -> NodeFiles:
    """A node's directory with these files in it."""
    files = NodeFiles(place)
    files.uploads.mkdir(parents=True)
    files.settings.write_text(SETTINGS)
    files.key.write_text("0123456789abcdef" * 4 + "\n")
    files.key.chmod(0o600)
    for name, text in uploads.items():
        (files.uploads / name).write_bytes(text)
    database = open_database(f"sqlite:///{files.database}")
    migrate(database.engine)
    database.close()
    return files


async def create(files: NodeFiles, directory: Path, day: int = 0) -> making.Made:
    kept, clock = keeping.Kept(printed.pair(KEY).public, b"s" * 32), Hands(START + day * DAY)
    return await making.create(files, config.load(files.root, {}), kept, directory, say=quiet, erased=nothing, clock=clock)


async def test_of_a_nodes_files_nothing_is_put_beside_it_in_clear_and_all_of_them_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, seen = node(tmp_path / "node", one=b"1" * 1000, two=b"2" * 600_000), list[Path]()
    opened, check = making.check, making.check

    def look(place: Path) -> None:
        seen.extend(path for path in place.rglob("*") if path.is_file())
        opened(place)

    monkeypatch.setattr(making, "check", look)
    made = await create(files, tmp_path / "backups")
    monkeypatch.setattr(making, "check", check)
    assert [path.name for path in seen] == ["node.db"]
    assert not (files.root / "backup.tmp").exists()
    assert await asyncio.to_thread(restoring.rehearse, tmp_path / "backups", made.path, printed.pair(KEY), say=quiet) == 0
    _, manifest = sets.read(made.path, printed.pair(KEY).private)
    assert "fedcollab restore THIS_DIRECTORY" in (tmp_path / "backups" / "README").read_text(), "whoever finds it knows what it is"
    assert [(file.path, file.size) for file in manifest.files[1:]] == [("files/one", 1000), ("files/two", 600_000)]


async def test_what_a_member_takes_away_meanwhile_does_not_end_the_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = node(tmp_path / "node", one=b"1", two=b"2")
    before = making.stored

    def stored(which: NodeFiles) -> list[Path]:
        found = before(which)
        found[0].unlink()
        return found

    monkeypatch.setattr(making, "stored", stored)
    made = await create(files, tmp_path / "backups")
    _, manifest = sets.read(made.path, printed.pair(KEY).private)
    assert [file.path for file in manifest.files] == ["node.db", "files/two"]


async def test_a_damaged_piece_is_mended_by_the_next_backup(tmp_path: Path) -> None:
    files, directory = node(tmp_path / "node", one=b"1" * 1000), tmp_path / "backups"
    first = await create(files, directory)
    store = Store(directory / "pieces", b"s" * 32)
    for name in store.names():
        store.path(name).write_bytes(b"torn")
    second = await create(files, directory)
    assert second.written == first.size
    for made in (first, second):
        assert all(store.sound(name) for name in sets.head(made.path).pieces)


async def test_a_file_that_the_disk_gives_back_otherwise_is_no_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, directory = node(tmp_path / "node", one=b"1" * 1000), tmp_path / "backups"
    put = Store.put

    def torn(store: Store, plain: bytes) -> tuple[bytes, bool]:
        found = put(store, plain)
        if plain == b"1" * 1000:
            store.path(store.name(found[0])).write_bytes(b"torn")
        return found

    monkeypatch.setattr(Store, "put", torn)
    with pytest.raises(Misconfigured, match="damaged"):
        await create(files, directory)
    assert sets.listed(directory) == []


async def test_a_copy_that_would_fill_the_nodes_disk_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = node(tmp_path / "node")
    size = files.database.stat().st_size
    for more, fits in ((51_000_000, True), (49_000_000, False)):  # a tenth of the reserve stays
        monkeypatch.setattr(Room, "figures", lambda _room, more=more: (size + more, 10**12))
        if fits:
            await create(files, tmp_path / "backups")
            continue
        with pytest.raises(Misconfigured, match="Make room"):
            await create(files, tmp_path / "backups")
    assert len(sets.listed(tmp_path / "backups")) == 1
    assert not (files.root / "backup.tmp").exists()


async def test_on_a_full_disk_what_is_not_kept_any_more_goes_so_that_the_next_night_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, directory = node(tmp_path / "node", one=b"1" * 1000), tmp_path / "backups"
    old = await create(files, directory)
    (files.uploads / "one").write_bytes(b"2" * 1000)
    young = await create(files, directory, 1)
    (files.uploads / "one").write_bytes(b"3" * 1000)
    pieces = len(list(Store(directory / "pieces", b"").names()))

    def full(_number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            await create(files, directory, 20)
    assert sets.listed(directory) == [young.path]
    assert not old.path.exists()
    assert len(list(Store(directory / "pieces", b"").names())) == pieces - 1, "neither the old one's nor what was half written"
    newest = await create(files, directory, 20)
    assert sets.listed(directory) == [newest.path]


async def test_a_database_that_cannot_be_copied_is_said_so_in_words(tmp_path: Path) -> None:
    files = node(tmp_path / "node")
    with pytest.raises(Misconfigured, match=r"could not be copied.*Make room"):
        await making.copy_sqlite(files.database, tmp_path / "none" / "node.db", quiet)
    files.database.write_bytes(b"no database " * 1000)
    with pytest.raises(Misconfigured, match="could not be copied"):
        await making.copy_sqlite(files.database, tmp_path / "node.db", quiet)


def test_a_database_that_is_none_any_more_is_said_so_in_words(tmp_path: Path) -> None:
    (tmp_path / making.DATABASE).write_bytes(b"no database " * 1000)
    with pytest.raises(Misconfigured, match="not whole"):
        making.check(tmp_path)
