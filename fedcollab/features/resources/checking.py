"""Decides what of a record is kept: for people with a word on what is wrong, from partners what can be read and nothing else."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from fedcollab.base.addresses import host_of
from fedcollab.base.called import LANGUAGE, countries
from fedcollab.base.clock import parse_iso
from fedcollab.base.errors import BadRequest, N_, Refused
from fedcollab.base.markup import plain

from .record import ADDRESS, AUTHORS, COUNTRIES, NAME, SUMMARY, TITLE, TOPICS, Record
from .words import KINDS, LICENCES
from .words import TOPICS as TOPIC_WORDS

IDENTIFIER = re.compile(r"(doi:10\.\d{4,9}/\S{1,180})|(isbn:[0-9Xx -]{10,20})")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
OLDEST, NEWEST = 1000, 2200
OTHER = "Other"


YEAR = N_("Write the year with four digits.")


class Wrong(Refused):
    """One field of a record's form is not as it has to be; `field` says which."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def checked(record: Record) -> Record:
    """A member's record as it is kept. Raises Wrong, with the field and what to write there."""
    found = _read(record)
    if not found.title:
        raise Wrong("title", N_("Give the resource a title."))
    if record.kind not in KINDS:
        raise Wrong("kind", N_("Choose what kind of resource it is."))
    if len(record.summary) > SUMMARY:
        raise Wrong("summary", N_("The description is too long: at most 20,000 characters fit."))
    same: Sequence[tuple[str, str]] = (
        ("language", N_("Write the language by its name or as a code, such as en, fr or km.")),
        ("source", N_("Write the whole address, beginning with https://.")),
        ("identifier", N_("Write it as doi:10.1234/abc or isbn:9781234567897.")),
        ("review_on", N_("Write the day as 2027-11-30.")),
        ("licence", N_("Choose one of the licences, or none.")),
    )
    for field, text in same:
        if getattr(record, field).strip() and not getattr(found, field):
            raise Wrong(field, text)
    if record.year is not None and found.year is None:
        raise Wrong("year", YEAR)
    if len(found.countries) < len({code.strip().upper() for code in record.countries} - {""}):
        raise Wrong("countries", N_("Write countries by name or as codes of two letters, such as KH, with commas between them."))
    if len(found.topics) < len(set(record.topics) - {""}):
        raise Wrong("topics", N_("Choose at most 12 of the topics."))
    return found


def readable(record: Record) -> Record:
    """A partner's record as it is kept: what is not in our lists is Other or left out, nothing is refused but a missing title."""
    found = _read(record)
    return replace(found, kind=found.kind or OTHER, title=found.title or "…", summary=found.summary[:SUMMARY])


def _read(record: Record) -> Record:
    return Record(
        title=plain(record.title, TITLE),
        authors=_some(record.authors, lambda name: plain(name, NAME), AUTHORS),
        publisher=plain(record.publisher, NAME),
        year=record.year if record.year is not None and OLDEST <= record.year <= NEWEST else None,
        language=_language(record.language.strip()),
        countries=tuple(sorted(_some(record.countries, _country, COUNTRIES))),
        kind=record.kind if record.kind in KINDS else "",
        topics=_some(record.topics, lambda code: code if code in TOPIC_WORDS else "", TOPICS),
        licence=record.licence if record.licence in LICENCES else "",
        summary=record.summary,
        source=address(record.source),
        identifier=_identifier(record.identifier),
        review_on=_day(record.review_on.strip()),
    )


def _some(values: Iterable[str], read: Callable[[str], str], most: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found for found in map(read, values) if found))[:most]


def _country(code: str) -> str:
    return code.strip().upper() if code.strip().upper() in countries() else ""


def _language(code: str) -> str:
    """A BCP 47 tag as it is usually spelt."""
    if not LANGUAGE.fullmatch(code) or len(code) > 16:
        return ""
    first, *more = code.split("-")
    return "-".join([first.lower(), *(part.upper() if len(part) == 2 else part.title() for part in more)])


def address(text: str) -> str:
    """An http address as it is kept; empty for what is none."""
    found = text.strip()
    try:
        host_of(found)
    except BadRequest:
        return ""
    return found if len(found) <= ADDRESS else ""


def _identifier(text: str) -> str:
    """A DOI or an ISBN, however people paste them."""
    found = re.sub(r"^https?://(dx\.)?doi\.org/", "doi:", text.strip(), flags=re.IGNORECASE)
    found = "doi:" + found if found.startswith("10.") else found
    name, mark, rest = found.partition(":")
    found = name.lower() + mark + rest.strip()
    if found and found.replace("-", "").replace(" ", "").rstrip("Xx").isdigit():
        found = "isbn:" + found
    return plain(found, NAME) if IDENTIFIER.fullmatch(found) else ""


def _day(text: str) -> str:
    return text if DAY.fullmatch(text) and parse_iso(text + "T00:00:00+00:00") is not None else ""
