"""Decides what waits for keepers, in plain words with the one act each, and what that act does."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcollab.access.models import RED
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import OWN, PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.base.errors import BadRequest, Conflict, N_
from fedcollab.base.session import Session
from fedcollab.sealing import comparing, holding, keeper_tasks, mending, organisation, recovery, room_chain, rooms, shut_boxes, working
from fedcollab.sealing.keeper_tasks import (
    BACKED,
    BOX_SHUT,
    BOX_TO_MAKE,
    FROZEN,
    INVITED,
    KEY_MISSING,
    NOBODY,
    REFUSED_KEY,
    TO_HAND,
)
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.room_models import CASE

Keys = list[PersonPrivate]
DONE_MEANWHILE = N_("This has been done meanwhile, or has come by itself.")
CHOOSE = N_("Choose who is to be on it.")
NEED_KEYS = (BOX_TO_MAKE, TO_HAND, NOBODY)  # what the organisation's key is needed for
FIRST = (FROZEN, NOBODY, BACKED, TO_HAND, BOX_TO_MAKE)  # of what waits: what keeps others from working


@dataclass(frozen=True)
class Named:
    """Somebody as a page names them: an organisation or a person, and where they are."""

    uri: str
    name: str
    host: str


@dataclass(frozen=True)
class Place:
    """The room that a task is about, as far as keepers know it without opening it: no word of it is readable here."""

    id: str
    kind: str
    label: str
    led_by: Named
    since: int
    ours: tuple[str, ...]

    @property
    def is_case(self) -> bool:
        return self.kind == CASE

    @property
    def by_name(self) -> bool:
        """Whether people are inside by name, and keepers cannot open it."""
        return self.label == RED


@dataclass(frozen=True)
class Waits:
    """One task: its kind, the room or person it is about, since when."""

    id: str
    kind: str
    at: int
    place: Place | None
    name: str
    rooms: int = 0


@dataclass(frozen=True)
class Shown:
    """All that waits; `holds` whether whoever looks can open the organisation's key, without which some of it is not theirs to do; `people`
    who can be put on a room; how many wait to be let in, and how many of partners' people have other keys."""

    tasks: list[Waits]
    holds: bool
    people: list[tuple[str, str]]
    let_in: int
    changed: int


def look(session: Session, node: Node, viewer: Viewer) -> Shown:
    """What waits for a keeper, what keeps others from working first."""
    tasks = [found for task in keeper_tasks.waiting(session) if (found := _waits(session, node, task)) is not None]
    return Shown(
        tasks=sorted(tasks, key=lambda one: (FIRST.index(one.kind) if one.kind in FIRST else len(FIRST), one.at)),
        holds=viewer.person_id in organisation.holders(session),
        people=_people(session),
        let_in=recovery.how_many_wait(session, node) or 0,
        changed=len(comparing.changed(session)),
    )


def _waits(session: Session, node: Node, task: keeper_tasks.Task) -> Waits | None:
    """None for what colleagues have made good by opening their rooms."""
    place = place_of(session, task.room_id) if task.room_id else None
    name = session.scalar(sa.select(Actor.name).where(Actor.id == task.person_id)) if task.person_id else ""
    rooms_left = len(mending.lacking(session, node, task.person_id)) if task.kind == TO_HAND and task.person_id else 0
    if task.kind == TO_HAND and not rooms_left:
        return None
    return Waits(task.id, task.kind, task.at, place, name or "", rooms_left)


def _people(session: Session) -> list[tuple[str, str]]:
    query = sa.select(Actor.id, Actor.name).where(Actor.known == OWN, Actor.kind == PERSON, Actor.disabled_at.is_(None))
    return [(row.id, row.name) for row in session.execute(query.order_by(Actor.name, Actor.id))]


def place_of(session: Session, room_id: str) -> Place:
    """What keepers see of a room."""
    row = rooms.by_id(session, room_id)
    ours = tuple(one.name for one in holding.assigned(session, room_id))
    return Place(row.id, row.kind, row.label, names(session, [row.owner])[row.owner], row.created_at, ours)


def names(session: Session, uris: Iterable[str]) -> dict[str, Named]:
    """{id on the wire: as it is named}; who is not known here by their address."""
    wanted = set(uris)
    rows = session.execute(sa.select(Actor.uri, Actor.name, Actor.host).where(Actor.uri.in_(wanted))).all()
    known = {row.uri: Named(row.uri, row.name, row.host) for row in rows}
    return {uri: known.get(uri) or Named(uri, uri, uri.partition("://")[2].partition("/")[0]) for uri in wanted}


def kind_of(session: Session, task_id: str) -> str:
    """What kind an open task is of. Raises Conflict where it has been done."""
    return _open(session, task_id).kind


def do(session: Session, node: Node, viewer: Viewer, keys: Keys, task_id: str, person_id: str = "") -> bool:
    """The act of a task, or a part of it: True where more of it is left. `keys` are the keeper's, unlocked, where it needs them
    (NEED_KEYS). Raises Conflict where it has been done."""
    task = _open(session, task_id)
    return bool(ACTS.get(task.kind, _seen)(session, node, viewer, keys, task, person_id))


def _open(session: Session, task_id: str) -> keeper_tasks.Task:
    found = next((task for task in keeper_tasks.waiting(session) if task.id == task_id), None)
    if found is None:
        raise Conflict(DONE_MEANWHILE)
    return found


def _make_box(session: Session, node: Node, viewer: Viewer, keys: Keys, task: keeper_tasks.Task, _: str) -> None:
    working.settle_as_keeper(session, node, viewer, keys, str(task.room_id))


def _ask_now(session: Session, node: Node, viewer: Viewer, _keys: Keys, task: keeper_tasks.Task, _: str) -> None:
    shut_boxes.ask_now(session, node, str(task.room_id))
    room_chain.add(session, node, str(task.room_id), viewer, "room.ask_again")


def _hand(session: Session, node: Node, viewer: Viewer, keys: Keys, task: keeper_tasks.Task, _: str) -> bool:
    return mending.hand_some(session, node, viewer, keys, str(task.person_id))


def _assign(session: Session, node: Node, viewer: Viewer, keys: Keys, task: keeper_tasks.Task, person_id: str) -> None:
    room_id = str(task.room_id)
    if rooms.by_id(session, room_id).label == RED:
        _seen(session, node, viewer, keys, task, "")
        return
    if not person_id:
        raise BadRequest(CHOOSE)
    holding.assign(session, node, viewer, keys, room_id, person_id)


def _seen(session: Session, node: Node, viewer: Viewer, _keys: Keys, task: keeper_tasks.Task, _: str) -> None:
    keeper_tasks.done(session, node, viewer, task.id)


ACTS: dict[str, Callable[..., Any]] = {
    BOX_TO_MAKE: _make_box,
    KEY_MISSING: _ask_now,
    BOX_SHUT: _ask_now,
    TO_HAND: _hand,
    NOBODY: _assign,
    REFUSED_KEY: _seen,
    INVITED: _seen,
}
