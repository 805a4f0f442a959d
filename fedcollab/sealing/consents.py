"""Decides how a consent's end travels: at once, also while nobody is unlocked. What was given on it is delivered no more, the recipient's
node shows it no more and says so, and its keepers are asked to erase it.

What somebody agreed to is sealed in the case; here stand random ids, whom it is for, and until when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import EPOCH, new_id
from fedcollab.base.errors import N_, NotFound, Refused
from fedcollab.base.statements import put
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import outbox, receipts
from fedcollab.federation.models import NOT_THERE, Activity, Delivery, Partner

from . import room_chain, rooms
from .consent_models import ENDED, ERASED, GIVEN, KEPT, WITHDRAWN, ConsentMark, ConsentThing
from .keeper_tasks import over, wait
from .room_models import Room, SealedMessage

TO_ERASE = "erase"  # a keeper's task
MOST = 200  # things given on one consent
AT_ONCE = 50  # that one unit of the chore ends
CONFIRMED, KEPT_THERE, PENDING, NOT_ASKED = "confirmed", "refused", "pending", ""


class Stopped(Refused):
    text = N_("The consent for this was withdrawn, or has ended. Nothing of it is shown or delivered any more.")


@dataclass(frozen=True)
class Mark:
    """A consent as its clear half stands: `stopped_at` when the recipient's node has confirmed that it shows nothing of it any more."""

    id: str
    uri: str
    ours: bool
    organisation_id: str
    name: str
    room_id: str
    until: str
    state: str
    at: int
    ended_at: int | None
    stopped_at: int | None
    answer: str
    answered_at: int | None

    @property
    def receipt(self) -> str:
        """What the recipient has said to being asked to erase: confirmed, refused (kept on a ground of its own), pending; empty while the
        consent holds."""
        if self.state == GIVEN:
            return NOT_ASKED
        return {ERASED: CONFIRMED, KEPT: KEPT_THERE}.get(self.answer, PENDING)


@dataclass(frozen=True)
class Given:
    """A consent, by the id of its entry, on which a partner (by its id on the wire) gets `things` of ours until the end of the day `until`:
    the room itself, where it is theirs and ours alone, or messages of it, by their ids on the wire."""

    consent: str
    organisation: str
    room_id: str
    until: str
    things: tuple[str, ...]


def given(session: Session, node: Node, viewer: Viewer, said: Given) -> str:
    """Keeps a consent's clear half and tells it to the partner's node, so that it ends there by its day too. Said again it adds things. The
    mark's id. Of what people of an organisation without a node read on it here, the organisation is ours, and nobody is told. Raises
    NotFound where the organisation is not known here."""
    to = actors.by_uri(session, said.organisation)
    if to is None:
        raise NotFound
    mark_id = note(session, node, said.consent, to.id, said.room_id, said.until, list(said.things), ours=True)
    if said.organisation != node.actor_uri:
        told: dict[str, object] = {"until": said.until, "things": sorted(_things(session, mark_id))}
        _publish(session, node, "Create", said.consent, _room(session, said.room_id), to.id, told)
    room_chain.add(session, node, said.room_id, viewer, "consent.given", said.consent)
    return mark_id


def withdrawn(session: Session, node: Node, viewer: Viewer, consent: str) -> int:
    """A consent is withdrawn, in the unit that seals the entry that says so: nothing more is delivered on it, and whom it was for is asked
    to erase. How many recipients that were; again changes nothing."""
    mine = sa.select(ConsentMark.id, ConsentMark.room_id).where(ConsentMark.uri == consent, ConsentMark.ours, ConsentMark.state == GIVEN)
    found = session.execute(mine.order_by(ConsentMark.id)).all()
    for mark_id, room_id in found:
        _end(session, node, mark_id, WITHDRAWN)
        room_chain.add(session, node, room_id, viewer, "consent.withdrawn", consent)
    return len(found)


def end_by_day(session: Session, node: Node) -> None:
    """Ends what holds to a day that is over: with whoever gave it and, whether they are heard of or not, with whom it was given to."""
    over_by = sa.and_(ConsentMark.state == GIVEN, ConsentMark.until < today(node))
    due = sa.select(ConsentMark.id, ConsentMark.ours, ConsentMark.room_id, ConsentMark.uri).where(over_by)
    for row in session.execute(due.limit(AT_ONCE)).all():
        (_end if row.ours else stop)(session, node, row.id, ENDED)
        room_chain.add(session, node, row.room_id, None, "consent.ended", row.uri)


def today(node: Node) -> str:
    """The day of now, by the clock of Greenwich."""
    return (EPOCH + timedelta(microseconds=node.now())).date().isoformat()


