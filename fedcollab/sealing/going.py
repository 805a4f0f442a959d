"""Decides how much of ours that a room has had erased goes at once: a little in each unit, so that nobody waits long, and what is left
goes on by itself, one unit after the other, also after the node was stopped. It takes no key."""

from collections.abc import Iterable

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.database import wake
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.base.statements import put
from fedcollab.federation import beside

from . import room_sending, sealed_files
from .going_models import MessageGoing
from .room_models import ERASED, SealedMessage

GOING, SWEEP = "going", 600.0  # a topic; seconds until what is left is looked for though no commit has said so
EACH = 3  # messages of one unit
IN_ONE = 500  # that are named in one query
BEGUN = 1_000  # that one unit notes


def begin(session: Session, node: Node, viewer: Viewer, room_id: str, uris: Iterable[str]) -> int:
    """Messages of ours are to go, by their ids on the wire, a thousand in one unit; how many that are which were not to go yet."""
    wanted, ids = sorted(set(uris)), list[str]()
    there = sa.exists().where(MessageGoing.message_id == SealedMessage.id)
    open_ = sa.and_(SealedMessage.room_id == room_id, SealedMessage.organisation == node.actor_uri, SealedMessage.state != ERASED, ~there)
    for start in range(0, len(wanted), IN_ONE):
        if len(ids) >= BEGUN:
            break
        part = SealedMessage.uri.in_(wanted[start : start + IN_ONE])
        ids += session.scalars(sa.select(SealedMessage.id).where(open_, part)).all()
    if ids:
        rows = (dict(message_id=one, room_id=room_id, person_id=viewer.person_id, at=node.now()) for one in ids)
        put(session, MessageGoing, *rows)
        wake(session, GOING)
    return len(ids)


def go_on(session: Session, node: Node) -> bool:
    """Takes back the next few, the longest asked for first, but none whose file was marked meanwhile (P23); whether there may be more."""
    query = sa.select(MessageGoing.message_id, MessageGoing.room_id, MessageGoing.person_id, SealedMessage.uri)
    query = query.join(SealedMessage, SealedMessage.id == MessageGoing.message_id)
    rows = session.execute(query.order_by(MessageGoing.at, MessageGoing.message_id).limit(EACH)).all()
    for row in rows:
        session.execute(sa.delete(MessageGoing).where(MessageGoing.message_id == row.message_id))
        if sealed_files.marked(session, row.room_id, [row.uri]):
            continue
        organisation = actors.own(session, node).id
        try:
            room_sending.take_back(session, node, Viewer(organisation, row.person_id), row.uri)
        except NotFound:  # it went with its room meanwhile
            continue
    return len(rows) == EACH


run = beside.in_units(SWEEP, go_on, "what is to be erased could not be", GOING)


def left(session: Session, room_id: str) -> int:
    """How many of a room are to go still."""
    mine = sa.select(sa.func.count()).select_from(MessageGoing).where(MessageGoing.room_id == room_id)
    return session.execute(mine).scalar_one()
