"""Decides what is found inside a case: entries that say all the words asked for, as they were opened; nothing of a case is indexed."""

from collections.abc import Iterator

from fedcollab.search.words import letters

from .fields import Several, Text
from .mending import Inner
from .reading import members
from .record import Entry
from .shown import Case, Shown


def find(case: Case, asked: str) -> tuple[Shown, ...]:
    """The items of the timeline in whose words each word of `asked` stands, also as a part of one, the latest first. Only what the case was
    folded for is looked at, so nobody finds what they may not read."""
    wanted = _flat(asked).split()
    return tuple(shown for shown in reversed(case.timeline) if wanted and shown.entry and _says(shown.entry, wanted))


def _says(entry: Entry, wanted: list[str]) -> bool:
    said = _flat("\n".join(texts(entry)))
    return all(word in said for word in wanted)


def _flat(text: str) -> str:
    return text.lower() if text.isascii() else letters(text)


def texts(entry: Entry) -> Iterator[str]:
    """All that people wrote in an entry, in the order of its fields."""
    for name, spec, _needed in members(type(entry)):
        value = getattr(entry, name)
        if isinstance(spec, Text):
            yield value
        elif isinstance(spec, Several) and isinstance(spec.one, Text):
            yield from value
        elif isinstance(spec, Inner) and isinstance(value, Entry):
            yield from texts(value)
