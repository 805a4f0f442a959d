"""Decides how the key ring is backed up: apart from the node, and never for longer than two weeks, whatever else is kept for longer. What
was destroyed is in no backup any more when they are over."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fedcollab import __version__
from fedcollab.actors.node import KeyRing
from fedcollab.base.clock import DAY, MICROSECONDS, Clock, system_clock
from fedcollab.base.config import Settings
from fedcollab.base.crash import reach
from fedcollab.base.errors import Misconfigured
from fedcollab.base.migrate import RING
from fedcollab.base.migrate import head as newest_step
from fedcollab.base.paths import NodeFiles
from fedcollab.sealing import carrying

from . import printed, pruning, sets
from .keeping import Kept
from .store import Store, pieces

FOLDER, ROWS, KIND = "ring", "ring.rows", "ring"  # in the directory of the node's backups; in a set; of its manifest


def create(files: NodeFiles, settings: Settings, kept: Kept, directory: Path, ring: KeyRing, *, clock: Clock = system_clock) -> Path:
    """Writes the key ring down as it stands and reads it back; what is older than two weeks goes, also where this fails. Raises
    Misconfigured as a node's backup does."""
    place = directory / FOLDER
    if place.is_symlink():
        raise Misconfigured("%(path)s is a link. A backup directory has none: take it away.", path=place)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = Store(place / "pieces", kept.secret)
    store.root.mkdir(exist_ok=True, mode=0o700)
    with pruning.alone(place):
        try:
            file, erased = _stored(files, store, ring, clock() - carrying.FINAL)
            reach("ring.stored")
            for _ in rows(store, file):
                pass
            head = sets.Head(
                clock(), __version__, newest_step(RING), printed.name(kept.public), settings.host, sets.names_of([file], store.name)
            )
            path = sets.write(place, head, sets.Manifest(kept.secret, b"", "", KIND, (file,), {FOLDER: erased}), kept.public)
            reach("ring.written")
            return path
        finally:
            _prune(place, store, settings, clock())


def _stored(files: NodeFiles, store: Store, ring: KeyRing, since: int) -> tuple[sets.File, list[str]]:
    """All rows in pieces, and what was destroyed since. They go through a file without a name: killed, the process leaves nothing of it.
    (Straight from the ring to a slow disk they would keep it from being scrubbed.)"""
    digests, size = [], 0
    with tempfile.TemporaryFile(dir=files.root) as held:
        with ring.look() as found:
            held.writelines(carrying.lines(found))
            erased = carrying.destroyed(found, since)
        held.seek(0)
        for piece in pieces(held):
            digests.append(store.put(piece)[0].hex())
            size += len(piece)
    return sets.File(ROWS, size, tuple(digests)), erased


def rows(store: Store, file: sets.File) -> Iterator[bytes]:
    """The lines of a backup of the ring, each read as it will be. Raises Misconfigured where a piece is missing or damaged."""
    rest = b""
    for digest in file.digests:
        *whole, rest = (rest + store.get(bytes.fromhex(digest))).split(b"\n")
        for line in whole:
            carrying.read(line)
            yield line
    if rest:
        raise Misconfigured("This backup of the key ring ends within a row.")


def prune(directory: Path, settings: Settings, now: int) -> int:
    """Removes the key ring's backups whose time is over; how many. For a night on which none can be made."""
    place = directory / FOLDER
    if place.is_symlink() or not place.is_dir():
        return 0
    with pruning.alone(place):
        return _prune(place, Store(place / "pieces", b""), settings, now)


def _prune(place: Path, store: Store, settings: Settings, now: int) -> int:
    old = [path for path in sets.listed(place) if is_over(path, now, settings)]
    for path in (*old, *place.glob("*.half")):
        path.unlink()
    if not sets.damaged(place):  # else nobody knows what that one needs; without what is gone by now the pieces open to nobody
        needed = {piece for path in sets.listed(place) for piece in sets.head(path).pieces}
        for name in [name for name in store.names() if name not in needed]:
            store.remove(name)
    sets.flush(place)
    return len(old)


def is_over(path: Path, now: int, settings: Settings | None = None) -> bool:
    """Whether a backup of the key ring may not be there any more, the node's own by its settings too, if these are stricter. One of a day
    that is still to come is over as well: nobody knows how old it is."""
    made_at, node = _made(path)
    mine = settings is not None and node == settings.host
    days = min(carrying.DAYS, settings.backup_keep) if settings is not None and mine else carrying.DAYS
    return not now - days * DAY < made_at <= now + DAY


def _made(path: Path) -> tuple[int, str]:
    """(when, of which node); where its head can't be read, what its name says, and if that is nothing, long ago."""
    with suppress(Misconfigured):
        head = sets.head(path)
        return head.made_at, head.node
    with suppress(ValueError):
        return int(datetime.strptime(path.name[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp()) * MICROSECONDS, ""
    return 0, ""


def read(path: Path, pair: printed.Pair) -> tuple[sets.Head, sets.Manifest]:
    """A backup of a key ring. Raises Misconfigured where it is none, or this program or the printed key is another one."""
    head, manifest = sets.read(path, pair.private)
    if manifest.database != KIND or len(manifest.files) != 1:
        raise Misconfigured("%(path)s is no backup of a key ring.", path=path)
    if head.step > newest_step(RING):
        raise Misconfigured("This backup is of fedcollab %(program)s. Install that version or a newer one first.", program=head.program)
    return head, manifest


def named(erased: dict[str, list[str]]) -> list[str]:
    """What a backup, of the node or of its ring, says was destroyed; nothing where it knows of no ring."""
    return [word for word in erased.get(FOLDER, []) if _is_named(word)]


def _is_named(word: Any) -> bool:
    with suppress(ValueError, TypeError):
        of, to_kid, at = json.loads(word)
        return isinstance(of, str) and isinstance(to_kid, str) and isinstance(at, int)
    return False
