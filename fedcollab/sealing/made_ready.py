"""Decides how something is done in a sealed room without holding up whoever else writes: a reader opens the room and makes the act ready;
the writer makes sure that what that rests on still stands, and carries it out. Where it does not stand, all of it is done once more.

An act is a plan: a function of the open room that changes nothing, and answers with what is to be written."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.base.database import Database
from fedcollab.base.errors import Conflict
from fedcollab.base.session import Session

from . import consents, crossing, holding, people
from .holding import Assigned
from .room_models import ERASED, WAITS, MemberKey, Room, RoomFact, RoomKey, SealedMessage

Found = TypeVar("Found")
Write = Callable[[Session], Any]
Plan = Callable[..., Write]  # of (session, node, open room, unlocked keys, ...)
Looks = Callable[[Session], tuple[Any, ...]]  # what something rests on now
TRIES = 3


class Moved(Conflict):
    """What an act rests on is no longer so. Nobody is shown this: the act is made ready once more."""


@dataclass(frozen=True, repr=False)
class Ready(Generic[Found]):
    """An act as a reader has made it ready: the room as it was `found`, what that `rests` on and how it `stood`, what is `due` whenever the
    room is opened (it answers the room with that done), and the act."""

    found: Found
    rests: Looks
    stood: tuple[Any, ...]
    due: Callable[[Session], Found]
    write: Write

    def stands(self, session: Session) -> bool:
        """Whether all that the act rests on is as it was."""
        return self.stood == self.rests(session)


Make = Callable[[Session, Found | None], Ready[Found]]  # of what the same person had before them the time before


def carry_out(session: Session, made: Ready[Any]) -> Any:
    """Writes what was made ready. Raises Moved where it has to be made ready again, and what the act raises."""
    if not made.stands(session):
        raise Moved
    return in_full(session, made)


def in_full(session: Session, made: Ready[Any]) -> Any:
    """The same for what was made ready in the writing unit itself."""
    made.due(session)
    return made.write(session)


async def acted(database: Database, make: Callable[[Found | None], Awaitable[Ready[Found]]], here: Make[Found]) -> Any:
    """What an act answers. `make` has it made ready by a reader; the last time it is done `here`, in the writing unit, so that a room into
    which much is coming at once keeps nobody from acting."""
    before: Found | None = None
    for _ in range(TRIES - 1):
        made = await make(before)
        try:
            return await database.write(carry_out, made)
        except Moved:
            before = made.found
    return await database.write(lambda session: in_full(session, here(session, before)))


async def looked(
    database: Database, make: Callable[[Found | None], Awaitable[Ready[Found]]], note: Callable[[Session, Ready[Found], bool], Any]
) -> Any:
    """What a look at a room answers: `note` puts on record what was read, of what was made ready, and whether it is the last time; it
    raises Moved where there was more meanwhile, but the last time: then what is due is left to the next look."""
    before: Found | None = None
    for left in reversed(range(TRIES)):
        made = await make(before)
        try:
            return await database.write(note, made, not left)
        except Moved:
            before = made.found
    raise AssertionError


class Rests(NamedTuple):
    """What a room before somebody rests on: their own key, what consents have ended for, how many messages are erased; then what can but
    add to it, or shuts all of it: whether they have locked their access, the room, who of us is on it, and how much came."""

    key: str
    stopped: frozenset[str]
    erased: int
    locked: bool
    room: tuple[str, ...]
    on_it: tuple[Assigned, ...]
    last: str | None
    messages: int
    waiting: int
    facts: int
    keys: int
    member_keys: int

    def allows(self, before: "Rests") -> bool:
        """Whether all that was read `before` may still be read: things have come at most, none was taken away."""
        return not self.locked and self[:3] == before[:3]


def rests(session: Session, viewer: Viewer, room_id: str) -> Rests:
    """What a room rests on now, in a few numbers: each of them differs once something has come or gone."""
    key, stopped = people.current(session, viewer.person_id), consents.stopped_in(session, room_id)
    room = session.execute(sa.select(Room.state, Room.owner, Room.ck).where(Room.id == room_id)).one_or_none()
    counts = session.execute(_counts(room_id)).one()
    locked, on_it = crossing.is_locked(session, viewer.person_id), tuple(holding.assigned(session, room_id))
    return Rests(key.kid if key else "", stopped, counts.erased, locked, tuple(room or ()), on_it, *counts[1:])


def _counts(room_id: str) -> sa.Select[Any]:
    def number(model: Any, *which: Any) -> Any:
        return sa.select(sa.func.count()).select_from(model).where(model.room_id == room_id, *which).scalar_subquery()

    last = sa.select(sa.func.max(SealedMessage.id)).where(SealedMessage.room_id == room_id).scalar_subquery()
    erased, waiting = (number(SealedMessage, SealedMessage.state == state) for state in (ERASED, WAITS))  # counted in an index
    return sa.select(erased.label("erased"), last, number(SealedMessage), waiting, number(RoomFact), number(RoomKey), number(MemberKey))
