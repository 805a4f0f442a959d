"""Decides what the fields of an entry may hold: each kind of field reads what was sealed elsewhere, strictly, and what somebody typed.

What was sealed is read as it is or refused (BadRequest, without the value); what was typed is tidied first, and refused in words
(Refused).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from fedcollab.base.errors import BadRequest, N_, Refused
from fedcollab.base.markup import plain

from . import chunks
from .chunks import FileSecret
from .reading import uri

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)
COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}", re.ASCII)
OLDEST, NEWEST = "1900-01-01", "2199-12-31"
LINE = 200  # letters


class Spec(Protocol):
    """A kind of field. What is `empty` stands in no document."""

    @property
    def empty(self) -> Any: ...

    def read(self, value: Any) -> Any:
        """The value in a document. Raises BadRequest, as for an empty one."""

    def written(self, value: Any) -> Any:
        """As it stands in a document."""

    def typed(self, values: Sequence[str]) -> Any:
        """What a form brings, `empty` where that is nothing. Raises Refused in words."""


def said(spec: Spec, *, needed: bool = False) -> Any:
    """A field of an entry; without a needed one nothing is read."""
    return field(default=spec.empty, metadata={"spec": spec, "needed": needed})


def _no(what: str) -> BadRequest:
    return BadRequest(reason=f"entry: {what}")


def first(values: Sequence[str]) -> str:
    """What a form brings of a field that is there once."""
    return values[0].strip() if values else ""


@dataclass(frozen=True)
class Text:
    """What people write: at most `most` letters in lines, without control characters and those that turn a text around."""

    most: int
    empty: str = ""

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not value.strip() or len(value) > self.most or CONTROL.search(value):
            raise _no("no text within its limits")
        return value

    def written(self, value: str) -> str:
        return value

    def typed(self, values: Sequence[str]) -> str:
        found = first(values).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
        found = CONTROL.sub("", found).strip()
        if len(found) > self.most:
            raise Refused(N_("This is too long: at most %(most)s characters fit here."), most=self.most)
        return found


@dataclass(frozen=True)
class Line(Text):
    """One line: a name, a number, the name of a file."""

    most: int = LINE

    def read(self, value: Any) -> str:
        found = super().read(value)
        if "\n" in found or found != found.strip():
            raise _no("no line")
        return found

    def typed(self, values: Sequence[str]) -> str:
        return plain(super().typed(values), self.most)


@dataclass(frozen=True)
class Code:
    """One code of a list."""

    of: Mapping[str, str]
    empty: str = ""

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.of:
            raise _no("no code of its list")
        return value

    def written(self, value: str) -> str:
        return value

    def typed(self, values: Sequence[str]) -> str:
        found = first(values)
        if found and found not in self.of:
            raise Refused(N_("Choose one of the list."))
        return found


@dataclass(frozen=True)
class Pattern:
    """What looks always alike, such as a country's code; `wrong` says how to write it."""

    looks: re.Pattern[str]
    wrong: str
    empty: str = ""

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not self.looks.fullmatch(value):
            raise _no("not as it has to look")
        return value

    def written(self, value: str) -> str:
        return value

    def typed(self, values: Sequence[str]) -> str:
        found = first(values)
        for form in (found, found.upper(), found.lower()):
            if self.looks.fullmatch(form):
                return form
        if found:
            raise Refused(self.wrong)
        return ""


@dataclass(frozen=True)
class Day(Pattern):
    """A day of the calendar, as 2027-11-30."""

    looks: re.Pattern[str] = DAY
    wrong: str = N_("Write the day as 2027-11-30.")

    def read(self, value: Any) -> str:
        found = super().read(value)
        if not _is_day(found):
            raise _no("no day")
        return found

    def typed(self, values: Sequence[str]) -> str:
        found = super().typed(values)
        if found and not _is_day(found):
            raise Refused(self.wrong)
        return found


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return OLDEST <= text <= NEWEST


@dataclass(frozen=True)
class Uri:
    """The id of a person, an organisation, a message (and so of an entry) or a file."""

    empty: str = ""

    def read(self, value: Any) -> str:
        return uri(value)

    def written(self, value: str) -> str:
        return value

    def typed(self, values: Sequence[str]) -> str:
        try:
            return uri(found) if (found := first(values)) else ""
        except BadRequest:
            raise Refused(N_("Choose one of the list.")) from None


@dataclass(frozen=True)
class Flag:
    """Yes, or nothing."""

    empty: bool = False

    def read(self, value: Any) -> bool:
        if value is not True:
            raise _no("not true")
        return True

    def written(self, value: bool) -> bool:
        return value

    def typed(self, values: Sequence[str]) -> bool:
        return bool(first(values))


@dataclass(frozen=True)
class Several:
    """Different ones of a kind, at most `most`; a form may send them one by one or, where none holds a comma, with commas between."""

    one: Spec
    most: int = 30
    commas: bool = False
    empty: tuple[Any, ...] = ()

    def read(self, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or not 1 <= len(value) <= self.most:
            raise _no("no list within its limits")
        found = tuple(map(self.one.read, value))
        if len(set(found)) != len(found):
            raise _no("one stands twice in a list")
        return found

    def written(self, value: tuple[Any, ...]) -> list[Any]:
        return [self.one.written(one) for one in value]

    def typed(self, values: Sequence[str]) -> tuple[Any, ...]:
        parts = [part for value in values for part in (re.split("[,;،؛]", value) if self.commas else [value])]
        found = tuple(dict.fromkeys(read for part in parts if (read := self.one.typed([part])) != self.one.empty))
        if len(found) > self.most:
            raise Refused(N_("Choose at most %(most)s."), most=self.most)
        return found


@dataclass(frozen=True)
class Secret:
    """What opens a file: it comes from the sealing of it and is never typed."""

    empty: FileSecret | None = None

    def read(self, value: Any) -> FileSecret:
        return chunks.parse(value)

    def written(self, value: FileSecret) -> dict[str, Any]:
        return value.document()

    def typed(self, _values: Sequence[str]) -> None:
        return None


COUNTRIES = Pattern(COUNTRY, N_("Write the country as a code of two letters, such as KH."))
LANGUAGES = Pattern(LANGUAGE, N_("Write the language as a code, such as en, fr or km."))
CLOCK = Pattern(TIME, N_("Write the time as 14:30."))
