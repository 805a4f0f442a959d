"""Decides what of what a recipient was given rests on a consent that holds, and what on none any more. Pure: by the set of consents alone.

Each person stands for themselves: what is given on the consents of two needs one of each; of several of one person one is enough, so that
a renewed one carries on. A room given as a whole stays open, less what names those whose consents are over, as long as somebody's hold."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Ground:
    """A consent's clear half on one node: `whose` it is (a name that says nothing; empty where that is not known: then it stands for
    somebody of its own), whether it `holds`, whether the recipient has `kept` what it gave on a ground of its own; what was given on it."""

    id: str
    whose: str
    holds: bool
    kept: bool
    things: frozenset[str]

    @property
    def person(self) -> str:
        return self.whose or self.id


def stopped(grounds: Iterable[Ground], room: str) -> frozenset[str]:
    """What of all that these name rests on no consent any more; the `room` too, where it is closed as a whole."""
    people = list(_people(grounds))
    found = frozenset(of for grounds_of in people for of in _over(grounds_of) if of != room)
    named = [grounds_of for grounds_of in people if any(room in one.things for one in grounds_of)]
    over = [grounds_of for grounds_of in named if room in _over(grounds_of)]
    if over and (len(over) == len(named) or not all(map(_can_be_told, over))):
        found |= {room}
    return found


def ended(grounds: Iterable[Ground]) -> frozenset[str]:
    """The ids of those that do not hold and on which something ended: what each names is carried by no other of the same person."""
    found = set()
    for grounds_of in _people(grounds):
        over = _over(grounds_of)
        found |= {one.id for one in grounds_of if not one.holds and not over.isdisjoint(one.things)}
    return frozenset(found)


def _people(grounds: Iterable[Ground]) -> Iterable[Sequence[Ground]]:
    found: defaultdict[str, list[Ground]] = defaultdict(list)
    for one in grounds:
        found[one.person].append(one)
    return found.values()


def _over(grounds: Sequence[Ground]) -> frozenset[str]:
    """What one person's consents name and none of them carries. It is kept where the recipient keeps all that ended."""
    carried = frozenset(of for one in grounds if one.holds for of in one.things)
    asked = frozenset(of for one in grounds if not one.holds and not one.kept for of in one.things)
    return asked - carried


def _can_be_told(grounds: Sequence[Ground]) -> bool:
    """Whether what is a person's in the room is named beside the room itself."""
    return all(len(one.things) > 1 for one in grounds if not one.holds)
