"""Decides how BibTeX and BibLaTeX are read, entry by entry so that a broken one costs no other, and written."""

import contextlib
import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from fedcollab.base.errors import N_
from fedcollab.features.resources.record import AUTHORS, Record

from . import keywords, latex, matching, names, numbers
from .rows import Entry, Row, broken

MONTHS = {
    name: str(number)
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )  # what every style knows without @string
}
BLOCKS = 20_000  # that are looked at: more than there may be entries
EXPANDED = 100_000  # characters that abbreviations may make of one field
PUBLISHERS, APPEARED = ("publisher", "institution", "school", "organization"), ("journal", "journaltitle", "booktitle")
USED = frozenset(
    [
        "title",
        "subtitle",
        "author",
        "editor",
        "year",
        "date",
        "language",
        "langid",
        "hyphenation",
        "country",
        "type",
        "keywords",
        "keyword",
        "mendeley-tags",
        "license",
        "licence",
        "copyright",
        "rights",
        "abstract",
        "url",
        "howpublished",
        "doi",
        "isbn",
        "file",
        "crossref",
    ]
) | {*PUBLISHERS, *APPEARED}
SILENT = frozenset(
    [
        "month",
        "key",
        "timestamp",
        "owner",
        "bibsource",
        "biburl",
        "urldate",
        "date-added",
        "date-modified",
        "bdsk-url-1",
        "bdsk-file-1",
        "mendeley-groups",
        "groups",
        "__markedentry",
        "shorttitle",
        "day",
        "citationkey",
    ]
)
NOT_INHERITED = ("crossref", "abstract", "doi", "url", "isbn", "file")
START = re.compile(r"@\w*[ \t]*[{(]")
SIGN = re.compile(r'(?<!\\)[{}"]')
TOKEN = re.compile(r'[{"#]|[^\s{}"#]+')
AND = re.compile(r"\s+and\s+", re.IGNORECASE)
KINDS = {"Report": "techreport", "Guide": "manual", "Toolkit": "manual", "Training": "manual"}


def read(text: str) -> Iterator[Row]:
    """The rows of a file, in its order."""
    from bibtexparser import model
    from bibtexparser.splitter import Splitter

    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL + 1)  # it quotes what it reads
    if beyond := next(islice(START.finditer(text), BLOCKS, None), None):
        text = text[: beyond.start()]
    found = Splitter(text).split().blocks
    blocks = [getattr(block, "ignore_error_block", None) or block for block in found]
    strings: dict[str, str] = dict(MONTHS)
    for block in blocks:
        if isinstance(block, model.String):
            with contextlib.suppress(ValueError):
                strings[block.key.lower()] = _value(str(block.value), strings)[0]
    entries = [block for block in blocks if isinstance(block, model.Entry)]
    parents = {entry.key.lower(): entry for entry in reversed(entries)}
    for block in blocks:
        line = (block.start_line or 0) + 1
        if isinstance(block, model.Entry):
            yield _entry(line, block, strings, parents)
        elif isinstance(block, model.ParsingFailedBlock):
            yield broken(line, N_("The entry is broken: a brace, a quote or a comma is missing in it or before it."))


def _entry(line: int, block: Any, strings: Mapping[str, str], parents: Mapping[str, Any]) -> Row:
    entry, fields, missing = Entry(line), {}, set()
    for name, value in _inherited(block, parents, entry).items():
        try:
            fields[name], unknown = _value(value, strings)
        except ValueError:
            return broken(line, N_("A comma is missing behind “%(name)s”."), name=name)
        missing |= unknown
    if missing:
        entry.say(N_("These abbreviations are explained nowhere in the file: %(names)s"), names=", ".join(sorted(missing)))
    _fill(entry, fields, block.entry_type.lower())
    return entry.row()


def _inherited(block: Any, parents: Mapping[str, Any], entry: Entry) -> dict[str, str]:
    """The fields as written, with those of the entry that it names as its parent; the parent's title is what it lies in."""
    own: dict[str, str] = {}
    for field in block.fields:
        own.setdefault(field.key.lower(), str(field.value))
    if len(own) < len(block.fields):
        entry.say(N_("It says something twice: the first is taken."))
    name = own.get("crossref", "").strip('{}" \t\n').lower()
    if not name:
        return own
    parent = parents.get(name)
    if parent is None or parent is block:
        entry.say(N_("The entry that it refers to is not in the file: %(name)s"), name=name)
        return own
    theirs = {field.key.lower(): str(field.value) for field in parent.fields}
    title = {"booktitle": theirs.pop("title")} if "title" in theirs else {}
    return title | {name: value for name, value in theirs.items() if name not in NOT_INHERITED} | own


def _value(raw: str, strings: Mapping[str, str]) -> tuple[str, set[str]]:
    """A field's text with its abbreviations written out and joined, and the abbreviations that nobody has explained. Raises ValueError
    where two texts follow each other without the sign that joins them."""
    parts, unknown, at, joined, room = [""], set(), 0, True, EXPANDED
    while room > 0 and (found := TOKEN.search(raw, at)):
        piece, at = found.group(), found.end()
        if not joined and piece != "#":
            raise ValueError(piece)
        joined = piece == "#"
        if piece in '{"':
            end = _end(raw, at, piece)
            parts.append(raw[at:end])
            at = end + 1
        elif not joined:
            known = piece if piece.isdigit() else strings.get(piece.lower())
            parts.append(piece if known is None else known)
            if known is None and not piece[:1].isdigit():
                unknown.add(piece)
        room -= len(parts[-1]) + 1
    return "".join(parts)[:EXPANDED], unknown


