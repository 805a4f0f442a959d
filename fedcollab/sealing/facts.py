"""Decides what can be said of a room, and who has to have signed it: facts that only ever add up, in whatever order they arrive.

A member's seat is known by its key (`mk`): whoever comes back after leaving does so with a fresh one, so no old word can end a new seat.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from .casekeys import OWNER, CaseKey


@dataclass(frozen=True)
class Founded:
    """The owner's own: it has begun the room, with this key of its own."""

    by: str
    mk: str


@dataclass(frozen=True)
class Invited:
    """The owner asks an organisation, or one person of it, inside. `since` is the first epoch that they will read, 0 for the one that
    they come in with."""

    id: str
    by: str
    organisation: str
    person: str
    role: str
    since: int = 0


@dataclass(frozen=True)
class Answer:
    """The invited organisation's answer: with a key of its own for the room, or without one, which is a no."""

    invitation: str
    by: str
    mk: str = ""


@dataclass(frozen=True)
class Withdrawn:
    """The owner takes an invitation back before it was answered."""

    invitation: str
    by: str


@dataclass(frozen=True)
class Rekeyed:
    """A member has another key from now on."""

    by: str
    old: str
    new: str


@dataclass(frozen=True)
class Left:
    """A member goes."""

    by: str
    mk: str


@dataclass(frozen=True)
class Removed:
    """The owner ends a member's seat in the list `ck`; the next case key's list is without it."""

    by: str
    organisation: str
    mk: str
    ck: str


@dataclass(frozen=True)
class Granted:
    """The owner lets a member read from an earlier epoch on; the next case key says so to all."""

    by: str
    mk: str
    since: int


@dataclass(frozen=True)
class Seen:
    """Somebody works with this case key: they have acknowledged it, or sealed a message under it."""

    by: str
    epoch: int
    ck: str


@dataclass(frozen=True)
class Agreed:
    """A keeper of a member accepts the case key that mends two lists."""

    by: str
    ck: str


@dataclass(frozen=True)
class Backed:
    """A member agrees that a deputy takes the room over, from this case key on."""

    by: str
    deputy: str
    ck: str


@dataclass(frozen=True)
class Closed:
    """The owner closes the room, or purges it."""

    by: str
    purged: bool = False


Fact: TypeAlias = CaseKey | Founded | Invited | Answer | Withdrawn | Rekeyed | Left | Removed | Granted | Seen | Agreed | Backed | Closed
Facts: TypeAlias = frozenset[Fact]
F = TypeVar("F")


def of(facts: Iterable[Fact], kind: type[F]) -> list[F]:
    """The facts of one kind."""
    return [fact for fact in facts if isinstance(fact, kind)]


def by(fact: Fact) -> str:
    """The organisation that has to have signed it."""
    return fact.issuer if isinstance(fact, CaseKey) else fact.by


def organisations(key: CaseKey) -> set[str]:
    """Who is inside by a case key's list."""
    return {member.organisation for member in key.members}


def owner(key: CaseKey) -> str:
    """Who leads the room by a case key's list."""
    return next(member.organisation for member in key.members if member.role == OWNER)


def chain(facts: Iterable[Fact], organisation: str, mk: str) -> list[str]:
    """A key of a member and those that have come after it, by their own word; the last one counts."""
    later: dict[str, str] = {}
    for fact in sorted((f for f in of(facts, Rekeyed) if f.by == organisation), key=lambda f: f.new):
        later[fact.old] = fact.new
    found = {mk: None}  # in their order; a stranger's chain may be long, and a ring
    while (new := later.get(mk)) and new not in found:
        found[new], mk = None, new
    return list(found)
