"""Decides what a sealed message of a group says: the group's name, conversations, answers, resources, what was changed or taken away."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fedcollab.base.clock import iso
from fedcollab.base.errors import BadRequest, N_, Refused
from fedcollab.sealing import entries
from fedcollab.sealing.chunks import FileSecret
from fedcollab.sealing.entries import Entry, Problem
from fedcollab.sealing.fields import LANGUAGES, Day, Line, Secret, Text, Uri, said

TEXT, ABOUT, WHY = 20_000, 2_000, 500  # letters
MOST = 100_000  # people of one organisation


@dataclass(frozen=True)
class Link(Uri):
    """An address on the web that people follow."""

    def typed(self, values: Sequence[str]) -> str:
        try:
            return super().typed(values)
        except Refused:
            raise Refused(N_("Write the whole address, with https:// before it.")) from None


@dataclass(frozen=True)
class Number:
    """A whole number from 1, which no form says."""

    most: int = MOST
    empty: int = 0

    def read(self, value: Any) -> int:
        if type(value) is not int or not 1 <= value <= self.most:
            raise BadRequest(reason="entry: no number within its limits")
        return value

    def written(self, value: int) -> int:
        return value

    def typed(self, _values: Sequence[str]) -> int:
        return self.empty


@dataclass(frozen=True, repr=False, kw_only=True)
class Group(Entry):
    """How the group is called, what it is for, the last day on which it is kept: the word of whoever leads it."""

    KIND = "group"
    name: str = said(Line(), needed=True)
    about: str = said(Text(ABOUT))
    retention: str = said(Day())

    def problems(self) -> Iterator[Problem]:
        if self.retention and self.retention < iso(self.at)[:10]:
            yield "retention", N_("This day has passed. Choose a later one.")


@dataclass(frozen=True, repr=False, kw_only=True)
class People(Entry):
    """How many people of its author's organisation are on the group, so that everybody knows who reads before they write."""

    KIND = "people"
    number: int = said(Number(), needed=True)


@dataclass(frozen=True, repr=False, kw_only=True)
class Thread(Entry):
    """A conversation, with its first post. It is known by the message that it stands in."""

    KIND = "thread"
    title: str = said(Line(), needed=True)
    text: str = said(Text(TEXT), needed=True)
    language: str = said(LANGUAGES)


@dataclass(frozen=True, repr=False, kw_only=True)
class Reply(Entry):
    """A post in a conversation; `to` is the post that it answers, where it is one of them."""

    KIND = "reply"
    thread: str = said(Uri(), needed=True)
    text: str = said(Text(TEXT), needed=True)
    to: str = said(Uri())
    language: str = said(LANGUAGES)


@dataclass(frozen=True, repr=False, kw_only=True)
class Resource(Entry):
    """Something worth keeping at hand: what it is, in which language, where it is found."""

    KIND = "resource"
    title: str = said(Line(), needed=True)
    about: str = said(Text(TEXT))
    language: str = said(LANGUAGES)
    link: str = said(Link())

    @property
    def text(self) -> str:
        """What is said of it."""
        return self.about

    def problems(self) -> Iterator[Problem]:
        if not (self.about or self.link):
            yield "about", N_("Write what it is, or where it is found.")


@dataclass(frozen=True, repr=False, kw_only=True)
class About(Entry):
    """What is said of a post or a resource; `thread` is the conversation that it stands in, empty for a resource."""

    of: str = said(Uri(), needed=True)
    thread: str = said(Uri())


@dataclass(frozen=True, repr=False, kw_only=True)
class Edited(About):
    """Another text, and title where it has one, by the same person; what was said before stays in its history."""

    KIND = "edited"
    title: str = said(Line())
    text: str = said(Text(TEXT), needed=True)


@dataclass(frozen=True, repr=False, kw_only=True)
class Removed(About):
    """Taken away by the organisation that leads the group, which says why."""

    KIND = "removed"
    why: str = said(Text(WHY), needed=True)


@dataclass(frozen=True, repr=False, kw_only=True)
class File(About):
    """A sealed file that a post or a resource carries, by the same person: where its bytes lie, its name, its type as it was looked at,
    what opens it."""

    KIND = "file"
    uri: str = said(Uri(), needed=True)
    name: str = said(Line(), needed=True)
    media: str = said(Line())
    secret: FileSecret | None = said(Secret(), needed=True)


@dataclass(frozen=True, repr=False, kw_only=True)
class Suspected(Entry):
    """Marks a file, by the id of its message, as a suspected child abuse image (P23): no node opens it or hands it out from then on. There
    is no way back."""

    KIND = "suspected"
    of: str = said(Uri(), needed=True)


Post = Thread | Reply | Resource
OF_GROUPS = (Group, People, Thread, Reply, Resource, Edited, Removed, File, Suspected)
KINDS: Mapping[str, type[Entry]] = {kind.KIND: kind for kind in OF_GROUPS}


def parse(content: object) -> Entry:
    """The entry that a sealed message holds. Raises BadRequest, without anything of the content, for all that is none."""
    return entries.entry_in(content, KINDS)


def is_newer(content: Mapping[str, Any]) -> bool:
    """Whether what could not be read says of itself that a later program wrote it."""
    return entries.is_newer(content, KINDS)
