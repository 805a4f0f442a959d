"""Decides what a question means: words in any order, "phrases", beginnings* and -words that must not be there.

What somebody typed goes through `words`, so that nothing but letters and digits of it reaches a database's own language of questions."""

import re
from dataclasses import dataclass

from . import words

LONGEST = 200  # characters of a question
MOST = 16  # terms of one
SHORTEST = 4  # letters of a beginning: fewer begin so many words that a million posts take a quarter of a second
QUOTES = str.maketrans(dict.fromkeys("“”„‟«»〝〞「」", '"'))  # of whichever keyboard
TERM = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')


@dataclass(frozen=True)
class Term:
    """A word or phrase as the index has it; `begins` says that its last token is the beginning of one."""

    tokens: tuple[str, ...]
    begins: bool = False


@dataclass(frozen=True)
class Question:
    """What must be there, and what must not."""

    wanted: tuple[Term, ...] = ()
    unwanted: tuple[Term, ...] = ()

    @property
    def open(self) -> "Question | None":
        """The same with its last word as the beginning of one, as somebody leaves it who has not typed it out; None where that says nothing
        else."""
        last = self.wanted[-1] if self.wanted else None
        if last is None or last.begins or len(last.tokens) > 1 or not _may_begin(last.tokens[-1]):
            return None
        return Question((*self.wanted[:-1], Term(last.tokens, begins=True)), self.unwanted)


def parse(text: str) -> Question:
    """A question as typed, of which at most 200 characters and 16 terms are looked at."""
    wanted: list[Term] = []
    unwanted: list[Term] = []
    for minus, phrase, word in TERM.findall(text[:LONGEST].translate(QUOTES).replace("\0", " ")):
        terms = _phrase(phrase) if phrase else _word(word)
        (unwanted if minus else wanted).extend(terms)
    return Question(tuple(dict.fromkeys(wanted))[:MOST], tuple(dict.fromkeys(unwanted))[:MOST])


def _phrase(text: str) -> list[Term]:
    """One term: its words follow each other."""
    parts = [part for run in words.runs(text) for part in run.parts]
    if not parts:
        return []
    found = [token for part, whole in parts[:-1] for token in ([part] if whole else words.grams(part))]
    last, whole = parts[-1]
    ends = [last] if whole else words.inner(last)
    return [Term((*found, *ends), begins=not whole and len(ends[-1]) < words.GRAM)]


def _word(text: str) -> list[Term]:
    """What is written together stands together ("e-mail"); in a script without spaces, beside others, anywhere."""
    parts = [part for run in words.runs(text) for part in run.parts]
    if text.endswith("*") and parts and parts[-1][1]:
        return [Term((*(token for term in _phrase_of(parts[:-1]) for token in term.tokens), parts[-1][0]), begins=_may_begin(parts[-1][0]))]
    return _phrase_of(parts)


def _phrase_of(parts: list[tuple[str, bool]]) -> list[Term]:
    if all(whole for _, whole in parts):
        return [Term(tuple(part for part, _ in parts))] if parts else []
    found = []
    for part, whole in parts:
        ends = [part] if whole else words.inner(part)
        found.append(Term(tuple(ends), begins=not whole and len(ends[-1]) < words.GRAM))
    return found


def _may_begin(token: str) -> bool:
    return len(token) >= SHORTEST and not words.is_unspaced(token)
