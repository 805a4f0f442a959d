"""Decides how a file is sealed: in chunks of 64 KiB that open alone and in their own place only, its end marked, its size rounded up.

STREAM of Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015: the
nonce is the chunk's number and one byte that says whether it is the last. Each file has a key of its own, which travels in the sealed
message that the file belongs to, with its true size and the hash of all that was sealed; so a member who has the key can't put another
file in the place of the one that was shared.
"""

import hashlib
import hmac
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from fedcollab.base.errors import BadRequest

from .locked import KEY, TAG
from .padding import rounded
from .reading import NUMBER, members
from .shut import Shut
from .texts import HASH, read, written

CHUNK = 64 * 1024  # bytes of clear text in each chunk but the last
SEALED = CHUNK + TAG
FLOOR = 4096  # bytes: no file looks smaller
BOUND = b"fedcollab sealed file 1"


@dataclass(frozen=True)
class FileSecret:
    """What opens a file: its key, its true size in bytes, the SHA-256 of the sealed bytes."""

    raw: bytes = field(repr=False)
    size: int
    digest: bytes

    def document(self) -> dict[str, Any]:
        """As it stands inside a sealed message, and nowhere else."""
        return {"key": written(self.raw), "size": self.size, "digest": written(self.digest)}


def parse(document: object) -> FileSecret:
    """Undoes `FileSecret.document`. Raises BadRequest."""
    said = members(document, {"key", "size", "digest"})
    size = said["size"]
    if type(size) is not int or not 0 <= size <= NUMBER:
        raise BadRequest(reason="sealing: no size of a file")
    return FileSecret(read(said["key"], KEY, KEY), size, read(said["digest"], HASH, HASH))


def sealed_size(size: int) -> int:
    """How many bytes a file of `size` bytes has when it is sealed."""
    return rounded(size, FLOOR) + TAG * _count(size)


def is_sealed_size(length: int) -> bool:
    """Whether a sealed file can have so many bytes."""
    clear = length - TAG * -(-length // SEALED)
    return clear >= FLOOR and rounded(clear, FLOOR) == clear


def _count(size: int) -> int:
    """The chunks of a file of `size` bytes; there is always one."""
    return -(-rounded(size, FLOOR) // CHUNK)


def _nonce(index: int, last: bool) -> bytes:
    return index.to_bytes(11) + bytes([last])


class Sealer:
    """Seals one file as it comes in, holding no more than a chunk of it. Used once: its key seals nothing else."""

    def __init__(self) -> None:
        self._raw = os.urandom(KEY)
        self._cipher = ChaCha20Poly1305(self._raw)
        self._waiting = bytearray()
        self._index = self.size = 0
        self._digest = hashlib.sha256()

    def update(self, data: bytes | bytearray) -> bytes:
        """Takes the next bytes of the file; what of it is sealed by now."""
        self.size += len(data)
        return self._take(data)

    def finish(self) -> Iterator[bytes]:
        """The rest: what was held back, zeros up to the rounded size, the last chunk. After it `secret` is there."""
        missing = rounded(self.size, FLOOR) - self.size
        while missing:
            zeros = bytes(min(missing, CHUNK))
            missing -= len(zeros)
            if out := self._take(zeros):
                yield out
        yield self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()

    @property
    def secret(self) -> FileSecret:
        """What opens the file; only after `finish` is it whole."""
        return FileSecret(self._raw, self.size, self._digest.digest())

    def _take(self, data: bytes | bytearray) -> bytes:
        """Seals all whole chunks but one, which may be the last; out of `data` itself where they lie in it, for copies cost as much as the
        cipher."""
        out, at = [], 0
        with memoryview(data) as view:
            while len(self._waiting) + len(view) - at > CHUNK:
                if self._waiting:
                    begins, at = at, at + CHUNK - len(self._waiting)
                    self._waiting += view[begins:at]
                    out.append(self._seal(self._waiting, last=False))
                    self._waiting.clear()
                else:
                    out.append(self._seal(view[at : at + CHUNK], last=False))
                    at += CHUNK
            self._waiting += view[at:]
        return b"".join(out)

    def _seal(self, plain: bytes | bytearray | memoryview, *, last: bool) -> bytes:
        sealed = self._cipher.encrypt(_nonce(self._index, last), plain, BOUND)
        self._index += 1
        self._digest.update(sealed)
        return sealed


class Opener:
    """Opens one file as it is read from its beginning, holding no more than a chunk of it. What it gives out is part of the true file; only
    `finish` says that nothing is missing. After Shut it is of no more use."""

    def __init__(self, secret: FileSecret) -> None:
        self._secret = secret
        self._cipher = ChaCha20Poly1305(secret.raw)
        self._waiting = bytearray()
        self._index = 0
        self._digest = hashlib.sha256()

    def update(self, sealed: bytes) -> bytes:
        """Takes the next sealed bytes; what of the file is open by now. Raises Shut."""
        self._digest.update(sealed)
        self._waiting += sealed
        out, at = [], 0
        with memoryview(self._waiting) as view:
            while self._index < _count(self._secret.size) and len(view) - at >= (length := self._length()):
                out.append(self._open(view[at : at + length]))
                at += length
        del self._waiting[:at]
        if self._waiting and self._index == _count(self._secret.size):
            raise Shut
        return b"".join(out)

    def finish(self) -> None:
        """Raises Shut where the file was cut short, or is not the one that was shared."""
        if self._index != _count(self._secret.size) or not hmac.compare_digest(self._digest.digest(), self._secret.digest):
            raise Shut

    def _length(self) -> int:
        return min(SEALED, sealed_size(self._secret.size) - self._index * SEALED)

    def _open(self, sealed: memoryview) -> bytes:
        clear = _opened(self._cipher, self._secret.size, self._index, sealed)
        self._index += 1
        return clear


class Span(NamedTuple):
    """Which sealed bytes hold a part of a file: read `length` bytes from `offset`, open them from `chunk` on, drop the first `skip`
    and keep `take`."""

    offset: int
    length: int
    chunk: int
    skip: int
    take: int


def span(size: int, start: int, stop: int) -> Span:
    """Where the bytes from `start` to before `stop` of a file of `size` bytes lie."""
    start, stop = max(0, start), min(stop, size)
    if start >= stop:
        return Span(0, 0, 0, 0, 0)
    first, last = start // CHUNK, (stop - 1) // CHUNK
    offset = first * SEALED
    return Span(offset, min((last + 1) * SEALED, sealed_size(size)) - offset, first, start - first * CHUNK, stop - start)


def open_span(secret: FileSecret, part: Span, sealed: bytes) -> bytes:
    """The clear bytes of a span that was read. Raises Shut. The hash of the whole file is not looked at: that was done when it came."""
    cipher = ChaCha20Poly1305(secret.raw)
    if len(sealed) != part.length:
        raise Shut
    pieces = [sealed[at : at + SEALED] for at in range(0, part.length, SEALED)]
    clear = b"".join(_opened(cipher, secret.size, part.chunk + number, piece) for number, piece in enumerate(pieces))
    return clear[part.skip : part.skip + part.take]


def _opened(cipher: ChaCha20Poly1305, size: int, index: int, sealed: bytes | memoryview) -> bytes:
    """One chunk, without what lies behind the file's true end. Raises Shut."""
    try:
        clear = cipher.decrypt(_nonce(index, index == _count(size) - 1), sealed, BOUND)
    except (InvalidTag, ValueError):
        raise Shut from None
    return clear[: max(0, size - index * CHUNK)]
