"""Decides what of a sealed room is on record: each act in it, by whom and when, with random ids and no content."""

from sqlalchemy.orm import Session

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node


def add(session: Session, node: Node, room_id: str, by: Viewer | None, action: str, subject: str = "") -> None:
    """Puts an act on record, last in a unit: `by` is one of our people, a partner, or None for the node itself; `subject` the random id of
    what it was done to, the room where empty."""
    audit.record(session, node.now(), by, action, subject or room_id)
