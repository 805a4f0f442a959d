"""Decides what of one item a person may read: less what is hidden from all, and the parts that they have no need to know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .arriving import Item, Look
from .hiding import REDACTED, Hidden
from .mending import Correction, Redaction
from .people import OfPerson, Part
from .record import Entry
from .shown import THERE, WITHHELD, Shown
from .standing import Place
from .work import File


@dataclass(frozen=True, repr=False)
class Sight:
    """What one person sees, given what is hidden and what stands."""

    look: Look
    hidden: Hidden
    force: Mapping[Place, list[Item]]
    corrections: Mapping[str, list[Item]]  # of an entry, those that count, from the first on

    def of_all(self, items: Iterable[Item], before: Mapping[str, Shown]) -> dict[str, Shown]:
        """Each item as it is shown, by its id; most are shown as they were `before`, and making them takes most of a fold."""
        touched = self.hidden.how.keys() | self.hidden.held | self.hidden.asked | self.corrections.keys()
        return {
            item.id: old if (old := before.get(item.id)) is not None and item.id not in touched and _is_bare(old, item) else self.of(item)
            for item in items
        }

    def of(self, item: Item) -> Shown:
        """The item as it is shown. Of one that is not to be read, no value is in what comes back."""
        part, person = _about(item.entry)
        corrections = self.corrections.get(item.id, [])
        last = next(iter(self.force.get(("correction", item.id), ())), None)
        state, entry = self._now(item, last)
        before = [old for old in (item, *corrections) if old is not last] if last and state == THERE else []
        return Shown(
            id=item.id,
            author=item.author,
            organisation=item.organisation,
            at=item.at,
            arrived=item.arrived,
            kind=item.entry.KIND if item.entry else "",
            state=state,
            entry=entry,
            part=part,
            person=person,
            before=tuple(said for old in before if (said := self._said(old)) is not None),
            versions=(item.id, *(correction.id for correction in corrections)),
            hidden_by=self.hidden.by[item.id].id if item.id in self.hidden.by else "",
            held=item.id in self.hidden.held,
            asked=item.id in self.hidden.asked,
            void=item.void,
        )

    def _now(self, item: Item, correction: Item | None) -> tuple[str, Entry | None]:
        how = self.hidden.how.get(item.id, "")
        if how:
            return how, self._instead(item) if how == REDACTED else None
        if item.entry is None:
            return item.unread, None
        if not self._may_know(item.entry):
            return WITHHELD, None
        if correction is not None and (how := self.hidden.how.get(correction.id, "")):
            return how, None
        return THERE, self._said(correction or item)

    def _instead(self, item: Item) -> Entry | None:
        """What may be read in the place of what was redacted, if that was said and is not itself taken away."""
        by = self.hidden.by[item.id]
        if not isinstance(by.entry, Redaction) or by.id in self.hidden.how:
            return None
        instead = by.entry.instead
        return instead if item.entry is None or type(instead) is type(item.entry) else None

    def _said(self, item: Item) -> Entry | None:
        if item.id in self.hidden.how:
            return None
        return item.entry.entry if isinstance(item.entry, Correction) else item.entry

    def _may_know(self, entry: Entry) -> bool:
        part, person = _about(entry)
        only = entry.only if isinstance(entry, Part) else ()
        return not part or self.look.may_know(part, person, only)


def bare(item: Item) -> Shown:
    """How one is shown that says nothing of any part, and of which nothing is said."""
    kind = item.entry.KIND if item.entry else ""
    about = item.id, item.author, item.organisation, item.at, item.arrived, kind
    return Shown(*about, THERE, item.entry, versions=(item.id,))


def _is_bare(old: Shown, item: Item) -> bool:
    """Whether an item was shown as nothing but what it says, and still says it in the same place; of no part, so that it hangs on nobody's
    need to know."""
    same = old.entry is item.entry is not None and old.at == item.at and old.void == item.void
    return same and not (old.part or old.before or old.held or old.asked or len(old.versions) > 1)


def _about(entry: Entry | None) -> tuple[str, str]:
    """Which part of whose record an entry is."""
    if isinstance(entry, File):
        return entry.part, entry.person
    if isinstance(entry, OfPerson):
        return entry.PART, entry.person
    return "", ""
