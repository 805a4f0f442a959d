"""Decides who stands on the access list of a room: the organisations inside and invited, people who are named, and who of us is on it."""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.actors.models import Actor
from fedcollab.base.session import Session
from fedcollab.federation import delivery

from . import people
from .casekeys import Member
from .holding import Assigned, Opened, assigned
from .naming import Named, Names
from .people import Readmitted
from .room_state import Room
from .seats import ACCEPTED, INVITED

COMES = "comes"  # has said yes, and reads from the next case key on


@dataclass(frozen=True, repr=False)
class Organisation:
    """An organisation on the list: its role in the room, whether it is `in`, `invited` or `comes`; `people` are those named (TLP:RED);
    `invitation` is what can be taken back."""

    who: Named
    role: str
    state: str
    people: tuple[Named, ...] = ()
    invitation: str = ""


@dataclass(frozen=True, repr=False)
class Access:
    """The whole list. `me` is our organisation, `ours` are those of us who are assigned; `leads` that ours leads the room, `state` how the
    room is; `readmitted` whose key is a later one, which somebody here has vouched for after comparing words, with by whom and when;
    `full` the names of those whose nodes have no room for what we share now."""

    me: Named
    ours: tuple[Assigned, ...]
    organisations: tuple[Organisation, ...]
    leads: bool
    state: str
    readmitted: tuple[tuple[str, Readmitted], ...] = ()
    full: tuple[str, ...] = ()

    @property
    def inside(self) -> tuple[Organisation, ...]:
        """Who can read it, ours first."""
        return tuple(one for one in self.organisations if one.state == "in")

    @property
    def others(self) -> tuple[Organisation, ...]:
        return tuple(one for one in self.inside if one.who.uri != self.me.uri)

    @property
    def waiting(self) -> tuple[Organisation, ...]:
        return tuple(one for one in self.organisations if one.state != "in")

    @property
    def named(self) -> int:
        """How many of other organisations' people are named; theirs who are not are for them to say."""
        return sum(len(one.people) for one in self.others)


def uris(room: Room) -> set[str]:
    """Whom the list may name."""
    seats = [seat.invitation for seat in room.seats]
    found = {member.organisation for member in members(room)} | {member.person for member in members(room)}
    return found | {one.organisation for one in seats} | {one.person for one in seats} | {room.me}


def access(session: Session, opened: Opened, names: Names) -> Access:
    """The list as this node knows it."""
    room = opened.room
    rows: dict[str, Organisation] = {}
    for member in sorted(members(room), key=lambda one: (one.organisation != room.me, one.organisation, one.person)):
        there = rows.get(member.organisation)
        inside = (there.people if there else ()) + ((names[member.person],) if member.person else ())
        rows[member.organisation] = Organisation(names[member.organisation], there.role if there else member.role, "in", inside)
    ours, named = tuple(assigned(session, opened.room_id)), [person.uri for one in rows.values() for person in one.people]
    found = (*rows.values(), *_coming(room, names))
    readmitted, full = _readmitted(session, ours, named, names), _full(session, opened, names)
    return Access(names[room.me], ours, found, room.leads, room.state, readmitted, full)


def _full(session: Session, opened: Opened, names: Names) -> tuple[str, ...]:
    """The organisations at whose nodes our next word waits for room."""
    rows = session.scalars(sa.select(Actor.uri).where(Actor.id.in_(delivery.no_room(session, opened.uri))))
    return tuple(sorted(names[uri].said for uri in rows if uri in names))


def _readmitted(session: Session, ours: Iterable[Assigned], named: list[str], names: Names) -> tuple[tuple[str, Readmitted], ...]:
    """Of ours who are on it, and of others who are named: (their name, by whom and when)."""
    said = {one.person_id: one.name for one in ours}
    if named:
        rows = session.execute(sa.select(Actor.id, Actor.uri).where(Actor.uri.in_(named)))
        said = {row.id: names[row.uri].said for row in rows} | said
    return tuple((said[person_id], found) for person_id, found in sorted(people.readmitted(session, said).items()))


def _coming(room: Room, names: Names) -> list[Organisation]:
    """Those who were invited and have not answered, and those who come in with the next key."""
    there = {(member.organisation, member.person) for member in members(room)}
    found = []
    for seat in room.seats:
        one = seat.invitation
        if seat.state in (INVITED, ACCEPTED) and (one.organisation, one.person) not in there:
            state = INVITED if seat.state == INVITED else COMES
            asked = (names[one.person],) if one.person else ()
            found.append(Organisation(names[one.organisation], one.role, state, asked, one.id if state == INVITED else ""))
    return found


def members(room: Room) -> list[Member]:
    """Those in the newest list whose seat has not ended since."""
    return [member for member in (room.head.members if room.head else ()) if not room.is_ended(member)]
