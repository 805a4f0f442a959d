"""Shows how seldom an unknown key is asked for, and how fast a partner may send, with a clock of the test's own."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.actors.keys import PublicKey
from fedcollab.base.clock import MICROSECONDS, MINUTE
from fedcollab.base.errors import FedcollabError, Unauthorized, Unavailable
from fedcollab.federation import rates, seeking
from fedcollab.federation.rates import BURST, HANDFUL, Buckets, of_partners
from fedcollab.federation.seeking import Sought
from tests.rows import START

KEY = PublicKey("u", "rsa", "p", "1", "a")


class Origin:
    """A host that serves a key, or an error, and counts who asked."""

    def __init__(self, error: FedcollabError | None = None) -> None:
        self.error, self.asked = error, 0

    async def __call__(self) -> PublicKey:
        self.asked += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return KEY


@pytest.mark.parametrize("error", [Unauthorized(reason="none"), Unavailable(reason="away", retry_after=60)])
async def test_a_key_that_could_not_be_had_is_asked_for_once_a_minute(error: FedcollabError) -> None:
    sought, origin = Sought(), Origin(error)
    for at in (0, 1, 30, 59):
        with pytest.raises(type(error)) as raised:
            await sought.find("k", "p.example", START + at * MICROSECONDS, origin)
        if at and isinstance(error, Unavailable):
            assert raised.value.retry_after == 60 - at
    assert origin.asked == 1
    origin.error = None
    assert await sought.find("k", "p.example", START + MINUTE, origin) == KEY
    assert origin.asked == 2
    assert await sought.find("other", "p.example", START, Origin()) == KEY, "another key has nothing to do with it"


async def test_all_that_wait_for_one_key_cause_one_fetch() -> None:
    sought, origin = Sought(), Origin()
    assert set(await asyncio.gather(*(sought.find("k", "p.example", START, origin) for _ in range(20)))) == {KEY}
    assert origin.asked == 1


async def test_a_host_of_which_many_keys_cannot_be_had_is_left_alone_and_others_are_not() -> None:
    sought, origin = Sought(), Origin(Unauthorized(reason="none"))
    for number in range(100):
        with pytest.raises((Unauthorized, Unavailable)):
            await sought.find(f"k{number}", "p.example", START, origin)
    assert origin.asked == seeking.MISSES
    assert await sought.find("k", "g.example", START, Origin()) == KEY
    good = Origin()
    assert await sought.find("k-good", "p.example", START + 3 * MICROSECONDS, good) == KEY, "after a moment one more may be tried"
    for number in range(100):
        assert await sought.find(f"g{number}", "q.example", START, good) == KEY, "keys that are there cost a host nothing"


async def test_who_names_keys_that_are_not_there_closes_the_door_on_no_other_address_and_ten_together_on_all() -> None:
    sought, origin = Sought(), Origin(Unauthorized(reason="none"))
    for number in range(2 * seeking.MISSES):
        with pytest.raises((Unauthorized, Unavailable)):
            await sought.find(f"k{number}", "p.example", START, origin, "stranger")
    assert origin.asked == seeking.MISSES
    assert await sought.find("newcomer", "p.example", START, Origin(), "partner") == KEY
    for number in range(seeking.OF_ALL * seeking.MISSES):
        with pytest.raises((Unauthorized, Unavailable)):
            await sought.find(f"m{number}", "p.example", START, origin, f"stranger {number % 50}")
    assert origin.asked == seeking.OF_ALL * seeking.MISSES
    with pytest.raises(Unavailable):
        await sought.find("another", "p.example", START, Origin(), "partner")


async def test_what_is_remembered_of_strangers_words_is_bounded() -> None:
    sought = Sought()
    for number in range(seeking.REMEMBERED + 50):
        with pytest.raises(Unauthorized):
            await sought.find(f"k{number}", f"h{number}.example", START, Origin(Unauthorized(reason="none")))
    assert len(sought._misses) == seeking.REMEMBERED


def test_of_whomever_asks_so_many_buckets_are_kept_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST", 10)
    buckets = Buckets(2, 1.0)
    for number in range(50):
        buckets.take("busy", START)
        buckets.take(f"n{number}", START)
    assert len(buckets._left) == 10
    assert buckets.wait("busy", START) > 0
    buckets.take("late", START + MINUTE)
    assert set(buckets._left) == {"late"}, "those that are full again are forgotten first"


@given(st.lists(st.integers(0, 3 * MICROSECONDS), max_size=200))
def test_a_bucket_never_gives_more_than_its_size_and_its_rate(waits: list[int]) -> None:
    bucket, now, given_out = Buckets(10, 5.0), START, 0
    for wait in waits:
        now += wait
        given_out += bucket.take("p", now) == 0
        assert given_out <= 10 + (now - START) * 5.0 / MICROSECONDS + 1


def test_who_has_to_wait_finds_a_handful_when_it_comes_back() -> None:
    bucket = of_partners()
    assert [bucket.take("p", START) for _ in range(BURST)] == [0] * BURST
    wait = bucket.take("p", START)
    assert wait == 1
    later = START + wait * MICROSECONDS
    assert [bucket.take("p", later) for _ in range(HANDFUL)] == [0] * HANDFUL
    assert bucket.take("g", START) == 0, "each partner has its own"
    assert Buckets(1, 1.0).wait("p", START) == 0


def test_a_clock_set_back_gives_nothing() -> None:
    bucket = Buckets(1, 1.0)
    assert (bucket.take("p", START), bucket.take("p", START - MINUTE), bucket.wait("p", START - MINUTE)) == (0, 1, 1)
