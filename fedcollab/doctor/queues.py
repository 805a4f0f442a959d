"""Decides whether what members write goes out and what partners write comes in, in time."""

from collections.abc import Callable

import sqlalchemy as sa

from fedcollab.base.clock import DAY, HOUR
from fedcollab.base.session import Session
from fedcollab.federation import queue
from fedcollab.federation.models import ADMITTED, EARLY, WAITING, InboxItem, is_open

from .findings import FAIL, OK, Finding, Partners, graded, ok, warn
from .patient import Patient


def numbered(session: Session, chosen: Callable[[queue.Line], bool]) -> Partners:
    """The partners that are talked with, counted by name, and of them those that are chosen."""
    return Partners({number: line.host for number, line in enumerate(queue.lines(session), 1) if chosen(line)})


def outgoing(patient: Patient) -> Finding:
    """`queue`: nothing has waited long to be sent. Suspended and paused partners are left out: that is somebody's decision."""
    with patient.session() as session:
        lines = [line for line in queue.lines(session) if line.state == ADMITTED and line.paused_at is None]
        oldest = min((line.oldest_at for line in lines if line.oldest_at is not None), default=patient.clock())
        late = numbered(session, lambda line: line in lines and line.oldest_at is not None and patient.clock() - line.oldest_at > HOUR)
        number = sum(line.waiting for line in lines)
    mend = "See which partner does not take it, and why: %(node)s federation status. Then try it at once: %(node)s federation drain"
    text = "Deliveries that wait: %(number)d, the oldest for %(hours)d hours (%(who)s)."
    values = {"number": number, "hours": (patient.clock() - oldest) // HOUR, "who": late}
    found = graded(patient.clock() - oldest, HOUR, DAY, lambda level: Finding(level, text, mend, values))
    return found if found.level != OK else ok("Nothing waits long to be sent.")


def arrivals(patient: Patient) -> Finding:
    """`arrivals`: what came in is processed."""
    with patient.session() as session:
        query = sa.select(sa.func.count(), sa.func.min(InboxItem.received_at)).where(is_open(InboxItem, WAITING, EARLY))
        number, oldest = session.execute(query).one()
    waited = patient.clock() - (oldest or patient.clock())
    mend = "Restart the node; does it stay, look into its log: journalctl -u 'fedcollab*' -n 50"
    values = {"number": number, "hours": waited // HOUR}
    text = "Arrivals that wait: %(number)d, the oldest for %(hours)d hours."
    found = graded(waited, HOUR, DAY, lambda level: Finding(level, text, mend, values))
    return found if found.level in (FAIL, "WARN") else ok("What came in is processed.")


def parked(patient: Patient) -> Finding:
    """`parked`: nothing was given up that waits for an admin."""
    with patient.session() as session:
        number = queue.attention(session)
    if number:
        return warn(
            "Given up, and waiting for you: %(number)d.",
            "Look at them on the page Partners, or send them again: %(node)s federation retry",
            number=number,
        )
    return ok("Nothing was given up.")