def erase(session: Session, node: Node, viewer: Viewer, mark_id: str) -> None:
    """A keeper erases here what a partner's consent gave us, and it learns that. Raises NotFound."""
    mark = _to_answer(session, mark_id)
    uri = _room(session, mark.room_id)
    things = _things(session, mark_id)
    _answer(session, node, mark, ERASED)
    room_chain.add(session, node, mark.room_id, viewer, "consent.erased", mark.uri)
    for message_id in session.scalars(sa.select(SealedMessage.id).where(SealedMessage.uri.in_(things))).all():
        rooms.erase(session, node, message_id)
    if uri in things:
        rooms.purge(session, node, uri)


def keep(session: Session, node: Node, viewer: Viewer, mark_id: str) -> None:
    """A keeper keeps it on a ground of our own, which is theirs to write down; the partner learns that we do. Raises NotFound."""
    mark = _to_answer(session, mark_id)
    _answer(session, node, mark, KEPT)
    room_chain.add(session, node, mark.room_id, viewer, "consent.kept", mark.uri)


def is_delivered(session: Session, room: str) -> bool:
    """Whether a room of ours that was given as a whole is delivered still: no consent for it has ended."""
    return session.execute(_ended(room).where(ConsentMark.ours)).first() is None


def is_shown(session: Session, room: str) -> bool:
    """Whether a room that came to us as a whole is shown: no consent for it has ended, or our keepers keep it on a ground of our own."""
    return session.execute(_ended(room).where(~ConsentMark.ours, ConsentMark.answer != KEPT)).first() is None


def _ended(thing: str) -> sa.Select[Any]:
    query = sa.select(ConsentThing.uri).join(ConsentMark, ConsentMark.id == ConsentThing.mark_id)
    return query.where(ConsentThing.uri == thing, ConsentMark.state != GIVEN)


def ended_here() -> sa.Select[Any]:
    """What we have given on consents that have ended."""
    query = sa.select(ConsentThing.uri).join(ConsentMark, ConsentMark.id == ConsentThing.mark_id)
    return query.where(ConsentMark.ours, ConsentMark.state != GIVEN)


def erased_whole() -> sa.Select[Any]:
    """The row ids of the rooms that came to us as a whole on a consent that has ended, and that our keepers have erased."""
    query = sa.select(Room.id).join(ConsentThing, ConsentThing.uri == Room.uri).join(ConsentMark, ConsentMark.id == ConsentThing.mark_id)
    return query.where(~ConsentMark.ours, ConsentMark.answer == ERASED)


def held_back(session: Session, organisation_id: str) -> set[str]:
    """What was given to a partner on consents that have ended, and goes there no more."""
    query = sa.select(ConsentThing.uri).join(ConsentMark, ConsentMark.id == ConsentThing.mark_id)
    ended = sa.and_(ConsentMark.organisation_id == organisation_id, ConsentMark.ours, ConsentMark.state != GIVEN)
    return set(session.scalars(query.where(ended)))


def stopped_in(session: Session, room_id: str) -> set[str]:
    """The messages of a room that came to us on a consent which has ended: they are shown no more. Our own we see as before."""
    query = sa.select(ConsentThing.uri).join(ConsentMark, ConsentMark.id == ConsentThing.mark_id)
    ended = sa.and_(ConsentMark.room_id == room_id, ~ConsentMark.ours, ConsentMark.state != GIVEN, ConsentMark.answer != KEPT)
    return set(session.scalars(query.where(ended)))


def forget(session: Session, room_id: str) -> None:
    """The marks of a room that was never entered go with it."""
    mine = sa.select(ConsentMark.id).where(ConsentMark.room_id == room_id)
    session.execute(sa.delete(ConsentThing).where(ConsentThing.mark_id.in_(mine)))
    session.execute(sa.delete(ConsentMark).where(ConsentMark.room_id == room_id))


def of_entries(session: Session, uris: Iterable[str]) -> dict[str, list[Mark]]:
    """{id of a consent's entry: what became of it at each recipient} of those that we have given something on, and that have a node."""
    found: dict[str, list[Mark]] = {}
    for mark in _marks(session, sa.and_(ConsentMark.uri.in_(list(uris)), ConsentMark.ours, Actor.known != OWN)):
        found.setdefault(mark.uri, []).append(mark)
    return found


def to_erase(session: Session) -> list[Mark]:
    """What partners have asked us to erase and no keeper has answered, oldest first."""
    open_ = sa.and_(~ConsentMark.ours, ConsentMark.state != GIVEN, ConsentMark.answer == "")
    return _marks(session, open_)[::-1]


def _marks(session: Session, which: sa.ColumnElement[bool]) -> list[Mark]:
    names = tuple(name for name in Mark.__dataclass_fields__ if name != "name")
    columns = [getattr(ConsentMark, name) for name in names]
    query = sa.select(*columns, Actor.name).join(Actor, Actor.id == ConsentMark.organisation_id)
    return [Mark(**row._mapping) for row in session.execute(query.where(which).order_by(ConsentMark.at.desc(), ConsentMark.id.desc()))]


