"""Decides the one part of a case that its room shows in clear: its status and four days, and never a word."""

from collections.abc import Collection
from datetime import date, timedelta

from .record import Closed, Hold, held_until
from .shown import Case, Shown

BEYOND = timedelta(days=90)  # that a hold of others keeps a case after its time: meanwhile ours can hold it for a reason of their own


def header(case: Case, in_full: Collection[str]) -> dict[str, str]:
    """The clear header: the code of the status, and the days (2027-11-30) of the next task due, the review, the end of retention and the
    next end of a consent; empty where there is none. Retention lasts at least as long as any hold, whatever it holds: the room is purged
    as a whole. `in_full` are the organisations whose holds count so, our own and whoever leads; that of another one counts for ninety days
    beyond, for who renews it each year would decide for all how long a case is kept (P10, P21)."""
    holds = [held_to(case, shown, in_full) for shown in case.holds]
    work = [one.entry.due for one in (*case.tasks_open, *case.plan_open) if one.entry]
    return {
        "status": case.status,
        "due": _first(work),
        "review": _first([case.terms.review if case.terms else ""]),
        "retention": max([_first([retention(case)]), *holds]) if retention(case) else "",
        "consent_end": _first([consent.entry.until for consent in case.in_force if consent.entry]),
    }


def held_to(case: Case, hold: Shown, in_full: Collection[str]) -> str:
    """The last day on which a hold keeps the case as a whole; empty for what is none."""
    if not isinstance(hold.entry, Hold):
        return ""
    day = _day(held_until(hold.entry, hold.at))
    if hold.organisation in in_full or not retention(case):
        return day
    return min(day, (date.fromisoformat(retention(case)) + BEYOND).isoformat())


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
