"""Decides how a node comes back: all of it beside its place, opened and made to go on as itself, then put there in one move."""

import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.actors.node import Node
from fedcollab.base import config
from fedcollab.base.clock import MICROSECONDS, Clock, system_clock
from fedcollab.base.crash import reach
from fedcollab.base.crypto import master_key, read_master_key
from fedcollab.base.database import open_database, run_sync
from fedcollab.base.errors import Misconfigured
from fedcollab.base.migrate import current, migrate
from fedcollab.base.migrate import head as newest_step
from fedcollab.base.paths import NodeFiles
from fedcollab.base.session import Session
from fedcollab.federation import catchup
from fedcollab.federation.models import Partner
from fedcollab.sealing.ring import open_ring

from . import erasures, keeping, making, postgres, printed, ring_back, ring_sets, sets
from .making import Say
from .store import Store

TEMPORARY = "fedcollab-verify"
Unit = Callable[[Session, Node, int], None]


@dataclass(frozen=True)
class Restored:
    """A node that stands in its place again, as it was at `made_at`; `dark` backups could not be opened that may name what was deleted
    since. `ring` is what came back of its keys."""

    node: str
    made_at: int
    dark: int
    ring: ring_back.Brought


def newest(directory: Path, pair: printed.Pair | None = None) -> Path:
    """The newest backup, or the newest that a printed key opens: others may lie there, of other nodes or for another key. Raises
    Misconfigured where the directory holds none. Those that can't be read count for nothing here, for anybody who has the disk can put some
    there; `restore` says how many there are, and of which day it is."""
    found = sets.by_age(directory)
    if not found:
        raise Misconfigured("There is no backup in %(path)s. Mount the disk that holds them, or name the right directory.", path=directory)
    name = printed.name(pair.public) if pair else ""
    for path, head in reversed(found):
        if pair is None or head.key == name:
            return path
    raise Misconfigured(
        "No backup in %(path)s is opened by this printed key, %(name)s. Which key each needs: fedcollab backup list %(path)s",
        path=directory,
        name=name,
    )


def restore(
    directory: Path,
    path: Path,
    pair: printed.Pair,
    target: Path,
    *,
    say: Say,
    units: Iterable[Unit],
    parts: Sequence[erasures.Part] = (),
    database_url: str = "",
    ring_url: str = "",
    clock: Clock = system_clock,
) -> Restored:
    """Makes the node of one backup again in `target`, which must not exist, and in the empty PostgreSQL databases that `database_url` and
    `ring_url` or else its settings name, with the newest of its key rings. Killed at any moment it has made nothing in `target`, and is
    run again from the start. Raises Misconfigured."""
    if target.exists() and any(target.iterdir()):
        raise Misconfigured("%(path)s is not empty. Move what is there away, or choose another place; nothing was changed.", path=target)
    head, manifest = sets.read(path, pair.private)
    if manifest.database == ring_sets.KIND:
        raise Misconfigured("%(path)s is a backup of the key ring alone. Name one of the node; the ring comes with it.", path=path)
    if head.step > newest_step():
        raise Misconfigured("This backup is of fedcollab %(program)s. Install that version or a newer one first.", program=head.program)
    settings = _moved(manifest, database_url, ring_url)
    place = target.with_name(target.name + ".restoring")
    again = _emptied(settings, _begun(place))
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True, mode=0o700)
    making.fetch(Store(directory / "pieces", manifest.secret), manifest.files, place, say)
    making.check(place)
    reach("restore.fetched")
    files = NodeFiles(place)
    _write(files.settings, _written(manifest, settings).encode())
    _write(place / "node.key", printed.unseal(pair.private, manifest.master, sets.MASTER))
    master = read_master_key(files)
    keeping.keep(files, master, keeping.Kept(pair.public, manifest.secret))
    if settings.database_url:
        if again:
            postgres.empty(settings.database_url)
        postgres.load(settings.database_url, place / making.DUMP)
        (place / making.DUMP).unlink()
        reach("restore.loaded")
    later, dark = _erased_since(directory, head, pair)
    destroyed = [word for erased in (manifest.erased, *later) for word in ring_sets.named(erased)]
    ring = open_ring(settings, files)
    try:
        brought = ring_back.bring_back(directory, pair, head.node, ring, destroyed, clock())
        node = Node(settings, master, clock, files=files, ring=ring)
        _adjust(node, head.made_at, [*units, lambda session, node, _: _take_away(session, node, parts, later)])
    finally:
        ring.close()
    reach("restore.adjusted")
    if target.exists():
        target.rmdir()
    os.sync()  # all files first, then the name by which they are found
    place.replace(target)
    sets.flush(target.parent)
    return Restored(head.node, head.made_at, dark, brought)


def rehearse(directory: Path, path: Path, pair: printed.Pair, *, say: Say) -> int:
    """Reads all pieces of one backup and opens its database in a temporary place; how many entries its record has, 0 where that is in a
    dump. Raises Misconfigured where anything is not as it should be."""
    head, manifest = sets.read(path, pair.private)
    with temporary() as place:
        store = Store(directory / "pieces", manifest.secret)
        making.fetch(store, manifest.files[:1], place, say)
        making.check(place)
        making.read_back(store, manifest.files[1:], say)
        master_key(printed.unseal(pair.private, manifest.master, sets.MASTER), place)
        if manifest.database != "sqlite" or head.step != newest_step():
            return 0
        return _unbroken(f"sqlite:///{place / making.DATABASE}")


