"""Decides what the next case key of a room says, and when one is due: at every change of who is inside or of a member's key, after 90
days, after 10,000 messages."""

from dataclasses import replace
from typing import TypeVar

from fedcollab.base.clock import DAY

from .casekeys import DEPUTIES, DEPUTY, MEMBER, MEMBERS, OWNER, CaseKey, Member
from .facts import Granted, chain, of
from .refusals import Full, NotInside
from .room_state import Room

AGE, MESSAGES = 90 * DAY, 10_000
T = TypeVar("T")


def first(room: str, me: str, mk: str, person: str = "") -> CaseKey:
    """The first case key's document of a room that the organisation `me` founds, but for the commitment (casesecrets.made)."""
    return CaseKey(room, 1, "", me, (Member(me, person, OWNER, mk, 1),), (), "")


def following(room: Room, before: CaseKey, deputies: tuple[str, ...] | None = None, owner: str = "") -> CaseKey:
    """The document of the case key after `before`, but for the commitment: all that is known of who has come, gone and changed their
    key is in it."""
    leads = owner or room.me
    stays = [member for member in (_as_now(room, before.epoch + 1, member) for member in before.members) if member]
    members = [replace(member, role=_role(member, leads, deputies)) for member in [*stays, *_come(room, before.epoch + 1, stays)]]
    inside = {member.organisation for member in members}
    kept = tuple(one for one in (before.deputies if deputies is None else deputies) if one in inside - {leads})
    kept += (room.me,) if leads != room.me and room.me not in kept else ()  # who hands over can be handed back to, and says so as a deputy
    if leads not in inside or room.me not in inside or (deputies is not None and not inside.issuperset(deputies)):
        raise NotInside
    if len(members) > MEMBERS or len(kept) > DEPUTIES:
        raise Full
    return CaseKey(room.id, before.epoch + 1, before.ck, room.me, tuple(members), kept, "")


def changes(room: Room) -> bool:
    """Whether somebody has come, gone or changed their key since the newest case key."""
    return room.head is not None and following(room, room.head).members != room.head.members


def _as_now(room: Room, epoch: int, member: Member) -> Member | None:
    """A member as the next list says it; None for those who are gone. Once a list has gone on without somebody, only a new yes brings them
    back: two lists that are mended keep out whom either has put out."""
    keys = chain(room.facts, member.organisation, member.mk)
    if room.is_ended(member) or was_dropped(room, member.organisation, set(keys)):
        return None
    granted = [one.since for one in of(room.facts, Granted) if one.mk in keys and one.by == room.me]
    return replace(member, mk=keys[-1], since=min([member.since, *granted]))


def _come(room: Room, epoch: int, stays: list[Member]) -> list[Member]:
    """Those who have said yes and don't stand in the list yet."""
    there = {(member.organisation, member.person) for member in stays}
    found: dict[tuple[str, str], Member] = {}
    for seat in sorted(room.accepted, key=lambda seat: seat.invitation.id):
        one = seat.invitation
        who = one.organisation, one.person
        if who not in there and not was_dropped(room, one.organisation, set(seat.keys)):
            found.setdefault(who, Member(*who, one.role, seat.keys[-1], min(one.since or epoch, epoch)))
    return list(found.values())


def was_dropped(room: Room, organisation: str, keys: set[str]) -> bool:
    """Whether one of the lists that are known goes on without a member of the one before."""
    known = [(room.key(key.prev), key) for key in of(room.facts, CaseKey) if key.ck not in room.line.refused]
    return any(before and _holds(before, organisation, keys) and not _holds(key, organisation, keys) for before, key in known)


def _holds(key: CaseKey, organisation: str, keys: set[str]) -> bool:
    return any(member.organisation == organisation and member.mk in keys for member in key.members)


def _role(member: Member, leads: str, deputies: tuple[str, ...] | None) -> str:
    if member.organisation == leads:
        return OWNER
    if deputies is not None and member.organisation in deputies:
        return DEPUTY
    return MEMBER if member.role == OWNER or (deputies is not None and member.role == DEPUTY) else member.role
