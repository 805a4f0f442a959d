"""Decides what a partner's word on a consent does here: it is believed of what is that partner's own, and its end takes effect at once."""

import re
from datetime import date
from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import partner
from fedcollab.actors.models import ORGANIZATION
from fedcollab.actors.node import Node
from fedcollab.base.addresses import host_of
from fedcollab.base.errors import BadRequest, Refused, TooMany
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import receipts
from fedcollab.federation.registry import Handler, Verified

from . import room_chain, rooms
from .consent_models import ANSWERS, GIVEN, WITHDRAWN, ConsentMark
from .consents import MOST, Given, note, stop, today
from .reading import members, one_of, uri
from .room_models import Room
from .room_receiving import concerned

NAME = re.compile(r"[0-9A-Za-z-]{0,64}")  # of whose it is; empty where that is not said
MOST_OF_ROOM = 1_000  # consents on which one organisation has given us something in a room


def receive_given(session: Session, node: Node, received: Verified) -> None:
    """A consent on which we got something: its id, its day, what that was, and perhaps by a name that says nothing whose it is. What has
    ended stays so: what is named on it later stops as it comes."""
    said = members(_said(received), {"until", "things"}, frozenset({"whose"}))
    room_id, room = _room(session, received)
    if rooms.is_cleared(session, room):
        return
    _check_concerned(session, node, received, room)
    _check_turned(session, received)
    things = said["things"]
    if not isinstance(things, list) or len(things) > MOST:
        raise BadRequest(reason="sealing: no list of what was given")
    found = {uri(one) for one in things}
    _check_theirs(session, received, found, room)
    about = uri(ap.ident(received.object))
    _check_number(session, received.actor.id, room_id, about)
    given = Given(about, received.actor.uri, room_id, _day(said["until"]), tuple(found), _whose(said.get("whose", "")))
    mark_id, fresh, _ = note(session, node, given, received.actor.id, ours=False)
    state = session.execute(sa.select(ConsentMark.state).where(ConsentMark.id == mark_id)).scalar_one()
    if fresh and state != GIVEN:
        session.execute(sa.update(ConsentMark).where(ConsentMark.id == mark_id).values(answer="", answered_at=None))
        stop(session, node, mark_id, state)
    room_chain.add(session, node, room_id, partner(received.actor.organisation_id), "consent.given", about)


def _check_concerned(session: Session, node: Node, received: Verified, room: str) -> None:
    if received.actor.uri not in concerned(rooms.load(session, node, room)):
        raise Refused(reason="a consent in a room by somebody who is not inside, or not yet")


def _check_number(session: Session, organisation_id: str, room_id: str, about: str) -> None:
    """More of what is known already fills nothing."""
    theirs = sa.and_(ConsentMark.organisation_id == organisation_id, ConsentMark.room_id == room_id, ~ConsentMark.ours)
    others = sa.select(sa.func.count()).select_from(ConsentMark).where(theirs, ConsentMark.uri != about)
    if session.execute(others).scalar_one() >= MOST_OF_ROOM:
        raise TooMany(reason="more consents of one organisation in a room than it has people")


def _check_theirs(session: Session, received: Verified, things: set[str], room: str) -> None:
    """Nobody closes what is another's: only a room that they lead, and messages of their own, by whose server these are named; they may be
    on their way still."""
    leads = session.execute(sa.select(Room.id).where(Room.uri == room, Room.owner == received.actor.uri)).first() is not None
    if any(not leads if one == room else host_of(one) != received.actor.host for one in things):
        raise Refused(reason="a consent of what is not theirs")


