"""Decides who stands on the access list of a case: the organisations inside and invited, people who are named, and who of us is on it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from fedcollab.sealing.casekeys import Member
from fedcollab.sealing.holding import Assigned, Opened, assigned
from fedcollab.sealing.room_state import Room
from fedcollab.sealing.seats import ACCEPTED, INVITED

from .naming import Named, Names
from .visiting import GuestShown

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
class Guest:
    """A guest inside: who they are with their own organisation, whose guest, and of ours their row id."""

    who: Named
    of: Named
    person_id: str = ""


@dataclass(frozen=True, repr=False)
class Access:
    """The whole list. `me` is our organisation, `ours` are those of us who are assigned, `guests` who work it beside
    organisations' own people; `leads` that ours leads the room, `state` how the
    room is."""

    me: Named
    ours: tuple[Assigned, ...]
    organisations: tuple[Organisation, ...]
    leads: bool
    state: str
    guests: tuple[Guest, ...] = ()

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
    found = {member.organisation for member in _members(room)} | {member.person for member in _members(room)}
    return found | {one.organisation for one in seats} | {one.person for one in seats} | {room.me}


def access(session: Session, opened: Opened, names: Names, told: Iterable[GuestShown] = ()) -> Access:
    """The list as this node knows it; `told` are the guests of whom the case's members were told."""
    room = opened.room
    rows: dict[str, Organisation] = {}
    for member in sorted(_members(room), key=lambda one: (one.organisation != room.me, one.organisation, one.person)):
        there = rows.get(member.organisation)
        people = (there.people if there else ()) + ((names[member.person],) if member.person else ())
        rows[member.organisation] = Organisation(names[member.organisation], there.role if there else member.role, "in", people)
    organisations, on_it = (*rows.values(), *_coming(room, names)), assigned(session, opened.room_id)
    ours, guests = tuple(one for one in on_it if not one.works_for), tuple(_guests(room, on_it, names, told))
    return Access(names[room.me], ours, organisations, room.leads, room.state, guests)


def _guests(room: Room, on_it: Iterable[Assigned], names: Names, told: Iterable[GuestShown]) -> Iterator[Guest]:
    """Ours are those who are on it; the others' those of whom their organisation has told, while it is inside itself."""
    for one in on_it:
        if one.works_for:
            yield Guest(Named(one.uri, one.name, names[room.me].host, one.person_id, one.works_for), names[room.me], one.person_id)
    inside = {member.organisation for member in _members(room)} - {room.me}
    for guest in told:
        if guest.organisation in inside:
            who = names[guest.entry.person]
            shown = Named(who.uri, guest.entry.name, who.host, "", guest.entry.works_for)
            yield Guest(shown, names[guest.organisation])


def _coming(room: Room, names: Names) -> list[Organisation]:
    """Those who were invited and have not answered, and those who come in with the next key."""
    there = {(member.organisation, member.person) for member in _members(room)}
    found = []
    for seat in room.seats:
        one = seat.invitation
        if seat.state in (INVITED, ACCEPTED) and (one.organisation, one.person) not in there:
            state = INVITED if seat.state == INVITED else COMES
            people = (names[one.person],) if one.person else ()
            found.append(Organisation(names[one.organisation], one.role, state, people, one.id if state == INVITED else ""))
    return found


def _members(room: Room) -> list[Member]:
    return [member for member in (room.head.members if room.head else ()) if not room.is_ended(member)]
