"""Decides whose seats a room has: invited, said yes or no, withdrawn, left, removed; the strictest word counts, in whatever order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .casekeys import CaseKey
from .facts import Answer, Facts, Founded, Invited, Left, Removed, Withdrawn, chain, of, owner

INVITED, ACCEPTED, DECLINED, WITHDRAWN, LEFT, REMOVED = "invited", "accepted", "declined", "withdrawn", "left", "removed"


@dataclass(frozen=True)
class Seat:
    """What an invitation has become; `keys` are the member's, oldest first."""

    invitation: Invited
    state: str
    keys: tuple[str, ...] = ()


def seats(facts: Facts) -> list[Seat]:
    """One for each invitation that is known here."""
    answers: dict[str, list[Answer]] = {}
    for answer in of(facts, Answer):
        answers.setdefault(answer.invitation, []).append(answer)
    back = {(one.invitation, one.by) for one in of(facts, Withdrawn)}
    return [_seat(facts, one, answers.get(one.id, []), back) for one in of(facts, Invited)]


def _seat(facts: Facts, one: Invited, answers: list[Answer], back: set[tuple[str, str]]) -> Seat:
    said = [answer for answer in answers if answer.by == one.organisation]
    if any(not answer.mk for answer in said):
        return Seat(one, DECLINED)
    if (one.id, one.by) in back:
        return Seat(one, WITHDRAWN)
    if not said:
        return Seat(one, INVITED)
    keys = tuple(chain(facts, one.organisation, min(answer.mk for answer in said)))
    removed = any(word.by == one.by and word.organisation == one.organisation and word.mk in keys for word in of(facts, Removed))
    return Seat(one, REMOVED if removed else LEFT if has_left(facts, one.organisation, keys) else ACCEPTED, keys)


def has_left(facts: Facts, organisation: str, keys: Iterable[str]) -> bool:
    """Whether the holder of these keys has gone by its own word."""
    known = set(keys)
    return any(one.by == organisation and one.mk in known for one in of(facts, Left))


def is_ended(facts: Facts, organisation: str, keys: Iterable[str], lists: Mapping[str, CaseKey]) -> bool:
    """Whether the seat of the holder of these keys has ended: it has left, or the owner of one of `lists` has taken it out of that."""
    known = set(keys)
    words = [one for one in of(facts, Removed) if one.organisation == organisation and one.mk in known and one.ck in lists]
    return any(owner(lists[one.ck]) == one.by for one in words) or has_left(facts, organisation, known)


def own_keys(facts: Facts, me: str) -> list[tuple[str, ...]]:
    """Our own keys for the room, those of one seat together, oldest first."""
    founded = [tuple(chain(facts, me, one.mk)) for one in of(facts, Founded) if one.by == me]
    said = [member.mk for key in of(facts, CaseKey) if key.issuer == me for member in key.members if member.organisation == me]
    held = founded + [seat.keys for seat in seats(facts) if seat.invitation.organisation == me and seat.keys]
    known = {key for keys in held for key in keys}
    return held + [(key,) for key in dict.fromkeys(said) if key not in known]  # what a restored node has forgotten is its word all the same


def inviters(facts: Facts, me: str) -> dict[str, str]:
    """{a key of ours: from whom the list that brings us in with it comes}: whose invitation we have accepted with it, or we ourselves."""
    found = {key: me for keys in own_keys(facts, me) for key in keys}
    mine = [seat for seat in seats(facts) if seat.invitation.organisation == me]
    return found | {key: seat.invitation.by for seat in mine for key in seat.keys}
