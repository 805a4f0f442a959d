"""Shows that a backup which names other places writes nothing outside of the directory that it is restored to."""

import hashlib
from pathlib import Path

import pytest

from fedcollab.backup import making, sets
from fedcollab.backup.store import Store
from fedcollab.base.errors import Misconfigured

from .test_pruning import SECRET

TEXT = b"a member's file"


def fetched(tmp_path: Path, name: str) -> Path:
    """Fetches one file of this name out of a store below `target`; answers where that is."""
    store, target = Store(tmp_path / "pieces", SECRET), tmp_path / "target"
    target.mkdir(exist_ok=True)
    digest, _ = store.put(TEXT)
    making.fetch(store, [sets.File(name, len(TEXT), (digest.hex(),))], target, lambda *_: None)
    return target


@pytest.mark.rule("FILE-07")
@pytest.mark.parametrize("name", ["../stolen", "files/../../stolen", "/tmp/fedcollab-stolen", "files/ab/../../../stolen"])
def test_a_name_that_leads_out_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    before = set(tmp_path.rglob("*"))
    with pytest.raises(Misconfigured, match="outside of the node's directory"):
        fetched(tmp_path, name)
    written = set(tmp_path.rglob("*")) - before
    assert not [path for path in written if path.name.endswith("stolen")]
    assert not Path("/tmp/fedcollab-stolen").exists()


@pytest.mark.rule("FILE-07")
def test_a_link_that_stands_in_the_directory_leads_nowhere_else(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "files").symlink_to(elsewhere)
    with pytest.raises(Misconfigured, match="outside of the node's directory"):
        fetched(tmp_path, "files/ab/abcd")
    assert list(elsewhere.iterdir()) == []


@pytest.mark.rule("FILE-07")
def test_what_a_device_and_a_pipe_say_is_no_file_of_a_backup(tmp_path: Path) -> None:
    import os

    from fedcollab.base.paths import NodeFiles

    files = NodeFiles(tmp_path / "node")
    files.uploads.mkdir(parents=True)
    os.mkfifo(files.uploads / "pipe")
    (files.uploads / "link").symlink_to("/etc/passwd")
    (files.uploads / "ab").mkdir()
    good = files.uploads / "ab" / "abcd"
    good.write_bytes(TEXT)
    assert making.stored(files) == [good]


def test_an_ordinary_name_comes_back_as_it_was(tmp_path: Path) -> None:
    target = fetched(tmp_path, "files/ab/abcd")
    assert hashlib.sha256((target / "files/ab/abcd").read_bytes()).digest() == hashlib.sha256(TEXT).digest()
