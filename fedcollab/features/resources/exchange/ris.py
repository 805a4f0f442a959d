"""Decides how RIS is read, as its many vendors write it, and written."""

import re
from collections.abc import Iterator

from fedcollab.base.errors import N_
from fedcollab.features.resources.record import Record
from fedcollab.features.resources.words import KINDS

from . import keywords, matching, names
from .rows import Entry, Row, broken

LINE = re.compile(r"([A-Z][A-Z0-9])[ \t]{1,2}-(?:[ \t](.*))?$")
LOOKS_LIKE = re.compile(r" *[A-Z][A-Z0-9][ \t]{1,2}-(?:[ \t]|$)")  # a line of running text that would be taken for a tag
TYPES = {
    **dict.fromkeys(("JOUR", "EJOUR", "JFULL", "THES", "CONF", "CPAPER", "INPR", "ABST"), "Research"),
    **dict.fromkeys(("STAT", "BILL", "LEGAL", "CASE", "HEAR", "STAND"), "Law"),
    **dict.fromkeys(("VIDEO", "MPCT", "ADVS"), "Film"),
    "RPRT": "Report",
    "GOVDOC": "Report",
    "DATA": "Data",
    "AGGR": "Data",
    "SOUND": "Sound",
    "PAMP": "Leaflet",
    "SLIDE": "Training",
}
WRITTEN = {"Report": "RPRT", "Law": "STAT", "Film": "VIDEO", "Data": "DATA", "Sound": "SOUND", "Leaflet": "PAMP", "Training": "SLIDE"}
TITLES, AUTHORS, EDITORS = ("TI", "T1", "CT", "BT"), ("AU", "A1"), ("ED", "A2", "A3", "A4")
YEARS, SUMMARIES, APPEARED, FILES = ("PY", "Y1", "DA"), ("AB", "N2"), ("JO", "JF", "T2", "JA", "J2"), ("L1", "L2", "L3", "L4")
USED = frozenset((*TITLES, *AUTHORS, *EDITORS, *YEARS, *SUMMARIES, *APPEARED, *FILES, "PB", "LA", "KW", "UR", "LK", "DO", "SN", "M3"))
SILENT = frozenset(("TY", "ER", "ID", "Y2", "DB", "DP", "AN", "RP", "AV", "L5"))
Tags = dict[str, list[list[str]]]  # of each tag its values, of each value its lines


def read(text: str) -> Iterator[Row]:
    """The rows of a file, in its order; an entry ends with ER, or where the next one begins."""
    tags: Tags = {}
    begun, last, stray = 0, "", 0
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        tag, value = _tag(line)
        if tag in ("TY", "ER"):
            if begun:
                yield _row(begun, tags, ended=tag == "ER")
            tags, begun, last = {"TY": [[value]]}, number if tag == "TY" else 0, ""
        elif begun:
            last = _add(tags, last, tag, value)
        elif line.strip() and not stray:
            stray = number
            yield broken(number, N_("What stands here belongs to no entry: an entry begins with TY."))
        stray = 0 if begun else stray
    if begun:
        yield _row(begun, tags, ended=False)


def _tag(line: str) -> tuple[str, str]:
    """A line's tag and value; what goes on from the line before has none, without the blank that keeps it from looking like one."""
    line = line.removeprefix("\ufeff")
    if found := LINE.match(line):
        return found[1], found[2] or ""
    return "", line[1:] if line.startswith(" ") and LOOKS_LIKE.match(line) else line


def _add(tags: Tags, last: str, tag: str, value: str) -> str:
    if tag:
        tags.setdefault(tag, []).append([value])
        return tag
    if last:
        tags[last][-1].append(value)
    return last


def _row(line: int, parts: Tags, *, ended: bool) -> Row:
    entry = Entry(line)
    tags = {tag: [("\n" if tag in SUMMARIES else " ").join(value) for value in values] for tag, values in parts.items()}

    def text(*wanted: str) -> str:
        return next((value for tag in wanted for value in tags.get(tag, ()) if value.strip()), "")

    def every(*wanted: str) -> list[str]:
        return [value for tag in wanted for value in tags.get(tag, ()) if value.strip()]

    if not ended:
        entry.say(N_("It does not end with ER; what is there of it is taken."))
    entry.title, entry.publisher = text(*TITLES), text("PB")
    entry.appeared_in(text(*APPEARED))
    entry.authors = [names.turned(name) for name in every(*AUTHORS)]
    entry.edited_by([names.turned(name) for name in every(*EDITORS)])
    entry.year, entry.language, entry.summary = text(*YEARS), text("LA"), text(*SUMMARIES)
    entry.keywords = [part for value in every("KW") for part in re.split(r"[;\n]", value)]
    entry.sources = [part for value in every("UR", "LK") for part in re.split(r"[;\s]+(?=https?://)", value)]
    entry.files = every(*FILES)
    _numbers(entry, every("DO"), every("SN"), every("M3"))
    kind = text("TY").strip().upper()
    entry.kind = next((said for said in (*every("M3"), TYPES.get(kind, "")) if matching.kind(said)), "")
    entry.unused += [tag for tag in tags if tag not in USED | SILENT and every(tag)]
    return entry.row()


def _numbers(entry: Entry, dois: list[str], serials: list[str], kinds: list[str]) -> None:
    """SN is an ISBN or an ISSN, M3 a kind of work or a DOI."""
    entry.identifiers = [*dois, *(text for text in kinds if text.lower().startswith(("10.", "doi")))]
    for text in serials:
        if re.fullmatch(r"\d{4}-?\d{3}[\dxX]", text.split(" ")[0]):
            entry.unused.append("ISSN")
        else:
            entry.identifiers.append(text)


def write(record: Record, label: str, uri: str) -> str:
    """One entry, with the line ends that the format asks for."""
    number, _, value = record.identifier.partition(":")
    rows = [("TY", WRITTEN.get(record.kind, "GEN")), ("TI", record.title), *(("AU", names.kept(name)) for name in record.authors)]
    rows += [("PB", record.publisher), ("PY", str(record.year or "")), ("LA", record.language), ("M3", KINDS.get(record.kind, ""))]
    rows += [("KW", word) for word in keywords.of(record, label)]
    rows += [("AB", _running(record.summary)), ("UR", record.source), ("DO" if number == "doi" else "SN", value)]
    return "".join(f"{tag}  - {text}\r\n" for tag, text in rows if text) + "ER  - \r\n\r\n"


def _running(text: str) -> str:
    lines = text.split("\n")
    return "\r\n".join([*lines[:1], *(" " + line if LOOKS_LIKE.match(line) else line for line in lines[1:])])
