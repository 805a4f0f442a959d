"""Decides the one part of a case that its room shows in clear: its status and four days, and never a word."""

from datetime import date

from .record import Closed, Hold, held_until
from .shown import Case


def header(case: Case) -> dict[str, str]:
    """The clear header: the code of the status, and the days (2027-11-30) of the next task due, the review, the end of retention and the
    next end of a consent; empty where there is none. Retention lasts at least as long as any hold, whatever it holds: the room is purged
    as a whole."""
    holds = [held_until(shown.entry, shown.at) for shown in case.holds if isinstance(shown.entry, Hold)]
    work = [one.entry.due for one in (*case.tasks_open, *case.plan_open) if one.entry]
    return {
        "status": case.status,
        "due": _first(work),
        "review": _first([case.terms.review if case.terms else ""]),
        "retention": max([_first([retention(case)]), *map(_day, holds)]) if retention(case) else "",
        "consent_end": _first([consent.entry.until for consent in case.in_force if consent.entry]),
    }


def retention(case: Case) -> str:
    """The last day that the case is kept for its own sake: what its end says, or its terms."""
    if isinstance(case.status_entry, Closed):
        return case.status_entry.retention
    return case.terms.retention if case.terms else ""


def _first(days: list[str]) -> str:
    return min((_day(day) for day in days if day), default="")


def _day(text: str) -> str:
    """A day written anew, so that nothing but a day leaves here."""
    return date.fromisoformat(text).isoformat()
