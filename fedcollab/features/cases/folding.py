"""Decides how a case stands: folded from its entries, the same whatever their order, for one person's need to know."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from .arriving import Arrived, Item, Look, items
from .hiding import DESTROYED, KEPT, MASKED, hide, without_text
from .mending import Correction, Hiding
from .people import OfPerson, Part, Person
from .record import SEEN, Entry, Hold, Opened, Stage, Terms
from .sharing import Consent, Share, Withdrawn
from .showing import Sight, bare
from .shown import THERE, WITHHELD, Case, ConsentShown, PartShown, PersonShown, ShareShown, Shown, Work
from .standing import Place, in_force, rule
from .visiting import GuestIn, GuestOut, GuestShown
from .work import ALONE, File, Progress, Step, Task

Kind = TypeVar("Kind", bound=Entry)


def fold(arrived: Iterable[Arrived], look: Look, before: Iterable[Shown] = ()) -> Case:
    """The case as `look` may see it now. Reads anything: what is no entry is shown as such. What was shown of the same entries `before` is
    taken as it is where it would be the same."""
    return _Fold(items(arrived, look.owners), look, {shown.id: shown for shown in before}).case()


def added(case: Case, fresh: Sequence[Arrived], look: Look) -> Case | None:
    """The case with what came since, where that says nothing of anything else, nor anything of it: most of what comes. None where the case
    has to be folded. Only for the day, the owners and the need to know that it was folded for."""
    first = case.timeline[0] if case.timeline else None
    if first is None or first.kind != Opened.KIND or first.organisation not in look.owners or hash("") in case.named:
        return None
    timeline, there = list(case.timeline), {shown.id for shown in case.timeline}
    for item in items(fresh, frozenset()):
        if not isinstance(item.entry, ALONE) or hash(item.id) in case.named or item.id in there:
            return None
        item.at = max(item.at, first.at)
        insort(timeline, bare(item), lo=1, key=lambda shown: (shown.at, shown.id))
    return replace(case, timeline=tuple(timeline))


class _Fold:
    """`items` are those that say something of others, or of whom others may say something more than that they are hidden or corrected."""

    def __init__(self, found: list[Item], look: Look, before: Mapping[str, Shown]) -> None:
        by_id = {item.id: item for item in found}
        self.items, self.today = [item for item in found if not isinstance(item.entry, ALONE)], look.today
        self.ruling = rule(self.items, by_id, look.owners)
        self.hidden = hide(self.items, by_id, self.ruling.leads, look)
        self.force = in_force(item for item in self.items if not self._is_gone(item))
        self.sight = Sight(look, self.hidden, self.force, self._corrections())
        self.shown = self.sight.of_all(found, before)

    def _is_gone(self, item: Item) -> bool:
        """What was redacted or erased stands for nothing, whether it was destroyed by now or not."""
        return isinstance(item.entry, DESTROYED) and self.hidden.how.get(item.id, MASKED) not in KEPT

    def _corrections(self) -> Mapping[str, list[Item]]:
        found: defaultdict[str, list[Item]] = defaultdict(list)
        for item in self.items:
            if isinstance(item.entry, Correction) and not item.void and not self._is_gone(item):
                found[item.entry.of].append(item)
        return found

    def case(self) -> Case:
        opened = self.ruling.opened.entry if self.ruling.opened else None
        terms, status = self._standing(("terms",), Terms), self._standing(("status",), Stage)
        consents = {consent.item.id: consent for consent in self._consents()}
        return Case(
            code=opened.code if isinstance(opened, Opened) else "",
            terms=terms,
            terms_ids=self._ids(("terms",)),
            status=status.status if status else "Active" if opened else "",
            status_entry=status,
            status_ids=self._ids(("status",)),
            leads=self.ruling.leads,
            timeline=tuple(self.shown.values()),
            tasks=tuple(self._work(Task)),
            plan=tuple(self._work(Step)),
            people=tuple(self._people()),
            files=tuple(shown for shown, _file in self._of(File)),
            shares=tuple(self._shares(consents)),
            consents=tuple(consents.values()),
            guests=tuple(self._guests()),
            holds=tuple(self.shown[item.id] for item in self.hidden.holds),
            gone=self.hidden.gone,
            named=frozenset(map(hash, self._named())),
            unread=sum(item.entry is None for item in self.items),
        )

    def _named(self) -> Iterator[str]:
        """What entries hide, correct or hold, whether it is here yet or not; "" for the whole case."""
        for item in self.items:
            if isinstance(item.entry, Hiding):
                yield from item.entry.of
            elif isinstance(item.entry, Correction):
                yield item.entry.of
        for hold in self.hidden.holds:
            yield from (hold.entry.of if isinstance(hold.entry, Hold) else ()) or ("",)

    def _ids(self, place: Place) -> tuple[str, ...]:
        """What a new entry in this place replaces: as many as it may name, the latest first."""
        return tuple(item.id for item in self.force.get(place, ())[:SEEN])

    def _standing(self, place: Place, kind: type[Kind]) -> Kind | None:
        """What stands in a place, its words left out where they are hidden."""
        for item in self.force.get(place, ()):
            entry = item.entry if item.id not in self.hidden.how or item.entry is None else without_text(item.entry)
            return entry if isinstance(entry, kind) else None
        return None

    def _of(self, kind: type[Kind]) -> Iterator[tuple[Shown, Kind | None]]:
        """The items of a kind with what each says by now, less those that were taken away."""
        for item in self.items:
            if isinstance(item.entry, kind) and not self._is_gone(item):
                shown = self.shown[item.id]
                yield shown, shown.entry if isinstance(shown.entry, kind) else None

    def _work(self, kind: type[Task] | type[Step]) -> Iterator[Work]:
        for shown, entry in self._of(kind):
            place = "progress", shown.id
            now = self._standing(place, Progress)
            if now is None:
                yield Work(shown, entry, "Open", "", shown.at, shown.author, ())
            else:
                last = self.force[place][0]
                yield Work(shown, entry, now.state, now.note, last.at, last.author, self._ids(place))

    def _people(self) -> Iterator[PersonShown]:
        """In the order in which they were first spoken of."""
        codes: defaultdict[str, dict[Place, list[Item]]] = defaultdict(dict)
        for item in self.items:
            if isinstance(item.entry, OfPerson):
                there = codes[item.entry.person]
                if isinstance(item.entry, Part):
                    there.setdefault(item.entry.place(), []).append(item)
        for code, places in codes.items():
            place = "person", code
            parts = (self._part(name, versions) for name, versions in places.items())
            yield PersonShown(code, self._standing(place, Person), self._ids(place), tuple(parts))

    def _part(self, place: Place, versions: Sequence[Item]) -> PartShown:
        heads = self.force.get(place, ())
        seen = [self.shown[item.id] for item in heads or versions[-1:]]
        entries = tuple(one.entry for one in seen if one.state == THERE and isinstance(one.entry, Part))
        state = THERE if entries else next((one.state for one in seen if one.state == WITHHELD), seen[0].state)
        ids = tuple(item.id for item in versions)
        return PartShown(place[1], state, entries, self._ids(place), ids, seen[0].at, seen[0].author)

    def _consents(self) -> Iterator[ConsentShown]:
        withdrawn = {item.entry.of for item in self.items if isinstance(item.entry, Withdrawn)}
        found = list(self._of(Consent))
        chains = renewals(found)
        for shown, entry in found:
            chain = chains[shown.id]
            if entry is None:
                how = "hidden"
            elif not withdrawn.isdisjoint(chain):  # whoever withdraws one means all of it, known to them or not
                how = "withdrawn"
            elif shown.id != chain[-1]:
                how = "renewed"
            else:
                how = "given" if entry.until >= self.today else "ended"
            yield ConsentShown(shown, entry, how, chain)

    def _guests(self) -> Iterator[GuestShown]:
        """Those who are inside, whose end nobody has told and whose day has not passed."""
        ended = {item.entry.of for item in self.items if isinstance(item.entry, GuestOut) and not item.void}
        for item in self.items:
            if not isinstance(item.entry, GuestIn) or item.void or item.id in ended:
                continue
            if not item.entry.until or item.entry.until >= self.today:
                entry = without_text(item.entry) if item.id in self.hidden.how else item.entry
                yield GuestShown(item.id, item.organisation, entry)

    def _shares(self, consents: Mapping[str, ConsentShown]) -> Iterator[ShareShown]:
        for shown, entry in self._of(Share):
            named = entry.consent if entry else ()
            yield ShareShown(shown, entry, all(of in consents and consents[consents[of].chain[-1]].how == "given" for of in named))


def renewals(found: Iterable[tuple[Shown, Consent | None]]) -> dict[str, tuple[str, ...]]:
    """{id of a consent: those that renew one another with it, the first first}: a later one for the same person and recipient that names
    an earlier one. What names something else stands alone."""
    chains: dict[str, list[str]] = {}
    whose: dict[str, tuple[str, str, str]] = {}
    for shown, entry in found:
        chains[shown.id] = [shown.id]
        if entry is not None:
            whose[shown.id] = (entry.person, entry.to, entry.to_name)
            if entry.renews in whose and whose[entry.renews] == whose[shown.id]:
                chains[shown.id] = chains[entry.renews]
                chains[shown.id].append(shown.id)
    return {of: tuple(chain) for of, chain in chains.items()}
