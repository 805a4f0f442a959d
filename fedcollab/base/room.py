"""Decides how much of the disk is left alone: below that, what adds to the node is refused, and what takes from it still works."""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from .errors import N_, StorageFull, Unavailable

MEGABYTE = 1_000_000
LOOK = 1.0  # seconds for which a figure is believed
SHARE = 20  # the reserve is at most a twentieth of the disk
FILES = 2  # reserves that files leave alone: where none fits any more, people still write
TIGHT = 10  # a tenth of the reserve has to be free whatever the database could use again: its log grows beside it
RETRY = 600  # seconds after which a partner tries again

LOW = N_(
    "The node's disk is almost full, so nothing new is stored for now. Reading, deleting and signing in still work. Your text is safe in"
    " the form; tell your administrator."
)
FILE = N_("The node's disk has no room for this file, so it was not stored. Everything else works; tell your administrator.")


class Room:
    """The room on the disk that holds the node's directory. `reusable` are bytes inside the database that it fills before it grows; the
    chores say how many. Without a place there is always room."""

    def __init__(self, place: Path | None = None, reserve: int = 0, tick: Callable[[], float] = time.monotonic) -> None:
        self.place = place
        self.wanted = reserve
        self.reusable = 0
        self._tick = tick
        self._looked = float("-inf")
        self._figures = (0, 0)

    def figures(self) -> tuple[int, int]:
        """(bytes free for us, bytes in all)."""
        now = self._tick()
        if self.place is not None and now - self._looked >= LOOK:
            with contextlib.suppress(OSError):  # a disk that says nothing just now is as it was
                found = os.statvfs(self.place)
                self._figures = (found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)
            self._looked = now  # last: another thread that comes in between looks for itself
        return self._figures

    @property
    def reserve(self) -> int:
        """Bytes that are left alone: what the setting says, and no more than a twentieth of the disk."""
        return min(self.wanted, self.figures()[1] // SHARE)

    @property
    def low(self) -> bool:
        """Whether the reserve has been reached."""
        if self.place is None or not self.wanted:
            return False
        free, reserve = self.figures()[0], self.reserve
        return free + self.reusable < reserve or free < reserve // TIGHT

    def need(self) -> None:
        """For whatever adds to the node. Raises StorageFull."""
        if self.low:
            raise StorageFull(LOW, reason="the disk's reserve is reached", retry_after=RETRY)

    def need_for_file(self, size: int) -> None:
        """For a file of so many bytes more. Raises StorageFull where less than two reserves would be left, or it would not fit at all."""
        if self.low or (self.place is not None and self.figures()[0] - size < (FILES * self.reserve if self.wanted else 0)):
            raise StorageFull(FILE, reason="no room for a file", retry_after=RETRY)

    def need_for_partners(self) -> None:
        """For what partners send: they keep it and come again. Raises Unavailable."""
        if self.low:
            raise Unavailable(reason="the disk's reserve is reached", retry_after=RETRY)
