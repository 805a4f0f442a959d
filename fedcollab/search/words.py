"""Decides what a word is: for texts and for questions alike, on both databases, in any script.

Letters lose case, accents, Arabic vowel signs and the like. Scripts that are written without spaces are cut into overlapping threes, and
the rest at a run's end, so that whatever part of it is asked for begins one of its tokens."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

VERSION = 1  # of what is decided here: another one has the index made anew
MOST = 10_000  # tokens of one text; what comes after them is not found by
LONGEST = 64  # characters of a token
GRAM = 3
UNSPACED = (
    "\u0e00-\u0e7f"  # Thai
    "\u0e80-\u0eff"  # Lao
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Burmese
    "\u1780-\u17ff"  # Khmer
    "\u2e80-\u2fdf\u3005\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Chinese, Japanese
    "\U00020000-\U0003ffff"
)
UNSEEN = "\u00ad\u200b-\u200f\u2060-\u2064\ufeff"  # where lines may break, and how letters join: not part of how a word is asked for
OFF = (
    "\u0300-\u036f"  # accents, of Latin, Greek, Cyrillic letters
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # Hebrew points
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed"  # Arabic vowel signs and the long stroke
)
AS = str.maketrans("أإآٱىیېےةکگڪ", "ااااييييهككك")  # one letter, written in several ways
ARTICLE = re.compile(r"(?:[وبكف]?ال|لل)(?=..)")
WITH_ARTICLE = 5  # letters at least: shorter words are too often ones that begin so by themselves
CUT = re.compile(f"[{OFF}{UNSEEN}]+")
SPLIT = re.compile(f"([{UNSPACED}]+)")
PLAIN = re.compile(r"[A-Za-z0-9]+")


def unicode_version() -> str:
    """Which tables of letters these words are made by."""
    return unicodedata.unidata_version


class Run(NamedTuple):
    """A stretch of a text that is a word, or several in a script without spaces: where it stands, and its parts as they are compared; a
    part is `whole` where it is one word."""

    start: int
    end: int
    parts: tuple[tuple[str, bool], ...]


@cache
def _runs() -> re.Pattern[str]:
    """Letters and digits with the marks on them. The marks are looked up once, when first needed: it takes two milliseconds."""
    blocks = ((0x300, 0x2000), (0x20D0, 0x2100), (0x302A, 0x309B), (0xA66F, 0xAC00), (0xFB1E, 0xFB1F), (0xFE20, 0xFE30))
    signs = "".join(chr(c) for start, end in blocks for c in range(start, end) if unicodedata.category(chr(c)) in ("Mn", "Mc"))
    return re.compile(rf"[^\W_]+(?:[{signs}{UNSEEN}]+[^\W_]*)*")


def fold(text: str) -> str:
    """A word as it is compared."""
    if text.isascii():
        return text.lower()
    return "".join(_runs().findall(letters(text)))


def letters(text: str) -> str:
    """Any part of a text as `fold` has it, with what is not of a word left in."""
    flat = CUT.sub("", unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold()))
    return "".join(map(_digit, flat.translate(AS)))


def _digit(character: str) -> str:
    return str(unicodedata.digit(character)) if character.isdigit() and not character.isascii() else character


def runs(text: str) -> Iterator[Run]:
    """The words of a text, in its order."""
    if text.isascii():
        for found in PLAIN.finditer(text):
            yield Run(found.start(), found.end(), ((found.group().lower()[:LONGEST], True),))
        return
    for found in _runs().finditer(text):
        if parts := _parts(found.group()):
            yield Run(found.start(), found.end(), parts)


def _parts(written: str) -> tuple[tuple[str, bool], ...]:
    if written.isascii():
        return ((written.lower()[:LONGEST], True),)
    folded = fold(written)
    parts = [(part, at % 2 == 0) for at, part in enumerate(SPLIT.split(folded)) if part]
    return tuple((_stem(part)[:LONGEST] if whole else part, whole) for part, whole in parts)


def _stem(word: str) -> str:
    """An Arabic word without its article, and what is written onto that."""
    return ARTICLE.sub("", word, count=1) if len(word) >= WITH_ARTICLE and ARTICLE.match(word) else word


def tokens(text: str) -> list[str]:
    """What a text is found by, in its order."""
    if text.isascii():  # most texts, at a fifth of the cost
        return [word[:LONGEST] for word in PLAIN.findall(text.lower())[:MOST]]
    found: list[str] = []
    for run in runs(text):
        for part, whole in run.parts:
            found += [part] if whole else grams(part)
        if len(found) >= MOST:
            return found[:MOST]
    return found


def grams(part: str) -> list[str]:
    """A run of a script without spaces as overlapping threes; the last two and the last one by themselves."""
    return [part[at : at + GRAM] for at in range(len(part))]


def inner(part: str) -> list[str]:
    """The tokens of a text that this run stands in, wherever it does; the last one may be the beginning of one."""
    return [part[at : at + GRAM] for at in range(max(1, len(part) - GRAM + 1))]


def is_unspaced(token: str) -> bool:
    """Whether a token is of a script without spaces."""
    return bool(SPLIT.match(token))


def near(text: str) -> set[str]:
    """The threes of a name's letters, by which it is found where it was typed wrongly; word by word, in any order."""
    found: set[str] = set()
    for run in runs(text[:200]):
        word = "".join(part for part, _ in run.parts)[:40]
        padded = f"  {word} "
        found |= {padded[at : at + GRAM] for at in range(len(padded) - GRAM + 1)}
    return found
