"""Decides how the bytes of backups lie on a disk: in pieces that are named by what they hold, sealed, and written once however many backups
hold them."""

import hashlib
import hmac
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from fedcollab.base.errors import Misconfigured

PIECE = 512 * 1024  # bytes; a multiple of a database's pages, so that what has not changed lies in the same pieces again
NONCE = bytes(12)  # each key seals one text
SUM = 32


class Store:
    """The pieces in one directory, for one repository secret. Whoever has the secret can tell whether the directory holds a text that they
    have themselves; to read a piece one needs the digest of its text as well, which stands in sealed manifests alone."""

    def __init__(self, root: Path, secret: bytes) -> None:
        self.root, self.secret = root, secret

    def name(self, digest: bytes) -> str:
        return self._derived("name", digest).hex()

    def path(self, name: str) -> Path:
        return self.root / name[:2] / name

    def put(self, plain: bytes) -> tuple[bytes, bool]:
        """Writes a piece unless it is there as it was written, whole and on the disk before this returns; one that the disk has damaged
        is written again. (Its digest, whether it was written.)"""
        digest = hashlib.sha256(plain).digest()
        name = self.name(digest)
        place = self.path(name)
        fresh = not self.sound(name)
        if fresh:
            sealed = ChaCha20Poly1305(self._derived("key", digest)).encrypt(NONCE, zlib.compress(plain, 1), name.encode())
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            half = place.with_suffix(f".{os.getpid()}")
            with open(half, "wb", opener=_private) as file:  # a path opens nothing with a mode of its own
                file.write(hashlib.sha256(sealed).digest() + sealed)
                file.flush()
                os.fsync(file.fileno())
            half.replace(place)
        return digest, fresh

    def get(self, digest: bytes) -> bytes:
        """The text of a piece. Raises Misconfigured where it is missing or not what was written."""
        name = self.name(digest)
        sealed = self._sealed(name)
        try:
            plain = zlib.decompress(ChaCha20Poly1305(self._derived("key", digest)).decrypt(NONCE, sealed, name.encode()))
        except (InvalidTag, zlib.error):
            raise _damaged(name) from None
        if hashlib.sha256(plain).digest() != digest:
            raise _damaged(name)
        return plain

    def sound(self, name: str) -> bool:
        """Whether a piece is there and as it was written; for this nobody needs a key."""
        try:
            self._sealed(name)
        except Misconfigured:
            return False
        return True

    def _sealed(self, name: str) -> bytes:
        try:
            written = self.path(name).read_bytes()
        except OSError:
            raise Misconfigured(
                "A piece of this backup is missing: %(name)s. Restore an older backup, or bring the disk's other copy.", name=name
            ) from None
        if len(written) < SUM or hashlib.sha256(written[SUM:]).digest() != written[:SUM]:
            raise _damaged(name)
        return written[SUM:]

    def names(self) -> Iterator[str]:
        """All pieces that are there, whole or not; a folder at a time, for there may be a million."""
        return (path.name for folder in sorted(self.root.glob("??")) for path in sorted(folder.iterdir()))

    def _derived(self, purpose: str, digest: bytes) -> bytes:
        return hmac.digest(self.secret, purpose.encode() + digest, "sha256")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _damaged(name: str) -> Misconfigured:
    return Misconfigured(
        "A piece of this backup is damaged: %(name)s. The disk may be failing. Restore an older backup, or another copy.", name=name
    )


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """A file's bytes in pieces; none for an empty file."""
    while piece := file.read(PIECE):
        yield piece
