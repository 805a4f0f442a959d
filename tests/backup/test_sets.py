"""Shows that a backup's file says what it needs to anybody, the rest to the holder of the printed key, and nothing once it was changed."""

from dataclasses import replace
from pathlib import Path

import pytest

from fedcollab.backup import printed, restoring, sets
from fedcollab.base.clock import DAY
from fedcollab.base.errors import Misconfigured
from tests.rows import START

PAIR = printed.pair(bytes(range(32)))
HEAD = sets.Head(START, "0.1.0", "0011", printed.name(PAIR.public), "node.example.org", ("aa" * 32, "bb" * 32))
FILES = (sets.File("node.db", 700, ("00" * 32, "11" * 32)), sets.File("files/ü", 0, ()))
MANIFEST = sets.Manifest(b"secret of the pieces", b"box", 'name = "Meridian Outreach"\n', "sqlite", FILES)


def test_a_backup_is_read_again_as_it_was_written(tmp_path: Path) -> None:
    path = sets.write(tmp_path, HEAD, MANIFEST, PAIR.public)
    assert sets.listed(tmp_path) == [path]
    assert sets.head(path) == HEAD
    assert sets.read(path, PAIR.private) == (HEAD, MANIFEST)


@pytest.mark.rule("OPS-02")
def test_without_the_printed_key_nothing_of_the_manifest_is_there(tmp_path: Path) -> None:
    path = sets.write(tmp_path, HEAD, MANIFEST, PAIR.public)
    assert path.stat().st_mode & 0o077 == 0
    assert not [word for word in (b"Meridian", b"node.db", b"secret", b"00" * 16) if word in path.read_bytes()]
    with pytest.raises(Misconfigured, match="another backup's"):
        sets.read(path, printed.pair(b"\1" * 32).private)


@pytest.mark.parametrize("at", [5, 40, -1, -500])
def test_one_changed_byte_anywhere_is_noticed(tmp_path: Path, at: int) -> None:
    path = sets.write(tmp_path, HEAD, MANIFEST, PAIR.public)
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)
    with pytest.raises(Misconfigured):
        sets.read(path, PAIR.private)


def test_what_is_no_backup_says_so_and_a_newer_programs_says_what_to_install(tmp_path: Path) -> None:
    for number, raw in enumerate((b"", b"text", b"{}\n", b"[]\nx", b'{"format": "x"}\n')):
        path = tmp_path / f"{number}.backup"
        path.write_bytes(raw)
        with pytest.raises(Misconfigured, match="no backup"):
            sets.head(path)
    newer = sets.write(tmp_path, replace(HEAD, format=2, program="9.0"), MANIFEST, PAIR.public)
    with pytest.raises(Misconfigured, match=r"newer program \(9\.0\)"):
        sets.head(newer)
    with pytest.raises(Misconfigured, match="can't be read"):
        sets.head(tmp_path / "nothing")
    assert sets.listed(tmp_path) == [newer], "other files in the directory are none"


def test_the_newest_is_the_newest_that_the_printed_key_opens(tmp_path: Path) -> None:
    other, third = printed.pair(b"\1" * 32), printed.pair(b"\2" * 32)
    ours = [sets.write(tmp_path, replace(HEAD, made_at=START + day * DAY), MANIFEST, PAIR.public) for day in (0, 1)]
    theirs = replace(HEAD, made_at=START + 2 * DAY, key=printed.name(other.public), node="other.example.org")
    newest = sets.write(tmp_path, theirs, MANIFEST, other.public)
    assert [restoring.newest(tmp_path, pair) for pair in (PAIR, other, None)] == [ours[1], newest, newest]
    with pytest.raises(Misconfigured, match=r"No backup .* is opened by this printed key"):
        restoring.newest(tmp_path, third)
    newest.write_bytes(b"torn")
    assert restoring.newest(tmp_path, PAIR) == ours[1], "what can't be read stands in nobody's way, and is counted by restore"


def test_a_damaged_one_is_told_from_those_that_can_be_read(tmp_path: Path) -> None:
    whole, torn = (sets.write(tmp_path, replace(HEAD, made_at=START + day * DAY), MANIFEST, PAIR.public) for day in (0, 1))
    torn.write_bytes(b"torn")
    assert (sets.listed(tmp_path), sets.damaged(tmp_path)) == ([whole, torn], [torn])
