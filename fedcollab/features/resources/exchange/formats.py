"""Decides which formats there are, which one a file is in and how its bytes become text, and how much of it is read."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fedcollab.base.errors import BadRequest, N_, TooLarge
from fedcollab.features.resources.record import Record

from . import table
from .rows import Row, broken

BYTES, ROWS, SECONDS = 2_000_000, 5_000, 10.0
MANY = N_("At most 5,000 entries are read at once: what begins here is not. Import the rest by itself.")
SLOW = N_("The file takes too long to read: what comes after this entry is not. Import it in parts.")
BIG = TooLarge(N_("The file is larger than 2 MB. Export it in parts."))
CODING = re.compile(rb"""^\s*<\?xml[^>]{0,200}\sencoding=["'](utf-8|us-ascii|iso-8859-\d{1,2}|windows-125\d)["']""", re.IGNORECASE)
MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


@dataclass(frozen=True)
class Format:
    """One format: how it is called, the end of its files' names and their media type; the module that reads and writes it entry by entry is
    loaded when somebody first does so."""

    name: str
    extension: str
    media_type: str
    module: str

    def read(self, text: str) -> Iterator[Row]:
        """The rows of a text in this format."""
        rows: Iterator[Row] = self._made.read(text)
        return rows

    def write(self, record: Record, label: str, uri: str) -> str:
        """One entry."""
        return str(self._made.write(record, label, uri))

    def head(self) -> str:
        """What stands before the entries."""
        return str(getattr(self._made, "head", str)())

    @property
    def tail(self) -> str:
        """What stands after them."""
        return str(getattr(self._made, "TAIL", ""))

    @property
    def _made(self) -> Any:
        from . import bibtex, ris, table, zotero

        return {"bibtex": bibtex, "ris": ris, "table": table, "zotero": zotero}[self.module]


FORMATS = {
    "bibtex": Format("BibTeX", "bib", "application/x-bibtex; charset=utf-8", "bibtex"),
    "ris": Format("RIS", "ris", "application/x-research-info-systems; charset=utf-8", "ris"),
    "csv": Format("CSV", "csv", "text/csv; charset=utf-8", "table"),
    "rdf": Format("Zotero RDF", "rdf", "application/rdf+xml; charset=utf-8", "zotero"),
}


def text_of(data: bytes) -> tuple[str, bool]:
    """A file's text without NUL, and whether its coding was guessed: of Western European letters, where it is not Unicode and does not
    say what it is. Raises TooLarge for more than 2 MB."""
    if len(data) > BYTES:
        raise BIG
    coding = next((name for mark, name in MARKS if data.startswith(mark)), "") or _by_zeros(data[:400])
    if not coding and (found := CODING.match(data[:400])):
        coding = found[1].decode()
    guessed = False
    try:
        text = data.decode(coding or "utf-8")
    except (UnicodeDecodeError, LookupError):
        text, guessed = data.decode(coding or "cp1252", "replace"), True
    return text.replace("\0", "").removeprefix("\ufeff"), guessed


def _by_zeros(start: bytes) -> str:
    """UTF-16 without its mark: Latin letters in it have a zero beside each."""
    odd, even = start[1::2].count(0), start[::2].count(0)
    if max(odd, even) * 4 < len(start) or len(start) < 4:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def guess(text: str, name: str = "") -> str:
    """The format that a text is in, by what it looks like and then by its file's name; empty where neither says it."""
    start = text[:20_000].lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        return "rdf"
    if re.search(r"^TY[ \t]{1,2}-", start, re.MULTILINE):
        return "ris"
    if re.search(r"^\s*@\s*[A-Za-z]+\s*[{(]", start, re.MULTILINE):
        return "bibtex"
    by_name = {one.extension: code for code, one in FORMATS.items()} | {"tsv": "csv", "txt": "", "bibtex": "bibtex", "xml": "rdf"}
    end = name.lower().rpartition(".")[2]
    return by_name.get(end, "") or ("csv" if any(sign in start.partition("\n")[0] for sign in table.SIGNS) else "")


def rows(text: str, code: str, seconds: float = SECONDS) -> list[Row]:
    """The rows of a text, at most 5,000 and as many as can be read in that time; a last one says where the rest begins. Raises BadRequest
    where there is none."""
    found: list[Row] = []
    end = time.monotonic() + seconds
    for row in FORMATS[code].read(text.removeprefix("\ufeff")):
        if len(found) >= ROWS:
            return [
                *found,
                broken(row.line, MANY),
            ]
        found.append(row)
        if time.monotonic() > end:
            return [
                *found,
                broken(row.line, SLOW),
            ]
    if not found:
        raise BadRequest(N_("There is no entry in this file, or it is in another format. Choose the format and try again."))
    return found
