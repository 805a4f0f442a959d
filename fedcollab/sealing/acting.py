"""Decides who may do what in a room: each act checks what our node believes and answers the fact that all others are told, or the
document of a new case key, to which only the key itself is missing (casesecrets.made)."""

from dataclasses import replace

from .casekeys import MEMBER, OWNER, CaseKey
from .facts import Agreed, Answer, Backed, Closed, Founded, Granted, Invited, Left, Rekeyed, Removed, Withdrawn, chain, owner
from .refusals import (
    Answered,
    Ended,
    Frozen,
    InsideAlready,
    NoInvitation,
    NoKey,
    NotBacked,
    NotDeputy,
    NotFrozen,
    NotInside,
    NotTheOwner,
    Outside,
)
from .room_state import CLOSED, FROZEN, OUT, PURGED, Room
from .seats import ACCEPTED, INVITED, WITHDRAWN, Seat
from .turning import first, following, was_dropped


def found(room: str, me: str, mk: str, person: str = "") -> tuple[Founded, CaseKey]:
    """Begins a room of ours with the key `mk` of our own; where it is TLP:RED, of the person who begins it."""
    return Founded(me, mk), first(room, me, mk, person)


def invite(
    room: Room, invitation: str, organisation: str, person: str = "", role: str = MEMBER, since: int = 0, *, has_key: bool
) -> Invited:
    """Asks an organisation inside, or one person by name (TLP:RED). `invitation` is a fresh id, `since` the first epoch they will read (0:
    from now on), `has_key` whether they publish one to seal to. Raises NoKey, InsideAlready, NotTheOwner, Frozen."""
    _check_leads(room)
    if not has_key:
        raise NoKey
    if role == OWNER:
        raise NotTheOwner
    waiting = {(s.invitation.organisation, s.invitation.person) for s in room.seats if s.state == INVITED and s.invitation.by == room.me}
    if (organisation, person) in waiting or _stands(room, organisation, person):
        raise InsideAlready
    return Invited(invitation, room.me, organisation, person, role, since)


def accept(room: Room, invitation: str, mk: str) -> Answer:
    """Our yes, with a fresh key of ours. Raises NoInvitation where it was withdrawn, Answered; InsideAlready where we are inside, or have
    said yes to somebody else, unless it is by whoever leads the room: nobody leads us over into another line of it."""
    seat = _to_answer(room, invitation)
    others = {one.invitation.by for one in room.seats if one.invitation.organisation == room.me and one.state == ACCEPTED}
    leads = {room.owner} if room.head is not None else others
    if room.state != OUT and (others or room.head is not None) and seat.invitation.by not in leads:
        raise InsideAlready
    return Answer(invitation, room.me, mk)


def decline(room: Room, invitation: str) -> Answer:
    """Our no: nothing stays here."""
    _to_answer(room, invitation)
    return Answer(invitation, room.me)


def withdraw(room: Room, invitation: str) -> Withdrawn:
    """Takes an invitation of ours back. Raises Answered where they have said yes or no already."""
    seat = _seat(room, invitation)
    if seat.invitation.by != room.me:
        raise NotTheOwner
    if seat.state not in (INVITED, WITHDRAWN):
        raise Answered
    return Withdrawn(invitation, room.me)


def leave(room: Room, person: str = "") -> Left:
    """We go, or one of our people; the owner hands the room over first. A frozen room can be left."""
    _check_in(room, frozen=True)
    if room.leads and not person:
        raise NotTheOwner
    return Left(room.me, _key_of(room, room.me, person))


def remove(room: Room, organisation: str, person: str = "") -> Removed:
    """Puts a member out: from here on nothing is handed to it; the next case key is turned at once. Also in a frozen room: a member whose
    word has frozen it, and who agrees to nothing, keeps nobody shut out."""
    head = _check_leads(room, frozen=True)
    if organisation == room.me and not person:
        raise NotTheOwner
    return Removed(room.me, organisation, _key_of(room, organisation, person), head.ck)


def rekey(room: Room, mk: str, person: str = "") -> Rekeyed:
    """Another key of ours, because somebody who could open the former one has gone."""
    _check_in(room, frozen=True)
    return Rekeyed(room.me, _key_of(room, room.me, person), mk)


def grant(room: Room, organisation: str, since: int, person: str = "") -> Granted:
    """Lets a member read from an earlier epoch on."""
    _check_leads(room)
    return Granted(room.me, _key_of(room, organisation, person), max(1, since))


def turn(room: Room, deputies: tuple[str, ...] | None = None, to: str = "") -> CaseKey:
    """The next case key; with other deputies, or handing the room over `to` a deputy."""
    head = _check_leads(room)
    if to and to not in head.deputies:
        raise NotDeputy
    return following(room, head, deputies, to)


