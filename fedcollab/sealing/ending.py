"""Decides how a room ends for good: at once where it was asked for, and with it what the asking organisation wrote everywhere; what others
wrote stays with them for seven days, in which one of theirs may hold it, with a reason and a day (P21, P29)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import PARTNER
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, parse_iso
from fedcollab.base.errors import N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.base.statements import put
from fedcollab.federation import receipts

from . import carrying, holding, keeper_tasks, room_chain, rooms
from .ending_models import RoomEnding
from .room_models import ERASED, RoomPerson, SealedMessage
from .room_models import Room as Row
from .room_state import PURGED

WAITS = 7 * DAY
PURGE_ASKED = "purge_asked"  # a keeper's task: a room goes on a day unless somebody holds it
HOLDS = {
    "LegalHold": N_("An authority or a court has ordered that it is kept"),
    "OwnBasis": N_("We have a lawful basis of our own to keep it"),
    "Complaint": N_("A complaint or a review is going on"),
}
LONGEST = 366 * DAY  # of one hold; it lapses unless it is renewed


@dataclass(frozen=True)
class Ending:
    """How a room ends, in microseconds: asked by an organisation (its id), due, held until and why (a code of HOLDS, empty for not), gone
    since, and when no backup opens it any more."""

    room_id: str
    by: str
    asked_at: int
    due_at: int
    held_why: str
    held_until: int | None
    done_at: int | None

    @property
    def final_at(self) -> int | None:
        return None if self.done_at is None else self.done_at + carrying.FINAL


def of(session: Session, room_id: str) -> Ending | None:
    """A room's end; None where nobody has asked for it."""
    row = session.execute(_query().where(RoomEnding.room_id == room_id)).one_or_none()
    return None if row is None else Ending(*row)


def waiting(session: Session) -> list[Ending]:
    """The rooms that are to be gone and are not yet, the next first."""
    return [Ending(*row) for row in session.execute(_query().where(RoomEnding.done_at.is_(None)).order_by(RoomEnding.due_at))]


def gone(session: Session, most: int = 100, was_on: str | None = None) -> list[Ending]:
    """The rooms that are gone here, the last first; of those alone that this person of ours was on, where one is named."""
    query = _query().where(RoomEnding.done_at.is_not(None))
    if was_on is not None:
        query = query.where(RoomEnding.room_id.in_(sa.select(RoomPerson.room_id).where(RoomPerson.person_id == was_on)))
    return [Ending(*row) for row in session.execute(query.order_by(RoomEnding.done_at.desc()).limit(most))]


def _query() -> Any:
    columns = (RoomEnding.room_id, RoomEnding.by, RoomEnding.asked_at, RoomEnding.due_at, RoomEnding.held_why, RoomEnding.held_until)
    return sa.select(*columns, RoomEnding.done_at)


def ours(session: Session, node: Node, room_id: str) -> None:
    """We have ended a room of ours: it is gone here with this unit. Call it last, for what it destroys stays destroyed; where the commit
    fails after that, `finishing` ends it by what the key ring has noted."""
    _gone(session, node, room_id, node.actor_uri)


def gone_here(session: Session, node: Node, room_id: str) -> None:
    """The same of a room that others lead, where what had ended it is on its way once more and finds it gone."""
    audit.record(session, node.now(), None, "room.gone", room_id)
    _gone(session, node, room_id, rooms.by_id(session, room_id).owner)


def _gone(session: Session, node: Node, room_id: str, by: str) -> None:
    now = node.now()
    session.execute(sa.delete(RoomEnding).where(RoomEnding.room_id == room_id))
    put(
        session,
        RoomEnding,
        room_id=room_id,
        by=by,
        activity={},
        asked_at=now,
        due_at=now,
        held_why="",
        held_by=None,
        done_at=now,
    )
    _destroy(session, node, room_id)


def asked(session: Session, node: Node, room_id: str, by: str, activity: dict[str, Any]) -> None:
    """Whoever leads a room, or has led it, has ended it. What they wrote goes at once; where others wrote, the rest after seven days unless
    somebody of ours holds it. Asked again, by another one or by one that came out of a backup, neither the day nor a hold changes; what was
    answered is answered again."""
    now, there = node.now(), of(session, room_id)
    if there is not None and there.done_at is not None:
        _answer(session, node, room_id, by, activity)
        return
    rooms.erase_of(session, node, room_id, by)
    if there is not None:
        if by == there.by:
            _ask_again(session, node, there, activity)
        return
    left = sa.select(SealedMessage.id).where(SealedMessage.room_id == room_id, SealedMessage.state != ERASED)
    waits = session.execute(left).first() is not None
    row = dict(room_id=room_id, by=by, activity=activity, asked_at=now, due_at=now + WAITS * waits)
    put(session, RoomEnding, **row, held_why="", held_by=None, done_at=None)
    if waits:
        keeper_tasks.wait(session, node, PURGE_ASKED, room_id)
    else:
        _finish(session, node, room_id, by, activity)


def _ask_again(session: Session, node: Node, there: Ending, activity: dict[str, Any]) -> None:
    """Who has asked knows of none of our answers any more: they get them to their newest question."""
    newest = sa.update(RoomEnding).where(RoomEnding.room_id == there.room_id)
    session.execute(newest.values(activity=activity))
    if there.held_why:
        _refuse(session, node, there.room_id, there.by, activity, there.held_why)


