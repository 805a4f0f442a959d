"""Decides by which few numbers it is known whether a case still is as somebody found it: one differs once something has come or gone."""

from typing import NamedTuple

from fedcollab.access.viewer import Viewer
from fedcollab.base.session import Session
from fedcollab.sealing import made_ready

from . import needs


class Rests(NamedTuple):
    """What a case before somebody rests on: what they need to know of it, and its room."""

    knows: frozenset[str]
    room: made_ready.Rests

    def allows(self, before: "Rests") -> bool:
        """Whether all that was read `before` may still be read."""
        return self.knows == before.knows and self.room.allows(before.room)


def rests(session: Session, viewer: Viewer, case_id: str) -> Rests:
    """What a case rests on now."""
    return Rests(needs.known(session, case_id, viewer.person_id), made_ready.rests(session, viewer, case_id))
