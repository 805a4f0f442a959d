"""Decides how the bytes of files lie on this machine: under random names that say nothing, each written once, whole and its owner's alone.

What comes in grows in a folder of its own (`Arriving`), is looked at there, and only then moves into a store.
"""

import asyncio
import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from .errors import N_, StorageFull, Unavailable

P = ParamSpec("P")
T = TypeVar("T")
PIECE = 262_144  # bytes that are read, or handed to a thread, at once
THREADS = 4  # that wait for disks, so that a slow one holds up no others
KEY = re.compile(r"[0-9a-f]{32}")
Mark = tuple[int, "hashlib._Hash"]
FULL = N_("The node's disk is full, so the file was not stored. Everything else works; tell your administrator.")
MISSING = N_("The bytes of this file are not where they should be. Tell your administrator: the doctor command says more.")


class Store(Protocol):
    """Bytes under keys that `new_key` makes. What is missing or can't be reached raises Unavailable."""

    async def take(self, path: Path, key: str, sha256: str) -> None:
        """Keeps a whole file of this machine, which is gone from its place afterwards. It is safe when this returns. Raises StorageFull."""

    def read(self, key: str, start: int, length: int) -> AsyncGenerator[bytes, None]:
        """`length` bytes from `start` on, in pieces."""

    async def size(self, key: str) -> int | None:
        """Bytes; None where there is nothing under the key."""

    async def remove(self, key: str) -> None:
        """It does not matter whether there is anything."""

    def local(self, key: str) -> AbstractAsyncContextManager[Path]:
        """The whole file on this machine, to be read only, as long as the block lasts."""


def new_key() -> str:
    """A name that says nothing: 128 random bits."""
    return secrets.token_hex(16)


class Disk:
    """The threads in which files are read and written."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, "files")

    async def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `work` in a thread. Raises StorageFull where the disk is full, else what it raises."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: work(*args, **kwargs))
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise StorageFull(FULL, reason="a file did not fit on the disk") from None
            raise

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class Folder:
    """A store in a directory of this machine: files of mode 0600 in folders of two letters."""

    def __init__(self, root: Path, disk: Disk) -> None:
        self.root, self.disk = root, disk

    def path(self, key: str) -> Path:
        """Raises ValueError for what is no key."""
        if not KEY.fullmatch(key):
            raise ValueError("not a key")
        return self.root / key[:2] / key

    async def take(self, path: Path, key: str, sha256: str) -> None:  # it was hashed on this disk as it came in
        await self.disk.do(_move, path, self.path(key))

    async def read(self, key: str, start: int, length: int) -> AsyncGenerator[bytes, None]:
        try:
            handle = await self.disk.do(_open, self.path(key))
        except OSError:
            raise Unavailable(MISSING, reason="a file's bytes are missing") from None
        try:
            while length:
                piece = await self.disk.do(os.pread, handle, min(PIECE, length), start)
                if not piece:
                    raise Unavailable(MISSING, reason="a file's bytes end too early")
                start, length = start + len(piece), length - len(piece)
                yield piece
        finally:
            os.close(handle)

    async def size(self, key: str) -> int | None:
        with suppress(OSError):
            return (await self.disk.do(self.path(key).lstat)).st_size
        return None

    async def remove(self, key: str) -> None:
        await self.disk.do(self.path(key).unlink, missing_ok=True)

    @asynccontextmanager
    async def local(self, key: str) -> AsyncIterator[Path]:
        if await self.size(key) is None:
            raise Unavailable(MISSING, reason="a file's bytes are missing")
        yield self.path(key)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _move(path: Path, target: Path) -> None:
    """Into its place in one step; the folder is on the disk as well when this returns."""
    make_folder(target.parent)
    try:
        path.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _move_over(path, target)
    sync(target.parent)


def _move_over(path: Path, target: Path) -> None:
    """From one disk to another: as a whole or not at all."""
    half = target.with_suffix(".half")
    try:
        with path.open("rb") as source, os.fdopen(_create(half), "wb") as out:
            shutil.copyfileobj(source, out, PIECE)
            out.flush()
            os.fsync(out.fileno())
        half.replace(target)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    path.unlink()


def make_folder(folder: Path) -> None:
    """A folder of two letters and the one that it lies in, both the owner's alone."""
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(exist_ok=True, mode=0o700)


def sync(folder: Path) -> None:
    """Has the disk keep what a folder lists."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


class Growing:
    """A file that is coming in: `size` bytes of it are written, and hashed on the way, unless whoever writes does that."""

    def __init__(self, path: Path, disk: Disk, *, hashed: bool = True) -> None:
        self.path, self.disk, self.hashed = path, disk, hashed
        self.size = 0
        self._hash = hashlib.sha256()
        self._handle = -1

    async def begin(self, size: int = 0) -> None:
        """Opens it with the first `size` bytes that are there already, which are hashed again; what lies beyond goes."""
        await self.disk.do(self._begin, size)

    def _begin(self, size: int) -> None:
        make_folder(self.path.parent)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._handle = os.open(self.path, flags if size else flags | os.O_TRUNC, 0o600)
        while self.size < size and (piece := os.pread(self._handle, min(PIECE, size - self.size), self.size)):
            self._hash.update(piece)
            self.size += len(piece)
        os.ftruncate(self._handle, self.size)

    async def add(self, data: bytes | bytearray) -> None:
        """Writes what comes next. Raises StorageFull."""
        await self.disk.do(self.write, data)

    def write(self, data: bytes | bytearray) -> None:
        """The same for one of the disk's threads."""
        if self.hashed:
            self._hash.update(data)
        left = memoryview(data)
        while left:
            written = os.pwrite(self._handle, left, self.size)
            left, self.size = left[written:], self.size + written

    async def safe(self) -> None:
        """What was written so far outlives a loss of power when this returns."""
        await self.disk.do(os.fdatasync, self._handle)

    def mark(self) -> "Mark":
        """Where it is just now, for `back_to`."""
        return self.size, self._hash.copy()

    async def back_to(self, mark: "Mark") -> None:
        """As it was at the mark; what came after gives its room back."""
        self.size, self._hash = mark[0], mark[1].copy()
        await self.disk.do(os.ftruncate, self._handle, self.size)

    def sha256(self) -> str:
        """Of what was written so far, in hexadecimal."""
        return self._hash.copy().hexdigest()

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1

    async def remove(self) -> None:
        """Ends it, and nothing is left of it."""
        self.close()
        await self.disk.do(self.path.unlink, missing_ok=True)


class Arriving:
    """The folder of what is coming in. No backup takes it."""

    def __init__(self, root: Path, disk: Disk) -> None:
        self.root, self.disk = root, disk

    def growing(self, key: str, *, hashed: bool = True) -> Growing:
        return Growing(Folder(self.root, self.disk).path(key), self.disk, hashed=hashed)

    async def remove(self, key: str) -> None:
        await Folder(self.root, self.disk).remove(key)

    async def found(self) -> list[str]:
        """The keys of all that lies here just now."""
        return await self.disk.do(lambda: [path.name for path in self.root.glob("??/*")])