def hold(session: Session, node: Node, viewer: Viewer, room_id: str, why: str, until: int) -> None:
    """Somebody on the room, or a keeper, keeps it until a day (microseconds), a year at most; whoever asked is told that it is refused
    here, by the reason's code. Raises NotFound, Refused."""
    found = _open(session, viewer, room_id)
    if why not in HOLDS:
        raise Refused(N_("Choose why it is kept."))
    if not node.now() < until <= node.now() + LONGEST:
        raise Refused(N_("Choose a day within the next year, by which somebody looks at this again."))
    held = sa.update(RoomEnding).where(RoomEnding.room_id == room_id)
    session.execute(held.values(held_why=why, held_by=viewer.person_id, held_until=until))
    _refuse(session, node, room_id, found.by, found.activity, why)
    keeper_tasks.over(session, node, PURGE_ASKED, room_id)
    room_chain.add(session, node, room_id, viewer, "room.hold")


def until(typed: str) -> int:
    """The end of a day as somebody typed it, in microseconds. Raises Refused."""
    found = parse_iso(f"{typed}T23:59:59Z")
    if found is None:
        raise Refused(N_("Choose the day by which somebody looks at this again."))
    return found


def lift(session: Session, node: Node, viewer: Viewer, room_id: str) -> None:
    """What was held is held no more: it goes when it was due, or now. Raises NotFound."""
    _open(session, viewer, room_id)
    free = sa.update(RoomEnding).where(RoomEnding.room_id == room_id)
    session.execute(free.values(held_why="", held_by=None, held_until=None))
    room_chain.add(session, node, room_id, viewer, "room.lift")


def end_due(session: Session, node: Node) -> None:
    """A chore: rooms whose time has come, one at a time, and whose hold has lapsed."""
    now = node.now()
    due = sa.select(RoomEnding.room_id, RoomEnding.by, RoomEnding.activity).where(RoomEnding.done_at.is_(None), RoomEnding.due_at <= now)
    due = due.where(sa.or_(RoomEnding.held_until.is_(None), RoomEnding.held_until <= now)).order_by(RoomEnding.due_at).limit(1)
    row = session.execute(due).one_or_none()
    if row is not None:
        _finish(session, node, row.room_id, row.by, row.activity)


def finish(session: Session, node: Node, room_id: str) -> None:
    """One that waits goes now: its keys are destroyed already."""
    row = session.execute(sa.select(RoomEnding.by, RoomEnding.activity).where(RoomEnding.room_id == room_id)).one()
    _finish(session, node, room_id, row.by, row.activity)


def _finish(session: Session, node: Node, room_id: str, by: str, activity: dict[str, object]) -> None:
    _answer(session, node, room_id, by, activity)
    session.execute(sa.update(RoomEnding).where(RoomEnding.room_id == room_id).values(done_at=node.now(), held_why="", held_until=None))
    keeper_tasks.over(session, node, PURGE_ASKED, room_id)
    audit.record(session, node.now(), None, "room.gone", room_id)
    _destroy(session, node, room_id)


def again(session: Session, node: Node, row: Mapping[str, Any]) -> None:
    """A room ends as it had before an older backup came back: it waits for its day, held or not, or is gone with this unit."""
    room_id = str(row["room_id"])
    session.execute(sa.delete(RoomEnding).where(RoomEnding.room_id == room_id))
    put(session, RoomEnding, **row)
    if row["done_at"] is None and not row["held_why"]:
        keeper_tasks.wait(session, node, PURGE_ASKED, room_id)
    if row["done_at"] is not None:
        keeper_tasks.over(session, node, PURGE_ASKED, room_id)
        audit.record(session, node.now(), None, "room.gone", room_id)
        _destroy(session, node, room_id)


def _answer(session: Session, node: Node, room_id: str, by: str, activity: dict[str, object]) -> None:
    asker = actors.by_uri(session, by)
    if asker is not None:
        receipts.answer(session, node, activity, to=asker.id, order_key=rooms.by_id(session, room_id).uri)


def _refuse(session: Session, node: Node, room_id: str, by: str, activity: dict[str, object], why: str) -> None:
    asker = actors.by_uri(session, by)
    if asker is not None and asker.known == PARTNER:
        receipts.refuse(session, node, activity, why, to=asker.id, order_key=rooms.by_id(session, room_id).uri)


def _destroy(session: Session, node: Node, room_id: str) -> None:
    on_it = sa.update(RoomPerson).where(RoomPerson.room_id == room_id, RoomPerson.until.is_(None))
    session.execute(on_it.values(until=node.now()))
    session.execute(sa.update(Row).where(Row.id == room_id).values(state=PURGED))
    rooms.purge(session, node, rooms.by_id(session, room_id).uri)


def _open(session: Session, viewer: Viewer, room_id: str) -> Any:
    """The end of a room that has not come yet. Raises NotFound for others than those on it and keepers."""
    asked_for = sa.select(RoomEnding.by, RoomEnding.activity).where(RoomEnding.room_id == room_id, RoomEnding.done_at.is_(None))
    found = session.execute(asked_for).one_or_none()
    if found is None or not holding.may_assign(session, room_id, viewer):
        raise NotFound
    return found
