"""Decides which facts of a room we tell to whom: our own to those they concern, as the owner what members say to each other, and in a
freeze both lists to everybody inside.

Told once and delivered for certain; nothing here depends on what was told before, so a node that comes back asks the same question again.
Who has issued a case key also gives back what members have said of themselves: a node that was restored knows it no more.
"""

from . import facts
from .casekeys import CaseKey
from .facts import Agreed, Answer, Backed, Fact, Invited, Left, Rekeyed, Removed, Seen, Withdrawn, by, of, organisations
from .room_state import CLOSED, FROZEN, OPEN, PURGED, Room

Duty = tuple[str, Fact]  # (organisation, what it is told)


def acknowledged(room: Room) -> Seen | None:
    """What our node says by itself to a new case key: that it works with it."""
    head = room.head
    return Seen(room.me, head.epoch, head.ck) if head and room.state == OPEN else None


def duties(room: Room) -> set[Duty]:
    """All that we have to have told, to whom."""
    found = {(to, fact) for fact in room.facts if by(fact) == room.me for to in _concerned(room, fact)} | _words_for_us(room)
    if any(key.issuer == room.me for key in room.line.keys):
        found |= {(by(fact), fact) for fact in room.facts if isinstance(fact, Answer | Rekeyed | Left)}
    if room.leads:
        found |= _passed_on(room) | _history(room)
    if room.state == FROZEN:
        found |= {(to, fact) for fact in _evidence(room) for to in everybody(room)}
    return {(to, fact) for to, fact in found if to != room.me}


def everybody(room: Room) -> set[str]:
    """Those inside by any of the lists that could be true."""
    claims = [*room.both, *([room.line.healing] if room.line.healing else [])]
    return room.inside.union(*map(organisations, claims))


def _concerned(room: Room, fact: Fact) -> set[str]:
    if isinstance(fact, Invited):
        return {fact.organisation}
    if isinstance(fact, Withdrawn | Answer):
        both = {(seat.invitation.organisation, seat.invitation.by) for seat in room.seats if seat.invitation.id == fact.invitation}
        return {who for pair in both for who in pair} | (room.inside if isinstance(fact, Answer) else set())
    if isinstance(fact, Removed):
        return {fact.organisation}
    if isinstance(fact, CaseKey):
        return _listed(room, fact)
    if isinstance(fact, Agreed) and (heal := room.key(fact.ck)):
        return _listed(room, heal)
    if isinstance(fact, facts.Closed):
        return ever(room)
    if isinstance(fact, facts.Founded | facts.Granted):
        return set()
    return everybody(room)


def _listed(room: Room, key: CaseKey) -> set[str]:
    """Whom a case key concerns: those in it, who led until then, and those in the lists that it puts an end to."""
    before = [found for ck in (key.prev, *key.heals) if (found := room.key(ck))]
    ended = [organisations(one) if one.ck in key.heals else {facts.owner(one)} for one in before]
    return organisations(key).union(*ended)


def _words_for_us(room: Room) -> set[Duty]:
    """With the case key by which we have taken a room over, the words of those who have backed us."""
    words = {(word.ck, word) for word in of(room.facts, Backed) if word.deputy == room.me}
    ours = [key for key in of(room.facts, CaseKey) if key.issuer == room.me]
    return {(to, word) for key in ours for ck, word in words if ck == key.prev for to in _concerned(room, key)}


def ever(room: Room) -> set[str]:
    """All that were ever inside or invited: what is purged, is purged with each of them."""
    asked = {seat.invitation.organisation for seat in room.seats if seat.invitation.by == room.me}
    return asked.union(*map(organisations, room.line.keys))


def _passed_on(room: Room) -> set[Duty]:
    """What members have said, for the others: they may be no partners of each other."""
    kinds, inside = Answer | Rekeyed | Left | Seen | Agreed | Backed, everybody(room)
    said = [fact for fact in room.facts if isinstance(fact, kinds) and by(fact) in inside]
    said = [fact for fact in said if not isinstance(fact, Answer) or fact.mk]
    return {(to, fact) for fact in said for to in (_concerned(room, fact) if isinstance(fact, Agreed) else inside) if to != by(fact)}


def _history(room: Room) -> set[Duty]:
    """The lists of the epochs that a member may read: later ones were sent as they came."""
    found: set[Duty] = set()
    for member in room.head.members if room.head and room.state not in (CLOSED, PURGED) else ():
        found |= {(member.organisation, key) for key in room.line.keys if key.epoch >= member.since and not room.is_ended(member)}
    return found


def _evidence(room: Room) -> list[Fact]:
    """Both lists, what is said to work with them, and what would mend it: each is signed by whoever said so."""
    names = room.line.disputed
    on: set[str] = set(names)
    keys = sorted(of(room.facts, CaseKey), key=lambda key: key.epoch)
    for key in keys:
        if key.prev in on:
            on.add(key.ck)
    said = [one for one in room.facts if isinstance(one, Seen | Agreed | Backed) and one.ck in on]
    return [*said, *(key for key in keys if key.ck in on)]
