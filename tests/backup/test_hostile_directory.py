"""Shows what somebody can do who has the disk on which backups lie, and nothing else: not read, not reach further, not pass old for new."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fedcollab.backup import printed, pruning, restoring, sets
from fedcollab.backup.store import Store
from fedcollab.base.clock import DAY
from fedcollab.base.errors import Misconfigured
from fedcollab.cli import app
from tests.rows import START

from .test_pruning import PAIR, SECRET, backup
from .test_sets import HEAD, MANIFEST

NODE = ("node.db", "node.key", "node.toml")


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """A node's own directory, beside the backups."""
    place = tmp_path / "live"
    place.mkdir()
    for name in NODE:
        (place / name).write_text("needed")
    return place


def untouched(live: Path) -> bool:
    return [(live / name).read_text() for name in NODE] == ["needed"] * len(NODE)


@pytest.mark.rule("OPS-02")
def test_a_link_among_the_pieces_leads_the_clearing_up_nowhere(tmp_path: Path, live: Path) -> None:
    store = Store(tmp_path / "pieces", SECRET)
    backup(tmp_path, store, 0, b"old")
    kept = backup(tmp_path, store, 20, b"new")
    (store.root / "no").symlink_to(live)
    (live / "ab").mkdir()
    theirs = live / "ab" / ("ab" * 32)
    theirs.write_text("a member's file")
    (store.root / "ab").symlink_to(live / "ab")
    assert pruning.prune(tmp_path, store, "node.example.org", START + 30 * DAY, 7) == (1, 1)
    assert untouched(live)
    assert theirs.read_text() == "a member's file"
    assert sets.listed(tmp_path) == [kept]


@pytest.mark.rule("OPS-02")
def test_other_files_in_the_directory_stay(tmp_path: Path) -> None:
    store = Store(tmp_path / "pieces", SECRET)
    backup(tmp_path, store, 0, b"text")
    others = [tmp_path / "letter.half", store.root / "no" / "notes.txt"]
    for other in others:
        other.parent.mkdir(exist_ok=True)
        other.write_text("somebody's")
    assert pruning.prune(tmp_path, store, "node.example.org", START, 7) == (0, 0)
    assert all(other.exists() for other in others)


@pytest.mark.rule("OPS-02")
def test_links_where_a_piece_will_be_written_do_not_lead_it_elsewhere(tmp_path: Path, live: Path) -> None:
    store = Store(tmp_path / "pieces", SECRET)
    digest, _ = store.put(b"text")
    place = store.path(store.name(digest))
    place.unlink()
    place.with_suffix(f".{os.getpid()}").symlink_to(live / "node.db")
    place.symlink_to(live / "node.key")
    assert store.put(b"text") == (digest, True)
    assert untouched(live)
    assert store.get(digest) == b"text"
    assert not place.is_symlink()
    folder = store.root / store.name(digest)[:2]
    for left in folder.iterdir():
        left.unlink()
    folder.rmdir()
    folder.symlink_to(live)
    with pytest.raises(Misconfigured, match="is a link"):
        store.put(b"text")
    assert sorted(path.name for path in live.iterdir()) == sorted(NODE)


@pytest.mark.parametrize("what", ["fifo", "endless", "huge"])
@pytest.mark.timeout(20)
def test_a_piece_that_is_no_file_is_neither_waited_for_nor_read_for_ever(tmp_path: Path, what: str) -> None:
    store = Store(tmp_path / "pieces", SECRET)
    (digest, _), (good, _) = store.put(b"text"), store.put(b"other")
    place = store.path(store.name(digest))
    place.unlink()
    if what == "fifo":
        os.mkfifo(place)
    elif what == "endless":
        place.symlink_to("/dev/zero")
    else:
        with place.open("wb") as file:
            file.truncate(1 << 40)
    assert not store.sound(place.name)
    with pytest.raises(Misconfigured, match="missing"):
        store.get(digest)
    assert store.get(good) == b"other"


