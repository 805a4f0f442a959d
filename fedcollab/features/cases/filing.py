"""Decides what is known of a case's files, for one person: what each is called where they may know it, whether its bytes are here, and why
not; and which act is open on it."""

from dataclasses import dataclass
from typing import Any

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import BadRequest, NotFound
from fedcollab.base.session import Session
from fedcollab.sealing import acting, filed, holding, room_chain, rooms, sealed_files
from fedcollab.sealing.carried import Carried
from fedcollab.sealing.filed import UNNAMED
from fedcollab.sealing.made_ready import Write
from fedcollab.sealing.sealed_files import FileRow

from .desk import Desk, Keys, add, look_at, saying
from .hiding import SUSPECTED
from .mending import Suspected
from .shown import Shown
from .work import File


@dataclass(frozen=True, repr=False)
class Listed(filed.Listed):
    """A file of a case."""

    entry: File | None
    shown: Shown


def listed(session: Session, desk: Desk) -> list[Listed]:
    """The files of a case, the newest first."""
    rows = sealed_files.of(session, desk.id)
    by_message = {message: row for (message, _uri), row in rows.items()}
    return [_one(shown, rows, by_message) for shown in reversed(desk.case.files)]


def _one(shown: Shown, rows: dict[tuple[str, str], FileRow], by_message: dict[str, FileRow]) -> Listed:
    entry = shown.entry if isinstance(shown.entry, File) else None
    row = rows.get((shown.id, entry.uri)) if entry else by_message.get(shown.id)
    return Listed(entry, row, filed.state(entry, row, shown.state), shown)


def learn(session: Session, node: Node, desk: Desk) -> None:
    """Files that their messages name alone, to those who open them, are asked for: those of an earlier time that was granted to us."""
    for one in listed(session, desk):
        if one.state == UNNAMED and one.entry is not None:
            filed.learn(session, node, one.shown.id, one.entry)


def find(session: Session, desk: Desk, file_id: str) -> Listed:
    """One of them by its address. Raises NotFound, also for one that is not theirs to know."""
    found = next((one for one in listed(session, desk) if one.id == file_id and one.id), None)
    if found is None or (found.entry is None and found.state != SUSPECTED):
        raise NotFound
    return found


def opened(session: Session, node: Node, desk: Desk, _keys: Keys, file_id: str) -> Write:
    """The file that somebody opens, which goes on record first; one that is not here is asked for."""
    found = find(session, desk, file_id)

    def write(session: Session) -> Listed:
        filed.open_(session, node, desk.viewer, desk.id, found.shown.id, found.row, found.state)
        return found

    return write


def check_takes(session: Session, node: Node, viewer: Viewer, keys: Keys, case_id: str, person: str) -> None:
    """Whether a case takes a file of theirs, before any of it comes in; the case itself is opened only where it is about somebody. Raises
    what `look_at` raises, Frozen, Ended, Outside, and BadRequest for somebody who is not in the case."""
    inside = holding.is_assigned(session, case_id, viewer.person_id) and not person
    if not inside and person not in ("", *people(look_at(session, node, viewer, keys, case_id))):
        raise BadRequest(reason="case: a file of somebody who is not in it")
    acting.check_open(rooms.by_row(session, node, case_id))


def share(session: Session, node: Node, desk: Desk, _keys: Keys, file: Carried, what: dict[str, Any]) -> Write:
    """A file that has come in is said in the case."""
    said = saying(session, node, desk, File(at=desk.look.now, **what))
    return lambda session: add(session, node, said, files=[file]).id


def mark(session: Session, node: Node, desk: Desk, _keys: Keys, file_id: str) -> Write:
    """P23, in one step and for good: no node opens it or hands it out from now on. Nothing of it is destroyed."""
    found = find(session, desk, file_id)
    if found.state == SUSPECTED:
        return lambda _session: None
    said = saying(session, node, desk, Suspected(at=desk.look.now, of=(found.shown.id,)))
    assert all(one.state == SUSPECTED for one in said.after.case.files if one.id == found.shown.id)

    def write(session: Session) -> None:
        add(session, node, said)
        room_chain.add(session, node, desk.id, desk.viewer, "room.file_mark", found.shown.id)

    return write


def people(desk: Desk) -> dict[str, str]:
    """The people of the case whom a file may be about."""
    return {one.code: one.code for one in desk.case.people}
