"""Decides what an entry of a case is, and those of the case itself: opened, its terms, its status, its end, what holds it back.

Those that a later one takes the place of (`Standing`) name the entries that their author saw in that place, so that every node finds the
same one in force, whatever came first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fedcollab.base.clock import DAY, iso
from fedcollab.base.errors import N_
from fedcollab.sealing import entries
from fedcollab.sealing.entries import Problem

from .codes import CODE
from .fields import Code, Day, Line, Pattern, Several, Text, Uri, said
from .grounds import CASE_STATUS, ENDED, LABELS, LAWFUL_BASIS, REFERRAL_REASON, SPECIAL

TEXT, NOTE = 20_000, 2_000  # letters
LONGEST_HOLD = 366 * DAY
SEEN = 20  # entries that one may take the place of
LAW = "NationalLaw"


@dataclass(frozen=True, repr=False, kw_only=True)
class Entry(entries.Entry):
    """What every entry says."""

    PART: ClassVar[str] = ""  # of a person's record; who has no need to know it does not see its values


@dataclass(frozen=True, repr=False, kw_only=True)
class Standing(Entry):
    """An entry that holds until another takes its place. `replaces` are the ids of those that its author saw there."""

    replaces: tuple[str, ...] = said(Several(Uri(), SEEN))

    def place(self) -> tuple[str, ...]:
        """What it is in force for."""
        return (self.KIND,)


@dataclass(frozen=True, repr=False, kw_only=True)
class Terms(Standing):
    """Under which terms the case is kept: what for, on which lawful basis and Art. 9 condition (with the provision of national law where
    that is the condition), its label, the organisation that leads it, the day by which somebody reviews it, the last day that it is
    kept."""

    KIND = "terms"
    purpose: str = said(Text(NOTE), needed=True)
    basis: tuple[str, ...] = said(Several(Code(LAWFUL_BASIS)), needed=True)
    condition: tuple[str, ...] = said(Several(Code(SPECIAL)), needed=True)
    law: str = said(Text(NOTE))
    label: str = said(Code(LABELS), needed=True)
    lead: str = said(Uri(), needed=True)
    review: str = said(Day(), needed=True)
    retention: str = said(Day(), needed=True)
    why: str = said(Text(NOTE))

    def problems(self) -> Iterator[Problem]:
        if LAW in self.condition and not self.law:
            yield "law", N_("Write which law, and which part of it.")
        if self.retention < self.review:
            yield "retention", N_("A case is kept at least until it is reviewed.")
        yield from self._changed()

    def _changed(self) -> Iterator[Problem]:
        if not self.why:
            yield "why", N_("Write why this is changed.")
        if not self.replaces:
            yield "replaces", N_("Somebody changed this at the same time. Look again and repeat.")


@dataclass(frozen=True, repr=False, kw_only=True)
class Opened(Terms):
    """The first entry of a case: its code, and the terms that it is opened under."""

    KIND = "opened"
    code: str = said(Pattern(CODE, N_("Write the code as bafuko-tezara.")), needed=True)

    def place(self) -> tuple[str, ...]:
        return ("terms",)

    def _changed(self) -> Iterator[Problem]:
        if self.replaces:
            yield "replaces", N_("A case is opened once.")


@dataclass(frozen=True, repr=False, kw_only=True)
class Stage(Standing):
    """How far the case is, as a code of CASE_STATUS."""

    status: str

    def place(self) -> tuple[str, ...]:
        return ("status",)


@dataclass(frozen=True, repr=False, kw_only=True)
class StatusChanged(Stage):
    """How the case stands from now on; what has ended is said by `Closed`."""

    KIND = "status"
    status: str = said(Code({code: CASE_STATUS[code] for code in ("Active", "FollowUp")}), needed=True)
    why: str = said(Text(NOTE))


@dataclass(frozen=True, repr=False, kw_only=True)
class Closed(Stage):
    """The end of the work: how it came out, and until when the record is kept. `reason` says why it was referred on."""

    KIND = "closed"
    status: str = said(Code(ENDED), needed=True)
    outcome: str = said(Text(NOTE), needed=True)
    reason: str = said(Code(REFERRAL_REASON))
    retention: str = said(Day(), needed=True)

    def problems(self) -> Iterator[Problem]:
        if (self.status == "ClosedReferred") != bool(self.reason):
            yield "reason", N_("Choose why the person was referred to others, and only then.")


@dataclass(frozen=True, repr=False, kw_only=True)
class Hold(Entry):
    """Stops retention and erasure: of the entries named, or of the whole case where none is. `by` is the person who ordered it; it
    lapses after `review`, a year after it was said at the latest, unless somebody holds again."""

    KIND = "hold"
    of: tuple[str, ...] = said(Several(Uri(), 100))
    by: str = said(Line(), needed=True)
    reason: str = said(Text(NOTE), needed=True)
    review: str = said(Day(), needed=True)


def held_until(hold: Hold, at: int) -> str:
    """The last day of a hold that was said at `at` (microseconds): nobody holds for ever by naming a day far away."""
    return min(hold.review, iso(at + LONGEST_HOLD)[:10])


@dataclass(frozen=True, repr=False, kw_only=True)
class HoldLifted(Entry):
    """Ends a hold, named by its entry, before its day."""

    KIND = "hold-lifted"
    of: str = said(Uri(), needed=True)
    why: str = said(Text(NOTE), needed=True)
