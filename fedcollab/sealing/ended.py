"""Decides what is seen of rooms that have ended or are about to: days and organisations alone, and what each of them has answered."""

from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.federation import receipts
from fedcollab.federation.receipts import ReceiptData

from . import duties, ending, holding, naming, organisation
from .ending import Ending
from .naming import Named
from .room_models import Room as Row
from .room_state import Room

SHOWN = 100  # rooms that have ended, on their page


@dataclass(frozen=True, repr=False)
class Ended:
    """A room that is to be gone, or is: who asked, what is known of when, since when it was here, and what the others answered."""

    ending: Ending
    by: Named
    since: int
    receipts: list[ReceiptData]
    mine: bool


@dataclass(frozen=True, repr=False)
class Endings:
    """Those that wait, and those that are gone here."""

    waiting: list[Ended]
    gone: list[Ended]


def asked(session: Session, room: Room) -> list[Named]:
    """The organisations that are told when a room ends: all that were ever in it or invited, those that were removed too."""
    uris = duties.ever(room) - {room.me}
    return naming.listed(naming.names(session, uris), uris)


def endings(session: Session, node: Node, viewer: Viewer, kind: str) -> Endings:
    """All rooms of a kind that are to be gone and concern whoever looks, and the last gone: those they were in; for keepers all."""
    waiting = [one for one in ending.waiting(session) if holding.may_assign(session, one.room_id, viewer)]
    gone = ending.gone(session, SHOWN, None if viewer.person_id in organisation.holders(session) else viewer.person_id)
    ids = [one.room_id for one in (*waiting, *gone)]
    query = sa.select(Row.id, Row.uri, Row.created_at).where(Row.kind == kind, Row.id.in_(ids))
    rows = {row.id: row for row in session.execute(query)}
    found = [one for one in (*waiting, *gone) if one.room_id in rows]
    said = receipts.of(session, node.now(), [rows[one.room_id].uri for one in found])
    listed = [receipt for answers in said.values() for receipt in answers]
    names = naming.names(session, {*(one.by for one in found), *(receipt.name for receipt in listed)})

    def ended(one: Ending) -> Ended:
        row = rows[one.room_id]
        answers = [_named(answer, names) for answer in said.get(row.uri, [])]
        return Ended(one, names[one.by], row.created_at, answers, one.by == node.actor_uri)

    return Endings([ended(one) for one in waiting if one.room_id in rows], [ended(one) for one in gone if one.room_id in rows])


def _named(answer: ReceiptData, names: naming.Names) -> ReceiptData:
    """An organisation by its name instead of its id."""
    return ReceiptData(names[answer.name].said, answer.sent_at, answer.confirmed_at, answer.late, answer.refused, answer.refused_at)
