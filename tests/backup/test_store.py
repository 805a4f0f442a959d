"""Shows that pieces come back as they went in, are written once, say nothing, and that damage is found."""

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedcollab.backup.store import PIECE, Store, pieces
from fedcollab.base.errors import Misconfigured

MARK = b"a word that nobody may read " * 20


def made(tmp_path: Path, secret: bytes = b"s" * 32) -> Store:
    return Store(tmp_path / "chunks", secret)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=2000), max_size=5))
def test_every_text_comes_back_and_is_written_once(tmp_path: Path, texts: list[bytes]) -> None:
    store = made(tmp_path)
    digests = [store.put(text)[0] for text in texts]
    before = {name: store.path(name).stat().st_mtime_ns for name in store.names()}
    assert [store.get(digest) for digest in digests] == texts
    assert [store.put(text)[0] for text in texts] == digests
    assert {name: store.path(name).stat().st_mtime_ns for name in store.names()} == before
    assert {store.name(digest) for digest in digests} <= set(before)


@pytest.mark.rule("OPS-02")
def test_neither_names_nor_pieces_say_what_is_in_them_and_others_may_not_read_them(tmp_path: Path) -> None:
    store = made(tmp_path)
    digest, _ = store.put(MARK)
    [path] = [store.path(name) for name in store.names()]
    assert MARK[:28] not in path.read_bytes()
    assert digest.hex() not in path.name
    assert path.stat().st_mode & 0o077 == path.parent.stat().st_mode & 0o077 == 0
    assert made(tmp_path, b"t" * 32).name(digest) != path.name


@pytest.mark.parametrize("harm", ["cut", "flipped", "emptied", "gone", "another's"])
def test_a_piece_that_is_not_as_it_was_written_is_found(tmp_path: Path, harm: str) -> None:
    store = made(tmp_path)
    (digest, _), (other, _) = store.put(MARK), store.put(b"other")
    path = store.path(store.name(digest))
    raw = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        swapped = store.path(store.name(other)).read_bytes()
        path.write_bytes({"cut": raw[:-5], "flipped": raw[:-1] + bytes([raw[-1] ^ 1]), "emptied": b"", "another's": swapped}[harm])
    with pytest.raises(Misconfigured, match="missing" if harm == "gone" else "damaged"):
        store.get(digest)
    assert store.sound(path.name) == (harm == "another's"), "without the key only what the disk has done is seen"
    assert store.get(other) == b"other"


@pytest.mark.parametrize("harm", [b"", b"another", bytes(1000)])
def test_the_next_backup_writes_a_piece_again_that_the_disk_has_damaged(tmp_path: Path, harm: bytes) -> None:
    store = made(tmp_path)
    digest, _ = store.put(MARK)
    store.path(store.name(digest)).write_bytes(harm)
    assert store.put(MARK) == (digest, True)
    assert store.get(digest) == MARK
    assert store.put(MARK) == (digest, False)


def test_what_was_being_written_when_the_power_failed_is_no_piece(tmp_path: Path) -> None:
    store = made(tmp_path)
    digest, _ = store.put(MARK)
    path = store.path(store.name(digest))
    path.rename(path.with_suffix(".7"))
    assert not store.sound(path.name)
    assert store.put(MARK) == (digest, True)
    assert store.get(digest) == MARK


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_a_file_is_cut_into_pieces_that_make_it_up_again(size: int) -> None:
    found = list(pieces(io.BytesIO(b"x" * size)))
    assert b"".join(found) == b"x" * size
    assert all(0 < len(piece) <= PIECE for piece in found)