def note(session: Session, node: Node, uri: str, to: str, room_id: str, until: str, things: list[str], *, ours: bool) -> str:
    """The mark of a consent, made where there was none, with what was given on it; its id."""
    there = sa.select(ConsentMark.id).where(ConsentMark.uri == uri, ConsentMark.organisation_id == to, ConsentMark.ours == ours)
    mark_id = session.execute(there).scalar()
    if mark_id is None:
        mark_id = new_id(node.now())
        what = dict(uri=uri, ours=ours, organisation_id=to, room_id=room_id, until=until, state=GIVEN, asked="", answer="", at=node.now())
        put(session, ConsentMark, id=mark_id, **what)
    fresh = sorted(set(things) - _things(session, mark_id))
    if fresh:
        put(session, ConsentThing, *(dict(mark_id=mark_id, uri=one) for one in fresh))
    return mark_id


def _things(session: Session, mark_id: str) -> set[str]:
    return set(session.scalars(sa.select(ConsentThing.uri).where(ConsentThing.mark_id == mark_id)))


def _room(session: Session, room_id: str) -> str:
    return session.execute(sa.select(Room.uri).where(Room.id == room_id)).scalar_one()


def _end(session: Session, node: Node, mark_id: str, state: str) -> None:
    """Ours has ended: what waits for the recipient is not sent, and it is asked to erase what it has."""
    row = session.execute(sa.select(ConsentMark.__table__).where(ConsentMark.id == mark_id)).one()
    to, room, uri = row.organisation_id, _room(session, row.room_id), row.uri
    ended = sa.update(ConsentMark).where(ConsentMark.id == mark_id)
    if to == actors.own(session, node).id:  # read here by guests: whoever has let them in ends that
        session.execute(ended.values(state=state, ended_at=node.now(), stopped_at=node.now()))
        return
    _withhold(session, node, to, _things(session, mark_id), room)
    made = _publish(session, node, "Undo", uri, room, to, {})
    name = actors.by_id(session, to)
    receipts.ask(session, node, made, uri, [(name.uri, name.name)])
    session.execute(ended.values(state=state, ended_at=node.now(), asked=made))


def _withhold(session: Session, node: Node, to: str, things: set[str], room: str) -> None:
    """What has not come there is never sent: the messages given on it; of a room given as a whole all that was sealed in it."""
    about = things - {room}
    if room in things:
        inside = sa.select(SealedMessage.uri).join(Room, Room.id == SealedMessage.room_id).where(Room.uri == room)
        about |= set(session.scalars(inside))
    mine = sa.select(Partner.id).where(Partner.organisation_id == to)
    activities = sa.select(Activity.id).where(Activity.object_uri.in_(about), Activity.type == "Create")
    waiting = sa.update(Delivery).where(Delivery.partner_id.in_(mine), Delivery.activity_id.in_(activities), Delivery.state.in_(NOT_THERE))
    session.execute(waiting.values(state="dropped", done_at=node.now(), error="the consent for it has ended"))


def stop(session: Session, node: Node, mark_id: str, state: str) -> None:
    """A partner's has ended: nothing of it is shown here from now on, and keepers are asked to erase it."""
    ended = sa.update(ConsentMark).where(ConsentMark.id == mark_id, ConsentMark.state == GIVEN)
    session.execute(ended.values(state=state, ended_at=node.now(), stopped_at=node.now()))
    wait(session, node, TO_ERASE, session.execute(sa.select(ConsentMark.room_id).where(ConsentMark.id == mark_id)).scalar_one())


def _publish(session: Session, node: Node, kind: str, consent: str, room: str, to: str, said: dict[str, object]) -> str:
    me, activity_id = actors.own(session, node), outbox.new_uri(node)
    obj = {"id": consent, "type": ap.CONSENT, "context": room, ap.SAID: said}
    outbox.publish(session, node, me.id, ap.activity(kind, activity_id, me.uri, obj), to=[to], order_key=room, about=consent)
    return activity_id


def _to_answer(session: Session, mark_id: str) -> Mark:
    found = [mark for mark in to_erase(session) if mark.id == mark_id]
    if not found:
        raise NotFound
    return found[0]


def _answer(session: Session, node: Node, mark: Mark, answer: str) -> None:
    there = sa.update(ConsentMark).where(ConsentMark.id == mark.id)
    session.execute(there.values(answer=answer, answered_at=node.now()))
    if not any(one.room_id == mark.room_id for one in to_erase(session)):
        over(session, node, TO_ERASE, mark.room_id)
    _publish(session, node, "Update", mark.uri, _room(session, mark.room_id), mark.organisation_id, {"answer": answer})
