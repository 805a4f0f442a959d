"""Makes canaries, puts one into every field of every kind of entry, and finds them however they were written down."""

import base64
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fedcollab.access.models import AMBER
from fedcollab.features.cases.fields import CLOCK, COUNTRIES, LANGUAGES, Code, Day, Flag, Named, Secret, Several, Spec, Text, Uri
from fedcollab.features.cases.kinds import document
from fedcollab.features.cases.mending import Inner
from fedcollab.features.cases.people import SafeContact
from fedcollab.features.cases.reading import members
from fedcollab.features.cases.record import Entry, Opened, Terms
from fedcollab.features.cases.sharing import Consent, Share
from fedcollab.features.cases.work import Task
from fedcollab.sealing.chunks import FileSecret
from tests.features.cases.entries import P

LATE = "2190-01-01"
SAID = {COUNTRIES: "KH", LANGUAGES: "km", CLOCK: "14:30"}
# What goes together, where a value in every field at once does not; between them they fill all.
APART: dict[type[Entry], tuple[dict[str, Any], ...]] = {
    Opened: ({"replaces": (), "label": AMBER},),
    Terms: ({"label": AMBER},),
    SafeContact: ({"nobody": False},),
    Share: ({"to_name": "", "without": "", "into": "TH"}, {"to": "", "consent": (), "into": "TH"}),
    Consent: ({"to_name": "", "capacity": "Adult", "decided_by": "Self"}, {"to": "", "capacity": "Adult", "decided_by": "Self"}),
}
EMPTY = {("opened", "replaces")}  # a case is opened once


@dataclass(frozen=True)
class Canary:
    """Two words that stand nowhere else, and between them a letter that few ways of writing leave as it is."""

    one: str = field(default_factory=lambda: secrets.token_hex(9))
    other: str = field(default_factory=lambda: secrets.token_hex(9))

    @property
    def word(self) -> str:
        return f"{self.one}ö{self.other}"

    def at(self, where: str) -> str:
        """What is written into a field."""
        return f"{where} {self.word}"

    def address(self, where: str) -> str:
        return f"https://c.example/{where}/{self.one}"

    def needles(self) -> set[bytes]:
        return {form for word in (self.word, self.one, self.other) for form in forms(word)}


def forms(word: str) -> Iterator[bytes]:
    """All ways in which a word may stand in a file."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        yield from raw_forms(word.encode(encoding))
    yield json.dumps(word)[1:-1].encode()
    yield quote(word).encode()
    for each in ("".join(f"\\u{ord(letter):04x}" for letter in word), "".join(f"%{byte:02x}" for byte in word.encode())):
        yield from (each.encode(), each.upper().replace("\\U", "\\u").encode())


def raw_forms(raw: bytes) -> Iterator[bytes]:
    """The bytes themselves, in hexadecimal, and in base64 wherever in a group of three they begin."""
    yield raw
    yield from (raw.hex().encode(), raw.hex().upper().encode())
    for before, begins in enumerate((0, 2, 3)):
        ends = (before + len(raw)) * 8 // 6
        for write in (base64.b64encode, base64.urlsafe_b64encode):
            yield write(bytes(before) + raw)[begins:ends]


def found(places: Iterable[Path], needles: set[bytes]) -> list[str]:
    """The files under these places that hold a needle, or are named so, each with the first that was seen."""
    seen = []
    for path in sorted(path for place in places for path in place.rglob("*")):
        raw = bytes(path) + b"\0" + _read(path)
        seen += [f"{path}: {needle!r}" for needle in sorted(needles) if needle in raw][:1]
    return seen


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):  # a running node takes files away meanwhile
        return b""


def filled(kind: Any, canary: Canary, at: int) -> list[Any]:
    """Entries of a kind that between them have the canary in each field that holds words or ids, and something in each other one."""
    every = {name: _value(f"{kind.KIND}.{name}", spec, canary, at) for name, spec, _needed in members(kind)}
    made = [kind(at=at, **(every | apart)) for apart in APART.get(kind, ({},))]
    assert [list(one.problems()) for one in made] == [[] for _ in made], kind
    return made


def unfilled(kind: Any, made: Iterable[Entry], canary: Canary) -> list[str]:
    """The fields of a kind that hold words or ids, and the canary in none of these entries."""
    said = [document(one) for one in made]
    words = [name for name, spec, _needed in members(kind) if _has_words(spec) and (kind.KIND, name) not in EMPTY]
    return [name for name in words if not any(canary.one in str(one.get(name)) for one in said)]


def _has_words(spec: Any) -> bool:
    return _has_words(spec.one) if isinstance(spec, Several) else isinstance(spec, Text | Uri | Inner)


def _value(name: str, spec: Spec, canary: Canary, at: int) -> Any:
    match spec:
        case Several():
            return (_value(name, spec.one, canary, at),)
        case Text():  # and Line
            return canary.at(name)
        case Uri():
            return canary.address(name)
        case Inner():
            return filled(Task, canary, at)[0]
        case Code():
            return list(spec.of)[-1]
        case Day():
            return LATE
        case Flag():
            return True
        case Secret():
            return FileSecret(secrets.token_bytes(32), 1, secrets.token_bytes(32))
        case Named():
            return P
        case _:
            return SAID.get(spec, P)  # type: ignore[call-overload]
