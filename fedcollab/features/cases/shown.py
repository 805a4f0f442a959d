"""Decides what pages are given of a case: values that one person may read, and of the rest that it is there.

`state` says why an entry is not there to be read: "masked", "redacted", "erased", "suspected" (P23), "withheld" (the person has no need
to know the part), "newer" (a later program wrote it), "broken", "key" (it cannot be opened yet), "stopped" (the consent for it has ended);
where it is, "there". Nothing shows its content by repr or str.
"""

from dataclasses import dataclass

from .people import Part, Person
from .record import Entry, Stage, Terms
from .sharing import Consent, Share
from .visiting import GuestShown
from .work import Step, Task

THERE, WITHHELD = "there", "withheld"


@dataclass(frozen=True, repr=False)
class Shown:
    """One item of the timeline. `at` when it was written, `arrived` when it came here (microseconds); `kind` is empty where that is not
    known; `entry` is what it says by now, or may be read instead of it; `before` what it said before it was corrected, the first text
    first; `versions` its id and those of its corrections; `hidden_by` the id of what hides it; `held` that a hold keeps it; `asked` that
    somebody asked for its erasure; `void` that its author's organisation could not say this, so that it has no effect."""

    id: str
    author: str
    organisation: str
    at: int
    arrived: int
    kind: str
    state: str
    entry: Entry | None = None
    part: str = ""
    person: str = ""
    before: tuple[Entry, ...] = ()
    versions: tuple[str, ...] = ()
    hidden_by: str = ""
    held: bool = False
    asked: bool = False
    void: bool = False


@dataclass(frozen=True, repr=False)
class Work:
    """A task, or a step of a support plan, and how far it is (grounds.PROGRESS), since when and by whom; `ids` are what a new progress
    replaces. `entry` is None where it is not to be read."""

    item: Shown
    entry: Task | Step | None
    progress: str
    note: str
    since: int
    by: str
    ids: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class PartShown:
    """A part of a person's record. Of `entries` there are several, the latest first, where people wrote at the same time without knowing
    of each other; `ids` are those in force, which a new one replaces; `versions` all that were ever in their place."""

    part: str
    state: str
    entries: tuple[Part, ...]
    ids: tuple[str, ...]
    versions: tuple[str, ...]
    at: int
    author: str


@dataclass(frozen=True, repr=False)
class PersonShown:
    """A person in the case: their code, their role, and the parts of their record."""

    code: str
    entry: Person | None
    ids: tuple[str, ...]
    parts: tuple[PartShown, ...]

    @property
    def role(self) -> str:
        return self.entry.role if self.entry else ""


@dataclass(frozen=True, repr=False)
class ConsentShown:
    """A consent: `how` is "given", "renewed" (a later one carries it on), "withdrawn", "ended" (its day has passed) or "hidden"; `chain`
    are the ids of all that renew one another with it, the first given first."""

    item: Shown
    entry: Consent | None
    how: str
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class ShareShown:
    """A share; `standing` says whether a consent that it names is still in force, or it was made without one."""

    item: Shown
    entry: Share | None
    standing: bool


@dataclass(frozen=True, repr=False)
class Case:
    """A case as it stands for one person now. `status` is a code of grounds.CASE_STATUS, or empty before the first entry is here;
    `terms_ids` and `status_ids` are what a new one replaces; `guests` are those inside; `gone` are the ids whose content has to be
    destroyed; `named` the hashes of the ids of those that are hidden, corrected or held, here or not yet; `unread` counts what could not
    be read."""

    code: str
    terms: Terms | None
    terms_ids: tuple[str, ...]
    status: str
    status_entry: Stage | None
    status_ids: tuple[str, ...]
    leads: frozenset[str]
    timeline: tuple[Shown, ...]
    tasks: tuple[Work, ...]
    plan: tuple[Work, ...]
    people: tuple[PersonShown, ...]
    files: tuple[Shown, ...]
    shares: tuple[ShareShown, ...]
    consents: tuple[ConsentShown, ...]
    holds: tuple[Shown, ...]
    guests: tuple[GuestShown, ...]
    gone: frozenset[str]
    named: frozenset[int]
    unread: int

    @property
    def tasks_open(self) -> tuple[Work, ...]:
        return tuple(task for task in self.tasks if task.progress in OPEN)

    @property
    def plan_open(self) -> tuple[Work, ...]:
        return tuple(step for step in self.plan if step.progress in OPEN)

    @property
    def in_force(self) -> tuple[ConsentShown, ...]:
        return tuple(consent for consent in self.consents if consent.how == "given")


OPEN = ("Open", "UnderWay")
