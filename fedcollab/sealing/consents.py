"""Decides how a consent's end travels: at once, also while nobody is unlocked. What was given on it is delivered no more, the recipient's
node shows it no more and says so, its keepers are asked to erase it; and who has not confirmed that is asked again until they do.

What somebody agreed to is sealed in the case; here stand random ids, whom it is for, and until when."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, EPOCH, MINUTE, new_id
from fedcollab.base.database import wake
from fedcollab.base.errors import N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.base.statements import put
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import outbox, receipts
from fedcollab.federation.models import NOT_THERE, WAITING, Activity, Delivery, Partner, Receipt

from . import resting, room_chain
from .consent_models import ENDED, ERASED, GIVEN, KEPT, WITHDRAWN, ConsentMark, ConsentThing
from .keeper_tasks import wait
from .lessened import lessened
from .resting import Ground
from .room_models import Room, SealedMessage

TO_ERASE = "erase"  # a keeper's task
GUESTS = "guests"  # a topic: what guests read here has ended
MOST = 200  # things that one activity names
MOST_NAMED = 10_000  # that are named on one consent in a room: as many as the longest case has entries
AT_ONCE = 50  # that one unit of the chore ends, or asks again
AGAIN = 10 * MINUTE  # then twice as long each time, at most a day
NO_DAY = "9999-12-31"  # of what rests on a reason, not on a consent


class Stopped(Refused):
    text = N_("The consent for this was withdrawn, or has ended. Nothing of it is shown or delivered any more.")


class Overfull(Refused):
    text = N_(
        "No more than %(num)s entries can rest on one consent, so nothing was saved. Note a new consent of the person for this recipient,"
        " for fewer parts of their record, and share on that one."
    )


@dataclass(frozen=True)
class Given:
    """A consent, by the id of its entry, on which a partner (by its id on the wire) gets `things` of ours until the end of the day `until`:
    the room itself, where it is theirs and ours alone, or messages of it, by their ids on the wire. `whose` it is, by a name that says
    nothing: of several of one person for one recipient each carries what it names."""

    consent: str
    organisation: str
    room_id: str
    until: str
    things: tuple[str, ...]
    whose: str = ""


def given(session: Session, node: Node, viewer: Viewer, said: Given) -> str:
    """Keeps a consent's clear half and tells it to the partner's node, so that it ends there by its day too. Said again it adds things. The
    mark's id. Of what people of an organisation without a node read on it here, the organisation is ours, and nobody is told. Raises
    NotFound where the organisation is not known here, Overfull."""
    to = actors.by_uri(session, said.organisation)
    if to is None:
        raise NotFound
    mark_id, fresh, new = note(session, node, said, to.id, ours=True)
    if said.organisation != node.actor_uri:  # who is read to here as a guest has no node to be told
        for start in range(0, len(fresh), MOST) if fresh else [0] if new else []:
            told: dict[str, object] = {"until": said.until, "things": fresh[start : start + MOST]}
            told |= {"whose": said.whose} if said.whose else {}
            publish(session, node, "Create", said.consent, room_of(session, said.room_id), to.id, told)
    if fresh or new:
        room_chain.add(session, node, said.room_id, viewer, "consent.given", said.consent)
    return mark_id


def named(session: Session, node: Node, viewer: Viewer, of: tuple[str, str], thing: str, covers: Callable[[str], bool]) -> None:
    """Something more is said `of` somebody in a room (its row, whose): it rests on those of their consents there that cover it. Whoever had
    one that has ended hears nothing of it. Raises Overfull where all of them for one recipient name as much as they can: what rests on
    none would not end with them."""
    mine = sa.select(ConsentMark.__table__).where(ConsentMark.room_id == of[0], ConsentMark.whose == of[1], ConsentMark.ours)
    covering = [mark for mark in session.execute(mine.order_by(ConsentMark.id)).all() if covers(mark.uri)]
    fit = [mark for mark in covering if _number(session, mark.id) < MOST_NAMED]
    for some in ((GIVEN,), (GIVEN, ENDED, WITHDRAWN)):  # nor shall what holds for them be taken for over, because only that is named
        if {mark.organisation_id for mark in covering if mark.state in some} - {mark.organisation_id for mark in fit if mark.state in some}:
            raise Overfull(num=MOST_NAMED)
    for mark in fit:
        to = actors.by_id(session, mark.organisation_id)
        said = Given(mark.uri, to.uri, mark.room_id, mark.until, (thing,), mark.whose)
        if mark.state == GIVEN:
            given(session, node, viewer, said)
        else:
            note(session, node, said, to.id, ours=True)


def carried_on(session: Session, node: Node, viewer: Viewer, old: str, new: str, until: str) -> None:
    """What was given on a consent rests from now on on another one of the same person for the same recipient too, which holds longer."""
    mine = sa.select(ConsentMark.__table__).where(ConsentMark.uri == old, ConsentMark.ours, ConsentMark.state != WITHDRAWN)
    for mark in session.execute(mine.order_by(ConsentMark.id)).all():
        whose, to = mark.whose or mark.id, actors.by_id(session, mark.organisation_id).uri
        given(session, node, viewer, Given(old, to, mark.room_id, mark.until, (), whose))
        given(session, node, viewer, Given(new, to, mark.room_id, until, tuple(sorted(things_of(session, mark.id))), whose))


def withdrawn(session: Session, node: Node, viewer: Viewer, *consents: str) -> int:
    """Consents are withdrawn, in the unit that seals the entry that says so: nothing more is delivered on them, and whom they were for is
    asked to erase. How many recipients that were; again changes nothing."""
    mine = sa.and_(ConsentMark.uri.in_(consents), ConsentMark.ours, ConsentMark.state != WITHDRAWN)
    found = session.execute(sa.select(ConsentMark.id, ConsentMark.room_id, ConsentMark.uri).where(mine).order_by(ConsentMark.id)).all()
    session.execute(sa.update(ConsentMark).where(mine, ConsentMark.state == GIVEN).values(ended_at=node.now()))
    session.execute(sa.update(ConsentMark).where(ConsentMark.id.in_([one.id for one in found])).values(state=WITHDRAWN))
    for mark in found:
        _ended(session, node, mark.id)
        room_chain.add(session, node, mark.room_id, viewer, "consent.withdrawn", mark.uri)
    return len(found)


def end_by_day(session: Session, node: Node) -> None:
    """Ends what holds to a day that is over: with whoever gave it and, whether they are heard of or not, with whom it was given to."""
    over_by = sa.and_(ConsentMark.state == GIVEN, ConsentMark.until < today(node))
    due = sa.select(ConsentMark.id, ConsentMark.ours, ConsentMark.room_id, ConsentMark.uri).where(over_by)
    for row in session.execute(due.limit(AT_ONCE)).all():
        if row.ours:
            _set(session, row.id, state=ENDED, ended_at=node.now())
            _ended(session, node, row.id)
        else:
            stop(session, node, row.id, ENDED)
        room_chain.add(session, node, row.room_id, None, "consent.ended", row.uri)


def ask_again(session: Session, node: Node) -> None:
    """A chore: whoever has been asked to stop and has not confirmed it is asked once more, where no delivery is waiting for them: their
    node has taken it and says nothing, or it never came there."""
    waits = sa.exists().where(Delivery.activity_id == Activity.id, Delivery.state == WAITING, Activity.uri == ConsentMark.asked)
    open_ = sa.and_(ConsentMark.ours, ConsentMark.state != GIVEN, ConsentMark.stopped_at.is_(None), ConsentMark.asked != "", ~waits)
    query = sa.select(ConsentMark.id, ConsentMark.ended_at, Receipt.sent_at).join(Receipt, Receipt.activity_uri == ConsentMark.asked)
    due = sa.and_(open_, Receipt.sent_at <= node.now() - AGAIN, Receipt.sent_at * 2 <= node.now() + ConsentMark.ended_at)
    late = sa.and_(open_, Receipt.sent_at <= node.now() - DAY)
    for row in session.execute(query.where(sa.or_(due, late)).order_by(Receipt.sent_at).limit(AT_ONCE)).all():
        _ask(session, node, row.id)


def today(node: Node) -> str:
    """The day of now, by the clock of Greenwich."""
    return (EPOCH + timedelta(microseconds=node.now())).date().isoformat()


def is_delivered(session: Session, room: str) -> bool:
    """Whether a room of ours that was given as a whole is delivered still: it rests on a consent that holds."""
    return room not in _stopped(session, Room.uri == room, ours=True)


def is_shown(session: Session, room: str) -> bool:
    """Whether a room that came to us as a whole is shown: it rests on a consent that holds, or keepers keep it on a ground of our own."""
    return room not in _stopped(session, Room.uri == room, ours=False)


def all_hold(session: Session, room: str) -> bool:
    """Whether nothing that was given in a room of ours rests on a consent that has ended: who reads it here reads all of it, or nothing."""
    return not _stopped(session, Room.uri == room, ours=True)


def rooms_ended() -> sa.Select[str]:
    """The ids on the wire of rooms in which a consent of ours is over, whether another one carries on or not."""
    return sa.select(Room.uri).join(ConsentMark, ConsentMark.room_id == Room.id).where(ConsentMark.ours, ConsentMark.state != GIVEN)


def erased_whole() -> sa.Select[Any]:
    """The row ids of the rooms that came to us as a whole on consents that have ended, and that our keepers have erased."""
    named = sa.select(ConsentThing.mark_id).join(ConsentMark, ConsentMark.id == ConsentThing.mark_id)
    named = named.where(ConsentThing.uri == Room.uri, ~ConsentMark.ours).correlate(Room)
    return sa.select(Room.id).where(named.where(ConsentMark.answer == ERASED).exists(), ~named.where(ConsentMark.answer != ERASED).exists())


def held_back(session: Session, organisation_id: str) -> frozenset[str]:
    """What was given to a partner on consents that have ended, and goes there no more."""
    return _stopped(session, ConsentMark.organisation_id == organisation_id, ours=True)


def not_for(session: Session, room_id: str, thing: str) -> set[str]:
    """The partners (row ids) that something in a room does not go to: it was named on a consent of theirs that has ended."""
    found = _by_recipient(session, ConsentMark.room_id == room_id, ours=True)
    return {organisation_id for (organisation_id, _, room), grounds in found.items() if thing in resting.stopped(grounds, room)}


def stopped_in(session: Session, room_id: str) -> frozenset[str]:
    """The messages of a room that came to us on a consent which has ended: they are shown no more. Our own we see as before."""
    return _stopped(session, ConsentMark.room_id == room_id, ours=False)


def _stopped(session: Session, which: sa.ColumnElement[bool], *, ours: bool) -> frozenset[str]:
    found = _by_recipient(session, which, ours=ours)
    return frozenset(of for (_, _, room), grounds in found.items() for of in resting.stopped(grounds, room))


def ended_ids(session: Session, which: sa.ColumnElement[bool], *, ours: bool) -> frozenset[str]:
    """The marks on which something has ended: of the others that are over, each thing is carried by another of the same person."""
    return frozenset(of for grounds in _by_recipient(session, which, ours=ours).values() for of in resting.ended(grounds))


def _by_recipient(session: Session, which: sa.ColumnElement[bool], *, ours: bool) -> dict[tuple[str, str, str], list[Ground]]:
    """{(the other side, a room's row, its id): all that is given there}, of rooms where something has ended."""
    ended = sa.select(ConsentMark.room_id).join(Room, Room.id == ConsentMark.room_id).where(which, ConsentMark.state != GIVEN)
    rooms = session.scalars(ended.where(ConsentMark.ours == ours).distinct()).all()
    if not rooms:
        return {}
    columns = (ConsentMark.id, ConsentMark.whose, ConsentMark.state, ConsentMark.answer, ConsentMark.organisation_id, ConsentMark.room_id)
    query = sa.select(*columns, Room.uri.label("room"), ConsentThing.uri).join(Room, Room.id == ConsentMark.room_id)
    query = query.join(ConsentThing, ConsentThing.mark_id == ConsentMark.id).where(which, ConsentMark.ours == ours)
    marks: dict[str, tuple[Any, set[str]]] = {}
    for row in session.execute(query.where(ConsentMark.room_id.in_(rooms))):
        marks.setdefault(row.id, (row, set()))[1].add(row.uri)
    found: dict[tuple[str, str, str], list[Ground]] = {}
    for row, things in marks.values():
        ground = Ground(row.id, row.whose, row.state == GIVEN, row.answer == KEPT and not ours, frozenset(things))
        found.setdefault((row.organisation_id, row.room_id, row.room), []).append(ground)
    return found


def forget(session: Session, room_id: str) -> None:
    """The marks of a room that was never entered go with it."""
    mine = sa.select(ConsentMark.id).where(ConsentMark.room_id == room_id)
    session.execute(sa.delete(ConsentThing).where(ConsentThing.mark_id.in_(mine)))
    session.execute(sa.delete(ConsentMark).where(ConsentMark.room_id == room_id))


def note(session: Session, node: Node, said: Given, to: str, *, ours: bool, state: str = GIVEN) -> tuple[str, list[str], bool]:
    """The mark of a consent, made where there was none, with what was given on it; (its id, what was not named on it before, whether
    anything else about it is new). Whatever comes again, what has ended stays so. Raises Overfull."""
    there = sa.and_(ConsentMark.uri == said.consent, ConsentMark.organisation_id == to, ConsentMark.ours == ours)
    there = sa.and_(there, ConsentMark.room_id == said.room_id)  # the same consent opens each room that was handed over on it
    row = session.execute(sa.select(ConsentMark.id, ConsentMark.whose).where(there)).one_or_none()
    if row is None:
        mark_id, when = new_id(node.now()), None if state == GIVEN else node.now()
        what = dict(uri=said.consent, ours=ours, organisation_id=to, room_id=said.room_id, until=said.until, state=state, whose=said.whose)
        times = dict(at=node.now(), ended_at=when, stopped_at=None if ours else when)
        put(session, ConsentMark, id=mark_id, asked="", answer="", **what, **times)
    else:
        mark_id = row.id
        if said.whose and not row.whose:
            _set(session, mark_id, whose=said.whose)
    before = things_of(session, mark_id)
    fresh = sorted(set(said.things) - before)
    if len(before) + len(fresh) > MOST_NAMED:
        raise Overfull(num=MOST_NAMED)
    if fresh:
        put(session, ConsentThing, *(dict(mark_id=mark_id, uri=one) for one in fresh))
    return mark_id, fresh, row is None or bool(said.whose and not row.whose)


def _number(session: Session, mark_id: str) -> int:
    """How many things are named on a consent."""
    return session.execute(sa.select(sa.func.count()).select_from(ConsentThing).where(ConsentThing.mark_id == mark_id)).scalar_one()


def things_of(session: Session, mark_id: str) -> set[str]:
    """What was given on a consent."""
    return set(session.scalars(sa.select(ConsentThing.uri).where(ConsentThing.mark_id == mark_id)))


def room_of(session: Session, room_id: str) -> str:
    """A room's id on the wire."""
    return session.execute(sa.select(Room.uri).where(Room.id == room_id)).scalar_one()


def _set(session: Session, mark_id: str, **values: object) -> None:
    session.execute(sa.update(ConsentMark).where(ConsentMark.id == mark_id).values(**values))


def _ended(session: Session, node: Node, mark_id: str) -> None:
    """Ours has ended: what waits for the recipient and rests on no other is not sent, and it is asked to erase what it has."""
    row = session.execute(sa.select(ConsentMark.room_id, ConsentMark.organisation_id).where(ConsentMark.id == mark_id)).one()
    if row.organisation_id == actors.own(session, node).id:  # read here by guests, who end with it (flows/guests.py)
        _set(session, mark_id, stopped_at=node.now())
        wake(session, GUESTS)
        return
    here = sa.and_(ConsentMark.room_id == row.room_id, ConsentMark.organisation_id == row.organisation_id)
    _withhold(session, node, row.organisation_id, _stopped(session, here, ours=True), room_of(session, row.room_id))
    _ask(session, node, mark_id)


def _ask(session: Session, node: Node, mark_id: str) -> None:
    row = session.execute(sa.select(ConsentMark.__table__).where(ConsentMark.id == mark_id)).one()
    made = publish(session, node, "Undo", row.uri, room_of(session, row.room_id), row.organisation_id, {})
    to = actors.by_id(session, row.organisation_id)
    receipts.ask(session, node, made, row.uri, [(to.uri, to.name)])
    _set(session, mark_id, asked=made)


def _withhold(session: Session, node: Node, to: str, things: Iterable[str], room: str) -> None:
    """What has not come there is never sent: the messages given on it; of a room given as a whole all that was sealed in it."""
    about = set(things) - {room}
    if room in things:
        inside = sa.select(SealedMessage.uri).join(Room, Room.id == SealedMessage.room_id).where(Room.uri == room)
        about |= set(session.scalars(inside))
    mine = sa.select(Partner.id).where(Partner.organisation_id == to)
    activities = sa.select(Activity.id).where(Activity.object_uri.in_(about), Activity.type == "Create")
    waiting = sa.update(Delivery).where(Delivery.partner_id.in_(mine), Delivery.activity_id.in_(activities), Delivery.state.in_(NOT_THERE))
    session.execute(waiting.values(state="dropped", done_at=node.now(), error="the consent for it has ended"))


def stop(session: Session, node: Node, mark_id: str, state: str) -> None:
    """A partner's has ended: what rests on no other of the same person is not shown here from now on, and keepers are asked to erase it."""
    ended = sa.update(ConsentMark).where(ConsentMark.id == mark_id, ConsentMark.state == GIVEN)
    session.execute(ended.values(state=state, ended_at=node.now(), stopped_at=node.now()))
    lessened(session)
    room_id = session.execute(sa.select(ConsentMark.room_id).where(ConsentMark.id == mark_id)).scalar_one()
    if mark_id in ended_ids(session, ConsentMark.room_id == room_id, ours=False):
        wait(session, node, TO_ERASE, room_id)


def publish(session: Session, node: Node, kind: str, consent: str, room: str, to: str, said: dict[str, object]) -> str:
    """Our word on a consent, to the other side; the activity's id."""
    me, activity_id = actors.own(session, node), outbox.new_uri(node)
    obj = {"id": consent, "type": ap.CONSENT, "context": room, ap.SAID: said}
    outbox.publish(session, node, me.id, ap.activity(kind, activity_id, me.uri, obj), to=[to], order_key=room, about=consent)
    return activity_id