@contextmanager
def temporary() -> Iterator[Path]:
    """A folder for what lies in clear for as long as it takes; gone afterwards also where a signal ends the command, and what one has left
    that was killed goes with the next."""
    for left in Path(tempfile.gettempdir()).glob(f"{TEMPORARY}.*"):
        maker = left.name.split(".")[1]
        if maker.isdigit() and not Path("/proc", maker).exists() and not left.is_symlink() and left.stat().st_uid == os.geteuid():
            shutil.rmtree(left, ignore_errors=True)
    ends = (signal.SIGTERM, signal.SIGHUP) if threading.current_thread() is threading.main_thread() else ()  # else they are not ours
    before = {number: signal.signal(number, _end) for number in ends}
    try:
        with tempfile.TemporaryDirectory(prefix=f"{TEMPORARY}.{os.getpid()}.") as made:
            yield Path(made)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _unbroken(url: str) -> int:
    database = open_database(url)
    try:
        verdict = run_sync(database, audit.verify, write=False)
    finally:
        database.close()
    if verdict.broken_at is not None:
        raise Misconfigured("The record in this backup is broken at entry %(entry)s. Restore an older one.", entry=verdict.broken_at)
    return verdict.entries


def _moved(manifest: sets.Manifest, database_url: str, ring_url: str) -> config.Settings:
    """The node's settings, with the databases where they will be now. Raises Misconfigured where that is of the other kind."""
    settings = config.parse(tomllib.loads(manifest.settings), {}, where="node.toml")
    if bool(database_url or settings.database_url) != (manifest.database == "postgresql"):
        raise Misconfigured(
            "This backup is of a %(kind)s database, and can be restored to such a one alone. Leave --database-url out.",
            kind=manifest.database,
        )
    return replace(settings, database_url=database_url or settings.database_url, ring_url=ring_url or settings.ring_url)


def _written(manifest: sets.Manifest, settings: config.Settings) -> str:
    """The text of node.toml, as the admin has written it but for where the databases are."""
    text, said = manifest.settings, tomllib.loads(manifest.settings)
    for name, now in (("database_url", settings.database_url), ("ring_url", settings.ring_url)):
        if said.get(name, "") != now:
            kept = [line for line in text.splitlines() if not re.match(rf"\s*{name}\s*=", line)]
            text = "\n".join([*kept, config.line(name, now)]) + "\n"
    return text


def _begun(place: Path) -> set[str]:
    """The PostgreSQL databases that an earlier try of this restore was filling."""
    try:
        settings = config.load(place, {})
    except Misconfigured:
        return set()
    return {settings.database_url, settings.ring_url} - {""}


def _emptied(settings: config.Settings, begun: set[str]) -> bool:
    """Whether an earlier try had begun to fill the database; what it has put into the key ring's is gone. Raises Misconfigured where
    something else is in one of the two."""
    again = settings.database_url in begun
    _check_empty(settings.database_url, again=again, option="--database-url")
    _check_empty(settings.ring_url, again=settings.ring_url in begun, option="--ring-url")
    if settings.ring_url in begun:
        postgres.empty(settings.ring_url)
    return again


def _check_empty(url: str, *, again: bool, option: str) -> None:
    if not url or again:
        return
    database = open_database(url)
    try:
        if not postgres.is_empty(database.engine):
            raise Misconfigured("The database is not empty. Make a new one and name it: %(option)s postgresql:///NAME", option=option)
    finally:
        database.close()


def _erased_since(directory: Path, head: sets.Head, pair: printed.Pair) -> tuple[list[dict[str, list[str]]], int]:
    """What newer backups of this node name that this printed key opens; and how many there are that it does not open, or nobody can."""
    found, dark = [], 0
    for newer in sets.listed(directory):
        try:
            theirs = sets.head(newer)
            if theirs.node == head.node and theirs.made_at > head.made_at:
                found.append(sets.read(newer, pair.private)[1].erased)
        except Misconfigured:
            dark += 1
    return found, dark


def _take_away(session: Session, node: Node, parts: Sequence[erasures.Part], later: Iterable[dict[str, list[str]]]) -> None:
    for erased in later:
        erasures.replay(session, node, parts, erased)


def _adjust(node: Node, made_at: int, units: Iterable[Unit]) -> None:
    """Has the restored database go on where no number is used twice; `units` are the features' parts."""
    settings, files = node.settings, node.files
    database = open_database(settings.database_url or f"sqlite:///{files.database}")
    try:
        if current(database.engine) < newest_step():
            migrate(database.engine)

        def all_at_once(session: Session) -> None:
            go_on(session, node)
            for unit in units:
                unit(session, node, made_at)
            audit.record(session, node.now(), None, "node.restore", str(made_at))

        verdict = run_sync(database, audit.verify, write=False)
        if verdict.broken_at is not None:
            raise Misconfigured("The record in this backup is broken at entry %(entry)s. Restore an older one.", entry=verdict.broken_at)
        run_sync(database, all_at_once)
    finally:
        database.close()
    if not settings.database_url:
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
