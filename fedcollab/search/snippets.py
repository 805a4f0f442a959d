"""Decides what of a text a hit shows, and which words in it are marked: those that the question asks for, as the text has them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from . import words
from .query import Question, Term

LOOKED_AT = 20_000  # characters of a text in which a place to show is looked for
LONG, BEFORE = 240, 60  # characters of a snippet, and of it before the first word found
BLANKS = re.compile(r"\s+")


class Piece(NamedTuple):
    """A part of a text as it is stored, and whether the question asks for it."""

    text: str
    marked: bool


class Sought(NamedTuple):
    """What is marked: whole words, beginnings of words, and runs of scripts without spaces."""

    whole: frozenset[str]
    begun: tuple[str, ...]
    inner: tuple[str, ...]


def sought(question: Question) -> Sought:
    """What a question has marked."""
    whole: set[str] = set()
    begun: set[str] = set()
    inner: set[str] = set()
    for term in question.wanted:
        for token, last in _joined(term):
            if words.is_unspaced(token):
                inner.add(token)
            else:
                (begun if term.begins and last else whole).add(token)
    return Sought(frozenset(whole), tuple(sorted(begun)), tuple(sorted(inner, key=len, reverse=True)))


def _joined(term: Term) -> list[tuple[str, bool]]:
    """A term's tokens, overlapping ones put together again; and which of them is the last."""
    found: list[str] = []
    for token in term.tokens:
        if found and words.is_unspaced(token) and found[-1].endswith(token[: words.GRAM - 1]) and len(found[-1]) >= words.GRAM:
            found[-1] += token[words.GRAM - 1 :]
        else:
            found.append(token)
    return [(token, at == len(found) - 1) for at, token in enumerate(found)]


def marked(text: str, what: Sought) -> tuple[Piece, ...]:
    """All of a text in pieces."""
    return tuple(_pieces(text, list(spans(text, what))))


def snippet(text: str, what: Sought) -> tuple[Piece, ...]:
    """The part of a text around the first word found, else its beginning; blanks folded."""
    text = BLANKS.sub(" ", text[:LOOKED_AT]).strip()
    found = list(spans(text, what))
    first = found[0][0] if found else 0
    start = 0 if first <= BEFORE or len(text) <= LONG else _at_blank(text, first - BEFORE, first)
    end = len(text) if len(text) <= start + LONG else _at_blank(text, start + LONG - 20, start + LONG)
    inside = [(max(a, start) - start, min(b, end) - start) for a, b in found if a < end and b > start]
    pieces = list(_pieces(text[start:end], inside))
    return (*([Piece("… ", False)] if start else []), *pieces, *([Piece(" …", False)] if end < len(text) else []))


def _at_blank(text: str, at: int, most: int) -> int:
    """The first beginning of a word from here on, up to `most`."""
    found = text.find(" ", at, most)
    return at if found < 0 else found + 1


def spans(text: str, what: Sought) -> Iterator[tuple[int, int]]:
    """Where the words stand that are asked for, in order."""
    for run in words.runs(text):
        for part, whole in run.parts:
            if whole and (part in what.whole or part.startswith(what.begun)):
                yield run.start, run.end
                break
            if not whole and (hit := next((one for one in what.inner if one in part), "")):
                yield from _inside(text, run, hit)
                break


def _inside(text: str, run: words.Run, hit: str) -> Iterator[tuple[int, int]]:
    """Where in a run the hit stands; all of the run where its letters can't be counted off one by one."""
    written = text[run.start : run.end]
    each = [words.letters(character) for character in written]
    if "".join(each) != words.fold(written):
        yield run.start, run.end
        return
    owner = [at for at, folded in enumerate(each) for _ in folded]
    at = (whole := "".join(each)).find(hit)
    while at >= 0:
        yield run.start + owner[at], run.start + owner[at + len(hit) - 1] + 1
        at = whole.find(hit, at + len(hit))


def _pieces(text: str, found: list[tuple[int, int]]) -> Iterator[Piece]:
    done = 0
    for start, end in found:
        if start > done:
            yield Piece(text[done:start], False)
        yield Piece(text[max(start, done) : end], True)
        done = end
    if done < len(text):
        yield Piece(text[done:], False)
