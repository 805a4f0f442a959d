"""Decides who hears at once that less may be read than before: whoever keeps in memory what was opened."""

from fedcollab.base.database import wake
from fedcollab.base.session import Session

TOPIC = "lessened"


def lessened(session: Session) -> None:
    """From this unit's commit on something may be read no more: it was erased, hidden or stopped, somebody is off a room or needs to know
    less of it, keys are locked or gone."""
    wake(session, TOPIC)
