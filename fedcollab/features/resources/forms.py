"""Decides how a record's form is read: one text a field, countries and languages by their names or codes, topics from the list."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from multidict import MultiDictProxy

from fedcollab.base.called import country, language
from fedcollab.base.i18n import Words

from .checking import YEAR, Wrong, checked
from .record import Record

Fields = MultiDictProxy[str]
PLAIN = ("title", "publisher", "kind", "licence", "summary", "source", "identifier", "review_on")
TEXTS = (*PLAIN, "authors", "year", "language", "countries")
TOPICS = "topics"
APART = re.compile(r"[,;\n،]")


def values_of(fields: Fields) -> dict[str, str]:
    """What was typed, as the form shows it again and as a draft keeps it; topics as codes with blanks between."""
    return {name: fields.get(name, "") for name in TEXTS} | {TOPICS: " ".join(fields.getall(TOPICS, []))}


def values_from(record: Record, words: Words) -> dict[str, str]:
    """A record as its form shows it."""
    said = {name: str(getattr(record, name) or "") for name in TEXTS}
    several = {"authors": "\n".join(record.authors)} | where(record.language, record.countries, words)
    return said | several | {TOPICS: " ".join(record.topics)}


def where(tag: str, codes: Sequence[str], words: Words) -> dict[str, str]:
    """A language and countries as a form shows them: by their names."""
    tongue = words.language_name(tag) if tag else ""
    same = tongue if tongue and language(tongue) == tag else tag
    return {"language": same, "countries": ", ".join(words.country_name(code) for code in codes)}


def record_of(values: dict[str, str]) -> Record:
    """The record that a form's values make, checked. Raises Wrong, which names the field."""
    year = values["year"].strip()
    if year and not (year.isascii() and year.isdigit() and len(year) == 4):
        raise Wrong("year", YEAR)
    plain: dict[str, Any] = {name: values[name] for name in PLAIN}
    found = Record(
        **plain,
        authors=tuple(name.strip() for name in values["authors"].split("\n")),
        year=int(year) if year else None,
        language=language_of(values["language"]),
        topics=tuple(values[TOPICS].split()),
    )
    return checked(replace(found, countries=countries_of(values["countries"])))


def language_of(text: str) -> str:
    """The tag of the language that a field names; what is none stays as it was typed, and is wrong when it is checked."""
    return language(text) or text


def countries_of(text: str) -> tuple[str, ...]:
    """The codes of the countries that a field names; what is none stays likewise."""
    return tuple(country(part) or part.strip() for part in APART.split(text) if part.strip())
