"""Decides what of an open case may be taken up again by the same person: what they were shown of it, as long as nothing that it rests on
was taken away. Of what they were not shown nothing is in it; those messages are opened anew with each fold, which finds them gone where
they are.
"""

import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from fedcollab.sealing.room_content import AUTHOR, BROKEN, KEY, Had

from .arriving import Arrived, Look
from .hiding import HOW
from .rests import Rests
from .shown import THERE, Case

EACH = 1_500  # bytes that an entry takes beside its words: as it arrived, as it is shown, its ids
HIDDEN = frozenset(HOW.values())
MAY_OPEN = {KEY, AUTHOR, BROKEN}  # which no row of the room tells of


@dataclass(frozen=True, repr=False)
class Kept:
    """A case as one person has found it: `secrets` names the case keys that they had, `signers` (person, key) whose signatures held;
    `arrived` is without the entries that are to be opened `again`; `hidden` are those that nobody is to read any more; `moves` says that
    time alone may change the case; `weight` is more bytes than it takes."""

    rests: Rests
    look: Look
    secrets: frozenset[str]
    signers: frozenset[tuple[str, str]]
    arrived: tuple[Arrived, ...]
    again: frozenset[str]
    case: Case
    hidden: frozenset[str]
    moves: bool
    weight: int

    def serves(self, rests: Rests, look: Look, secrets: Collection[str]) -> bool:
        """Whether all that is in it may still be read by whoever looks."""
        same = (look.person, look.organisation, look.knows) == (self.look.person, self.look.organisation, self.look.knows)
        return same and rests.allows(self.rests) and self.secrets.issubset(secrets)

    def is_all(self, rests: Rests, look: Look, secrets: Collection[str]) -> bool:
        """Whether besides nothing has come since, nor been opened by a key that came."""
        return rests == self.rests and self.stands(look, secrets)

    def stands(self, look: Look, secrets: Collection[str]) -> bool:
        """Whether the case is still as it was folded, but for what has come since."""
        same = look.today == self.look.today and look.owners == self.look.owners
        return same and len(secrets) == len(self.secrets) and not self.moves

    def had(self, rests: Rests) -> Had:
        """By which it is known what has come since."""
        return Had(len(self.arrived), self.rests.room.last or "", rests.room.messages)

    def grown(self, rests: Rests, look: Look, signers: frozenset[tuple[str, str]], fresh: Sequence[Arrived], case: Case) -> "Kept":
        """The same with what came since, of which nothing is hidden."""
        weight = self.weight + sum(map(_weight, fresh))
        return replace(self, rests=rests, look=look, signers=signers, arrived=(*self.arrived, *fresh), case=case, weight=weight)


def keep(
    rests: Rests,
    look: Look,
    secrets: Collection[str],
    signers: frozenset[tuple[str, str]],
    messages: Iterable[Arrived],
    case: Case,
    before: Kept | None = None,
) -> Kept:
    """What may be kept of a case that is open before somebody; `before` of which it was made."""
    again = frozenset(shown.id for shown in case.timeline if shown.state != THERE)
    hidden = frozenset(shown.id for shown in case.timeline if shown.state in HIDDEN)
    moves = any(shown.asked or shown.state in MAY_OPEN for shown in case.timeline)
    arrived = tuple(replace(one, entry=None) if one.id in again else one for one in messages)
    weighed = {one.id for one in before.arrived} - before.again if before is not None else ()
    already = before.weight - EACH * len(before.again) if before is not None else 0
    weight = sum((_weight(one) for one in arrived if one.id not in weighed), already)
    return Kept(rests, look, frozenset(secrets), signers, arrived, again, case, hidden, moves, weight)


def _weight(one: Arrived) -> int:
    return EACH + (_bytes(one.entry) if one.entry is not None else 0)


def _bytes(value: object) -> int:
    """Of the words in an entry, as they lie in memory: up to four for a letter."""
    if isinstance(value, str):
        return sys.getsizeof(value)
    if isinstance(value, tuple):
        return sum(map(_bytes, value), sys.getsizeof(value))
    return sum(map(_bytes, vars(value).values())) if hasattr(value, "__dict__") else 0
