"""Decides how a sealed file that lies on this machine is read at any place: a chunk at a time is open, in memory alone."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from .chunks import CHUNK, FileSecret, open_span, span
from .shut import Shut


class OpenedFile:
    """A sealed file as its clear bytes, in no file. Reading raises Shut where a chunk is not what was sealed, OSError where it can't be
    read."""

    def __init__(self, path: Path, secret: FileSecret) -> None:
        self._secret = secret
        self._handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._at = 0
        self._number, self._chunk = -1, b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._handle)
        self._chunk = b""

    def read(self, size: int = -1, /) -> bytes:
        stop = self._secret.size if size < 0 else min(self._at + size, self._secret.size)
        out = []
        while self._at < stop:
            piece = self._open(self._at // CHUNK)[self._at % CHUNK :][: stop - self._at]
            self._at += len(piece)
            out.append(piece)
        return b"".join(out)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._at = max(0, offset + (0, self._at, self._secret.size)[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def _open(self, number: int) -> bytes:
        if number != self._number:
            part = span(self._secret.size, number * CHUNK, (number + 1) * CHUNK)
            self._chunk = open_span(self._secret, part, os.pread(self._handle, part.length, part.offset))
            self._number = number
        if not self._chunk:
            raise Shut
        return self._chunk
