"""Shows how many passwords a guesser gets to try, whom that slows down, and that memory stays bounded."""

import pytest

from fedcollab.base.clock import DAY, HOUR, MICROSECONDS
from fedcollab.base.errors import TooMany
from fedcollab.features.members.throttle import MOST, Throttle


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000_000 * DAY

    def __call__(self) -> int:
        return self.now


def tries(throttle: Throttle, username: str, address: str) -> bool:
    """One wrong password, if it is taken at all."""
    try:
        throttle.check(username, address)
    except TooMany:
        return False
    throttle.failed(username, address)
    return True


@pytest.mark.rule("AUTH-01")
def test_ten_thousand_guesses_at_one_account_in_a_day_are_about_a_hundred() -> None:
    time = Time()
    throttle = Throttle(time)
    taken = 0
    for _ in range(10_000):
        taken += tries(throttle, "ilse", "192.0.2.7")
        time.now += DAY // 10_000
    assert 5 < taken < 120
    throttle.check("ilse", "198.51.100.9")
    throttle.check("daan", "198.51.100.9")


@pytest.mark.rule("AUTH-01")
def test_one_guess_at_each_of_ten_thousand_accounts_is_slowed_down_as_well() -> None:
    time = Time()
    throttle = Throttle(time)
    taken = 0
    for number in range(10_000):
        taken += tries(throttle, f"user{number}", "192.0.2.7")
        time.now += HOUR // 10_000
    assert 50 <= taken < 70


@pytest.mark.rule("AUTH-01")
def test_nobody_is_locked_out_for_good_and_a_right_password_clears_the_account() -> None:
    time = Time()
    throttle = Throttle(time)
    for _ in range(200):
        tries(throttle, "ilse", "192.0.2.7")
    with pytest.raises(TooMany) as told:
        throttle.check("ilse", "192.0.2.7")
    assert told.value.retry_after
    assert 0 < told.value.retry_after <= 15 * 60
    time.now += told.value.retry_after * MICROSECONDS
    throttle.check("ilse", "192.0.2.7")
    throttle.succeeded("ilse", "192.0.2.7")
    assert all(tries(throttle, "ilse", "192.0.2.7") for _ in range(5))


def test_failures_from_everywhere_fill_no_memory_and_keep_no_address() -> None:
    throttle = Throttle(Time())
    for number in range(MOST + 500):
        throttle.failed("ilse", f"2001:db8::{number:x}")
    assert len(throttle._failures) <= MOST
    assert not any("2001:db8" in name for name in throttle._failures)


@pytest.mark.rule("AUTH-01")
def test_a_hundred_tries_at_once_are_no_more_than_five_one_by_one_and_a_right_one_takes_itself_back() -> None:
    time = Time()
    throttle = Throttle(time)
    taken = 0
    for _ in range(100):  # none of them has an answer yet
        try:
            throttle.attempt("ilse", "192.0.2.7")
        except TooMany:
            continue
        taken += 1
    assert taken == 5
    for _ in range(200):  # a whole office behind one address signs in
        throttle.attempt("daan", "192.0.2.8")
        throttle.passed("daan", "192.0.2.8")
    throttle.attempt("noor", "192.0.2.8")


def test_an_office_does_not_pay_for_the_mistakes_of_last_week() -> None:
    time = Time()
    throttle = Throttle(time)
    for number in range(70):
        throttle.failed(f"user{number}", "192.0.2.7")
    with pytest.raises(TooMany):
        throttle.check("ilse", "192.0.2.7")
    time.now += 6 * HOUR
    assert all(tries(throttle, f"user{number}", "192.0.2.7") for number in range(4))
