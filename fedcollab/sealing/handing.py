"""Decides which messages of a room are read here, kept until their key comes, or refused, and to whom a case key's box is handed."""

from dataclasses import dataclass

from .casekeys import CaseKey, Member
from .facts import Removed, Seen, of, organisations
from .refusals import NotInside, Replaced
from .room_state import CLOSED, FROZEN, OPEN, OUT, Room

READ, WAITS = "read", "waits"


@dataclass(frozen=True)
class Named:
    """What a message says in clear of where it belongs: the case key that it is sealed under, and whose node has sent it."""

    organisation: str
    epoch: int
    ck: str

    def seen(self) -> Seen:
        """What it tells of its sender."""
        return Seen(self.organisation, self.epoch, self.ck)


def taken(room: Room, message: Named) -> str:
    """What becomes of a message that has arrived: READ, or WAITS for the case key's document, its box, or the end of a dispute. What was
    written on a side that was given up stays readable for those who have its key. Raises NotInside for an author who is not in the list
    that it names, and why its case key is refused."""
    key = room.key(message.ck)
    why = room.line.refused.get(message.ck)
    if why not in (None, Replaced):
        raise why
    if key is None:
        if message.organisation not in _known(room):
            raise NotInside
        return WAITS
    if key.epoch != message.epoch or message.organisation not in organisations(key):
        raise NotInside
    return READ if why or key in room.line.keys else WAITS


def entitled(room: Room, organisation: str, key: CaseKey) -> set[str]:
    """The member's keys to which a case key may be handed to an organisation now: it stands in the newest list, from that epoch on, and has
    neither left nor been removed since. Raises NotInside, which looks like nothing being there."""
    found = {member.mk for member in _entitled(room, key) if member.organisation == organisation}
    if not found:
        raise NotInside
    return found


def all_entitled(room: Room, key: CaseKey) -> set[str]:
    """The same of all members."""
    return {member.mk for member in _entitled(room, key)}


def _entitled(room: Room, key: CaseKey) -> list[Member]:
    if room.state not in (OPEN, FROZEN, CLOSED) or key not in room.line.keys or room.head is None:
        return []
    return [member for member in room.head.members if member.since <= key.epoch and not room.is_ended(member)]


def wanted(room: Room) -> list[CaseKey]:
    """The case keys whose boxes are ours to have, newest first: asked for until they are here."""
    if room.head is None or room.state == OUT:
        return []
    since = [member.since for member in room.head.members if member.organisation == room.me and not room.is_ended(member)]
    return [key for key in reversed(room.line.keys) if since and key.epoch >= min(since)]


def missing(room: Room) -> set[tuple[str, str]]:
    """(name of a case key whose document is not here, an organisation inside that knows it, or may, and can be asked for it)."""
    first = room.line.keys[0].epoch if room.line.keys else None
    known = _known(room)
    said = {(one.ck, one.by) for one in of(room.facts, Seen) if first is not None and one.epoch >= first}
    loose = [key for key in of(room.facts, CaseKey) if key.ck in room.line.loose | room.line.disputed]
    said = {(ck, who) for ck, who in said if who in known}
    behind = {key.prev for key in loose if first is not None and key.epoch > first} | room.line.disputed
    said |= {(ck, who) for ck in behind for who in known}  # also of ours: a restored node asks for what it has issued itself
    said |= {(one.ck, one.by) for one in of(room.facts, Removed) if one.organisation == room.me}  # by whom we do not know as the owner
    return {(ck, who) for ck, who in said if room.key(ck) is None and who != room.me}


def shown(room: Room, organisation: str, ck: str) -> CaseKey:
    """The document of a case key, for an organisation that it concerns: one that stands in it, or in ours. Raises NotInside."""
    key = room.key(ck)
    if key is None or organisation not in organisations(key) | _known(room):
        raise NotInside
    return key


def _known(room: Room) -> set[str]:
    return set().union(*(organisations(key) for key in [*room.line.keys, *room.both]))
