"""Decides how a node comes back: all of it beside its place, opened and made to go on as itself, then put there in one move."""

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.access import audit
from fedcollab.actors.node import Node
from fedcollab.base import config
from fedcollab.base.clock import MICROSECONDS
from fedcollab.base.crash import reach
from fedcollab.base.crypto import read_master_key
from fedcollab.base.database import open_database, run_sync
from fedcollab.base.errors import Misconfigured
from fedcollab.base.migrate import current, migrate
from fedcollab.base.migrate import head as newest_step
from fedcollab.base.paths import NodeFiles
from fedcollab.federation import catchup
from fedcollab.federation.models import Partner

from . import keeping, making, printed, sets
from .making import Say
from .store import Store

Unit = Callable[[Session, Node], None]


@dataclass(frozen=True)
class Restored:
    """A node that stands in its place again, as it was at `made_at`."""

    node: str
    made_at: int


def newest(directory: Path) -> Path:
    """Raises Misconfigured where the directory holds no backup."""
    found = sets.listed(directory)
    if not found:
        raise Misconfigured("There is no backup in %(path)s. Mount the disk that holds them, or name the right directory.", path=directory)
    return found[-1]


def restore(directory: Path, path: Path, pair: printed.Pair, target: Path, *, say: Say, units: Iterable[Unit]) -> Restored:
    """Makes the node of one backup again in `target`, which must not exist. Killed at any moment it has made nothing there, and is run
    again from the start. Raises Misconfigured."""
    if target.exists() and any(target.iterdir()):
        raise Misconfigured("%(path)s is not empty. Move what is there away, or choose another place; nothing was changed.", path=target)
    head, manifest = sets.read(path, pair.private)
    if head.step > newest_step():
        raise Misconfigured("This backup is of fedcollab %(program)s. Install that version or a newer one first.", program=head.program)
    place = target.with_name(target.name + ".restoring")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True, mode=0o700)
    making.fetch(Store(directory / "pieces", manifest.secret), manifest, place, say)
    making.check(place)
    reach("restore.fetched")
    files = NodeFiles(place)
    _write(files.settings, manifest.settings.encode())
    _write(files.key, printed.unseal(pair.private, manifest.master, sets.MASTER))
    master = read_master_key(files)
    keeping.keep(files, master, keeping.Kept(pair.public, manifest.secret))
    _adjust(files, master, units)
    reach("restore.adjusted")
    if target.exists():
        target.rmdir()
    place.replace(target)
    sets.flush(target.parent)
    return Restored(head.node, head.made_at)


def _adjust(files: NodeFiles, master: bytes, units: Iterable[Unit]) -> None:
    """Has the restored database go on where no number is used twice; `units` are the features' parts."""
    database = open_database(f"sqlite:///{files.database}")
    try:
        if current(database.engine) < newest_step():
            migrate(database.engine)
        node = Node(config.load(files.root, {}), master)

        def all_at_once(session: Session) -> None:
            go_on(session, node)
            for unit in units:
                unit(session, node)
            audit.record(session, node.now(), None, "node.restore", node.host)

        verdict = run_sync(database, audit.verify, write=False)
        if verdict.broken_at is not None:
            raise Misconfigured("The record in this backup is broken at entry %(entry)s. Restore an older one.", entry=verdict.broken_at)
        run_sync(database, all_at_once)
    finally:
        database.close()
    files.database.chmod(0o600)


def go_on(session: Session, node: Node) -> None:
    """Every partner's stream begins a new epoch: the numbers that were given after the backup may be with others already, for other things.
    Every partner is asked for what it has sent since."""
    fresh = node.now() // MICROSECONDS
    later = sa.case((Partner.epoch >= fresh, Partner.epoch + 1), else_=fresh)
    session.execute(sa.update(Partner).values(epoch=later, leased_until=0, next_try_at=0))
    catchup.want(session, node)


def _write(path: Path, raw: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
