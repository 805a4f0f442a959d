"""Decides when cases are open on a node, and what is to be done next: five states, made of four facts; pure."""

from typing import NamedTuple

OFF, SETTING_UP, ONE_KEEPER, OPEN, SHUT = "off", "setting up", "one keeper", "open", "shut"
KEYS, SHEETS, TRY, SECOND = "keys", "sheets", "try", "second"  # what is to be done
STEPS = (KEYS, SHEETS, TRY, SECOND)
ENOUGH = 2  # keepers, where no sheets were tried


class Facts(NamedTuple):
    """What a node has: whether its organisation has a key, how many keepers can open that today, whether there are three sheets that open
    it, and whether two of them were typed in."""

    key: bool = False
    keepers: int = 0
    sheets: bool = False
    tried: bool = False


def state(facts: Facts) -> str:
    """A key that neither a keeper nor sheets open counts as none: without sheets cases were never open, so nothing is sealed to it."""
    if not facts.key or not (facts.keepers or facts.sheets):
        return OFF
    if not facts.keepers:
        return SHUT
    if not facts.sheets:
        return SETTING_UP
    return OPEN if facts.keepers >= ENOUGH or facts.tried else ONE_KEEPER


def opens(facts: Facts) -> bool:
    """Whether a case may be opened: where a keeper falls ill, or papers burn, there is another way to the organisation's key."""
    return state(facts) == OPEN


def done(facts: Facts) -> dict[str, bool]:
    """{step: whether it is done}, in the order in which they are done; also the ones that cases need not wait for."""
    alive = state(facts) not in (OFF, SHUT)
    return {KEYS: alive, SHEETS: alive and facts.sheets, TRY: alive and facts.sheets and facts.tried, SECOND: facts.keepers >= ENOUGH}


def next_step(facts: Facts) -> str:
    """The first step that is not done; empty where all are."""
    return next((step for step, is_done in done(facts).items() if not is_done), "")
