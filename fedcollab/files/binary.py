"""Decides what a file has to be for its kind to be found: bytes that can be read at any place."""

from typing import Protocol


class SeekableBinary(Protocol):
    """A whole file that can be read at any place."""

    def read(self, size: int = -1, /) -> bytes: ...

    def seek(self, offset: int, whence: int = 0, /) -> int: ...

    def tell(self) -> int: ...
