"""Decides who comes onto a case and who goes: organisations invited with the ground recorded first, removed, leaving; our own people put on
it and taken off. Each act is one unit, and on record."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.errors import BadRequest, Conflict, N_, NotFound
from fedcollab.base.session import Session
from fedcollab.sealing import holding, room_chain, rooms, working
from fedcollab.sealing.aside_models import RoomAside
from fedcollab.sealing.made_ready import Write
from fedcollab.sealing.room_models import CASE, RoomMember
from fedcollab.sealing.room_models import Room as Row
from fedcollab.sealing.seats import INVITED, Seat

from . import consented, needs, permission
from .desk import OPENERS, Desk, Keys, NoLonger, add, saying
from .partners import Candidate, candidate
from .sharing import Share

FROM_NOW, FROM_THE_BEGINNING = 0, 1  # the first epoch that they read
NOBODY = N_("Choose at least one person. Without one nobody of us could open it.")
ANOTHER = N_("Choose somebody who works on cases.")
CHANGED = N_("Who can read this case has changed since you opened the page. Look at the list again, then send it once more.")


def seen(desk: Desk) -> str:
    """What a page has shown of who can read a case, so that nobody sends to others than they have seen (P5)."""
    there = [(one.who.uri, one.state, tuple(person.uri for person in one.people)) for one in desk.access.organisations]
    ours = sorted(one.person_id for one in desk.access.ours)
    guests = sorted(one.who.uri for one in desk.access.guests)
    return hashlib.sha256(repr((ours, guests, sorted(there))).encode()).hexdigest()[:32]


def invite(
    session: Session,
    node: Node,
    desk: Desk,
    _keys: Keys,
    whom: str,
    share: Callable[[Desk, Candidate], Share],
    shown: str,
    since: int = FROM_NOW,
) -> Write:
    """Asks an organisation, or where the case is for people by name a person, onto the case; what is shared with that, and on which ground,
    is recorded first (P2). Raises Wrong, NoKey, Conflict where the access list is another than the page has `shown`."""
    to = candidate(session, desk, whom)
    if shown != seen(desk):
        raise Conflict(CHANGED)
    made = share(desk, to)
    permission.check(made, desk.case)
    said = saying(session, node, desk, made)

    def write(session: Session) -> None:
        add(session, node, said)
        working.invite(session, node, desk.viewer, desk.id, to.organisation, to.person, since=since)
        consented.follow(session, node, desk.viewer, desk.id, desk.case, made, said.uri, {to.organisation})
        room_chain.add(session, node, desk.id, desk.viewer, "case.share", to.id)

    return write


def assign(session: Session, node: Node, viewer: Viewer, keys: Keys, case_id: str, person_id: str, parts: Iterable[str]) -> None:
    """Puts one of us on a case, by somebody on it or by a keeper, and says what they need to know. Where nobody knows a part yet they know
    all, for nobody could give them any. Raises what holding.assign raises, Forbidden for parts that the viewer does not know."""
    of_case(session, case_id)
    holding.assign(session, node, viewer, keys, case_id, person_id)
    needs.forget(session, case_id, person_id)  # of an earlier time on it, that ended by no act of a page
    if not needs.somebody(session, case_id):
        needs.begin(session, node, viewer, case_id, [person_id])
    elif wanted := list(parts):
        needs.give(session, node, viewer, case_id, person_id, wanted)


def unassign(session: Session, node: Node, viewer: Viewer, case_id: str, person_id: str) -> None:
    """Takes one of us off a case; what opened it for them is destroyed. Where nobody is left who knows a part, those who are left know
    all."""
    of_case(session, case_id)
    needs.forget(session, case_id, person_id)
    if not needs.somebody(session, case_id):
        left = [one.person_id for one in holding.ours(session, case_id) if one.person_id != person_id]
        needs.begin(session, node, viewer, case_id, left)
    working.unassign(session, node, viewer, case_id, person_id)  # last, for what it destroys stays destroyed


def invitation(session: Session, node: Node, viewer: Viewer, case_id: str) -> Seat:
    """What waits for an answer of ours, and may be answered by this person. Raises NotFound."""
    mine = sa.and_(RoomMember.room_id == Row.id, RoomMember.organisation == node.actor_uri, RoomMember.state == INVITED)
    alone = Row.id.not_in(sa.select(RoomAside.room_id))  # what came with something else is answered with that
    uri = session.execute(sa.select(Row.uri).join(RoomMember, mine).where(Row.id == case_id, Row.kind == CASE, alone)).scalars().first()
    if uri is None or not viewer.roles & OPENERS:
        raise NotFound
    me = actors.by_id(session, viewer.person_id).uri
    for seat in rooms.load(session, node, uri).seats:
        one = seat.invitation
        if one.organisation == node.actor_uri and seat.state == INVITED and one.person in ("", me):
            return seat
    raise NotFound


def answer(
    session: Session,
    node: Node,
    viewer: Viewer,
    keys: Keys,
    case_id: str,
    *,
    yes: bool,
    people: Iterable[str],
    may: Iterable[tuple[str, str]],
) -> None:
    """Our yes, with who of us is on it, or our no. `may` are those who can be; whoever is asked by name signs with their unlocked keys.
    Raises NotFound, BadRequest."""
    seat = invitation(session, node, viewer, case_id)
    if not yes:
        working.decline(session, node, viewer, case_id, seat.invitation.id)
        return
    chosen = [viewer.person_id] if seat.invitation.person else list(dict.fromkeys(people))
    if not chosen:
        raise BadRequest(NOBODY)
    if not set(chosen) <= {person_id for person_id, _ in may}:
        raise BadRequest(ANOTHER)
    needs.begin(session, node, viewer, case_id, chosen)
    working.accept(session, node, viewer, case_id, seat.invitation.id, chosen, keys)


def change_needs(session: Session, node: Node, viewer: Viewer, case_id: str, person_id: str, parts: Iterable[str]) -> None:
    """What one of us needs to know of everybody in a case; what they know of single people stays, for that is their own page's. Raises
    NoLonger, NotFound for whoever is not on it, and what `needs.give` raises."""
    of_case(session, case_id)
    if not holding.is_assigned(session, case_id, viewer.person_id):
        raise NoLonger if holding.was_assigned(session, case_id, viewer.person_id) else NotFound
    kept = {part for part in needs.known(session, case_id, person_id) if "/" in part}
    needs.give(session, node, viewer, case_id, person_id, {*parts, *kept})


def of_case(session: Session, case_id: str) -> Any:
    """The room's row of a case. Raises NotFound."""
    found = session.execute(sa.select(Row.id, Row.label, Row.owner, Row.state).where(Row.id == case_id, Row.kind == CASE)).one_or_none()
    if found is None:
        raise NotFound
    return found