def receive_end(session: Session, node: Node, received: Verified) -> None:
    """A consent was withdrawn, or has ended: we confirm that nothing of it is shown here any more; again, again. One that is not known here
    yet is noted as ended: its word may have been overtaken."""
    room_id, room = _room(session, received)
    _check_turned(session, received)
    mark = _find(session, received, room_id, ours=False)
    if mark is None and not rooms.is_cleared(session, room):
        _check_concerned(session, node, received, room)
        about = uri(ap.ident(received.object))
        _check_number(session, received.actor.id, room_id, about)
        given = Given(about, received.actor.uri, room_id, today(node), ())
        note(session, node, given, received.actor.id, ours=False, state=WITHDRAWN)
        room_chain.add(session, node, room_id, partner(received.actor.organisation_id), "consent.withdrawn", about)
    elif mark is not None and mark.state == GIVEN:
        stop(session, node, mark.id, WITHDRAWN)
        room_chain.add(session, node, mark.room_id, partner(received.actor.organisation_id), "consent.withdrawn", mark.uri)
    receipts.answer(session, node, received.activity, to=received.actor.id, order_key=room)


def receive_confirmed(session: Session, node: Node, received: Verified) -> None:
    """The recipient's node confirms that it shows nothing of it any more."""
    about = receipts.confirm(session, node, ap.ident(received.object), received.actor.uri)
    asked = ConsentMark.asked == ap.ident(received.object)  # in one room: each has an end of its own
    mine = sa.and_(ConsentMark.uri == about, ConsentMark.organisation_id == received.actor.id, ConsentMark.ours, asked)
    session.execute(sa.update(ConsentMark).where(mine, ConsentMark.stopped_at.is_(None)).values(stopped_at=node.now()))


def receive_answer(session: Session, node: Node, received: Verified) -> None:
    """The recipient's keepers have erased what they had, or keep it on a ground of their own."""
    answer = one_of(members(_said(received), {"answer"})["answer"], ANSWERS)
    mark = _find(session, received, _room(session, received)[0], ours=True)
    if mark is None or mark.state == GIVEN:
        raise Refused(reason="an answer to what was not asked")
    there = sa.update(ConsentMark).where(ConsentMark.id == mark.id)
    session.execute(there.values(answer=answer, answered_at=node.now()))
    room_chain.add(session, node, mark.room_id, partner(received.actor.organisation_id), "consent.answered", mark.uri)


def _said(received: Verified) -> object:
    if received.actor.kind != ORGANIZATION:
        raise Refused(reason="organisations speak of consents, people don't")
    return received.object.get(ap.SAID)


def _check_turned(session: Session, received: Verified) -> None:
    """Whoever got something on a consent of ours does not speak of it as if they had given it."""
    ours = sa.and_(ConsentMark.uri == ap.ident(received.object), ConsentMark.organisation_id == received.actor.id, ConsentMark.ours)
    if session.execute(sa.select(ConsentMark.id).where(ours)).first() is not None:
        raise Refused(reason="a consent that we have given")


def _find(session: Session, received: Verified, room_id: str, *, ours: bool) -> Any:
    _said(received)
    theirs = sa.and_(ConsentMark.organisation_id == received.actor.id, ConsentMark.ours == ours, ConsentMark.room_id == room_id)
    return session.execute(sa.select(ConsentMark.__table__).where(theirs, ConsentMark.uri == ap.ident(received.object))).one_or_none()


def _room(session: Session, received: Verified) -> tuple[str, str]:
    room = uri(ap.ident(received.object.get("context")))
    found = session.execute(sa.select(Room.id).where(Room.uri == room)).scalar()
    if found is None:
        raise Refused(reason="a consent in a room that is not here")
    return found, room


def _whose(value: object) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise BadRequest(reason="sealing: no name of whose it is")
    return value


def _day(value: object) -> str:
    try:
        return date.fromisoformat(str(value)[:11]).isoformat()
    except ValueError:
        raise BadRequest(reason="sealing: no day") from None


HANDLERS = (
    Handler("Create", (ap.CONSENT,), receive_given),
    Handler("Undo", (ap.CONSENT,), receive_end, withdraws=True),
    Handler("Update", (ap.CONSENT,), receive_answer, withdraws=True),
    Handler("Accept", ("Undo",), receive_confirmed),
)
