"""Decides how an upgrade keeps the database as it was, beside it, and how that one comes back: quickly, for the node stands still."""

import fcntl
import os
import shutil
import socket
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fedcollab.access import audit
from fedcollab.actors.node import Node
from fedcollab.base.config import Settings
from fedcollab.base.crash import reach
from fedcollab.base.database import open_database, run_sync
from fedcollab.base.errors import Misconfigured
from fedcollab.base.paths import NodeFiles
from fedcollab.base.session import Session

from . import erasures, postgres, restoring, sets

FICLONE = 0x40049409  # Linux: has the new file share the old one's blocks until either is written to; XFS and btrfs can
BUSY = "The node is running, or a backup of it is being made. Stop it first: systemctl stop fedcollab@NAME; for a backup, wait."


def save(files: NodeFiles, settings: Settings, target: Path) -> None:
    """Copies the database of a node that stands still; killed midway it has made nothing. Raises Misconfigured where it runs."""
    if _answers(settings.listen):
        raise Misconfigured(BUSY)
    half = target.with_name(target.name + ".half")
    half.unlink(missing_ok=True)
    try:
        if settings.database_url:
            postgres.dump(settings.database_url, half)
        else:
            _standing_still(files.database, half)
        half.chmod(0o600)
        reach("database.saved")
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)  # a disk that is full by it does not stay so
    sets.flush(target.parent)


def _standing_still(database: Path, half: Path) -> None:
    """With the log emptied into the database, and the writer's place taken, the file alone is all of it."""
    raw = sqlite3.connect(f"{database.resolve().as_uri()}?mode=rw", uri=True, timeout=2, isolation_level=None)
    try:
        busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        raw.execute("BEGIN IMMEDIATE")
        log = database.with_name(database.name + "-wal")
        if busy or (log.exists() and log.stat().st_size):
            raise Misconfigured(BUSY)
        clone(database, half)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise Misconfigured(BUSY) from None
        raise Misconfigured("The database can't be copied (%(error)s). Look at it: fedcollab -C DIR doctor", error=error) from None
    finally:
        raw.close()


def clone(source: Path, target: Path) -> None:
    """A file's bytes in another one, on the disk when this returns."""
    with source.open("rb") as old, open(target, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as new:
        try:
            fcntl.ioctl(new, FICLONE, old.fileno())
        except OSError:
            shutil.copyfileobj(old, new, 4 << 20)
        new.flush()
        os.fsync(new.fileno())


def load(files: NodeFiles, settings: Settings, source: Path) -> None:
    """Puts a copy in the place of the database; killed midway it is run again. Raises Misconfigured where there is no such copy."""
    if _answers(settings.listen):
        raise Misconfigured(BUSY)
    if not source.exists():
        raise Misconfigured("There is no copy of the database at %(path)s.", path=source)
    if settings.database_url:
        postgres.check(source)  # before there is only this
        postgres.empty(settings.database_url)
        reach("database.loaded")
        postgres.load(settings.database_url, source)
        return
    half = files.database.with_name("node.db.half")
    clone(source, half)
    for left in ("-wal", "-shm"):  # they belong to the one that goes
        files.database.with_name(files.database.name + left).unlink(missing_ok=True)
    reach("database.loaded")
    half.replace(files.database)
    sets.flush(files.root)


def _answers(listen: str) -> bool:
    """Whether a process listens where the node would."""
    host, _, port = listen.rpartition(":")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host.strip("[]"), int(port))) == 0


def go_on(
    node: Node, url: str, units: Iterable[restoring.Unit], parts: Sequence[erasures.Part], erased: Mapping[str, list[str]], made_at: int
) -> None:
    """For a node that has served since the copy was made: no number is used twice, nothing that was taken away since comes back."""
    database = open_database(url)

    def all_at_once(session: Session) -> None:
        restoring.go_on(session, node)
        for unit in units:
            unit(session, node, made_at)
        erasures.replay(session, node, parts, erased)
        audit.record(session, node.now(), None, "node.rollback", str(made_at))

    try:
        run_sync(database, all_at_once)
    finally:
        database.close()