def _end(raw: str, start: int, opened: str) -> int:
    """Where a text in braces or quotes ends."""
    depth = 0
    for found in SIGN.finditer(raw, start):
        sign = found.group()
        if depth == 0 and sign == ("}" if opened == "{" else '"'):
            return found.start()
        depth += {"{": 1, "}": -1}.get(sign, 0)
    return len(raw)


def _fill(entry: Entry, fields: dict[str, str], kind: str) -> None:
    def text(*names_: str) -> str:
        return next((_plain(entry, fields[name]) for name in names_ if fields.get(name, "").strip()), "")

    entry.title = ": ".join(filter(None, (text("title", "booktitle"), text("subtitle"))))
    entry.authors = _names(entry, fields.get("author", ""))
    entry.edited_by(_names(entry, fields.get("editor", "")))
    entry.publisher = text(*PUBLISHERS)
    for name in APPEARED:
        entry.appeared_in(text(name) if name != "booktitle" or fields.get("title") else "")
    entry.year, entry.language = text("year", "date"), text("language", "langid", "hyphenation")
    entry.countries = re.split(r"[;,]", text("country")) if fields.get("country") else []
    entry.kind = next((said for said in (text("type"), kind) if matching.kind(said)), "")
    listed = (fields.get(name, "") for name in ("keywords", "keyword", "mendeley-tags"))
    entry.keywords = [_plain(entry, part) for field in listed for part in re.split(r"[;,\n]", field) if part.strip()]
    entry.licence, entry.summary = text("license", "licence", "copyright", "rights"), text("abstract")
    entry.sources = [latex.address(fields[name]) for name in ("url",) if fields.get(name)]
    published = latex.address(fields.get("howpublished", ""))
    if published.startswith(("http://", "https://")):
        entry.sources.append(published)
    elif published:
        entry.unused.append("howpublished")
    entry.identifiers = [latex.address(fields[name]) if name == "doi" else text(name) for name in ("doi", "isbn") if fields.get(name)]
    entry.files = [_file(one) for one in text("file").split(";") if one.strip()]
    entry.unused += [name for name in fields if fields[name].strip() and name not in USED | SILENT]


def _file(text: str) -> str:
    """The name in "title:folder/name.pdf:type", as programs write their attachments."""
    parts = text.split(":")
    return next((part for part in parts if re.search(r"\.\w{2,5}$", part)), text).rpartition("/")[2]


def _plain(entry: Entry, text: str) -> str:
    made, whole = latex.decoded(text)
    if not whole and not any(note.text == _HALF for note in entry.notes):
        entry.say(_HALF)
    return made.strip()


_HALF = N_("It has LaTeX that could not be understood; look at its words.")


def _names(entry: Entry, text: str) -> list[str]:
    found = []
    for part in islice(_apart(" ".join(text.split())), AUTHORS + 2):
        if part.lower() == "others":
            entry.say(N_("It has further authors that it does not name."))
        elif part.startswith("{") and _end(part, 1, "{") == len(part) - 1:
            found.append(_plain(entry, part))
        elif part:
            found.append(names.turned(_plain(entry, part), suffix_second=True))
    return found


def _apart(text: str) -> Iterator[str]:
    """The names between the "and"s that stand in no braces."""
    start = depth = 0
    for found in re.finditer(r"(?<!\\)[{}]|\s+and(?=\s)|^and(?=\s)", text, re.IGNORECASE):
        sign = found.group()
        if sign in "{}":
            depth = max(0, depth + (1 if sign == "{" else -1))
        elif depth == 0:
            yield text[start : found.start()].strip()
            start = found.end()
    yield text[start:].strip()


def write(record: Record, label: str, uri: str) -> str:
    """One entry."""
    kind = KINDS.get(record.kind, "misc")
    publisher = {"techreport": "institution", "manual": "organization"}.get(kind, "publisher")
    number, _, value = record.identifier.partition(":")
    fields = {
        "title": "{" + latex.encoded(record.title) + "}",
        "author": " and ".join(_author(name) for name in record.authors),
        publisher: latex.encoded(record.publisher),
        "year": str(record.year or ""),
        "language": latex.encoded(record.language),
        "keywords": latex.encoded(", ".join(keywords.of(record, label))),
        "abstract": latex.encoded(record.summary),
        "url": numbers.address(record.source),  # as it is: styles and other programs leave these alone
        number or "doi": value,
    }
    inner = "".join(f"  {name} = {{{text}}},\n" for name, text in fields.items() if text)
    return f"@{kind}{{{_key(record, uri)},\n{inner}}}\n\n"


def _author(name: str) -> str:
    """What LaTeX's styles would take apart wrongly stands in braces: names of organisations, as far as they can be told."""
    text = latex.encoded(name)
    words = name.split()
    whole = len(words) in (2, 3) and all(word[:1].isupper() and word.replace("-", "").replace(".", "").isalpha() for word in words)
    return text if whole and "others" not in name.lower() else "{" + text + "}"


def _key(record: Record, uri: str) -> str:
    first = matching.folded(record.authors[0] if record.authors else record.title).split(" ")[-1]
    start = re.sub(r"[^a-z0-9]", "", first)[:20] or "entry"
    return f"{start}{record.year or ''}-{hashlib.sha256((uri or record.title).encode(errors='replace')).hexdigest()[:6]}"
