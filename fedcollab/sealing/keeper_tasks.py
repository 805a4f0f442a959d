"""Decides what waits for a keeper: each thing once, until somebody has done it."""

from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.base.statements import put

from .room_models import KeeperTask

BOX_TO_MAKE, KEY_MISSING = "box_to_make", "key_missing"  # a member has asked for a box that nobody has made; ours has not come
NOBODY, FROZEN, INVITED = "nobody", "frozen", "invited"  # nobody of us is on a room; two lists claim one place in it; we are asked inside
OWNER_AWAY, BACKED, TAKEN = "owner_away", "backed", "taken"  # who leads does not answer; we may take over; a deputy of ours has
REFUSED_KEY, TO_HAND = "refused_key", "to_hand"  # a case key does not count; a person let in again lacks keys of their rooms
BOX_SHUT = "box_shut"  # all have given us boxes of a case key that do not open


@dataclass(frozen=True)
class Task:
    """One that is open: since when, and of which room or person."""

    id: str
    kind: str
    room_id: str | None
    person_id: str | None
    at: int


def wait(session: Session, node: Node, kind: str, room_id: str | None = None, person_id: str | None = None) -> None:
    """Something waits for a keeper; what waits already is not said again."""
    if not is_waiting(session, kind, room_id, person_id):
        put(session, KeeperTask, id=new_id(node.now()), kind=kind, room_id=room_id, person_id=person_id, at=node.now())


def is_waiting(session: Session, kind: str, room_id: str | None = None, person_id: str | None = None) -> bool:
    """Whether it waits already."""
    same = sa.and_(KeeperTask.kind == kind, KeeperTask.room_id == room_id, KeeperTask.person_id == person_id)
    return session.execute(sa.select(KeeperTask.id).where(same, KeeperTask.done_at.is_(None))).first() is not None


def waiting(session: Session) -> list[Task]:
    """All that is open, oldest first."""
    columns = (KeeperTask.id, KeeperTask.kind, KeeperTask.room_id, KeeperTask.person_id, KeeperTask.at)
    return [Task(*row) for row in session.execute(sa.select(*columns).where(KeeperTask.done_at.is_(None)).order_by(KeeperTask.at))]


def done(session: Session, node: Node, viewer: Viewer, task_id: str) -> None:
    """A keeper has done it. Raises NotFound where it is done, or none."""
    there = sa.update(KeeperTask).where(KeeperTask.id == task_id, KeeperTask.done_at.is_(None))
    if session.execute(there.values(done_at=node.now(), done_by=viewer.person_id).returning(KeeperTask.id)).first() is None:
        raise NotFound
    audit.record(session, node.now(), viewer, "keeper.done", task_id)


def over_person(session: Session, node: Node, kind: str, person_id: str) -> None:
    """The same of what was waited for because of a person."""
    there = sa.and_(KeeperTask.kind == kind, KeeperTask.person_id == person_id, KeeperTask.done_at.is_(None))
    session.execute(sa.update(KeeperTask).where(there).values(done_at=node.now()))


def over(session: Session, node: Node, kind: str, room_id: str) -> None:
    """What was waited for has come by itself."""
    there = sa.and_(KeeperTask.kind == kind, KeeperTask.room_id == room_id, KeeperTask.done_at.is_(None))
    session.execute(sa.update(KeeperTask).where(there).values(done_at=node.now()))
