"""Decides what goes from a backup directory: backups that are older than they are kept, then the pieces that no other one needs."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from fedcollab.base.clock import DAY
from fedcollab.base.errors import Misconfigured

from . import sets
from .store import Store


class Pruned(NamedTuple):
    """How many backups and pieces are gone."""

    backups: int
    pieces: int


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Keeps a second backup out of the directory: pieces that no backup names yet would be gone under its hands. Raises Misconfigured
    where one is being made."""
    handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Misconfigured("A backup to %(path)s is being made at the moment. Wait until it has ended.", path=directory) from None
    finally:
        os.close(handle)


def _head(path: Path) -> sets.Head | None:
    try:
        return sets.head(path)
    except Misconfigured:
        return None


def prune(directory: Path, store: Store, node: str, now: int, days: int) -> Pruned:
    """Removes what this node's backups no longer keep; the newest stays, and so does another node's. A head that can't be read keeps every
    piece: nobody knows which of them it needs. Killed anywhere, it goes on the next time."""
    heads = {path: found for path in sets.listed(directory) if (found := _head(path))}
    if len(heads) < len(sets.listed(directory)):
        return Pruned(0, 0)
    mine = [path for path, head in heads.items() if head.node == node]
    old = [path for path in mine[:-1] if heads[path].made_at < now - days * DAY]
    for path in old:
        path.unlink()
        del heads[path]
    for half in directory.glob("*.half"):
        half.unlink()
    needed = {piece for head in heads.values() for piece in head.pieces}
    spare = [name for name in store.names() if name not in needed]
    for name in spare:
        (store.root / name[:2] / name).unlink(missing_ok=True)
    return Pruned(len(old), len(spare))
