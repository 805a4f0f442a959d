"""Decides what a room's record says and how tampering shows: entries of random ids, each bound to the one before by its hash; pure.

A node's record of a room is a chain of its own. Whoever knows one place of it, a number with its hash, knows all that came before: nothing
before it can be changed, left out, put in or moved without another hash.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fedcollab.base.canonical import canonical
from fedcollab.base.errors import BadRequest

from .reading import NUMBER, members, number, one_of, uri
from .texts import name_of, named

VERSION = 1
WORDS = re.compile(r"[a-z][a-z_]{0,18}\.[a-z][a-z_]{0,18}")  # what an act is called
IDS = re.compile(r"[!-~]{0,400}")  # who did it, to what: no blank, so no sentence
MEMBERS = {"v", "room", "node", "seq", "prev", "at", "who", "action", "subject"}
Line = Sequence[object]  # an entry as it travels: at, who, action, subject; the rest follows from where it stands


@dataclass(frozen=True)
class Place:
    """A place in a chain: the number of an entry and its hash, which stands for all entries up to it. 0 and "" before the first."""

    seq: int
    hash: str


START = Place(0, "")


@dataclass(frozen=True)
class Entry:
    """One act on record. `room` and `node` (its Organization) are ids on the wire; `who` is a random id of a person within this room, an
    organisation's id, or empty for the node itself; `subject` the id of what it was done to; `at` in microseconds since the epoch."""

    room: str
    node: str
    seq: int
    prev: str
    at: int
    who: str
    action: str
    subject: str = ""

    def document(self) -> dict[str, Any]:
        """All that its hash covers."""
        return {
            "v": VERSION,
            "room": self.room,
            "node": self.node,
            "seq": self.seq,
            "prev": self.prev,
            "at": self.at,
            "who": self.who,
            "action": self.action,
            "subject": self.subject,
        }

    @cached_property
    def hash(self) -> str:
        return name_of(canonical(self.document()))

    @property
    def place(self) -> Place:
        return Place(self.seq, self.hash)

    def line(self) -> list[object]:
        return [self.at, self.who, self.action, self.subject]


class Broken(BadRequest):
    """An entry does not stand where it says; `seq` is the first such number."""

    def __init__(self, seq: int) -> None:
        super().__init__(reason="sealing: a record in which an entry does not follow from the one before")
        self.seq = seq


def parse(document: object) -> Entry:
    """An entry from its document. Raises BadRequest for anything that `Entry.document` would not have written."""
    said = members(document, MEMBERS)
    one_of(said["v"], (VERSION,))
    prev = said["prev"] if said["prev"] == "" else named(said["prev"])
    place = uri(said["room"]), uri(said["node"]), number(said["seq"]), prev
    return Entry(*place, *_said(said["at"], said["who"], said["action"], said["subject"]))


def _said(at: object, who: object, action: object, subject: object) -> tuple[int, str, str, str]:
    if type(at) is not int or not 0 <= at <= NUMBER:
        raise BadRequest(reason="sealing: no time of an entry")
    if not isinstance(action, str) or not WORDS.fullmatch(action):
        raise BadRequest(reason="sealing: no name of an act")
    if not isinstance(who, str) or not isinstance(subject, str) or not (IDS.fullmatch(who) and IDS.fullmatch(subject)):
        raise BadRequest(reason="sealing: no id in an entry")
    return at, who, action, subject


def placed(room: str, node: str, after: Place, lines: Iterable[object]) -> list[Entry]:
    """The entries of a node's record that follow a place, from their lines. Raises BadRequest for what is no line."""
    found: list[Entry] = []
    for line in lines:
        if not isinstance(line, list) or len(line) != 4:
            raise BadRequest(reason="sealing: no line of a record")
        before = found[-1].place if found else after
        found.append(Entry(room, node, before.seq + 1, before.hash, *_said(*line)))
    return found


def check(entries: Iterable[Entry], after: Place, room: str, node: str) -> Place:
    """Reads entries in their order from a place on; answers where they end. Raises Broken at the first that does not follow, or is of
    another record."""
    at = after
    for entry in entries:
        if (entry.seq, entry.prev, entry.room, entry.node) != (at.seq + 1, at.hash, room, node):
            raise Broken(at.seq + 1)
        at = entry.place
    return at
