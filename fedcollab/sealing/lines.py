"""Decides which case keys of a room count, from all that have arrived: one line from each to the next, until two claim one place.

A function of the set of what is known, never of its order. The next of a line comes from its owner, or from a deputy whom another member
backs. Two that could both come next freeze the room, and so does a member who names another one; a later one that names all of them, and
that every other member has agreed to, chooses the side on which it stands.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from fedcollab.base.errors import Refused

from .casekeys import GUEST, CaseKey
from .facts import Agreed, Backed, Facts, Seen, chain, of, organisations, owner
from .refusals import NotAsked, NotTheOwner, Replaced, TakenOver
from .seats import inviters, is_ended, own_keys


@dataclass(frozen=True)
class Line:
    """`keys`: what everybody inside works with, oldest first. `disputed`: the names that claim one place, `healing`: what would mend it.
    `refused`: why a case key does not count, by its name. `loose`: those whose forerunner is not here. `out`: whether we have gone."""

    keys: tuple[CaseKey, ...] = ()
    disputed: frozenset[str] = frozenset()
    healing: CaseKey | None = None
    refused: Mapping[str, type[Refused]] = field(default_factory=dict)
    loose: frozenset[str] = frozenset()
    out: bool = False

    def at(self, epoch: int) -> CaseKey | None:
        """The case key of an epoch."""
        first = self.keys[0].epoch if self.keys else 0
        return self.keys[epoch - first] if first and 0 <= epoch - first < len(self.keys) else None


def line(facts: Facts, me: str) -> Line:
    """What the organisation `me` takes for true."""
    return _Known(facts, me).line()


class _Known:
    """All case keys that are known, by their names and by what they follow."""

    def __init__(self, facts: Facts, me: str) -> None:
        self.facts, self.me = facts, me
        self.keys = {key.ck: key for key in sorted(of(facts, CaseKey), key=lambda key: (key.epoch, key.ck))}
        self.held = own_keys(facts, me)
        self.mine, self.inviters = {key for keys in self.held for key in keys}, inviters(facts, me)
        self.refused: dict[str, type[Refused]] = {}
        self.next: dict[str, list[CaseKey]] = {}
        for key in self.keys.values():
            before = self.keys.get(key.prev)
            if before is not None and not self._is_lawful(before, key):
                self.refused[key.ck] = NotTheOwner
            elif before is not None:
                self.next.setdefault(key.prev, []).append(key)

    def line(self) -> Line:
        path, claims, out = self._newest_stay()
        self._give_up(path)
        shown = {key.ck for key in [*path, *claims]}
        self.refused |= {ck: NotAsked for ck, key in self.keys.items() if ck not in shown | self.refused.keys() and self._is_unasked(key)}
        disputed = frozenset(claim.ck for claim in claims)
        disputed = (disputed if len(disputed) > 1 else frozenset(claims[0].heals if claims else ())) or self._named(path)
        healing = self._healing(path, claims, disputed)
        known = {key.ck for key in path}.union(self.refused, *([claim.ck, *self._after(claim.ck)] for claim in claims))
        return Line(tuple(self._before(path) + path), disputed, healing, dict(self.refused), frozenset(self.keys.keys() - known), out)

    def _newest_stay(self) -> tuple[list[CaseKey], list[CaseKey], bool]:
        """(the line, the claims to its next place, whether we have gone): of the time since we last came in. Whoever comes back does so by
        another key, and what has ended is ended by words that are judged within it."""
        held = self.held
        while True:
            path, claims = self._walk(self._first({key for keys in held for key in keys}))
            lists = {key.ck: key for key in [*path, *claims]}
            over = [keys for keys in held if is_ended(self.facts, self.me, keys, lists)]
            if path and not claims and self.me not in organisations(path[-1]):
                over += [keys for keys in held if keys not in over and any(self._lists(key, set(keys)) for key in path)]
            left = [keys for keys in held if keys not in over]
            if not over or not self._first({key for keys in left for key in keys}):
                inside = {key for keys in left for key in keys}
                return path, claims, bool(lists) and not any(self._lists(key, inside) for key in (claims or path[-1:]))
            held = left

    def _walk(self, claims: list[CaseKey]) -> tuple[list[CaseKey], list[CaseKey]]:
        """(the line that begins with these, the claims to its next place between which nothing decides)."""
        path: list[CaseKey] = []
        while claims:
            chosen = self._chosen(claims)
            if chosen is None:
                return path, [] if len(claims) == 1 and self._is_unasked(claims[0]) else claims
            path.append(chosen)
            claims = self._following(chosen)
        return path, []

    def _first(self, ours: set[str]) -> list[CaseKey]:
        """The oldest that let us in with one of these keys."""
        inside = {ck: key for ck, key in self.keys.items() if ck not in self.refused and self._lists(key, ours)}
        begun = [key for key in inside.values() if key.prev not in inside and self._brings_in(key, ours)]
        return [key for key in begun if key.epoch == begun[0].epoch]

    def _brings_in(self, key: CaseKey, ours: set[str]) -> bool:
        """Whether it is by whoever we have said yes to, with the very key that we have said it with."""
        return any(self.inviters.get(m.mk) == key.issuer for m in key.members if m.organisation == self.me and m.mk in ours)

    def _lists(self, key: CaseKey, ours: set[str]) -> bool:
        return any(member.organisation == self.me and member.mk in ours for member in key.members)

    def _is_unasked(self, key: CaseKey) -> bool:
        """Whether another names us in it without our yes, or with a key that is not ours; what we have issued ourselves is our word, also
        where a restored node has forgotten it."""
        return key.issuer != self.me and any(member.organisation == self.me and member.mk not in self.mine for member in key.members)

    def _is_lawful(self, before: CaseKey, key: CaseKey) -> bool:
        return key.epoch == before.epoch + 1 and (self._ordinary(before, key) or self._takeover(before, key))

    def _ordinary(self, before: CaseKey, key: CaseKey) -> bool:
        return key.issuer == owner(before) and owner(key) in {key.issuer, *before.deputies}

    def _takeover(self, before: CaseKey, key: CaseKey) -> bool:
        if key.issuer not in before.deputies or owner(key) != key.issuer:
            return False
        others = {member.organisation for member in before.members if member.role != GUEST} - {key.issuer, owner(before)}
        return any(one.by in others and (one.deputy, one.ck) == (key.issuer, before.ck) for one in of(self.facts, Backed))

    def _following(self, before: CaseKey) -> list[CaseKey]:
        """What could come next. After a takeover the former owner's own next one counts only where another member works with it already:
        then there are two truths."""
        claims = self.next.get(before.ck, [])
        if all(key.issuer == owner(before) for key in claims):
            return claims
        for key in claims:
            if key.issuer == owner(before) and not self._is_used(before, key):
                self.refused[key.ck] = TakenOver
        return [key for key in claims if key.ck not in self.refused]

    def _is_used(self, before: CaseKey, key: CaseKey) -> bool:
        names = {key.ck, *self._after(key.ck)}
        inside = (organisations(before) | organisations(key)) - {key.issuer}
        return any(one.ck in names and one.by in inside for one in of(self.facts, Seen))

    def _chosen(self, claims: list[CaseKey]) -> CaseKey | None:
        if len(claims) == 1:
            doubtful = claims[0].heals or self._is_unasked(claims[0])  # what all have agreed to later stands all the same
            return None if doubtful and not self._is_settled(claims[0]) else claims[0]
        sides = [claim for claim in claims if any(self._is_settled(heal) for heal in self._heals(claim, {one.ck for one in claims}))]
        return sides[0] if len(sides) == 1 else None

    def _heals(self, side: CaseKey, names: set[str]) -> list[CaseKey]:
        """What names all of these and stands on this side."""
        return [self.keys[ck] for ck in self._after(side.ck) if names <= set(self.keys[ck].heals)]

    def _is_settled(self, heal: CaseKey) -> bool:
        """Whether every other member has agreed to it, or to a later one that stands on it."""
        return any(self._all_agree(self.keys[ck]) for ck in [heal.ck, *self._after(heal.ck)] if self.keys[ck].heals)

    def _all_agree(self, heal: CaseKey) -> bool:
        return lacking(self.facts, heal) == set()

    def _after(self, ck: str) -> list[str]:
        """The names of all that stand on one, without itself."""
        found, left = [], deque(self.next.get(ck, ()))
        while left:
            key = left.popleft()
            found.append(key.ck)
            left.extend(self.next.get(key.ck, ()))
        return found

    def _give_up(self, path: list[CaseKey]) -> None:
        """What stands beside the line where it was mended, and all that stands on it or on something refused."""
        chosen = {key.ck for key in path}
        beside = [claim for key in path for claim in self.next.get(key.prev, ()) if claim.ck not in chosen]
        beside += [self.keys[ck] for key in path[:1] for ck in self._named_first(key)] if path else []
        for claim in beside:
            self.refused.setdefault(claim.ck, Replaced)
        for ck in list(self.keys):  # oldest first
            if self.keys[ck].prev in self.refused and ck not in chosen:
                self.refused.setdefault(ck, Replaced)

    def _named_first(self, first: CaseKey) -> list[str]:
        """What claims the place of the line's first one, whose forerunner is not here."""
        return [ck for ck, key in self.keys.items() if key.epoch == first.epoch and ck != first.ck and self._lists(key, self.mine)]

    def _named(self, path: list[CaseKey]) -> frozenset[str]:
        """The names that members give to an epoch's case key, where they are not ours and nothing has decided; of the oldest epoch. Whoever
        is inside no more has no say: else one who was removed could freeze it for ever."""
        still = self._still_inside(path)
        for key in path:
            others = self._names.get(key.epoch, {})
            names = {ck for ck, said in others.items() if said & organisations(key) & still and not self._is_settled_away(ck)} - {key.ck}
            if names and not any(names | {key.ck} <= set(heal.heals) for heal in path if heal.heals):
                return frozenset(names | {key.ck})
        return frozenset()

    def _still_inside(self, path: list[CaseKey]) -> set[str]:
        """Those of the newest list whose seat no word has ended since; and we ourselves, whatever is said of us."""
        lists = {key.ck: key for key in path}
        seats = [(member.organisation, member.mk) for key in path[-1:] for member in key.members]
        return {who for who, mk in seats if who == self.me or not is_ended(self.facts, who, chain(self.facts, who, mk), lists)}

    def _is_settled_away(self, ck: str) -> bool:
        """Whether all others refuse it as well; a list that only names us wrongly is one of two truths."""
        return self.refused.get(ck, NotAsked) is not NotAsked

    @cached_property
    def _names(self) -> dict[int, dict[str, set[str]]]:
        """{epoch: {name: who gives it}}: by acknowledging it, writing under it, or having the next one follow it."""
        found: dict[int, dict[str, set[str]]] = {}
        said = [(one.epoch, one.ck, one.by) for one in of(self.facts, Seen)]
        known = [key for key in self.keys.values() if self.refused.get(key.ck, NotAsked) is NotAsked]
        said += [(key.epoch - 1, key.prev, key.issuer) for key in known if key.prev]
        for epoch, ck, who in said:
            found.setdefault(epoch, {}).setdefault(ck, set()).add(who)
        return found

    def _healing(self, path: list[CaseKey], claims: list[CaseKey], disputed: Iterable[str]) -> CaseKey | None:
        """The newest that would mend a dispute once all agree."""
        names = set(disputed)
        last = [key for key in self.keys.values() if names and names <= set(key.heals) and key.ck not in self.refused]
        return last[-1] if last and not self._is_settled(last[-1]) else None

    def _before(self, path: list[CaseKey]) -> list[CaseKey]:
        """The history of a line that began before us, as far as it is here: each is known by the name that the next one gives it."""
        found: list[CaseKey] = []
        key = path[0] if path else None
        while key is not None and (key := self.keys.get(key.prev)) is not None:
            self.refused.pop(key.ck, None)
            found.insert(0, key)
        return found


def lacking(facts: Facts, heal: CaseKey) -> set[str]:
    """The organisations that have not agreed yet to a case key that mends two lists."""
    return organisations(heal) - {heal.issuer} - {one.by for one in of(facts, Agreed) if one.ck == heal.ck}
