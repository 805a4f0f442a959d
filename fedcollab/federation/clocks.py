"""Decides how it shows that two nodes' clocks differ: by the time that the other side's answer carries."""

from email.utils import parsedate_to_datetime

from fedcollab.base.clock import MICROSECONDS, MINUTE
from fedcollab.base.http import Answer

from .claims import WINDOW


def why(answer: Answer, now: int) -> str:
    """What an answer that is no success says, for the log and the admin: where it was 401 and the clocks are further apart than a
    signature may be old, that they are."""
    apart = _apart(answer.date, now)
    if answer.status != 401 or apart <= WINDOW - MINUTE:  # it has travelled, and both sides round
        return f"answered {answer.status}"
    return f"answered 401: the clocks differ by {round(apart / MINUTE)} minutes"


def _apart(date: str, now: int) -> int:
    try:
        return abs(round(parsedate_to_datetime(date).timestamp() * MICROSECONDS) - now)
    except (TypeError, ValueError, IndexError, OverflowError):
        return 0
