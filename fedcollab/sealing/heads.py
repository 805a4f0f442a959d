"""Decides how a node says where its record of a room ends, and how another says that it has seen this go on from all that it saw before;
pure. Both are documents with a proof of their own, so that they can be kept, handed on and read by whoever has the keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fedcollab.base.errors import BadRequest
from fedcollab.federation import activitystreams as ap

from .chains import Entry, Place
from .reading import NUMBER, members, number, one_of, uri
from .texts import named

VERSION = 1
FIRST, SAME, ON, OLD, GAP, BROKEN = "first", "same", "on", "old", "gap", "broken"


@dataclass(frozen=True)
class Head:
    """Where a node says that its record of a room ends, and when it said so."""

    room: str
    node: str
    seq: int
    hash: str
    at: int

    @property
    def place(self) -> Place:
        return Place(self.seq, self.hash)

    def document(self) -> dict[str, Any]:
        said = {"room": self.room, "node": self.node, "seq": self.seq, "hash": self.hash, "at": self.at}
        return {"@context": ap.CONTEXT, "type": ap.CHAIN_HEAD, "v": VERSION} | said


@dataclass(frozen=True)
class Signed:
    """What `by` says of a head of another node: it goes on from every head of that node that `by` has seen since the entry `since`.
    `breaks` is how often one did not: then that node had rewritten its record, or lost the end of it."""

    room: str
    node: str
    seq: int
    hash: str
    at: int
    by: str
    since: int
    breaks: int = 0

    @property
    def place(self) -> Place:
        return Place(self.seq, self.hash)

    def document(self) -> dict[str, Any]:
        said = {"room": self.room, "node": self.node, "seq": self.seq, "hash": self.hash, "at": self.at, "by": self.by}
        return {"@context": ap.CONTEXT, "type": ap.CHAIN_SIGNED, "v": VERSION} | said | {"since": self.since, "breaks": self.breaks}


HEAD = {"v", "room", "node", "seq", "hash", "at"}


def read_head(document: object) -> Head:
    """A head from its document; whose proof it carries is not looked at. Raises BadRequest."""
    said = _said(document, ap.CHAIN_HEAD, HEAD)
    return Head(uri(said["room"]), uri(said["node"]), number(said["seq"]), named(said["hash"]), _count(said["at"]))


def read_signed(document: object) -> Signed:
    """A countersignature from its document; whose proof it carries is not looked at. Raises BadRequest."""
    said = _said(document, ap.CHAIN_SIGNED, HEAD | {"by", "since", "breaks"})
    of = uri(said["room"]), uri(said["node"]), number(said["seq"]), named(said["hash"]), _count(said["at"])
    found = Signed(*of, uri(said["by"]), _count(said["since"]), _count(said["breaks"]))
    if found.since > found.seq or found.by == found.node:
        raise BadRequest(reason="sealing: a countersignature of what was not seen, or of one's own")
    return found


def _said(document: object, kind: str, names: set[str]) -> Any:
    said = members(document, names)
    if ap.types(document) != [kind]:
        raise BadRequest(reason="sealing: a statement of another kind")
    one_of(said["v"], (VERSION,))
    return said


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= NUMBER:
        raise BadRequest(reason="sealing: no number within its limits")
    return value


def judged(known: Head | None, head: Head, after: Place, entries: Sequence[Entry]) -> str:
    """What a node's newest head is to the one that we knew: FIRST, SAME, ON (it goes on from it), OLD (said before it), GAP (what lies
    between is not here), BROKEN. `entries` lead from `after` to the head. Raises BadRequest where they do not."""
    path = {after.seq: after.hash} | {one.seq: one.hash for one in entries}
    if path.get(head.seq) != head.hash or max(path) != head.seq:
        raise BadRequest(reason="sealing: entries that do not lead to the head")
    if known is None:
        return FIRST
    if known.seq > head.seq:
        return BROKEN if head.at > known.at else OLD  # said later, and shorter
    if known.seq < after.seq:
        return GAP
    if path[known.seq] != known.hash:
        return BROKEN
    return SAME if known.seq == head.seq else ON
