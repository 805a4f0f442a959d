"""Decides what a record of the library says of a resource, whatever form it comes in or goes out."""

from dataclasses import dataclass

TITLE, NAME, SUMMARY, ADDRESS = 300, 200, 20_000, 2000  # characters
AUTHORS, COUNTRIES, TOPICS = 50, 60, 12  # at most


@dataclass(frozen=True)
class Record:
    """The bibliographic part of a resource. `authors` as they are to be read ("Sokha Prak"), `publisher` the organisation that brought it
    out, `year` of publication, `language` a BCP 47 tag, `countries` ISO 3166-1 alpha-2 codes, `kind`, `topics` and `licence` codes of
    `words`, `summary` Markdown, `source` the address where it stands, `identifier` as "doi:..." or "isbn:...", `review_on` an ISO date
    by which somebody has to look at it again; what is not known is empty."""

    title: str
    authors: tuple[str, ...] = ()
    publisher: str = ""
    year: int | None = None
    language: str = ""
    countries: tuple[str, ...] = ()
    kind: str = ""
    topics: tuple[str, ...] = ()
    licence: str = ""
    summary: str = ""
    source: str = ""
    identifier: str = ""
    review_on: str = ""
