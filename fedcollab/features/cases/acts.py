"""Decides what somebody on a case may do with an entry: what every node counts (standing.py, hiding.py), and of removing for good less, for
that is a keeper's."""

from collections.abc import Iterator
from dataclasses import dataclass

from .arriving import Look
from .hiding import ERASED, MASKED, REDACTED
from .kinds import KINDS
from .mending import CORRECTED
from .people import OfPerson, Part, Person
from .record import Hold, Terms
from .sharing import Consent, Share
from .shown import THERE, Case, Shown
from .work import Contact, Decision, File, Message, Step, Task

CHANGE, PROGRESS, WITHDRAW, LIFT, RENEW = "change", "progress", "withdraw", "lift", "renew"
MASK, UNMASK, REDACT, ERASE, HOLD = "mask", "unmask", "redact", "erase", "hold"
HIDDEN = (Message, Decision, Contact, Task, Step, File, Person, Part, Share, Consent)  # what is taken out of sight
GONE = (REDACTED, ERASED)


@dataclass(frozen=True)
class Who:
    """Whoever asks: for whom the case was folded, whether they are a keeper, whether their organisation leads the case today."""

    look: Look
    keeper: bool
    leads: bool


def acts(case: Case, who: Who, shown: Shown) -> tuple[str, ...]:
    """The names of what they may do with this entry, the most usual first."""
    return tuple(_acts(case, who, shown))


def _acts(case: Case, who: Who, shown: Shown) -> Iterator[str]:
    kind, ours = KINDS.get(shown.kind), shown.organisation == who.look.organisation
    if kind is None or shown.void:
        return
    if kind in (Task, Step) and shown.state == THERE:
        yield PROGRESS
    how = next((one.how for one in case.consents if one.item.id == shown.id), "") if kind is Consent else ""
    if how in ("given", "ended"):
        yield RENEW
    if how == "given":
        yield WITHDRAW
    if shown.state == THERE and _may_change(case, who, shown, ours):
        yield CHANGE
    if kind is Hold and ours and any(one.id == shown.id for one in case.holds):
        yield LIFT
    if issubclass(kind, HIDDEN) and shown.state not in GONE:
        yield from _hides(case, who, shown, ours)


def _may_change(case: Case, who: Who, shown: Shown, ours: bool) -> bool:
    """A correction is its own organisation's to say, of what is to be done anybody's; a part of a record is replaced by anybody, as long as
    it stands."""
    kind = KINDS[shown.kind]
    if issubclass(kind, Terms):
        return who.leads and shown.id in case.terms_ids
    if issubclass(kind, OfPerson):
        return shown.id in standing(case)
    return kind in CORRECTED and (ours or kind in (Task, Step))


def _hides(case: Case, who: Who, shown: Shown, ours: bool) -> Iterator[str]:
    leads = who.look.organisation in case.leads
    if shown.state == MASKED:
        by = next((one for one in case.timeline if one.id == shown.hidden_by), None)
        if leads or (by is not None and by.organisation == who.look.organisation):
            yield UNMASK
    elif ours or leads:
        yield MASK
    if ours and who.keeper and shown.state in (THERE, MASKED):
        yield REDACT
    if not shown.asked:
        yield ERASE
    yield HOLD


def standing(case: Case) -> frozenset[str]:
    """The ids of what stands of people: their roles, and the parts of their records."""
    return frozenset(of for person in case.people for ids in (person.ids, *(part.ids for part in person.parts)) for of in ids)
