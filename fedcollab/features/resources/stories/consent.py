"""Decides what follows from a person's consent: how wide a story may be, what it may be used for, and when consent ends."""

from collections.abc import Iterable
from typing import NamedTuple

from fedcollab.access.models import CLEAR, GREEN, STRICT
from fedcollab.base.clock import DAY

from .words import CHANNELS, OURS, PARTNERS, PUBLIC, USES

YEAR = 365 * DAY
SOON = 30 * DAY  # before the end, when somebody asks the person again
NEEDS = ((CLEAR, PUBLIC), (GREEN, PARTNERS), (STRICT, OURS))  # from widest to narrowest


class Consent(NamedTuple):
    """One use in one channel that a person has agreed to, until a moment (microseconds since the epoch)."""

    use: str
    channel: str
    until: int


def standing(consents: Iterable[Consent], now: int) -> list[Consent]:
    """Those that have not run out."""
    return [one for one in consents if one.until > now]


def widest(consents: Iterable[Consent], now: int) -> str:
    """The widest label under which a story may stand: each needs a use in a channel of its own. Empty where it may stand nowhere, not here
    either."""
    channels = {one.channel for one in standing(consents, now)}
    return next((label for label, channel in NEEDS if channel in channels), "")


def narrowed(label: str, consents: Iterable[Consent], now: int) -> str:
    """The label that a story under `label` keeps: the same or a narrower one; empty where it has to go."""
    channels = {one.channel for one in standing(consents, now)}
    found = [one for one, _ in NEEDS]
    return next((one for one, channel in NEEDS[found.index(label) :] if channel in channels), "")


def given(pairs: Iterable[tuple[str, str]], agreed_on: int) -> list[Consent]:
    """What was agreed to on a day, for a year: nobody agrees for longer without being asked again. Unknown uses and channels are none."""
    known = {(use, channel) for use, channel in pairs if use in USES and channel in CHANNELS}
    return [Consent(use, channel, agreed_on + YEAR) for use in USES for channel in CHANNELS if (use, channel) in known]
