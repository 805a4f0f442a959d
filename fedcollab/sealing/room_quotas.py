"""Decides how much sealed text and sealed files are kept here of each organisation, in all rooms and in each; counted in the commits that
store and erase them, so that no page or delivery adds up rows.

Each fills its own share, whoever brings it: nobody uses up that of the one who leads a room and passes on for all. What a host passes on
is counted once more, for all whom it passes on together: or one that breaks its word would invent authors, each with a share of its own."""

from typing import Any

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.addresses import host_of
from fedcollab.base.errors import BadRequest
from fedcollab.base.room import MEGABYTE
from fedcollab.base.session import Session
from fedcollab.base.statements import inserting
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import no_room

from .room_models import HERE, Room, SealedFile, SealedMessage, SealedUse

ALL = ""  # rooms
VIA = "via "  # before a host: what it passes on of others
OTHERS = 4  # shares of one author that a host may pass on in all: it takes as many that fill theirs to use that up


def count(session: Session, author: str, brought: str, room_id: str, size: int) -> None:
    """So many bytes more that are here of an author's host in a room, or less, by the host that has brought them; of what is ours (nobody
    has brought it) nothing is counted."""
    if not brought or not size:
        return
    for share in sorted(_shares(author, brought)):
        for where in sorted({ALL, room_id}):
            there = inserting(session.connection().dialect.name, SealedUse).values(host=share, room_id=where, size=max(0, size))
            more = sa.case((SealedUse.size + size > 0, SealedUse.size + size), else_=0)
            session.execute(there.on_conflict_do_update(index_elements=["host", "room_id"], set_={"size": more}))


def _shares(author: str, brought: str) -> dict[str, int]:
    """{what is counted: how many times the limits it may be}. What is of one author by a host's word alone (`VIA` stands before it) fills
    no share of theirs."""
    if brought.startswith(VIA):
        return {brought: OTHERS}
    return {author: 1} | ({} if author == brought else {VIA + brought: OTHERS})


def used(session: Session, host: str, room_id: str = ALL) -> int:
    """Bytes."""
    return session.execute(sa.select(SealedUse.size).where(SealedUse.host == host, SealedUse.room_id == room_id)).scalar() or 0


def is_full(session: Session, node: Node, author: str, brings: str, room_id: str) -> bool:
    """Whether nothing more is taken in of an author's host, by the host that brings it, into a room: it may be one message over."""
    limits = ((ALL, node.settings.sealed_quota), (room_id, node.settings.sealed_room_quota))
    return any(
        used(session, share, where) >= most * times * MEGABYTE
        for share, times in _shares(author, brings).items()
        for where, most in limits
        if most
    )


def full(session: Session, node: Node, host: str, activity: dict[str, Any]) -> str:
    """The same of an activity that brings a message: the author's host, or nothing where there is room, or it is here already."""
    said: Any = activity.get("object")
    if session.execute(sa.select(SealedMessage.id).where(SealedMessage.uri == ap.ident(said))).first() is not None:
        return ""
    room = session.execute(sa.select(Room.id).where(Room.uri == ap.ident(said.get("context")))).scalar()
    try:
        author = host_of(ap.ident(said))
    except BadRequest:  # it is refused as soon as it is read
        author = host
    return author if room is not None and is_full(session, node, author, host, room) else ""


def erased(session: Session, which: sa.ColumnElement[bool]) -> None:
    """Counts down for messages whose ciphertext goes in this unit, and that of their files; call it while both are there."""
    brought = sa.and_(which, SealedMessage.brought != "")
    whose = (SealedMessage.organisation, SealedMessage.brought, SealedMessage.room_id)
    texts = sa.select(*whose, sa.func.sum(sa.func.length(SealedMessage.body)))
    files = sa.select(*whose, sa.func.sum(SealedFile.size))
    files = files.join(SealedFile, sa.and_(SealedFile.message_id == SealedMessage.id, SealedFile.state == HERE))
    for query in (texts, files):
        for organisation, host, room_id, size in session.execute(query.where(brought).group_by(*whose)).all():
            count(session, host_of(organisation), host, room_id, -int(size or 0))


def spoken_for(session: Session, message_id: str, brought: str) -> None:
    """Its own organisation says that a message is theirs which a member has handed on, by the host that has `brought` this: from now on it
    fills their share, and nothing takes its place any more."""
    mine, size = SealedMessage.id == message_id, sa.func.length(SealedMessage.body).label("size")
    what = (SealedMessage.organisation, SealedMessage.brought, SealedMessage.room_id, size)
    row = session.execute(sa.select(*what).where(mine)).one()
    count(session, host_of(row.organisation), row.brought, row.room_id, -row.size)
    count(session, host_of(row.organisation), brought, row.room_id, row.size)
    session.execute(sa.update(SealedMessage).where(mine).values(brought=brought))


def file_came(session: Session, file_id: str) -> None:
    """A file that was away is here from this unit on."""
    row = session.execute(_file(file_id)).one()
    count(session, host_of(row.organisation), row.brought, row.room_id, row.size)


def has_room_for_file(session: Session, node: Node, file_id: str) -> bool:
    """Whether a member's file may be fetched."""
    row = session.execute(_file(file_id)).one_or_none()
    return row is None or not row.brought or not is_full(session, node, host_of(row.organisation), row.brought, row.room_id)


def _file(file_id: str) -> Any:
    query = sa.select(SealedMessage.organisation, SealedMessage.brought, SealedMessage.room_id, SealedFile.size)
    return query.join(SealedFile, SealedFile.message_id == SealedMessage.id).where(SealedFile.id == file_id)


def take_again(session: Session, node: Node) -> None:
    """A chore: what was not taken in comes once there is room, because something was erased or an admin gives more."""
    for one in no_room.waiting(session):
        room = session.execute(sa.select(Room.id).where(Room.uri == one.thread)).scalar()
        if room is None or not is_full(session, node, one.author, one.host, room):
            no_room.forget(session, one)
