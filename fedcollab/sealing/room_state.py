"""Decides what a node believes of a room: open, frozen, closed or not for it; who is inside; who has seen what."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from .casekeys import CaseKey, Member
from .facts import Answer, Closed, Facts, Founded, Rekeyed, Seen, chain, of, organisations, owner
from .lines import Line, lacking, line
from .seats import ACCEPTED, Seat, is_ended, seats

NOTHING, OPEN, FROZEN, OUT, CLOSED, PURGED = "nothing", "open", "frozen", "out", "closed", "purged"


@dataclass(frozen=True)
class Room:
    """A room as the organisation `me` knows it by the facts that have arrived there; all else follows from these alone."""

    id: str
    me: str
    facts: Facts = frozenset()

    def learns(self, *facts: object) -> "Room":
        """The room when these are known as well."""
        return Room(self.id, self.me, self.facts.union(facts))  # type: ignore[arg-type]

    @cached_property
    def line(self) -> Line:
        return line(self.facts, self.me)

    @property
    def head(self) -> CaseKey | None:
        """The newest case key that counts."""
        return self.line.keys[-1] if self.line.keys else None

    @property
    def owner(self) -> str:
        """Who leads it; empty where we don't know."""
        return owner(self.head) if self.head else ""

    @property
    def leads(self) -> bool:
        return self.owner == self.me

    @cached_property
    def state(self) -> str:
        """NOTHING: we are not inside yet. OUT: no longer. FROZEN outranks all but that and the end by whoever leads it; a
        former owner ends nothing."""
        if self.head and (end := [one.purged for one in of(self.facts, Closed) if one.by == self.owner]):
            return PURGED if any(end) else CLOSED
        if self.line.out:
            return OUT
        if self.line.disputed:
            return FROZEN
        if self.head is None:
            return NOTHING
        return OPEN

    @cached_property
    def purges(self) -> frozenset[Closed]:
        """The words by which it is to be gone for good that count: of those who lead it or have led it, whatever else others say."""
        led = {owner(key) for key in self.line.keys}
        return frozenset(one for one in of(self.facts, Closed) if one.purged and one.by in led)

    @property
    def inside(self) -> set[str]:
        """The organisations inside."""
        return organisations(self.head) if self.head else set()

    @cached_property
    def seats(self) -> list[Seat]:
        return seats(self.facts)

    @property
    def lacking(self) -> set[str]:
        """Who has yet to agree, before what mends this room counts."""
        return lacking(self.facts, self.line.healing) if self.line.healing else set()

    @property
    def both(self) -> list[CaseKey]:
        """The lists between which nothing has decided, as far as they are here: to be shown side by side."""
        return [key for key in self._keys.values() if key.ck in self.line.disputed]

    @property
    def unconfirmed(self) -> set[Member]:
        """Whom the list names without their own word being here: on its way yet, or put there without being asked."""
        return {member for member in (self.head.members if self.head else ()) if not self.is_confirmed(member)}

    def is_confirmed(self, member: Member) -> bool:
        """Whether a member's own word for its key is here; the owner's is the list itself."""
        return member.organisation == self.owner or (member.organisation, member.mk) in self._said

    @cached_property
    def _said(self) -> set[tuple[str, str]]:
        said = {(one.by, one.mk) for one in of(self.facts, Answer)} | {(one.by, one.new) for one in of(self.facts, Rekeyed)}
        return said | {(one.by, one.mk) for one in of(self.facts, Founded)}

    @cached_property
    def seen(self) -> Mapping[str, str]:
        """{organisation inside: the newest case key of our line that it has acknowledged}."""
        ours = {key.ck: key.epoch for key in self.line.keys}
        found: dict[str, str] = {}
        for one in sorted((one for one in of(self.facts, Seen) if one.ck in ours), key=lambda one: ours[one.ck]):
            found[one.by] = one.ck
        return {who: ck for who, ck in found.items() if who in self.inside}

    def key(self, ck: str) -> CaseKey | None:
        """A case key's document by its name, whatever is thought of it."""
        return self._keys.get(ck)

    @cached_property
    def _keys(self) -> dict[str, CaseKey]:
        return {key.ck: key for key in sorted(of(self.facts, CaseKey), key=lambda key: (key.epoch, key.ck))}

    def is_ended(self, member: Member) -> bool:
        """Whether a member's seat has ended by a word that is newer than the list: nothing is handed to it from now on."""
        lists = {key.ck: key for key in [*self.line.keys, *self.both]}
        return is_ended(self.facts, member.organisation, chain(self.facts, member.organisation, member.mk), lists)

    @property
    def accepted(self) -> list[Seat]:
        """Those who have said yes to our own invitations."""
        return [seat for seat in self.seats if seat.state == ACCEPTED and seat.invitation.by == self.me]
