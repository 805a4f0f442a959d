"""Decides what of a group's posts is shown, from all that its members said of each: the same on every node, in whatever order it came."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from fedcollab.base.clock import MINUTE
from fedcollab.base.errors import BadRequest
from fedcollab.sealing.entries import Entry
from fedcollab.sealing.room_content import Message

from .entries import Edited, File, Group, People, Post, Removed, Reply, Resource, Suspected, Thread, is_newer, parse

FILES = 20  # that one post carries
AHEAD = 5 * MINUTE  # how much later than its arrival here an entry may say that it was written
THERE, REMOVED, ERASED, NEWER, BROKEN = "there", "removed", "erased", "newer", "broken"
E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, repr=False)
class Item:
    """A message as it was opened: `row` is its id on this node, `uri` everywhere; `entry` is None where it cannot be read, `unread` then
    saying why ("key", "author", "erased", "newer", "broken")."""

    row: str
    uri: str
    author: str
    organisation: str
    arrived: int
    entry: Entry | None
    unread: str = ""

    @property
    def at(self) -> int:
        """When it was written, as its author says, but not later than just after it came."""
        return min(self.entry.at, self.arrived + AHEAD) if self.entry else self.arrived

    @property
    def claimed(self) -> tuple[int, str]:
        """What decides between two that know nothing of each other: the same on every node."""
        return (self.entry.at if self.entry else 0, self.uri)


@dataclass(frozen=True, repr=False)
class Attached:
    """A file that a post carries: its message by `row` on this node and `uri` everywhere."""

    row: str
    uri: str
    entry: File


@dataclass(frozen=True, repr=False)
class Shown:
    """A post or resource as it stands. `state` is "there", "removed" (by whoever leads: `by`, `why`), or why it cannot be read; `before`
    is what it said until when, the newest first; `edits` are the ids of the messages that go with it: changes and files."""

    row: str
    uri: str
    author: str
    organisation: str
    at: int
    state: str
    title: str = ""
    text: str = ""
    language: str = ""
    link: str = ""
    to: str = ""
    opens: bool = False
    edited_at: int = 0
    before: tuple[tuple[int, str], ...] = ()
    by: str = ""
    why: str = ""
    edits: tuple[str, ...] = ()
    files: tuple[Attached, ...] = ()


def read(row: str, message: Message) -> Item:
    """What a message says, or that it cannot be read."""
    about = row, message.id, message.author, message.organisation, message.at
    if message.content is None:
        return Item(*about, None, message.lacks)
    try:
        return Item(*about, parse(message.content))
    except BadRequest:
        return Item(*about, None, NEWER if is_newer(message.content) else BROKEN)


def posts(found: Iterable[Item], said: Iterable[Item], owners: frozenset[str]) -> list[Shown]:
    """Posts or resources in the order given, with what was said of them; `owners` are the organisations that lead the room or led it."""
    of: dict[str, list[Item]] = {}
    for one in said:
        if isinstance(one.entry, Edited | Removed | File):
            of.setdefault(one.entry.of, []).append(one)
    return [_shown(item, of.get(item.uri, []), owners) for item in found]


def _shown(item: Item, said: list[Item], owners: frozenset[str]) -> Shown:
    about = item.row, item.uri, item.author, item.organisation, item.at
    edits = sorted((one for one in said if isinstance(one.entry, Edited) and one.author == item.author), key=lambda one: one.claimed)
    mine = sorted((one for one in said if isinstance(one.entry, File) and one.author == item.author), key=lambda one: one.claimed)
    files = tuple(Attached(one.row, one.uri, one.entry) for one in mine[:FILES] if isinstance(one.entry, File))
    ids = tuple(one.uri for one in (*edits, *mine))
    opens = isinstance(item.entry, Thread)
    taken = [one for one in said if isinstance(one.entry, Removed) and (one.organisation in owners or one.author == item.author)]
    if taken:
        word = min(taken, key=lambda one: one.claimed)
        assert isinstance(word.entry, Removed)
        return Shown(*about, REMOVED, opens=opens, by=word.organisation, why=word.entry.why, edits=ids)
    if not isinstance(item.entry, Thread | Reply | Resource):
        return Shown(*about, item.unread or BROKEN, edits=ids)
    return _there(about, item.entry, edits, files, ids)


def _there(
    about: tuple[str, str, str, str, int], entry: Post, edits: list[Item], files: tuple[Attached, ...], ids: tuple[str, ...]
) -> Shown:
    texts = [(about[4], entry.text), *((one.at, one.entry.text) for one in edits if isinstance(one.entry, Edited))]
    title = "" if isinstance(entry, Reply) else entry.title
    for one in edits:
        if isinstance(one.entry, Edited) and title:
            title = one.entry.title or title
    return Shown(
        *about,
        THERE,
        title=title,
        text=texts[-1][1],
        language=entry.language,
        link=entry.link if isinstance(entry, Resource) else "",
        to=entry.to if isinstance(entry, Reply) else "",
        opens=isinstance(entry, Thread),
        edited_at=texts[-1][0] if edits else 0,
        before=tuple((until, text) for (_, text), (until, _) in reversed(list(pairwise(texts)))),
        edits=ids,
        files=files,
    )


def group(found: Iterable[Item], owners: frozenset[str]) -> tuple[Item, Group] | None:
    """How the group is called: the latest word of whoever leads it or has led it."""
    said = [(item, item.entry) for item in found if isinstance(item.entry, Group) and item.organisation in owners]
    return max(said, key=lambda one: one[0].claimed, default=None)


def people(found: Iterable[Item]) -> Mapping[str, int]:
    """{organisation: how many of its people are on the group, by its own last word}."""
    said = sorted((item for item in found if isinstance(item.entry, People)), key=lambda one: one.claimed)
    return {item.organisation: item.entry.number for item in said if isinstance(item.entry, People)}


def place(entry: Entry | None, uri: str) -> tuple[str, str]:
    """Where a message (its id, what it says) belongs ("group", "people", "resource", "suspected", or a conversation's id), and the post or
    file that it is said of."""
    if isinstance(entry, Reply):
        return entry.thread, ""
    if isinstance(entry, Edited | Removed | File):
        return entry.thread or Resource.KIND, entry.of
    if isinstance(entry, Suspected):
        return entry.KIND, entry.of
    return (uri if isinstance(entry, Thread) else entry.KIND if entry else "", "")
