"""Decides how a backup is made: the database as at one moment, every file, the settings; read back and opened before it counts."""

import asyncio
import errno
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiosqlite

from fedcollab import __version__
from fedcollab.base.clock import Clock, system_clock
from fedcollab.base.config import Settings
from fedcollab.base.crash import reach
from fedcollab.base.errors import Misconfigured
from fedcollab.base.migrate import head as newest_step
from fedcollab.base.paths import NodeFiles
from fedcollab.base.room import MEGABYTE, TIGHT, Room

from . import postgres, printed, pruning, sets
from .keeping import Kept
from .store import Store, pieces

PAGES, REST = 2000, 0.005  # pages of the database copied at once, seconds of rest between: the node serves beside it
DATABASE, DUMP = "node.db", "node.dump"
README = """Backups of a fedcollab node, sealed: nothing in here can be read without the printed key, 13 groups of five letters and digits.

To bring the node back, install the program (the first line of the newest file that ends in .backup names its version), then type:

    fedcollab restore THIS_DIRECTORY NEW_DIRECTORY

It asks for the printed key. Take no file away by hand: the newer backups need pieces of the older ones. The folder "ring" holds the node's
key ring, apart and for two weeks at most. Keep no copy of it for longer: what was destroyed on the node has to be gone from here too.
"""
Say = Callable[[str, int, int], None]
Erased = Callable[[], Awaitable[dict[str, list[str]]]]


@dataclass(frozen=True)
class Made:
    """A backup that was made and has been opened: its file, its bytes in all, and how many of them had to be written anew."""

    path: Path
    size: int
    written: int


async def copy_sqlite(source: Path, target: Path, say: Say) -> None:
    """The database as it stands now, while others write to it. Under one read transaction the copy never begins again, as it does at each
    commit of another process without one (docs/decisions/0016-what-a-backup-is.md)."""
    address = f"{source.resolve().as_uri()}?mode=rw"
    try:
        await _copied(address, target, say)
    except sqlite3.Error as error:
        raise Misconfigured(
            "The database could not be copied to %(path)s (%(error)s). Make room there, as much as the database takes.",
            path=target,
            error=error,
        ) from None
    reach("backup.copied")


async def _copied(address: str, target: Path, say: Say) -> None:
    async with aiosqlite.connect(address, uri=True, isolation_level=None) as live, aiosqlite.connect(target, isolation_level=None) as copy:
        await live.execute("BEGIN")
        async with live.execute("SELECT count(*) FROM sqlite_master") as found:
            await found.fetchone()
        await live.backup(copy, pages=PAGES, sleep=REST, progress=lambda _, left, total: say("database", total - left, total))


async def _copy(files: NodeFiles, settings: Settings, place: Path, say: Say) -> None:
    if settings.database_url:
        await asyncio.to_thread(postgres.dump, settings.database_url, place / DUMP)
        reach("backup.copied")
    else:
        _need_room(files, settings)
        await copy_sqlite(files.database, place / DATABASE, say)


def _need_room(files: NodeFiles, settings: Settings) -> None:
    """The node writes on beside the copy. Raises Misconfigured where that would fill its disk."""
    room = Room(files.root, settings.disk_reserve * MEGABYTE)
    beside = (files.database, files.database.with_name(files.database.name + "-wal"))
    needed, free = sum(path.stat().st_size for path in beside if path.exists()), room.figures()[0]
    if free - needed < room.reserve // TIGHT:
        raise Misconfigured(
            "A backup puts a copy of the database beside it for a while: %(needed)s MB, and %(free)s MB are free there. Make room.",
            needed=needed // MEGABYTE + 1,
            free=free // MEGABYTE,
        )


@contextmanager
def scratch(files: NodeFiles) -> Iterator[Path]:
    """A folder in the node's directory for what must not lie elsewhere in clear; empty before and gone afterwards."""
    place = files.root / "backup.tmp"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def stored(files: NodeFiles) -> list[Path]:
    """The files that members have uploaded, in a fixed order."""
    return sorted(path for path in files.uploads.rglob("*") if path.is_file() and not path.is_symlink())


