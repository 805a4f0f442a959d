"""Decides who stands on the access list of a case: as on that of every sealed room, and guests beside organisations' own people."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fedcollab.base.session import Session
from fedcollab.sealing import access_list
from fedcollab.sealing.access_list import COMES, Organisation, uris
from fedcollab.sealing.holding import Assigned, Opened
from fedcollab.sealing.naming import Named, Names
from fedcollab.sealing.room_state import Room

from .visiting import GuestShown

__all__ = ["COMES", "Access", "Guest", "Organisation", "access", "uris"]


@dataclass(frozen=True, repr=False)
class Guest:
    """A guest inside: who they are with their own organisation, whose guest, and of ours their row id."""

    who: Named
    of: Named
    person_id: str = ""


@dataclass(frozen=True, repr=False)
class Access(access_list.Access):
    """The whole list of a case; `guests` work it beside organisations' own people."""

    guests: tuple[Guest, ...] = ()


def access(session: Session, opened: Opened, names: Names, told: Iterable[GuestShown] = ()) -> Access:
    """The list as this node knows it; `told` are the guests of whom the case's members were told."""
    found = access_list.access(session, opened, names)
    ours, guests = tuple(one for one in found.ours if not one.works_for), tuple(_guests(opened.room, found.ours, names, told))
    return Access(found.me, ours, found.organisations, found.leads, found.state, found.readmitted, found.full, guests)


def _guests(room: Room, on_it: Iterable[Assigned], names: Names, told: Iterable[GuestShown]) -> Iterator[Guest]:
    """Ours are those who are on it; the others' those of whom their organisation has told, while it is inside itself."""
    for one in on_it:
        if one.works_for:
            yield Guest(Named(one.uri, one.name, names[room.me].host, one.person_id, one.works_for), names[room.me], one.person_id)
    inside = {member.organisation for member in access_list.members(room)} - {room.me}
    for guest in told:
        if guest.organisation in inside:
            who = names[guest.entry.person]
            shown = Named(who.uri, guest.entry.name, who.host, "", guest.entry.works_for)
            yield Guest(shown, names[guest.organisation])
