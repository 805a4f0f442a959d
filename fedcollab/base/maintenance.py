"""Decides what it means that a node is being worked on: a file in its directory that every process sees and that outlives a restart.

A file and no row: it is there while the database is being changed, and no backup carries it into a node that is restored.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .clock import MICROSECONDS
from .errors import Misconfigured, N_, Reader, Unavailable

LOOK = 1.0  # seconds for which what the file said is believed
SOON, LATEST, UNKNOWN = 60, 6 * 3600, 300  # seconds: others ask again no sooner, no later, and when nobody has said until when
WORDS = 500  # characters


@dataclass(frozen=True)
class Closed:
    """Since when the node is being worked on, until about when (None: not said), and what the admin tells the members, as plain text."""

    since: int
    until: int | None = None
    words: str = ""


class UnderMaintenance(Unavailable):
    """The node is being worked on. `until` in microseconds, where somebody has said it."""

    text = N_("This node is being worked on. Nothing is lost: what partners send meanwhile arrives afterwards.")
    back = N_(
        "This node is being worked on and will be back at about %(time)s. Nothing is lost: what partners send meanwhile arrives afterwards."
    )

    def __init__(self, closed: Closed, now: int) -> None:
        left = UNKNOWN if closed.until is None else (closed.until - now) // MICROSECONDS
        super().__init__(reason="maintenance", retry_after=max(SOON, min(LATEST, left)))
        self.until = closed.until if closed.until is not None and closed.until > now else None
        self.words = closed.words

    def in_words(self, reader: Reader | None = None) -> str:
        if reader is None or self.until is None:
            return super().in_words(reader)
        return reader.gettext(self.back) % {"time": reader.time(self.until)}


class Maintenance:
    """The state as the file has it, looked at once a second at most: every request asks."""

    def __init__(self, file: Path | None = None, tick: Callable[[], float] = time.monotonic) -> None:
        self.file = file
        self._tick = tick
        self._looked = float("-inf")
        self._found: Closed | None = None

    def state(self) -> Closed | None:
        """How the node is being worked on, or None. A file that can't be read closes the node as well: somebody has put it there."""
        now = self._tick()
        if self.file is not None and now - self._looked >= LOOK:
            self._looked, self._found = now, read(self.file)
        return self._found

    def check(self, now: int) -> None:
        """Raises UnderMaintenance."""
        closed = self.state()
        if closed is not None:
            raise UnderMaintenance(closed, now)

    def begin(self, closed: Closed) -> None:
        """Closes the node for members and partners, in all of its processes within a second. Raises Misconfigured."""
        if self.file is not None:
            write(self.file, closed)
        self._looked = float("-inf")

    def end(self) -> None:
        """Opens the node again."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)
        self._looked = float("-inf")


def read(file: Path) -> Closed | None:
    """What the file says."""
    try:
        said = json.loads(file.read_bytes())
        until = said.get("until")
        return Closed(int(said["since"]), int(until) if until is not None else None, str(said.get("words", ""))[:WORDS])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Closed(0)


def write(file: Path, closed: Closed) -> None:
    """Puts the file in its place in one move. Raises Misconfigured."""
    half = file.with_suffix(".half")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            json.dump({"since": closed.since, "until": closed.until, "words": closed.words[:WORDS]}, out)
        half.replace(file)
    except OSError as error:
        raise Misconfigured("%(path)s can't be written (%(error)s).", path=file, error=error.strerror) from None
