"""Decides how the bytes of backups lie on a disk: in pieces that are named by what they hold, sealed, and written once however many backups
hold them."""

import errno
import hashlib
import hmac
import os
import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from fedcollab.base.errors import Misconfigured

PIECE = 512 * 1024  # bytes; a multiple of a database's pages, so that what has not changed lies in the same pieces again
NONCE = bytes(12)  # each key seals one text
SUM = 32
LARGEST = 2 * PIECE  # bytes of a piece's file; what is larger is none of ours, and is not read into memory
NAMES = re.compile(r"[0-9a-f]{4,64}(\.[0-9a-f]+)?")  # a piece, or what was being written when the power failed


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
        fresh = not self.sound(name)  # one that the disk has spoilt is written again: else no backup would be whole from then on
        if fresh:
            sealed = ChaCha20Poly1305(self._derived("key", digest)).encrypt(NONCE, zlib.compress(plain, 1), name.encode())
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(place, hashlib.sha256(sealed).digest() + sealed)
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
            written = read(self.path(name), LARGEST)
        except OSError:
            raise Misconfigured(
                "A piece of this backup is missing: %(name)s. Restore an older backup, or bring the disk's other copy.", name=name
            ) from None
        if len(written) < SUM or hashlib.sha256(written[SUM:]).digest() != written[:SUM]:
            raise _damaged(name)
        return written[SUM:]

    def names(self) -> Iterator[str]:
        """All pieces that are there, whole or not. Whoever else can write to the directory has no say in what else that might be: links and
        other files are none."""
        folders = (folder for folder in sorted(self.root.glob("??")) if not folder.is_symlink())
        found = (path.name for folder in folders for path in sorted(folder.glob("*")) if path.name[:2] == folder.name)
        return (name for name in found if NAMES.fullmatch(name))

    def remove(self, name: str) -> None:
        """Takes a piece away, out of this directory and no other that a link might lead to."""
        folder = os.open(self.path(name).parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.unlink(name, dir_fd=folder)
        finally:
            os.close(folder)

    def _derived(self, purpose: str, digest: bytes) -> bytes:
        return hmac.digest(self.secret, purpose.encode() + digest, "sha256")


@contextmanager
def opened(path: Path, most: int = 0) -> Iterator[BinaryIO]:
    """A file of a backup directory, which others may be able to write to: links are not followed, and nothing is waited for. Raises OSError
    for what is no file, or larger than `most` bytes."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK)) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or (most and found.st_size > most):
            raise OSError(errno.EINVAL, "not a file of a backup")
        yield file


def read(path: Path, most: int = 0) -> bytes:
    """All of it."""
    with opened(path, most) as file:
        return file.read()


def _write(place: Path, raw: bytes) -> None:
    """Under a name that nobody can have put a link at, then in one move."""
    if place.parent.is_symlink():
        raise Misconfigured("%(path)s is a link. A backup directory has none: take it away.", path=place.parent)
    half = place.with_suffix(f".{os.urandom(8).hex()}")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    half.replace(place)


def _damaged(name: str) -> Misconfigured:
    return Misconfigured(
        "A piece of this backup is damaged: %(name)s. The disk may be failing. Restore an older backup, or another copy.", name=name
    )


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """A file's bytes in pieces; none for an empty file."""
    while piece := file.read(PIECE):
        yield piece
