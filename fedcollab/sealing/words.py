"""Decides how people compare sealing keys by voice: the words that admins read to each other (decision 0013)."""

from fedcollab.federation.words import Spoken, spoken

from .boxes import Public


def of_one(owner: str, key: Public) -> Spoken:
    """The words of one key of the actor `owner`: for a readmission, read by them to a keeper. Takes some 50 ms the first time."""
    return spoken(_fingerprint(owner, key), "one key")


def of_two(one: tuple[str, Public], other: tuple[str, Public]) -> Spoken:
    """The words of two people's keys, (actor, key) each, in whichever order: both see the same. Takes some 50 ms the first time."""
    return spoken(_fingerprint(*one), _fingerprint(*other))


def _fingerprint(owner: str, key: Public) -> str:
    """Names the owner too: two people's words don't stay the same where somebody publishes another's key as their own."""
    return f"sealing {owner} {key.kid}"
