"""Decides how opened messages become the items of a case: each read once, or shown as unread, in the one order of its timeline."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fedcollab.base.clock import MINUTE, iso
from fedcollab.base.errors import BadRequest

from .kinds import is_newer, parse
from .record import Entry, Opened

AHEAD = 5 * MINUTE  # how much later than its arrival here an entry may say that it was written


@dataclass(frozen=True, slots=True, repr=False)
class Arrived:
    """A sealed message as it was opened: its id, the person and the organisation that sealed it, when it came here (microseconds), and the
    entry in it; None where it cannot be read, `unread` then being "newer", "broken", "key", "author", "stopped" or "erased"."""

    id: str
    author: str
    organisation: str
    at: int
    entry: Entry | None = None
    unread: str = ""


@dataclass(frozen=True, repr=False)
class Look:
    """Who looks and when: `now` in microseconds; `owners` are the organisations that own the room or have owned it, whose word the first
    terms are; `knows` are the parts (grounds.PARTS) that the person needs to know, of everybody ("health") or of one
    ("bafuko-tezara/health")."""

    now: int
    owners: frozenset[str]
    person: str = ""
    organisation: str = ""
    knows: frozenset[str] = frozenset()

    @property
    def today(self) -> str:
        return iso(self.now)[:10]

    def may_know(self, part: str, person: str, only: tuple[str, ...]) -> bool:
        """Whether the values of a part of somebody's record are for them."""
        needs = part in self.knows or f"{person}/{part}" in self.knows
        return needs and (not only or self.person in only or self.organisation in only)


@dataclass(slots=True, eq=False, repr=False)
class Item:
    """An entry with its place in the case. `at` is when it was written: as its author says, but not later than AHEAD after it came and
    not before the case was opened. `unread` as of what arrived."""

    id: str
    author: str
    organisation: str
    at: int
    arrived: int
    entry: Entry | None
    unread: str = ""
    void: bool = False  # its author's organisation may not say this

    @property
    def claimed(self) -> tuple[int, str]:
        """What decides between entries that know nothing of each other: the same on every node."""
        return (self.entry.at if self.entry else self.at, self.id)


def items(arrived: Iterable[Arrived], owners: frozenset[str]) -> list[Item]:
    """The items of a case in the order of its timeline, whatever the order they came in; a message that came twice is there once."""
    found = sorted(map(_item, {one.id: one for one in arrived}.values()), key=_when)
    opened = next((item for item in found if isinstance(item.entry, Opened) and item.organisation in owners), None)
    if opened is not None:
        for item in found:
            item.at = max(item.at, opened.at)
        found.sort(key=lambda item: (item.at, item is not opened, item.id))
    return found


def _when(item: Item) -> tuple[int, str]:
    return item.at, item.id


def _item(one: Arrived) -> Item:
    at = min(one.entry.at, one.at + AHEAD) if one.entry is not None else one.at
    return Item(one.id, one.author, one.organisation, at, one.at, one.entry, one.unread)


def read(content: Mapping[str, Any] | None, lacks: str) -> tuple[Entry | None, str]:
    """The entry in a content, or why there is none to be read; what a message lacks where it has no content."""
    if content is None:
        return None, lacks
    try:
        return parse(content), ""
    except BadRequest:
        return None, "newer" if is_newer(content) else "broken"