def heal(room: Room) -> CaseKey:
    """The case key that puts an end to a dispute: it names all that claim one place, stands on the longest of them, and counts when every
    other member has agreed. Whoever stands in a list without a word of their own, a ghost, is left out. Raises NotFrozen, NotTheOwner."""
    if room.state != FROZEN:
        raise NotFrozen
    tip = _tip(room)
    if owner(tip) != room.me:
        raise NotTheOwner
    plan = following(room, tip)
    members = tuple(member for member in plan.members if member.organisation == room.me or room.is_confirmed(member))
    deputies = tuple(one for one in plan.deputies if one in {member.organisation for member in members})
    return replace(plan, members=members, deputies=deputies, heals=tuple(sorted(room.line.disputed)))


def agree(room: Room, ck: str) -> Agreed:
    """A keeper of ours accepts what mends the room, named by `ck` so that it is the one they have looked at."""
    if room.line.healing is None or room.line.healing.ck != ck:
        raise NotFrozen
    return Agreed(room.me, ck)


def back(room: Room, deputy: str) -> Backed:
    """We agree that a deputy takes over from the newest case key."""
    head = _check_in(room)
    if deputy not in head.deputies:
        raise NotDeputy
    if room.me in (deputy, room.owner):
        raise NotBacked
    return Backed(room.me, deputy, head.ck)


def take_over(room: Room, *, out: bool = False) -> CaseKey:
    """As a deputy: the next case key, with us as owner; `out` puts the former owner out, else it stays as a member. Raises NotDeputy,
    NotBacked."""
    head = _check_in(room)
    if room.me not in head.deputies:
        raise NotDeputy
    others = room.inside - {room.me, owner(head)}
    if not any(isinstance(one, Backed) and (one.deputy, one.ck) == (room.me, head.ck) and one.by in others for one in room.facts):
        raise NotBacked
    plan = following(room, head)
    stay = tuple(member for member in plan.members if not out or member.organisation != owner(head))
    return replace(plan, members=stay)


def close(room: Room, *, purged: bool = False) -> Closed:
    """Ends the room; `purged`: everywhere, for good. A closed or frozen one can be purged: what is to be erased waits for nobody."""
    if room.state not in (CLOSED, PURGED):
        _check_leads(room, frozen=True)
    elif not room.leads:
        raise NotTheOwner
    return Closed(room.me, purged)


def _check_in(room: Room, *, frozen: bool = False) -> CaseKey:
    """Raises what keeps us from acting; `frozen`: also in a frozen room."""
    if room.state in (CLOSED, PURGED):
        raise Ended
    if room.state == FROZEN and not frozen:
        raise Frozen
    if room.head is None:
        raise NotInside
    if room.state == OUT:
        raise Outside
    return room.head


def _check_leads(room: Room, *, frozen: bool = False) -> CaseKey:
    head = _check_in(room, frozen=frozen)
    if not room.leads:
        raise NotTheOwner
    return head


def check_open(room: Room) -> CaseKey:
    """The case key under which we may seal something now. Raises Frozen, Ended, Outside, NotInside."""
    head = _check_in(room)
    if not any(member.organisation == room.me and not room.is_ended(member) for member in head.members):
        raise Outside
    return head


def _seat(room: Room, invitation: str) -> Seat:
    found = [seat for seat in room.seats if seat.invitation.id == invitation]
    if not found:
        raise NoInvitation
    return found[0]


def _to_answer(room: Room, invitation: str) -> Seat:
    seat = _seat(room, invitation)
    if seat.invitation.organisation != room.me or seat.state == WITHDRAWN:
        raise NoInvitation
    if seat.state != INVITED:
        raise Answered
    return seat


def _stands(room: Room, organisation: str, person: str) -> bool:
    """Whether somebody is inside, or has said yes and comes in with the next case key."""
    who = organisation, person
    seats = [seat.keys for seat in room.accepted if (seat.invitation.organisation, seat.invitation.person) == who]
    there = [member for member in (room.head.members if room.head else ()) if (member.organisation, member.person) == who]
    coming = any(not was_dropped(room, organisation, set(keys)) for keys in seats)
    return coming or any(not room.is_ended(member) for member in there)


def _key_of(room: Room, organisation: str, person: str) -> str:
    """The newest key of somebody inside. Raises NotInside."""
    for member in room.head.members if room.head else ():
        if (member.organisation, member.person) == (organisation, person):
            return chain(room.facts, organisation, member.mk)[-1]
    raise NotInside


def _tip(room: Room) -> CaseKey:
    """The newest known case key that stands on one of those in dispute, or is one. Raises NotTheOwner where we know only their names."""
    on = {key.ck for key in room.both}
    for key in sorted((key for key in room.facts if isinstance(key, CaseKey)), key=lambda key: key.epoch):
        if key.prev in on:
            on.add(key.ck)
    known = [found for ck in on if (found := room.key(ck)) and ck not in room.line.refused and owner(found) == room.me]
    if not known:
        raise NotTheOwner
    return max(known, key=lambda found: (found.epoch, found.ck))