async def create(
    files: NodeFiles, settings: Settings, kept: Kept, directory: Path, *, say: Say, erased: Erased, clock: Clock = system_clock
) -> Made:
    """Makes a backup in `directory` and opens it; `erased` answers what has been taken away lately. Raises Misconfigured where that
    can't be used, another is being made there, or what was written is not what it should be. Backups that are older than
    `settings.backup_keep` days are gone afterwards."""
    store = Store(_prepared(directory) / "pieces", kept.secret)
    kind, written = ("postgresql", DUMP) if settings.database_url else ("sqlite", DATABASE), 0
    with pruning.alone(directory), _full(directory, store, settings, clock), scratch(files) as place:
        await _copy(files, settings, place, say)
        found: list[sets.File] = []
        listed = [(kind[1], place / kind[1]), *((str(path.relative_to(files.root)), path) for path in stored(files))]
        for at, (name, path) in enumerate(listed):
            with suppress(FileNotFoundError):  # a member has taken it away since it was listed
                file, new = _put(store, name, path)
                found.append(file)
                written += new
            say("files", at + 1, len(listed))
        manifest = sets.Manifest(kept.secret, _box(files, kept), files.settings.read_text("utf-8"), kind[0], tuple(found), await erased())
        head = sets.Head(clock(), __version__, newest_step(), printed.name(kept.public), settings.host, sets.names_of(found, store.name))
        reach("backup.stored")
        shutil.rmtree(place)
        place.mkdir(mode=0o700)
        fetch(store, found[:1], place, say)
        check(place)
        read_back(store, found[1:], say)
        path = sets.write(directory, head, manifest, kept.public)
        reach("backup.written")
        pruning.prune(directory, store, settings.host, clock(), settings.backup_keep)
    return Made(path, sum(file.size for file in found), written)


@contextmanager
def _full(directory: Path, store: Store, settings: Settings, clock: Clock) -> Iterator[None]:
    """On a disk that is full what is not kept any more goes although no new backup was made: the next try has that room."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            pruning.prune(directory, store, settings.host, clock(), settings.backup_keep)
        raise


def _prepared(directory: Path) -> Path:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        (directory / "pieces").mkdir(exist_ok=True, mode=0o700)
        if not (directory / "README").exists():
            (directory / "README").write_text(README, "utf-8")
            (directory / "README").chmod(0o600)  # as all that lies there: it is no open directory
    except OSError as error:
        raise Misconfigured(
            "%(path)s can't be written (%(error)s). Mount the disk, or: chown YOU %(path)s", path=directory, error=error.strerror
        ) from None
    return directory


def _box(files: NodeFiles, kept: Kept) -> bytes:
    """The master key, for the holder of the printed key alone."""
    return printed.seal(kept.public, files.key.read_bytes(), sets.MASTER)


def _put(store: Store, name: str, path: Path) -> tuple[sets.File, int]:
    """(the file as the manifest names it, bytes that were not there yet)."""
    digests, size, new = [], 0, 0
    with path.open("rb") as file:
        for piece in pieces(file):
            digest, fresh = store.put(piece)
            digests.append(digest.hex())
            size += len(piece)
            new += len(piece) if fresh else 0
    return sets.File(name, size, tuple(digests)), new


def fetch(store: Store, files: Sequence[sets.File], target: Path, say: Say) -> None:
    """Writes files of a backup below `target`. Raises Misconfigured where a piece is missing or damaged."""
    for at, file in enumerate(files):
        path = target / file.path
        if not path.resolve().is_relative_to(target.resolve()):
            raise Misconfigured("This backup names a file outside of the node's directory. It was not made by this program.")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("wb") as out:
            path.chmod(0o600)
            for digest in file.digests:
                out.write(store.get(bytes.fromhex(digest)))
        if path.stat().st_size != file.size:
            raise Misconfigured("%(path)s came out of the backup with another size. Restore an older one.", path=file.path)
        say("read back", at + 1, len(files))


def read_back(store: Store, files: Sequence[sets.File], say: Say) -> None:
    """Reads all pieces of files and writes them nowhere. Raises Misconfigured where one is missing or damaged."""
    for at, file in enumerate(files):
        for digest in file.digests:
            store.get(bytes.fromhex(digest))
        say("read back", at + 1, len(files))


def check(place: Path) -> None:
    """Opens the database that came out of a backup. Raises Misconfigured where it is not whole."""
    if (place / DUMP).exists():
        postgres.check(place / DUMP)
        return
    with closing(sqlite3.connect(place / DATABASE)) as found:
        try:
            [(word,)] = found.execute("PRAGMA quick_check(1)").fetchall()
        except sqlite3.DatabaseError as error:  # so little is left of it that SQLite can't look
            word = str(error)
    if word != "ok":
        raise Misconfigured("The database in this backup is not whole (%(word)s). Restore an older one.", word=word)
