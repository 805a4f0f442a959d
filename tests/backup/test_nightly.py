"""Shows when the next backup is due."""

from datetime import UTC, datetime

import pytest

from fedcollab.backup.nightly import until
from fedcollab.base.errors import Misconfigured


@pytest.mark.parametrize(
    ("now", "daily", "hours"),
    [((2026, 3, 1, 1, 0), "03:00", 2), ((2026, 3, 1, 3, 0), "03:00", 24), ((2026, 3, 1, 23, 30), "00:00", 0.5)],
)
def test_it_is_the_next_time_that_the_clock_shows_this(now: tuple[int, int, int, int, int], daily: str, hours: float) -> None:
    assert until(datetime(*now, tzinfo=UTC), daily) == hours * 3600


@pytest.mark.parametrize("wrong", ["", "3:00", "24:00", "12:60", "noon", "03:00 "])
def test_what_is_no_time_of_day_is_said_so(wrong: str) -> None:
    with pytest.raises(Misconfigured, match="HH:MM"):
        until(datetime(2026, 3, 1, tzinfo=UTC), wrong)
