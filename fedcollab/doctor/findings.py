"""Decides what a check says: how bad it is, one line, one line that mends it; and how the line reads where strangers see it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

OK, WARN, FAIL, SKIP = "OK", "WARN", "FAIL", "SKIP"


class Open(str):
    """A text that anybody may see: words of this program, or a version."""

    __slots__ = ()


@dataclass(frozen=True)
class Partners:
    """Some of our partners by their hosts, each with its number among all."""

    hosts: Mapping[int, str]

    def __str__(self) -> str:
        return _some(list(self.hosts.values()))

    def without_names(self) -> str:
        return _some([f"partner {number}" for number in self.hosts])


def _some(words: list[str], most: int = 3) -> str:
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


@dataclass(frozen=True)
class Finding:
    """What a check found. `text` and `mend` are texts of ours with `%(name)s` fields; whatever is not a number, `Open` or `Partners` stays
    out of what strangers see."""

    level: str
    text: str
    mend: str = ""
    values: Mapping[str, object] = field(default_factory=dict)

    def words(self) -> str:
        return _printable(self.text % self.values)

    def remedy(self, place: Mapping[str, object]) -> str:
        """What to do, as a command with the node's real directory where there is one."""
        return _printable(self.mend % {**place, **self.values}) if self.mend else ""

    def redacted(self) -> str:
        """The line for a forum: codes, verdicts, numbers; no name, host, path or address."""
        return self.text % {name: _harmless(name, value) for name, value in self.values.items()}


def _printable(text: str) -> str:
    """On one line, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _harmless(name: str, value: object) -> object:
    if isinstance(value, Partners):
        return value.without_names()
    return value if isinstance(value, (int, float, Open)) else f"[{name}]"


class Lacking(Exception):
    """A check can't be made for want of something of which another check, `code`, speaks."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def ok(text: str, **values: object) -> Finding:
    return Finding(OK, text, "", values)


def warn(text: str, mend: str, **values: object) -> Finding:
    return Finding(WARN, text, mend, values)


def fail(text: str, mend: str, **values: object) -> Finding:
    return Finding(FAIL, text, mend, values)


def skip(text: str, **values: object) -> Finding:
    return Finding(SKIP, text, "", values)


def graded(number: float, warn_at: float, fail_at: float, made: Callable[[str], Finding]) -> Finding:
    """What `made` says at the level that a number has reached."""
    return made(FAIL if number >= fail_at else WARN if number >= warn_at else OK)
