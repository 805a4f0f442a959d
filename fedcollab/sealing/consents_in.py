"""Decides what a partner's word on a consent does here: it is believed of what is that partner's own, and its end takes effect at once."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.access.viewer import partner
from fedcollab.actors.models import ORGANIZATION
from fedcollab.actors.node import Node
from fedcollab.base.addresses import host_of
from fedcollab.base.errors import BadRequest, Refused, TooMany
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import receipts
from fedcollab.federation.registry import Early, Handler, Verified

from . import room_chain, rooms
from .consent_models import ANSWERS, GIVEN, WITHDRAWN, ConsentMark
from .consents import MOST, note, stop
from .reading import members, one_of, uri
from .room_models import Room
from .room_receiving import concerned

MOST_OF_ROOM = 1_000  # consents on which one organisation has given us something in a room


def receive_given(session: Session, node: Node, received: Verified) -> None:
    """A consent on which we got something: its id, its day, and what that was."""
    said = members(_said(received), {"until", "things"})
    room_id, room = _room(session, received)
    if rooms.is_cleared(session, room):
        return
    if received.actor.uri not in concerned(rooms.load(session, node, room)):
        raise Early(reason="a consent in a room by somebody who is not inside, or not yet")
    things = said["things"]
    if not isinstance(things, list) or len(things) > MOST:
        raise BadRequest(reason="sealing: no list of what was given")
    found = {uri(one) for one in things}
    _check_theirs(session, received, found, room)
    _check_number(session, received.actor.id, room_id)
    note(session, node, uri(ap.ident(received.object)), received.actor.id, room_id, _day(said["until"]), sorted(found), ours=False)
    room_chain.add(session, node, room_id, partner(received.actor.organisation_id), "consent.given", ap.ident(received.object))


def _check_number(session: Session, organisation_id: str, room_id: str) -> None:
    theirs = sa.and_(ConsentMark.organisation_id == organisation_id, ConsentMark.room_id == room_id, ~ConsentMark.ours)
    if session.execute(sa.select(sa.func.count()).select_from(ConsentMark).where(theirs)).scalar_one() >= MOST_OF_ROOM:
        raise TooMany(reason="more consents of one organisation in a room than it has people")


def _check_theirs(session: Session, received: Verified, things: set[str], room: str) -> None:
    """Nobody closes what is another's: only a room that they lead, and messages of their own, by whose server these are named; they may be
    on their way still."""
    leads = session.execute(sa.select(Room.id).where(Room.uri == room, Room.owner == received.actor.uri)).first() is not None
    if any(not leads if one == room else host_of(one) != received.actor.host for one in things):
        raise Refused(reason="a consent of what is not theirs")


def receive_end(session: Session, node: Node, received: Verified) -> None:
    """A consent was withdrawn, or has ended: we confirm that nothing of it is shown here any more; again, again."""
    mark = _mark(session, received, ours=False)
    if mark.state == GIVEN:
        stop(session, node, mark.id, WITHDRAWN)
        room_chain.add(session, node, mark.room_id, partner(received.actor.organisation_id), "consent.withdrawn", mark.uri)
    receipts.answer(session, node, received.activity, to=received.actor.id, order_key=_room(session, received)[1])


def receive_confirmed(session: Session, node: Node, received: Verified) -> None:
    """The recipient's node confirms that it shows nothing of it any more."""
    about = receipts.confirm(session, node, ap.ident(received.object), received.actor.uri)
    mine = sa.and_(ConsentMark.uri == about, ConsentMark.organisation_id == received.actor.id, ConsentMark.ours)
    session.execute(sa.update(ConsentMark).where(mine, ConsentMark.stopped_at.is_(None)).values(stopped_at=node.now()))


def receive_answer(session: Session, node: Node, received: Verified) -> None:
    """The recipient's keepers have erased what they had, or keep it on a ground of their own."""
    answer = one_of(members(_said(received), {"answer"})["answer"], ANSWERS)
    mark = _mark(session, received, ours=True)
    if mark.state == GIVEN:
        raise Early(reason="an answer to what was not asked")
    there = sa.update(ConsentMark).where(ConsentMark.id == mark.id)
    session.execute(there.values(answer=answer, answered_at=node.now()))
    room_chain.add(session, node, mark.room_id, partner(received.actor.organisation_id), "consent.answered", mark.uri)


def _said(received: Verified) -> object:
    if received.actor.kind != ORGANIZATION:
        raise Refused(reason="organisations speak of consents, people don't")
    return received.object.get(ap.SAID)


def _mark(session: Session, received: Verified, *, ours: bool) -> Any:
    _said(received)
    about = sa.and_(
        ConsentMark.uri == ap.ident(received.object), ConsentMark.organisation_id == received.actor.id, ConsentMark.ours == ours
    )
    found = session.execute(sa.select(ConsentMark.__table__).where(about)).one_or_none()
    if found is None:
        raise Early(reason="a consent that is not known here")
    return found


def _room(session: Session, received: Verified) -> tuple[str, str]:
    room = uri(ap.ident(received.object.get("context")))
    found = session.execute(sa.select(Room.id).where(Room.uri == room)).scalar()
    if found is None:
        raise Early(reason="a consent in a room that is not here")
    return found, room


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
