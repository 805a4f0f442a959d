"""Decides what people see of how a consent stands at each recipient, and what keepers do when a partner's has ended: erase what it gave us,
or keep it on a ground of our own."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.federation.models import DONE, Activity, Delivery, Partner, Receipt

from . import consents, resting, room_chain, rooms
from .consent_models import ERASED, GIVEN, KEPT, ConsentMark
from .consents import TO_ERASE, publish, room_of
from .keeper_tasks import over
from .resting import Ground
from .room_models import SealedMessage

CONFIRMED, KEPT_THERE, PENDING, CARRIED, NOT_ASKED = "confirmed", "refused", "pending", "carried", ""


@dataclass(frozen=True)
class Asking:
    """How a recipient was asked to stop: when last, how often, whether that came to its node, and when that was last reached."""

    last: int
    times: int
    came: bool
    reached_at: int | None


@dataclass(frozen=True)
class Mark:
    """A consent as its clear half stands: `stopped_at` when the recipient's node has confirmed that it shows nothing of it any more;
    `carried` where nothing stops with it, for other consents of the same person name it too."""

    id: str
    uri: str
    ours: bool
    organisation_id: str
    name: str
    host: str
    room_id: str
    until: str
    whose: str
    state: str
    at: int
    ended_at: int | None
    stopped_at: int | None
    answer: str
    answered_at: int | None
    carried: bool = False
    asking: Asking | None = field(default=None)

    @property
    def receipt(self) -> str:
        """What the recipient has said to being asked to erase: confirmed, refused (kept on a ground of its own), pending; carried where
        there is nothing to erase; empty while the consent holds."""
        if self.state == GIVEN:
            return NOT_ASKED
        said = {ERASED: CONFIRMED, KEPT: KEPT_THERE}.get(self.answer, PENDING)
        return CARRIED if self.carried and said == PENDING else said


@dataclass(frozen=True)
class Effect:
    """What a withdrawal would do at one recipient: whether all that was handed over closes, how many entries of ours stop, how many go on
    on another consent of the same person."""

    name: str
    whole: bool
    stops: int
    goes_on: int
    guests: bool = False  # who reads it here, for an organisation without a node


def of_entries(session: Session, uris: Iterable[str]) -> dict[str, list[Mark]]:
    """{id of a consent's entry: what became of it at each recipient} of those that we have given something on, and that have a node."""
    mine, found = sa.and_(ConsentMark.uri.in_(list(uris)), ConsentMark.ours), dict[str, list[Mark]]()
    rooms_of = sa.select(ConsentMark.room_id).where(mine)
    ended = consents.ended_ids(session, ConsentMark.room_id.in_(rooms_of), ours=True)
    asked = _asking(session, mine)
    for row in _rows(session, sa.and_(mine, Actor.known != OWN)):
        mark = Mark(**row._mapping, carried=row.state != GIVEN and row.id not in ended, asking=asked.get(row.id))
        found.setdefault(mark.uri, []).append(mark)
    return found


def effects(session: Session, uris: Iterable[str]) -> list[Effect]:
    """What follows of the withdrawal of consents, by these entries, at each recipient."""
    names = list(uris)
    columns = (ConsentMark.room_id, ConsentMark.organisation_id, Actor.name, Actor.known)
    there = sa.select(*columns).join(Actor, Actor.id == ConsentMark.organisation_id)
    found: dict[str, Effect] = {}
    for row in session.execute(there.where(ConsentMark.uri.in_(names), ConsentMark.ours).distinct().order_by(Actor.name)).all():
        room, before, after = room_of(session, row.room_id), list[Ground](), list[Ground]()
        marks = sa.and_(ConsentMark.room_id == row.room_id, ConsentMark.organisation_id == row.organisation_id, ConsentMark.ours)
        about = set[str]()
        for mark in session.execute(sa.select(ConsentMark.id, ConsentMark.uri, ConsentMark.whose, ConsentMark.state).where(marks)).all():
            things = frozenset(consents.things_of(session, mark.id))
            about |= things if mark.uri in names else set()
            before.append(Ground(mark.id, mark.whose, mark.state == GIVEN, kept=False, things=things))
            after.append(Ground(mark.id, mark.whose, mark.state == GIVEN and mark.uri not in names, kept=False, things=things))
        was, stopped = resting.stopped(before, room), resting.stopped(after, room)
        whole = room in stopped and room not in was
        last = found.get(row.organisation_id, Effect(row.name, whole=False, stops=0, goes_on=0))
        stops, goes_on = len(stopped - was - {room}), len(about - stopped - {room})
        sums = (last.whole or whole, last.stops + stops, last.goes_on + goes_on)
        found[row.organisation_id] = Effect(row.name, *sums, guests=row.known == OWN)
    return list(found.values())


def to_erase(session: Session) -> list[Mark]:
    """What partners have asked us to erase and no keeper has answered, oldest first; one for each person of a room."""
    found: dict[tuple[str, str, str], Mark] = {}
    for mark in _open(session):
        found[mark.organisation_id, mark.room_id, mark.whose or mark.id] = mark
    return list(found.values())


def _open(session: Session) -> list[Mark]:
    open_ = sa.and_(~ConsentMark.ours, ConsentMark.state != GIVEN, ConsentMark.answer == "")
    rooms_of = sa.select(ConsentMark.room_id).where(open_)
    ended = consents.ended_ids(session, ConsentMark.room_id.in_(rooms_of), ours=False)
    return [Mark(**row._mapping) for row in _rows(session, open_) if row.id in ended][::-1]


def erase(session: Session, node: Node, viewer: Viewer, mark_id: str) -> None:
    """A keeper erases here what a partner's consents of one person gave us and none carries, and it learns that. Raises NotFound."""
    marks = _to_answer(session, mark_id)
    room_id, uri = marks[0].room_id, room_of(session, marks[0].room_id)
    stopped = consents.stopped_in(session, room_id)
    things = {of for mark in marks for of in consents.things_of(session, mark.id) if of in stopped}
    _answer(session, node, viewer, marks, ERASED, "consent.erased")
    for message_id in session.scalars(sa.select(SealedMessage.id).where(SealedMessage.uri.in_(things))).all():
        rooms.erase(session, node, message_id)
    if uri in things:
        rooms.purge(session, node, uri)


def keep(session: Session, node: Node, viewer: Viewer, mark_id: str) -> None:
    """A keeper keeps it on a ground of our own, which is theirs to write down; the partner learns that we do. Raises NotFound."""
    _answer(session, node, viewer, _to_answer(session, mark_id), KEPT, "consent.kept")


def _to_answer(session: Session, mark_id: str) -> list[Mark]:
    """All of that person's in that room, for they are answered together."""
    there = _open(session)
    found = next((mark for mark in there if mark.id == mark_id), None)
    if found is None:
        raise NotFound
    same = (found.organisation_id, found.room_id, found.whose)
    return [mark for mark in there if mark.id == mark_id or (found.whose and (mark.organisation_id, mark.room_id, mark.whose) == same)]


def _answer(session: Session, node: Node, viewer: Viewer, marks: list[Mark], answer: str, act: str) -> None:
    for mark in marks:
        there = sa.update(ConsentMark).where(ConsentMark.id == mark.id)
        session.execute(there.values(answer=answer, answered_at=node.now()))
        publish(session, node, "Update", mark.uri, room_of(session, mark.room_id), mark.organisation_id, {"answer": answer})
        room_chain.add(session, node, mark.room_id, viewer, act, mark.uri)
    if not any(one.room_id == marks[0].room_id for one in _open(session)):
        over(session, node, TO_ERASE, marks[0].room_id)


def _rows(session: Session, which: sa.ColumnElement[bool]) -> list[Any]:
    names = ("id", "uri", "ours", "organisation_id", "room_id", "until", "whose", "state", "at", "ended_at", "stopped_at", "answer")
    columns = [getattr(ConsentMark, name) for name in (*names, "answered_at")]
    query = sa.select(*columns, Actor.name, Actor.host).join(Actor, Actor.id == ConsentMark.organisation_id)
    return list(session.execute(query.where(which).order_by(ConsentMark.at.desc(), ConsentMark.id.desc())))


def _asking(session: Session, which: sa.ColumnElement[bool]) -> dict[str, Asking]:
    """{mark: how its recipient was asked to stop}."""
    same = sa.and_(Receipt.object_uri == ConsentMark.uri, Receipt.organisation_uri == Actor.uri)
    query = sa.select(ConsentMark.id, sa.func.max(Receipt.sent_at).label("last"), sa.func.count().label("times"))
    query = query.join(Actor, Actor.id == ConsentMark.organisation_id).join(Receipt, same).where(which).group_by(ConsentMark.id)
    asked = {row.id: row for row in session.execute(query)}
    came = sa.select(ConsentMark.id, Delivery.state, Partner.last_success_at)
    came = came.join(Partner, Partner.organisation_id == ConsentMark.organisation_id).outerjoin(Activity, Activity.uri == ConsentMark.asked)
    came = came.outerjoin(Delivery, sa.and_(Delivery.activity_id == Activity.id, Delivery.partner_id == Partner.id)).where(which)
    nodes = {row.id: row for row in session.execute(came)}
    return {
        of: Asking(row.last, row.times, of in nodes and nodes[of].state == DONE, nodes[of].last_success_at if of in nodes else None)
        for of, row in asked.items()
    }
