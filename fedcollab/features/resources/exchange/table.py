"""Decides how tables (CSV) are read, whatever their columns are called and whatever stands between them, and written so that no cell is
taken for a formula."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from functools import cache

from fedcollab.base.errors import N_
from fedcollab.features.resources.record import Record
from fedcollab.features.resources.words import KINDS, LICENCES, TOPICS

from . import names
from .columns import COLUMNS, SILENT
from .matching import folded
from .rows import Entry, Row, broken

SIGNS = (",", ";", "\t", "|")
FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
AGAIN = 20  # times that reading begins anew after a quote that never closes
WRITTEN = (
    "title",
    "authors",
    "publisher",
    "year",
    "language",
    "countries",
    "kind",
    "topics",
    "licence",
    "summary",
    "source",
    "identifier",
    "review_on",
    "label",
)


@cache
def _names() -> Mapping[str, str]:
    return {folded(name): column for column, text in COLUMNS.items() for name in (column, *text.split("|"))}


def read(text: str) -> Iterator[Row]:
    """The rows of a table, whose first line names its columns; one row where none of them is a title."""
    csv.field_size_limit(10_000_000)  # a file is smaller
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    sign, begins = "", first + 1
    if re.fullmatch(r"sep=.", lines[first].strip()):  # as some programs tell each other
        sign, begins = lines[first].strip()[4], first + 2
    heads, sign = _heads(lines[begins - 1] if begins <= len(lines) else "", sign)
    columns = [_names().get(folded(head), "") for head in heads]
    if "title" not in columns:
        yield broken(begins, N_("No column of the first line is a title. Name the columns in it: title, authors, year and so on."))
        return
    unused = [head for head, column in zip(heads, columns, strict=True) if head.strip() and not column and folded(head) not in SILENT]
    for line, cells in _cells(lines, begins, sign):
        if cells is None:
            yield broken(line, N_("A quote opens in this line and never closes, or something stands behind a closed one."))
        elif any(cell.strip() for cell in cells):
            yield _row(line, cells, columns, unused if line == begins + 1 else [], heads)


def _heads(line: str, sign: str) -> tuple[list[str], str]:
    """The names of the columns, apart by the sign that gives most that we know."""
    found = {one: next(csv.reader([line], delimiter=one), []) for one in ([sign] if sign else SIGNS)}
    best = max(found, key=lambda one: (sum(folded(head) in _names() for head in found[one]), len(found[one])))
    return [_plain(head.strip()) for head in found[best]], best


def _cells(lines: list[str], begins: int, sign: str) -> Iterator[tuple[int, list[str] | None]]:
    """(line, cells) of each row after the columns' names; no cells for a broken one, after which reading goes on with the next line."""
    at, again = begins, 0
    while at < len(lines):
        reader = csv.reader((line + "\n" for line in lines[at:]), delimiter=sign, strict=True)
        start = at
        while True:
            line = at + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield line, None
                again, at = again + 1, at + 1
                break
            at = start + reader.line_num
            yield line, cells
        if again > AGAIN:
            yield at + 1, None
            return


def _row(line: int, cells: list[str], columns: list[str], unused: list[str], heads: list[str]) -> Row:
    values: dict[str, list[str]] = {}
    for column, cell in zip(columns, cells, strict=False):
        if cell.strip():
            values.setdefault(column, []).append(_plain(cell))

    def text(column: str) -> str:
        return values.get(column, [""])[0]

    def parts(column: str) -> list[str]:
        return [part.strip() for value in values.get(column, ()) for part in re.split(r"[;|\n]", value) if part.strip()]

    entry = Entry(line, text("title"), publisher=text("publisher"), year=text("year"), language=text("language"), kind=text("kind"))
    entry.authors = [name for value in values.get("authors", ()) for name in names.several(value)]
    entry.countries = [code for part in parts("countries") for code in part.split(",")]
    entry.keywords, entry.licence, entry.summary = parts("topics"), text("licence"), text("summary")
    entry.sources, entry.files = values.get("source", []), parts("files")
    entry.identifiers = [*values.get("identifier", ()), *values.get("doi", ()), *values.get("isbn", ())]
    entry.review_on, entry.label = text("review_on"), text("label")
    entry.unused = list(unused)
    if len(cells) > len(heads) and any(cell.strip() for cell in cells[len(heads) :]):
        entry.say(N_("It has more cells than there are columns; those are left out."))
    if entry.kind and not _known_kind(entry.kind):
        entry.unused.append(entry.kind)
    return entry.row()


def _known_kind(text: str) -> bool:
    from .matching import kind

    return bool(kind(text))


def _plain(cell: str) -> str:
    """A cell without the apostrophe that has kept it from being a formula."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def neutral(text: str) -> str:
    """A cell that no program takes for a formula."""
    return "'" + text if FORMULA.match(text) else text


def line(cells: list[str]) -> str:
    """One row, each of its cells in quotes."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow([neutral(cell) for cell in cells])
    return out.getvalue()


def head() -> str:
    """The mark by which spreadsheets know the coding, and the columns' names."""
    return "\ufeff" + line(list(WRITTEN))


def write(record: Record, label: str, uri: str) -> str:
    """One row."""
    values = {
        "authors": names.joined(record.authors),
        "year": str(record.year or ""),
        "countries": "; ".join(record.countries),
        "kind": KINDS.get(record.kind, ""),
        "topics": "; ".join(TOPICS.get(code, code) for code in record.topics),
        "licence": LICENCES.get(record.licence, ""),
        "label": label,
    }
    return line([values.get(name, str(getattr(record, name, ""))) for name in WRITTEN])
