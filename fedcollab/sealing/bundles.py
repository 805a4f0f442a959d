"""Decides how a case lies in one file that can be checked by itself: a line of JSON each, in a fixed order, the last one signed by the node
that made it over all the others; pure.

Nothing in it opens anything that is not shown in it: no case key, no key of a person.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from fedcollab.base.canonical import canonical
from fedcollab.base.errors import BadRequest
from fedcollab.base.strictjson import MAX_BYTES, loads
from fedcollab.federation import activitystreams as ap

from .texts import written

FORM, VERSION = "fedcollab case", 1
# The kinds of lines in their order, and how many there may be of each.
FIRST, ORGANISATION, PERSON, CASE_KEY, HEAD, COUNTERSIGNED, CHECKPOINT, ENTRY, MESSAGE, PIECE, END = KINDS = (
    "case",
    "organisation",
    "person",
    "case-key",
    "head",
    "countersigned",
    "checkpoint",
    "entry",
    "message",
    "piece",
    "end",
)
MOST = {
    FIRST: 1,
    ORGANISATION: 1_000,
    PERSON: 2_000,
    CASE_KEY: 20_000,
    HEAD: 1_000,
    COUNTERSIGNED: 2_000,
    CHECKPOINT: 1,
    ENTRY: 2_000_000,
    MESSAGE: 200_000,
    PIECE: 2_000_000,
    END: 1,
}


KEPT = 100_000_000  # bytes of lines that whoever reads has to keep
WHY = ("masked", "redacted", "erased", "suspected", "withheld", "newer", "broken", "key", "author", "large")  # an entry is left out


class NoBundle(BadRequest):
    """What is no bundle, or one of a newer program; `line` is where that is seen, from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason=reason)
        self.line = line


@dataclass
class Writer:
    """Makes the lines and keeps the sum of what was made."""

    lines: int = 0
    sum: Any = field(default_factory=hashlib.sha256)

    def line(self, kind: str, value: Any) -> bytes:
        """One more line. Raises ValueError for what is no JSON."""
        text = canonical({"kind": kind, "is": value}) + b"\n"
        self.sum.update(text)
        self.lines += 1
        return text

    def end(self, room: str, node: str, at: int) -> dict[str, Any]:
        """What the last line says, without its proof: how many lines there were before it, and their SHA-256."""
        said = {"room": room, "node": node, "at": at, "lines": self.lines, "digest": written(self.sum.digest())}
        return {"@context": ap.CONTEXT, "type": ap.CASE_EXPORT, "v": VERSION} | said


def fits(kind: str, value: Any) -> bool:
    """Whether a line with this in it will be read again."""
    try:
        loads(canonical({"kind": kind, "is": value}))
    except (BadRequest, ValueError):
        return False
    return True


@dataclass(frozen=True)
class Line:
    """A line of a bundle; before it were so many, and this is their sum."""

    number: int
    kind: str
    value: Any = field(repr=False)
    before: str = ""


def lines(file: BinaryIO) -> Iterator[Line]:
    """The lines of a bundle, one at a time in memory. Raises NoBundle for anything that is not written as `Writer` writes it."""
    sum_, number, order, kept, seen = hashlib.sha256(), 0, 0, 0, dict.fromkeys(KINDS, 0)
    while text := file.readline(MAX_BYTES + 2):
        number += 1
        kind, value = _line(number, text)
        if KINDS.index(kind) < order:
            raise NoBundle(number, "lines in another order")
        order = KINDS.index(kind)
        seen[kind] += 1
        kept += len(text) if order < KINDS.index(ENTRY) else 0
        if kept > KEPT:
            raise NoBundle(number, "more about who was inside than anybody needs")
        if seen[kind] > MOST[kind] or (number == 1) != (kind == FIRST) or (seen[END] and kind != END):
            raise NoBundle(number, "more lines of a kind than there may be, or no first line")
        yield Line(number, kind, value, written(sum_.digest()) if kind == END else "")
        sum_.update(text)
    if not number:
        raise NoBundle(1, "an empty file")


def _line(number: int, text: bytes) -> tuple[str, Any]:
    if not text.endswith(b"\n"):
        raise NoBundle(number, "a line that is too long, or was cut off")
    try:
        said = loads(text[:-1])
        is_ours = isinstance(said, dict) and said.keys() == {"kind", "is"} and canonical(said) + b"\n" == text
    except (BadRequest, ValueError):
        raise NoBundle(number, "a line that is no JSON, or is written in another way") from None
    if not is_ours or not isinstance(said, dict) or said["kind"] not in KINDS:
        raise NoBundle(number, "a line of a kind that this program does not know")
    if said["kind"] == FIRST and (not isinstance(said["is"], dict) or (said["is"].get("form"), said["is"].get("v")) != (FORM, VERSION)):
        raise NoBundle(number, "no case of a kind that this program knows")
    return said["kind"], said["is"]
