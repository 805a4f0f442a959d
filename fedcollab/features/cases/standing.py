"""Decides which entries are in force: whose word counts for what, and which of those for the same place stands.

An entry that names those it takes the place of stands after them, whatever anybody's clock says; entries that know nothing of each other
both stand, the later one first. So every node that has the same entries has the same case.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .arriving import Item
from .mending import Correction
from .record import Closed, HoldLifted, Opened, Standing, StatusChanged, Terms
from .visiting import GuestIn, GuestOut, is_theirs
from .work import Step, Task

Place = tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Ruling:
    """Whose words count: the organisations that lead or led the case, and the entry that opened it."""

    leads: frozenset[str]
    opened: Item | None


def rule(items: list[Item], by_id: Mapping[str, Item], owners: frozenset[str]) -> Ruling:
    """Marks as void what its author's organisation may not say, and finds whose words count."""
    opened = next((item for item in items if isinstance(item.entry, Opened) and item.organisation in owners), None)
    leads = owners | _chain(items, opened, owners)
    for item in items:
        item.void = item.void or not _may(item, by_id, leads)
    return Ruling(leads, opened)


def _chain(items: Iterable[Item], opened: Item | None, owners: frozenset[str]) -> frozenset[str]:
    """Who leads by the terms that hang together from the opening on, each set by an owner or by the leader of those it changes."""
    later: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        if isinstance(item.entry, Terms):
            item.void = item is not opened
            for replaced in item.entry.replaces:
                later[replaced].append(item)
    waiting, leads = [opened] if opened else [], set()
    for item in waiting:  # which grows meanwhile
        assert isinstance(item.entry, Terms)
        leads.add(item.entry.lead)
        for after in later[item.id]:
            if after.void and not isinstance(after.entry, Opened) and after.organisation in owners | {item.entry.lead}:
                after.void = False
                waiting.append(after)
    return frozenset(leads)


def _may(item: Item, by_id: Mapping[str, Item], leads: frozenset[str]) -> bool:
    """Whether an organisation may say this: status and end are the leader's to say, a correction its author's (anybody's for what is to be
    done), a hold is lifted by who holds, of a guest their own node's organisation tells."""
    entry = item.entry
    if isinstance(entry, GuestIn):
        return is_theirs(entry, item.organisation)
    if isinstance(entry, StatusChanged | Closed):
        return item.organisation in leads
    if isinstance(entry, Correction | HoldLifted | GuestOut):
        named = by_id.get(entry.of)
        same = named is None or named.organisation == item.organisation
        if isinstance(entry, HoldLifted | GuestOut) or named is None or named.entry is None:
            return same
        return type(named.entry) is type(entry.entry) and (same or isinstance(entry.entry, Task | Step))
    return True


def in_force(items: Iterable[Item]) -> dict[Place, list[Item]]:
    """What stands for each place: those that no other has taken the place of, the latest first."""
    places: defaultdict[Place, list[Item]] = defaultdict(list)
    for item in items:
        if isinstance(item.entry, Standing) and not item.void:
            places[item.entry.place()].append(item)
    return {place: _heads(there) for place, there in places.items()}


def _heads(there: list[Item]) -> list[Item]:
    if len(there) > 1:
        replaced = {one for item in there if isinstance(item.entry, Standing) for one in item.entry.replaces if one != item.id}
        there = [item for item in there if item.id not in replaced] or there  # a ring of them replaces nothing
    return sorted(there, key=lambda item: item.claimed, reverse=True)
