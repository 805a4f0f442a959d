"""Decides what becomes of one entry of somebody's bibliography: a record, what was left out of it or guessed, or why there is none."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from fedcollab.access.models import AMBER, RED, STRICT
from fedcollab.access.policy import narrowest
from fedcollab.base.errors import N_
from fedcollab.base.markup import plain
from fedcollab.features.resources.checking import OTHER, Wrong, checked
from fedcollab.features.resources.record import AUTHORS, COUNTRIES, NAME, SUMMARY, TITLE, TOPICS, Record

from . import matching, numbers

STORY = "Story"
NO_STORY = N_("A story is written down on a page of its own, with what the person has agreed to: Library, Stories.")
SHOWN = 200  # characters of what was left out, in a note
CONTROLS = ("Cc", "Cs", "Cn", "Co")


@dataclass(frozen=True)
class Note:
    """What a person reads of an entry: a message id, and the words of their own file that fill it."""

    text: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One entry, which begins in `line` of the file: its record, or the reason why there is none. `label` is the one that the entry itself
    says, else empty; `notes` say what was left out or guessed."""

    line: int
    record: Record | None = None
    label: str = ""
    reason: Note | None = None
    notes: tuple[Note, ...] = ()


@dataclass
class Entry:
    """An entry as a format's reader has found it, each part still as it was written; `unused` are names of parts that a record has no
    place for, `files` names of attachments."""

    line: int
    title: str = ""
    authors: list[str] = field(default_factory=list)
    publisher: str = ""
    year: str = ""
    language: str = ""
    countries: list[str] = field(default_factory=list)
    kind: str = ""
    keywords: list[str] = field(default_factory=list)
    licence: str = ""
    summary: str = ""
    sources: list[str] = field(default_factory=list)
    identifiers: list[str] = field(default_factory=list)
    review_on: str = ""
    label: str = ""
    unused: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def say(self, text: str, **values: str) -> None:
        """Notes something about it."""
        self.notes.append(Note(text, {name: plain(value, SHOWN) for name, value in values.items()}))

    def appeared_in(self, title: str) -> None:
        """What it is a part of stands for its publisher, where it names none."""
        if title and not self.publisher:
            self.publisher = title
            self.say(N_("It names no publisher: what it appeared in is taken for it."))
        elif title:
            self.unused.append(title)

    def edited_by(self, editors: list[str]) -> None:
        """Its editors stand for its authors, where it names none."""
        if editors and not self.authors:
            self.authors = editors
            self.say(N_("It names no authors: its editors are taken for them."))
        else:
            self.unused += editors

    def row(self) -> Row:
        """The entry as a row of the preview."""
        title = plain(self.title, TITLE)
        if not title:
            return Row(self.line, reason=Note(N_("It has no title.")))
        if len(" ".join(self.title.split())) > TITLE:
            self.say(N_("The title was too long and is cut."))
        tagged = self._tagged()
        label = self._label(tagged.labels)
        if label == RED:
            return Row(self.line, reason=Note(N_("It is marked TLP:RED, for named people alone: it does not belong into a library.")))
        record = Record(
            title,
            authors=self._authors(),
            publisher=plain(self.publisher, NAME),
            year=self._year(),
            language=self._language(),
            countries=self._countries(tagged.countries),
            kind=tagged.kind or self._kind(),
            topics=self._topics(tagged.topics),
            licence=tagged.licence or self._licence(),
            summary=self._summary(),
            source=self._source(),
            identifier=self._identifier(),
            review_on=self._review(tagged.review_on),
        )
        self._say_rest(tagged.unknown)
        if record.kind == STORY:
            return Row(self.line, reason=Note(NO_STORY))
        try:
            return Row(self.line, checked(record), label, notes=tuple(self.notes))
        except Wrong as error:
            return Row(self.line, reason=Note(error.text))

    def _tagged(self) -> matching.Tagged:
        return matching.tags(self.keywords)

    def _label(self, labels: list[str]) -> str:
        """The narrowest that the entry says. What is for named organisations is kept for us alone until it can be sealed."""
        said = [*labels, *([found] if (found := matching.label(self.label)) else [])]
        if self.label and not matching.label(self.label):
            self.say(N_("This label is not known: %(label)s"), label=self.label)
        label = narrowest(*said) if said else ""
        if label == AMBER:
            self.say(N_("It is marked TLP:AMBER, which cannot be sealed yet: it is kept for us alone."))
            return STRICT
        return label

    def _authors(self) -> tuple[str, ...]:
        names = [name for name in (plain(author, NAME) for author in self.authors) if name]
        if len(names) > AUTHORS:
            self.say(N_("Of its authors the first %(most)s are taken."), most=str(AUTHORS))
        return tuple(names[:AUTHORS])

    def _year(self) -> int | None:
        year, guessed = numbers.year(self.year)
        if year is None and self.year.strip():
            self.say(N_("The year cannot be read and is left out: %(year)s"), year=self.year)
        if guessed and year is not None:
            self.say(N_("%(said)s is taken for a year of the Buddhist calendar: %(year)s"), said=self.year, year=str(year))
        return year

    def _language(self) -> str:
        found = matching.language(self.language)
        if not found and self.language.strip():
            self.say(N_("The language is not known and is left out: %(language)s"), language=self.language)
        return found

    def _countries(self, tagged: list[str]) -> tuple[str, ...]:
        named = {text: matching.country(text) for text in self.countries if text.strip()}
        if unknown := [text for text, code in named.items() if not code]:
            self.say(N_("These countries are not known and are left out: %(names)s"), names="; ".join(unknown))
        return tuple(_once([*tagged, *filter(None, named.values())])[:COUNTRIES])

    def _kind(self) -> str:
        found = matching.kind(self.kind)
        if not found:
            self.say(N_("Its kind is not known: it stands among “Other”, until somebody changes that."))
        return found or OTHER

    def _topics(self, found: list[str]) -> tuple[str, ...]:
        topics = _once(found)
        if len(topics) > TOPICS:
            self.say(N_("Of its topics the first %(most)s are taken."), most=str(TOPICS))
        return tuple(topics[:TOPICS])

    def _licence(self) -> str:
        found = matching.licence(self.licence)
        if not found and self.licence.strip():
            self.say(N_("The licence is not known and is left out: %(licence)s"), licence=self.licence)
        return found

    def _summary(self) -> str:
        text = lines(self.summary)
        if len(text) > SUMMARY:
            self.say(N_("The summary was too long and is cut."))
        return text[:SUMMARY].rstrip()

    def _source(self) -> str:
        given = _once(text.strip() for text in self.sources if text.strip())
        good = next((text for text in given if numbers.address(text)), "")
        if rest := [text for text in given if text != good]:
            self.say(N_("Of its addresses these are left out: %(addresses)s"), addresses=" ".join(rest))
        return numbers.address(good)

    def _identifier(self) -> str:
        given = _once(text.strip() for text in self.identifiers if text.strip())
        found = _once(made for text in given for made in numbers.identifiers(text))
        found.sort(key=lambda made: not made.startswith("doi:"))
        if wrong := [text for text in given if not numbers.identifiers(text)]:
            self.say(N_("This is no valid DOI or ISBN and is left out: %(number)s"), number=" ".join(wrong))
        if found[1:]:
            self.say(N_("A record has one number; these are left out: %(numbers)s"), numbers=" ".join(found[1:]))
        return found[0] if found else ""

    def _review(self, tagged: str) -> str:
        found = tagged or numbers.day(self.review_on)
        if not found and self.review_on.strip():
            self.say(N_("The day of the review cannot be read and is left out: %(day)s"), day=self.review_on)
        return found

    def _say_rest(self, unknown: list[str]) -> None:
        if unknown:
            self.say(N_("These keywords are none of our topics and are left out: %(words)s"), words="; ".join(unknown))
        if self.files:
            self.say(N_("Files are named and not fetched: %(names)s"), names="; ".join(self.files))
        if self.unused:
            self.say(N_("Left out: %(names)s"), names=", ".join(_once(self.unused)))


def broken(line: int, text: str, **values: str) -> Row:
    """An entry that cannot be read, with its reason."""
    return Row(line, reason=Note(text, {name: plain(value, SHOWN) for name, value in values.items()}))


def lines(text: str) -> str:
    """A text of several lines: line ends as one character, composed letters, no control characters, no blanks around it."""
    unix = unicodedata.normalize("NFC", text[: 2 * SUMMARY].replace("\r\n", "\n").replace("\r", "\n"))
    if not unix.replace("\n", "").replace("\t", "").isprintable():
        unix = "".join(c for c in unix if c in "\n\t" or unicodedata.category(c) not in CONTROLS)
    return "\n".join(map(_ended, unix.split("\n"))).strip()


def _ended(line: str) -> str:
    """Two blanks or more at a line's end are Markdown's break, and two suffice; all else there is nothing."""
    bare = line.rstrip(" \t")
    return bare + "  " if line.startswith(bare + "  ") and bare else bare


def _once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
