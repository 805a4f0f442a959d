"""Decides where a referral stands: it follows from what both organisations have said, in whatever order it was heard; the strictest word
counts, so that both come to the same. Pure, without a database."""

from collections.abc import Iterable
from dataclasses import dataclass

IN_PROGRESS, ACCEPTED, REJECTED, REVOKED, DONE = STATES = ("in_progress", "accepted", "rejected", "revoked", "done")
SENDER, RECIPIENT = SIDES = ("sender", "recipient")
OPEN = (IN_PROGRESS, ACCEPTED)
BY = {ACCEPTED: (RECIPIENT,), REJECTED: (RECIPIENT,), REVOKED: (SENDER,), DONE: SIDES}  # whose word it is


@dataclass(frozen=True, order=True)
class Word:
    """What one side has said, when (microseconds, by its clock); `code` is why it said no, or with which outcome it was done."""

    at: int
    kind: str
    by: str
    code: str = ""


@dataclass(frozen=True)
class Standing:
    """Where it stands, and the word that says so; none while it is in progress."""

    state: str
    word: Word | None = None


def stands(words: Iterable[Word]) -> Standing:
    """No beats taken back, taken back beats yes: nobody is left with what another thinks is gone. Done counts after a yes alone; of two
    outcomes the recipient's, who has done the work, of one side's own the first."""
    all_of = list(words)
    said = {kind: sorted(word for word in all_of if word.kind == kind and word.by in BY[kind]) for kind in BY}
    for kind in (REJECTED, REVOKED):
        if said[kind]:
            return Standing(kind, said[kind][0])
    if not said[ACCEPTED]:
        return Standing(IN_PROGRESS)
    done = sorted(said[DONE], key=lambda word: (word.by != RECIPIENT, word))
    return Standing(DONE, done[0]) if done else Standing(ACCEPTED, said[ACCEPTED][0])


def may(state: str, side: str) -> frozenset[str]:
    """What a side may say as long as it stands so here."""
    if state == IN_PROGRESS:
        return frozenset({REVOKED} if side == SENDER else {ACCEPTED, REJECTED})
    return frozenset({DONE} if state == ACCEPTED else ())
