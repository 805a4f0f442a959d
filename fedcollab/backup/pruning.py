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
    handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        _lock(handle, directory)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, directory: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Misconfigured("A backup to %(path)s is being made at the moment. Wait until it has ended.", path=directory) from None
    except OSError as error:
        raise Misconfigured(
            "%(path)s can't be locked (%(error)s). Mount that share with locks (NFS: without nolock), or choose another place.",
            path=directory,
            error=error.strerror,
        ) from None


def prune(directory: Path, store: Store, node: str, now: int, days: int) -> Pruned:
    """Removes what this node's backups no longer keep; the newest stays, and so does another node's. A head that can't be read keeps every
    piece: nobody knows which of them it needs. Killed anywhere, it goes on the next time."""
    if sets.damaged(directory):
        return Pruned(0, 0)
    # of each head no more is held than that: its pieces may be a million
    mine = [(path, head.made_at) for path in sets.listed(directory) if (head := sets.head(path)).node == node]
    old = [path for path, made_at in mine[:-1] if made_at < now - days * DAY]
    for path in old:
        path.unlink()
    for half in directory.glob("*.half"):
        if sets.NAMED.fullmatch(half.with_suffix(".backup").name):
            half.unlink()
    needed: set[str] = set()
    for path in sets.listed(directory):
        needed.update(sets.head(path).pieces)
    spare = 0
    for name in store.names():
        if name not in needed:
            store.remove(name)
            spare += 1
    return Pruned(len(old), spare)
