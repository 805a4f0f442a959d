"""Decides the entries that are about other entries: a correction, a masking and its undoing, a redaction, an erasure, a suspicion."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fedcollab.base.errors import N_
from fedcollab.sealing.entries import Problem

from . import reading
from .fields import Several, Text, Uri, said
from .record import NOTE, Entry, Standing
from .work import Contact, Decision, Message, Step, Task

# The parts of a person, terms and status are replaced by later ones; what was shared stays as it was said.
CORRECTED = (Message, Decision, Contact, Task, Step)


@dataclass(frozen=True)
class Inner:
    """An entry within an entry: the words that stand instead of others."""

    empty: Entry | None = None

    def read(self, value: Any) -> Entry:
        return reading.entry_in(value, {kind.KIND: kind for kind in CORRECTED})

    def written(self, value: Entry) -> Mapping[str, Any]:
        return reading.document(value)

    def typed(self, _values: Sequence[str]) -> None:
        return None


@dataclass(frozen=True, repr=False, kw_only=True)
class Correction(Standing):
    """What an entry says from now on; the old text stays to be read beside it."""

    KIND = "correction"
    of: str = said(Uri(), needed=True)
    entry: Entry | None = said(Inner(), needed=True)
    why: str = said(Text(NOTE))

    def place(self) -> tuple[str, ...]:
        return (self.KIND, self.of)


@dataclass(frozen=True, repr=False, kw_only=True)
class Hiding(Entry):
    """What takes entries, named by their ids, out of sight."""

    of: tuple[str, ...] = said(Several(Uri(), 100), needed=True)


@dataclass(frozen=True, repr=False, kw_only=True)
class Masking(Hiding):
    """Hides entries, with what corrected them, from all on the case until it is undone."""

    KIND = "masking"
    why: str = said(Text(NOTE))


@dataclass(frozen=True, repr=False, kw_only=True)
class Unmasking(Entry):
    """Undoes a masking, named by its entry."""

    KIND = "unmasking"
    of: str = said(Uri(), needed=True)
    why: str = said(Text(NOTE))


@dataclass(frozen=True, repr=False, kw_only=True)
class Redaction(Hiding):
    """Takes away for good what entries say, with what corrected them. `instead` is what may be read in the place of one: the same, less
    what had to go."""

    KIND = "redaction"
    instead: Entry | None = said(Inner())
    why: str = said(Text(NOTE))

    def problems(self) -> Iterator[Problem]:
        if self.instead is not None and len(self.of) != 1:
            yield "of", N_("Choose one entry when you write what may be read in its place.")


@dataclass(frozen=True, repr=False, kw_only=True)
class Erased(Hiding):
    """Asks all on the case to erase entries: at once where they are the asker's own, others' after seven days."""

    KIND = "erased"
    why: str = said(Text(NOTE))


@dataclass(frozen=True, repr=False, kw_only=True)
class Suspected(Hiding):
    """Marks files as suspected child abuse images (P23): from then on no node opens or hands them out. There is no way back."""

    KIND = "suspected"
