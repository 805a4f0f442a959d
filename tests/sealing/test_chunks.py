"""Sealed files: streamed both ways, read in parts, and never another file than the one that was shared."""

import hashlib
import json
import os
import tracemalloc
from collections.abc import Iterable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.errors import BadRequest
from fedcollab.sealing import chunks
from fedcollab.sealing.chunks import CHUNK, SEALED, FileSecret, Opener, Sealer, open_span, parse, sealed_size, span
from fedcollab.sealing.shut import Shut

SIZES = [0, 1, 4095, 4096, 4097, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5]
FILE = os.urandom(3 * CHUNK + 777)


def sealed(data: bytes, step: int = 10**9) -> tuple[bytes, FileSecret]:
    sealer = Sealer()
    out = [sealer.update(data[at : at + step]) for at in range(0, len(data), step)]
    return b"".join([*out, *sealer.finish()]), sealer.secret


def opened(secret: FileSecret, parts: Iterable[bytes]) -> bytes:
    opener = Opener(secret)
    out = b"".join(map(opener.update, parts))
    opener.finish()
    return out


CT, SECRET = sealed(FILE)
PIECES = [CT[at : at + SEALED] for at in range(0, len(CT), SEALED)]


@pytest.mark.parametrize("size", SIZES)
def test_a_file_of_any_size_comes_back_and_has_the_size_that_was_foretold(size: int) -> None:
    data = os.urandom(size)
    ct, secret = sealed(data)
    assert opened(secret, [ct]) == data
    assert secret.size == size
    assert len(ct) == sealed_size(size)
    assert secret.digest == hashlib.sha256(ct).digest()


@given(st.integers(1, 100_000), st.integers(1, 100_000))
def test_it_does_not_matter_in_which_pieces_it_comes(into: int, out: int) -> None:
    ct, secret = sealed(FILE[: CHUNK + 9000], max(into, 300))
    step = max(out, 300)
    assert opened(secret, (ct[at : at + step] for at in range(0, len(ct), step))) == FILE[: CHUNK + 9000]


@given(st.integers(0, len(FILE) + 9), st.integers(0, len(FILE) + 9))
def test_a_part_is_read_without_the_rest(start: int, stop: int) -> None:
    part = span(SECRET.size, start, stop)
    assert open_span(SECRET, part, CT[part.offset : part.offset + part.length]) == FILE[start:stop]
    assert part.length <= max(0, stop - start) + 2 * SEALED


def test_a_part_of_another_place_or_cut_short_stays_shut() -> None:
    part = span(SECRET.size, CHUNK, CHUNK + 10)
    assert open_span(SECRET, part, PIECES[1]) == FILE[CHUNK : CHUNK + 10]
    for other in (PIECES[0], PIECES[2], PIECES[1][:-1], PIECES[1] + b"\0", b""):
        with pytest.raises(Shut):
            open_span(SECRET, part, other)


@pytest.mark.parametrize("at", [0, 15, SEALED - 1, SEALED, len(CT) - 17, len(CT) - 1])
def test_a_file_with_a_byte_changed_stays_shut(at: int) -> None:
    with pytest.raises(Shut):
        opened(SECRET, [CT[:at] + bytes([CT[at] ^ 1]) + CT[at + 1 :]])


def test_a_small_file_with_any_byte_changed_stays_shut() -> None:
    ct, secret = sealed(b"x" * 10)
    assert opened(secret, [ct]) == b"x" * 10
    for at in range(len(ct)):
        with pytest.raises(Shut):
            opened(secret, [ct[:at] + bytes([ct[at] ^ 0x80]) + ct[at + 1 :]])


@pytest.mark.parametrize(
    "pieces",
    [
        PIECES[:-1],
        PIECES[:1],
        [],
        [*PIECES[:-1], PIECES[-1][:-1]],
        [*PIECES, b"\0"],
        [*PIECES, PIECES[-1]],
        [*PIECES, PIECES[0]],
        [PIECES[1], PIECES[0], *PIECES[2:]],
        [PIECES[0], PIECES[0], *PIECES[2:]],
        PIECES[1:],
        [*PIECES[:-2], PIECES[-1]],
    ],
)
def test_a_file_cut_short_reordered_or_made_longer_stays_shut(pieces: list[bytes]) -> None:
    assert opened(SECRET, PIECES) == FILE
    with pytest.raises(Shut):
        opened(SECRET, pieces)


def test_what_comes_after_the_end_is_refused_at_once_and_not_held() -> None:
    opener = Opener(SECRET)
    assert opener.update(CT) == FILE
    with pytest.raises(Shut):
        opener.update(b"\0")


def test_a_file_cut_at_a_chunk_stays_shut_even_where_its_size_was_cut_with_it() -> None:
    for count in (1, 2, 3):
        cut = b"".join(PIECES[:count])
        with pytest.raises(Shut):
            opened(replace(SECRET, size=count * CHUNK, digest=hashlib.sha256(cut).digest()), [cut])


def test_chunks_and_files_are_not_swapped() -> None:
    other, secret = sealed(FILE)
    for ct, key in [(other, SECRET), (CT, secret), (b"".join([other[:SEALED], *PIECES[1:]]), SECRET)]:
        with pytest.raises(Shut):
            opened(key, [ct])


def test_a_member_who_has_the_key_cannot_put_another_file_in_its_place() -> None:
    cipher = ChaCha20Poly1305(SECRET.raw)
    last = len(PIECES) - 1
    plain = [cipher.decrypt(chunks._nonce(at, at == last), piece, chunks.BOUND) for at, piece in enumerate(PIECES)]
    forged = [cipher.encrypt(chunks._nonce(at, at == last), piece, chunks.BOUND) for at, piece in enumerate([bytes(CHUNK), *plain[1:]])]
    assert opened(SECRET, [cipher.encrypt(chunks._nonce(0, False), plain[0], chunks.BOUND), *PIECES[1:]]) == FILE
    with pytest.raises(Shut):
        opened(SECRET, forged)


def test_the_true_size_is_not_seen() -> None:
    assert {sealed_size(size) for size in range(0, 4097, 64)} == {4096 + 16}
    assert len({sealed_size(size) for size in range(50_000_000, 51_000_000, 1000)}) <= 3
    assert all(size < sealed_size(size) <= size * 1.07 + 16 for size in range(10_000, 100_000_000, 999_983))


def test_a_large_file_is_never_held_whole() -> None:
    part, count = bytes(256 * 1024), 120
    ct, secret = sealed(part * count, len(part))
    tracemalloc.start()
    sealer, opener, put, got = Sealer(), Opener(secret), 0, 0
    for _ in range(count):
        put += len(sealer.update(part))
    for rest in sealer.finish():
        put += len(rest)
    for at in range(0, len(ct), len(part)):
        got += len(opener.update(ct[at : at + len(part)]))
    opener.finish()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (put, got) == (len(ct), count * len(part))
    assert peak < 3_000_000


def test_what_opens_a_file_comes_back_from_a_message_and_shows_itself_nowhere() -> None:
    assert parse(json.loads(json.dumps(SECRET.document()))) == SECRET
    assert repr(SECRET.raw)[2:12] not in repr(SECRET)
    for change in ({"size": -1}, {"size": 1.0}, {"size": True}, {"key": "u"}, {"digest": None}, {"more": 1}):
        with pytest.raises(BadRequest):
            parse(SECRET.document() | change)


def test_each_file_has_a_key_of_its_own() -> None:
    assert len({sealed(b"")[1].raw for _ in range(20)}) == 20