def test_a_piece_that_the_disk_has_spoilt_is_written_again_by_the_next_backup(tmp_path: Path) -> None:
    store = Store(tmp_path / "pieces", SECRET)
    digest, _ = store.put(b"text")
    place = store.path(store.name(digest))
    place.write_bytes(place.read_bytes()[:-1] + b"x")
    assert store.put(b"text") == (digest, True)
    assert store.get(digest) == b"text"


FORGED: list[dict[str, object]] = [
    {"pieces": ["../../../etc/passwd"]},
    {"pieces": ["/dev/zero"]},
    {"pieces": [7]},
    {"node": "node.example.org\x1b]0;owned\x07"},
    {"program": "0.1\r\nAll backups are well."},
    {"key": None},
    {"made_at": "yesterday"},
    {"made_at": -1},
    {"made_at": 10**30},
    {"format": 9, "program": "\x1b[2J"},
]


@pytest.mark.rule("OPS-02")
@pytest.mark.parametrize("forged", FORGED, ids=str)
def test_a_forged_head_names_no_other_file_and_says_nothing_to_a_terminal(tmp_path: Path, forged: dict[str, object]) -> None:
    store = Store(tmp_path / "pieces", SECRET)
    good = backup(tmp_path, store, 0, b"text")
    line, _, sealed = good.read_bytes().partition(b"\n")
    bad = tmp_path / "20300101T000000Z-ffffff.backup"
    bad.write_bytes(json.dumps(json.loads(line) | forged).encode() + b"\n" + sealed)
    for command in (["list", str(tmp_path)], ["verify", str(tmp_path), "--set", bad.name]):
        said = CliRunner().invoke(app, ["backup", *command])
        assert isinstance(said.exception, (Misconfigured, SystemExit, type(None))), said.exception
        assert not set("\x1b\x07\r") & set(said.output + str(said.exception))
    assert CliRunner().invoke(app, ["backup", "verify", str(tmp_path), "--set", good.name]).exit_code == 0
    assert restoring.newest(tmp_path) == good
    assert pruning.prune(tmp_path, store, "node.example.org", START + 90 * DAY, 7) == (0, 0)


@pytest.mark.rule("OPS-02", "P11")
def test_an_old_backup_under_a_newer_name_is_still_the_old_one(tmp_path: Path) -> None:
    old = sets.write(tmp_path, HEAD, MANIFEST, PAIR.public)
    erased = {"posts": ["https://node.example.org/posts/1"]}
    new = sets.write(tmp_path, replace(HEAD, made_at=START + DAY), replace(MANIFEST, erased=erased), PAIR.public)
    assert restoring.newest(tmp_path) == new
    risen = old.rename(tmp_path / "20990101T000000Z-aaaaaa.backup")
    assert restoring.newest(tmp_path) == new
    assert restoring._erased_since(tmp_path, sets.head(risen), PAIR) == ([erased], 0)
    assert restoring._erased_since(tmp_path, sets.head(new), PAIR) == ([], 0)


@pytest.mark.rule("P11")
@pytest.mark.parametrize("harm", ["head", "manifest", "another key", "link"])
def test_a_newer_backup_that_does_not_open_is_counted_so_that_somebody_looks(tmp_path: Path, harm: str) -> None:
    old = sets.write(tmp_path, HEAD, MANIFEST, PAIR.public)
    new = sets.write(
        tmp_path, replace(HEAD, made_at=START + DAY), MANIFEST, printed.pair(b"\1" * 32).public if harm == "another key" else PAIR.public
    )
    raw = new.read_bytes()
    if harm == "link":
        new.unlink()
        new.symlink_to("/dev/zero")
    elif harm != "another key":
        new.write_bytes(b"?" + raw if harm == "head" else raw[:-1] + bytes([raw[-1] ^ 1]))
    assert restoring._erased_since(tmp_path, sets.head(old), PAIR) == ([], 1)
