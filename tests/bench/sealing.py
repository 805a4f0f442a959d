"""Measures what sealing costs, beside the bare ciphers: an entry sealed and opened, a case of 1,000, a box, a file of 50 MB."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fedcollab.base.canonical import canonical
from fedcollab.sealing import boxes, casesecrets, messages, pairs
from fedcollab.sealing.casekeys import OWNER, CaseKey, Member
from fedcollab.sealing.chunks import CHUNK, FileSecret, Opener, Sealer
from fedcollab.sealing.found_good import FoundGood

from .table import Row

A = "https://a.example"
TEXT = {"kind": "note", "text": "She called from the station and is on her way to the house. " * 16}  # some 1,000 letters
ENTRIES, BLOCKS = 1000, 5
SIZE = 50_000_000
ONE, CASE = 300.0, 150.0  # the most: microseconds for an entry, milliseconds for a case
FLOORS = 2.0  # the most for boxes and files, times the floor
NONCE = bytes(12)


def measure(root: Path) -> Iterator[Row]:
    """Processor time alone; of several blocks the best counts."""
    yield from _entries()
    yield from _boxes()
    yield from _file()


def _entries() -> Iterator[Row]:
    person, room_key = pairs.generate(), boxes.generate()
    owner = Member(A + "/actor", "", OWNER, room_key.public.kid, 1)
    _, secret = casesecrets.made(CaseKey(A + "/rooms/1", 1, "", A + "/actor", (owner,), (), ""))
    places = [messages.Place(f"{A}/messages/{number}", A + "/people/1", {A: secret.ck}) for number in range(ENTRIES)]
    kept = [(messages.seal(secret, person, TEXT, place).to_bytes(), place.id) for place in places]
    keys = [person.public]
    sealing, bare_sealing = _turns(
        lambda: [messages.seal(secret, person, TEXT, place) for place in places],
        lambda: [_bare_seal(person.signing, len(kept[0][0])) for _ in places],
    )
    again = lambda: [messages.open_sealed(messages.kept(data, uri), secret, keys) for data, uri in kept]  # noqa: E731  # as its neighbours
    opening, bare_opening = _turns(lambda: (_forget(), again()), _bare_open(len(kept[0][0])))
    opened_again, _ = _turns(again, lambda: None)
    yield Row("an entry sealed", sealing * 1e6 / ENTRIES, "CPU-us", bare_sealing * 1e6 / ENTRIES, ONE)
    yield Row("an entry opened", opening * 1e6 / ENTRIES, "CPU-us", bare_opening * 1e6 / ENTRIES, ONE)
    yield Row(f"{ENTRIES} entries opened", opening * 1e3, "CPU-ms", bare_opening * 1e3, CASE)
    yield Row(f"{ENTRIES} entries opened once more", opened_again * 1e3, "CPU-ms")


def _forget() -> None:
    """No signature was found good yet: as a node opens them after its start."""
    messages.GOOD = FoundGood()


def _bare_seal(signing: bytes, size: int) -> bytes:
    """What no sealing can do without: a derived key, a signature, the cipher."""
    signature = Ed25519PrivateKey.from_private_bytes(signing).sign(bytes(64))
    return ChaCha20Poly1305(_derived(bytes(32))).encrypt(NONCE, bytes(size), signature)


def _bare_open(size: int) -> Callable[[], object]:
    """The same backwards, for as many."""
    signer = Ed25519PrivateKey.generate()
    signature, verifier = signer.sign(bytes(64)), signer.public_key()
    sealed = ChaCha20Poly1305(_derived(bytes(32))).encrypt(NONCE, bytes(size), signature)

    def one() -> None:
        ChaCha20Poly1305(_derived(bytes(32))).decrypt(NONCE, sealed, signature)
        verifier.verify(signature, bytes(64))

    return lambda: [one() for _ in range(ENTRIES)]


def _derived(secret: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, bytes(32), bytes(300)).derive(secret)


def _boxes() -> Iterator[Row]:
    """A key is read anew each time, as it comes out of a document or the key ring; the floor has it at hand."""
    private = boxes.generate()
    raw, held, public = private.public.raw, private.to_bytes(), private.public
    info = {
        "of": "x",
        "to": public.kid,
    }  # written each time, as ours is: the ciphers alone, one after the other, run slower than with it between
    sealed, bare = boxes.box(public, bytes(32), "x"), boxes.HPKE.encrypt(bytes(32), public.key, canonical(info))
    rounds = range(200)
    made, bare_made = _turns(
        lambda: [boxes.box(boxes.Public(raw), bytes(32), "x") for _ in rounds],
        lambda: [boxes.HPKE.encrypt(bytes(32), public.key, canonical(info)) for _ in rounds],
    )
    opened, bare_opened = _turns(
        lambda: [boxes.unbox(boxes.Private.from_bytes(held), sealed, "x") for _ in rounds],
        lambda: [boxes.HPKE.decrypt(bare, private.key, canonical(info)) for _ in rounds],
    )
    at_hand, bare_at_hand = _turns(
        lambda: [boxes.unbox(private, sealed, "x") for _ in rounds],
        lambda: [boxes.HPKE.decrypt(bare, private.key, canonical(info)) for _ in rounds],
    )
    for name, took, floor, most in [
        ("made", made, bare_made, FLOORS),
        ("opened by a key at hand", at_hand, bare_at_hand, FLOORS),
        ("opened by a key that was kept", opened, bare_opened, None),
    ]:
        one = floor * 1e6 / len(rounds)
        yield Row(f"a box {name}", took * 1e6 / len(rounds), "CPU-us", one, most and most * one)


def _file() -> Iterator[Row]:
    block = os.urandom(256 * 1024)
    sealed, secret = _sealed(block)
    sealing, bare_sealing = _turns(lambda: _sealed(block), lambda: _bare_file(block))
    opening, bare_opening = _turns(lambda: _open(secret, sealed), lambda: _bare_file(block))
    for name, took, floor in [("sealed", sealing, bare_sealing), ("opened", opening, bare_opening)]:
        yield Row(f"a file of 50 MB {name}", took * 1e3, "CPU-ms", floor * 1e3, FLOORS * floor * 1e3)
        yield Row(f"a file {name}", SIZE / took / 1e6, "MB/CPU-s", SIZE / floor / 1e6)


def _sealed(block: bytes) -> tuple[list[bytes], FileSecret]:
    sealer = Sealer()
    parts = [sealer.update(block[: SIZE - at]) for at in range(0, SIZE, len(block))]
    return [*parts, *sealer.finish()], sealer.secret


def _open(secret: FileSecret, sealed: list[bytes]) -> None:
    opener = Opener(secret)
    for part in sealed:
        opener.update(part)
    opener.finish()


def _bare_file(block: bytes) -> None:
    """Cipher and hash over the same bytes, chunk by chunk."""
    cipher, digest = ChaCha20Poly1305(bytes(32)), hashlib.sha256()
    chunk = block[:CHUNK]
    for _ in range(0, SIZE, CHUNK):
        digest.update(cipher.encrypt(NONCE, chunk, None))


def _turns(ours: Callable[[], object], floor: Callable[[], object]) -> tuple[float, float]:
    """Seconds of processor time of each, which take turns; the best block of each."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(BLOCKS):
        for times, work in zip(took, (ours, floor), strict=True):
            before = time.process_time()
            work()
            times.append(time.process_time() - before)
    return min(took[0]), min(took[1])
