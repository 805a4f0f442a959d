"""Shows what stays in a backup directory and what goes: nothing that another backup needs, never the newest, never another node's."""

import errno
import os
from pathlib import Path

import pytest

from fedcollab.backup import printed, pruning, sets
from fedcollab.backup.store import Store
from fedcollab.base.clock import DAY
from fedcollab.base.errors import Misconfigured
from tests.rows import START

PAIR = printed.pair(bytes(range(32)))
SECRET = b"s" * 32


def backup(directory: Path, store: Store, day: int, *texts: bytes, node: str = "node.example.org") -> Path:
    """A backup of these texts, made so many days after the first."""
    digests = tuple(store.put(text)[0] for text in texts)
    head = sets.Head(START + day * DAY, "0.1.0", "0012", "key", node, tuple(map(store.name, digests)))
    files = (sets.File("node.db", 1, tuple(digest.hex() for digest in digests)),)
    return sets.write(directory, head, sets.Manifest(SECRET, b"", "", "sqlite", files), PAIR.public)


def test_what_is_older_than_it_is_kept_goes_with_the_pieces_that_nobody_else_needs(tmp_path: Path) -> None:
    store = Store(tmp_path / "pieces", SECRET)
    old = backup(tmp_path, store, 0, b"gone", b"shared")
    young = backup(tmp_path, store, 9, b"shared", b"young")
    newest = backup(tmp_path, store, 10, b"newest")
    half = tmp_path / "20260101T000000Z-abcdef.half"
    half.write_bytes(b"stopped here")
    assert pruning.prune(tmp_path, store, "node.example.org", START + 14 * DAY, 7) == (1, 1)
    assert sets.listed(tmp_path) == [young, newest]
    assert not old.exists()
    assert not half.exists()
    assert sorted(store.names()) == sorted(store.name(store.put(text)[0]) for text in (b"shared", b"young", b"newest"))


def test_the_newest_stays_however_old_it_is_and_another_nodes_are_none_of_ours(tmp_path: Path) -> None:
    store, other = Store(tmp_path / "pieces", SECRET), Store(tmp_path / "pieces", b"o" * 32)
    theirs = [backup(tmp_path, other, day, b"theirs", node="other.example.org") for day in (0, 1)]
    ours = backup(tmp_path, store, 2, b"ours")
    assert pruning.prune(tmp_path, store, "node.example.org", START + 900 * DAY, 7) == (0, 0)
    assert sets.listed(tmp_path) == [*theirs, ours]
    assert len(list(store.names())) == 2


def test_a_head_that_cannot_be_read_keeps_every_piece(tmp_path: Path) -> None:
    store = Store(tmp_path / "pieces", SECRET)
    damaged, newest = backup(tmp_path, store, 0, b"needed"), backup(tmp_path, store, 9, b"newest")
    damaged.write_bytes(b"\0" * 100)
    assert pruning.prune(tmp_path, store, "node.example.org", START + 90 * DAY, 7) == (0, 0)
    assert sets.listed(tmp_path) == [damaged, newest]
    assert len(list(store.names())) == 2


def test_a_share_without_locks_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_handle: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", none)
    with pytest.raises(Misconfigured, match="can't be locked"), pruning.alone(tmp_path):
        pass


def test_pieces_that_a_killed_backup_left_half_written_go(tmp_path: Path) -> None:
    store = Store(tmp_path / "pieces", SECRET)
    backup(tmp_path, store, 0, b"whole")
    half = store.root / "ab" / f"ab12.{os.getpid()}"
    half.parent.mkdir(exist_ok=True)
    half.write_bytes(b"half")
    assert pruning.prune(tmp_path, store, "node.example.org", START, 7) == (0, 1)
    assert not half.exists()


def test_two_backups_at_once_do_not_get_into_each_others_way(tmp_path: Path) -> None:
    with pruning.alone(tmp_path), pytest.raises(Misconfigured, match="being made at the moment"), pruning.alone(tmp_path):
        pass
    with pruning.alone(tmp_path):
        pass
