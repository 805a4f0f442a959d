"""Decides what is no longer read: masked until it is undone, redacted for good, erased, a file that may show the abuse of a child; and what
a hold keeps from being destroyed.

An organisation redacts its own entries. The one that leads the case may also mask others'. Who asks for the erasure of others' entries
waits for seven days after the asking came here, in which they, or the leader, may hold them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from fedcollab.base.clock import DAY

from .arriving import Item, Look
from .fields import Text
from .mending import Correction, Erased, Hiding, Masking, Redaction, Suspected, Unmasking
from .people import OfPerson, Part, Person
from .reading import members
from .record import Entry, Hold, HoldLifted, held_until
from .sharing import Consent, Share
from .work import Contact, Decision, File, Message, Step, Task

Kind = TypeVar("Kind", bound=Entry)
DELAY = 7 * DAY
MASKED, REDACTED, ERASED, SUSPECTED = "masked", "redacted", "erased", "suspected"
HOW = {Masking.KIND: MASKED, Redaction.KIND: REDACTED, Erased.KIND: ERASED, Suspected.KIND: SUSPECTED}
KEPT = (MASKED, SUSPECTED)  # it stays what it is, though nobody reads it
# What is destroyed when it was redacted or erased. The rest is hidden only: without it the case would not be what it is.
DESTROYED = (Message, Decision, Contact, Task, Step, File, Person, Part, Share, Consent, Correction, Redaction)


@dataclass(frozen=True, repr=False)
class Hidden:
    """What is no longer read, by id: how, and by which entry. `gone` may be destroyed; `holds` are those in force, `held` what they keep;
    for what is `asked` an erasure waits for its day or for the end of a hold."""

    how: dict[str, str] = field(default_factory=dict)
    by: dict[str, Item] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    holds: tuple[Item, ...] = ()
    held: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()


def hide(items: list[Item], by_id: Mapping[str, Item], leads: frozenset[str], look: Look) -> Hidden:
    """What is hidden for everybody who looks now; `items` are those that say something of others, `by_id` all."""
    holds = tuple(_holds(items, look.today))
    held = _held(by_id.values(), holds, leads)
    corrections = _corrections(items)
    by: dict[str, Item] = {}
    asked: set[str] = set()
    erased: set[str] = set()
    followed: set[tuple[str, str]] = set()
    for kind, does in ((Masking, _masks), (Redaction, _redacts), (Erased, _erases), (Suspected, _suspects)):  # the stronger one last
        undone = _undone(items, by_id, leads) if kind is Masking else set()
        for item in items:
            if isinstance(item.entry, Hiding) and isinstance(item.entry, kind) and item.id not in undone:
                named = [found for of in item.entry.of if (found := by_id.get(of))]
                named = _with_older(item, named, by_id, followed) if kind is Redaction else named
                done = [one for one in named if does(item, one, leads, look.now) and not (kind is Erased and one.id in held)]
                by |= {of: item for one in done for of in (one.id, *corrections[one.id])}
                if kind is Erased:
                    asked |= {one.id for one in named}
                    erased |= {one.id for one in done}
    how = {of: HOW[item.entry.KIND] for of, item in by.items() if item.entry}
    gone = (of for of, done in how.items() if done not in KEPT and isinstance(by_id[of].entry, DESTROYED))
    return Hidden(how, by, frozenset(gone) - held, holds, held, frozenset(asked - erased))


def _corrections(items: Iterable[Item]) -> Mapping[str, list[str]]:
    """What corrects an entry goes with it, whoever wrote it."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for item in items:
        if isinstance(item.entry, Correction):
            found[item.entry.of].append(item.id)
    return found


def _masks(item: Item, named: Item, leads: frozenset[str], _now: int) -> bool:
    return item.organisation in leads | {named.organisation}


def _redacts(item: Item, named: Item, _leads: frozenset[str], _now: int) -> bool:
    return item.organisation == named.organisation


def _erases(item: Item, named: Item, _leads: frozenset[str], now: int) -> bool:
    return item.organisation == named.organisation or now >= max(item.arrived, item.at) + DELAY


def _suspects(_item: Item, named: Item, _leads: frozenset[str], _now: int) -> bool:
    """P23: a file, whoever shared it and whoever says so; it is kept sealed, for the authority that asks for it."""
    return isinstance(named.entry, File)


def _with_older(item: Item, named: list[Item], by_id: Mapping[str, Item], followed: set[tuple[str, str]]) -> list[Item]:
    """With those of a person's record that they took the place of: else the old text would stand again. None is `followed` twice for one
    organisation, however many redactions lead to it."""
    waiting = list(named)
    for new in waiting:  # which grows meanwhile
        if isinstance(new.entry, OfPerson) and (item.organisation, new.id) not in followed:
            followed.add((item.organisation, new.id))
            olds = (by_id.get(of) for of in new.entry.replaces)
            waiting += [old for old in olds if old and isinstance(old.entry, OfPerson) and old.entry.place() == new.entry.place()]
    return waiting


def _held(items: Iterable[Item], holds: Iterable[Item], leads: frozenset[str]) -> frozenset[str]:
    """What holds keep: those of its own organisation, and of one that leads."""
    holders: defaultdict[str, set[str]] = defaultdict(set)  # by what they hold; "" is the whole case
    for hold in holds:
        for of in (hold.entry.of if isinstance(hold.entry, Hold) else ()) or ("",):
            holders[of].add(hold.organisation)
    found = set()
    for item in items if holders else ():
        names = ("", item.id, item.entry.of) if isinstance(item.entry, Correction) else ("", item.id)
        if any(not holders[of].isdisjoint(leads | {item.organisation}) for of in names if of in holders):
            found.add(item.id)
    return frozenset(found)


def _holds(items: Iterable[Item], today: str) -> Iterable[Item]:
    lifted = {item.entry.of for item in items if isinstance(item.entry, HoldLifted) and not item.void}
    return (item for item in items if isinstance(item.entry, Hold) and item.id not in lifted and held_until(item.entry, item.at) >= today)


def _undone(items: Iterable[Item], by_id: Mapping[str, Item], leads: frozenset[str]) -> set[str]:
    """The maskings that were undone, by who masked or by who leads."""
    found: defaultdict[str, bool] = defaultdict(bool)
    for item in items:
        if isinstance(item.entry, Unmasking) and (masking := by_id.get(item.entry.of)) and isinstance(masking.entry, Masking):
            found[masking.id] |= item.organisation in leads | {masking.organisation}
    return {of for of, done in found.items() if done}


def without_text(entry: Kind) -> Kind:
    """The entry less all that people wrote in it: its codes and days stay in force."""
    texts: dict[str, Any] = {name: "" for name, spec, _needed in members(type(entry)) if isinstance(spec, Text)}
    return replace(entry, **texts)
