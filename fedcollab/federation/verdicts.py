"""Decides how it is said to people why one delivery was given up: by the last answer to it."""

from fedcollab.base.errors import N_
from fedcollab.base.i18n import Words

GIVEN_UP: tuple[tuple[tuple[int, ...], str], ...] = (
    ((400, 415, 422), N_("Their node could not read it or does not take it (answer %(num)s).")),
    ((404, 410), N_("What it belongs to is not there any more (answer %(num)s).")),
    ((413,), N_("It is too large for their node (answer %(num)s).")),
    ((507,), N_("Their node has no room for it (answer %(num)s). It is tried again by itself; ask their admin for more room.")),
)
FAILING = N_("Their node fails on it (error %(num)s). Ask their admin to look into their log, then send it again.")


def why_given_up(status: int | None, words: Words) -> str:
    """Why one delivery was refused or parked, by the last answer to it."""
    text = next((text for statuses, text in GIVEN_UP if status in statuses), FAILING)
    return words.gettext(text) % {"num": words.number(status or 0)}
