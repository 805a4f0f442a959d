"""Decides how much sealed text and sealed files are kept here of a partner that brings them, in all rooms and in each; counted in the
commits that store and erase them, so that no page or delivery adds up rows."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.actors.node import Node
from fedcollab.base.room import MEGABYTE
from fedcollab.base.statements import inserting
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import no_room

from .room_models import HERE, Room, SealedFile, SealedMessage, SealedUse

ALL = ""  # rooms


def count(session: Session, host: str, room_id: str, size: int) -> None:
    """So many bytes more that a host has brought into a room, or less; of what is ours nothing is counted."""
    if not host or not size:
        return
    for where in sorted({ALL, room_id}):
        there = inserting(session.get_bind().dialect.name, SealedUse).values(host=host, room_id=where, size=max(0, size))
        more = sa.case((SealedUse.size + size > 0, SealedUse.size + size), else_=0)
        session.execute(there.on_conflict_do_update(index_elements=["host", "room_id"], set_={"size": more}))


def used(session: Session, host: str, room_id: str = ALL) -> int:
    """Bytes."""
    return session.execute(sa.select(SealedUse.size).where(SealedUse.host == host, SealedUse.room_id == room_id)).scalar() or 0


def is_full(session: Session, node: Node, host: str, room_id: str) -> bool:
    """Whether nothing more is taken in of what a host brings into a room: what it has brought may be one message over."""
    settings = node.settings
    limits = ((ALL, settings.sealed_quota), (room_id, settings.sealed_room_quota))
    return any(used(session, host, where) >= most * MEGABYTE for where, most in limits if most)


def full(session: Session, node: Node, host: str, activity: dict[str, Any]) -> bool:
    """The same of an activity that brings a message; one that is here already is none too much."""
    said: Any = activity.get("object")
    if session.execute(sa.select(SealedMessage.id).where(SealedMessage.uri == ap.ident(said))).first() is not None:
        return False
    room = session.execute(sa.select(Room.id).where(Room.uri == ap.ident(said.get("context")))).scalar()
    return room is not None and is_full(session, node, host, room)


def erased(session: Session, which: sa.ColumnElement[bool]) -> None:
    """Counts down for messages whose ciphertext goes in this unit, and that of their files; call it while both are there."""
    brought = sa.and_(which, SealedMessage.brought != "")
    texts = sa.select(SealedMessage.brought, SealedMessage.room_id, sa.func.sum(sa.func.length(SealedMessage.body)))
    files = sa.select(SealedMessage.brought, SealedMessage.room_id, sa.func.sum(SealedFile.size))
    files = files.join(SealedFile, sa.and_(SealedFile.message_id == SealedMessage.id, SealedFile.state == HERE))
    for query in (texts, files):
        _less(session, session.execute(query.where(brought).group_by(SealedMessage.brought, SealedMessage.room_id)).all())


def _less(session: Session, rows: Iterable[Any]) -> None:
    for host, room_id, size in rows:
        count(session, host, room_id, -int(size or 0))


def file_came(session: Session, file_id: str) -> None:
    """A file that was away is here from this unit on."""
    row = session.execute(_file(file_id)).one()
    count(session, row.brought, row.room_id, row.size)


def has_room_for_file(session: Session, node: Node, file_id: str) -> bool:
    """Whether a member's file may be fetched."""
    row = session.execute(_file(file_id)).one_or_none()
    return row is None or not row.brought or not is_full(session, node, row.brought, row.room_id)


def _file(file_id: str) -> Any:
    query = sa.select(SealedMessage.brought, SealedMessage.room_id, SealedFile.size)
    return query.join(SealedFile, SealedFile.message_id == SealedMessage.id).where(SealedFile.id == file_id)


def take_again(session: Session, node: Node) -> None:
    """A chore: what was not taken in comes once there is room, because something was erased or an admin gives more."""
    for host, thread in no_room.threads(session):
        room = session.execute(sa.select(Room.id).where(Room.uri == thread)).scalar()
        if room is None or not is_full(session, node, host, room):
            no_room.forget(session, host, thread)
