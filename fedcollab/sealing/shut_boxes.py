"""Decides what follows when the box of a case key is here and does not open: it is asked for again of another member, once of each, and
keepers are told; a sender that lies or is broken keeps nobody waiting, and nobody is asked for ever."""

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.database import wake
from fedcollab.base.session import Session

from . import keeper_tasks, room_chain, rooms
from .facts import organisations
from .holding import Opened
from .keeper_tasks import BOX_SHUT
from .room_models import ASKED, HAD, SHUT, KeyRequest
from .room_state import Room


def ask_again(session: Session, node: Node, opened: Opened) -> None:
    """Told by whoever has opened a room and seen it: what was given is worth nothing. Where all boxes open, there is nothing to tell."""
    if not opened.shut:
        keeper_tasks.over(session, node, BOX_SHUT, opened.room_id)
        return
    for ck in sorted(opened.shut):
        there = sa.and_(KeyRequest.room_id == opened.room_id, KeyRequest.ck == ck)
        row = session.execute(sa.select(KeyRequest.given_by, KeyRequest.shut).where(there, KeyRequest.state == HAD)).one_or_none()
        if row is not None:
            gave = sorted({*row.shut, row.given_by} - {""})
            session.execute(sa.update(KeyRequest).where(there).values(_again(node, opened.room, ck, gave)))
            wake(session, "keys")
            keeper_tasks.wait(session, node, BOX_SHUT, opened.room_id)
            room_chain.add(session, node, opened.room_id, opened.viewer, "room.box_shut")


def _again(node: Node, room: Room, ck: str, gave: list[str]) -> dict[str, object]:
    """Of whom next; nobody where each who could have it has given one that does not open."""
    key = room.key(ck)
    left = sorted((room.inside | (organisations(key) if key else set())) - {room.me, *gave})
    if not left:
        return dict(state=SHUT, shut=gave)
    return dict(state=ASKED, shut=gave, organisation=left[0], asked_at=node.now(), next_at=node.now(), tries=0, told_at=None)


def ask_now(session: Session, node: Node, room_id: str) -> None:
    """A keeper wants all boxes of a room that are not here asked for at once, of everybody again, and first of whoever leads it."""
    first = rooms.by_id(session, room_id).owner
    there = sa.and_(KeyRequest.room_id == room_id, KeyRequest.state.in_((ASKED, SHUT)))
    session.execute(sa.update(KeyRequest).where(there).values(state=ASKED, organisation=first, shut=[], next_at=node.now(), tries=0))
    wake(session, "keys")
