"""Shows that times survive being written and read, that odd ones are no times, and that new ids sort by time and never repeat."""

import uuid
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.clock import DAY, beginning, http_date, iso, made_at, new_id, parse_iso, system_clock

MOMENTS = st.integers(0, 253_370_764_800_000_000 - 1)


@given(MOMENTS)
def test_a_time_written_and_read_is_the_same_to_the_millisecond(micros: int) -> None:
    assert parse_iso(iso(micros)) == micros // 1000 * 1000


@given(MOMENTS)
def test_an_http_date_is_the_same_to_the_second(micros: int) -> None:
    assert int(parsedate_to_datetime(http_date(micros)).timestamp()) == micros // 1_000_000


@given(st.one_of(st.text(), st.none(), st.integers(), st.lists(st.text()), st.datetimes().map(lambda t: t.isoformat())))
def test_what_is_no_time_with_an_offset_is_none(odd: object) -> None:
    assert parse_iso(odd) is None


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60))
def test_any_time_that_is_read_can_be_written_again(stamp: object, offset: int) -> None:
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    found = parse_iso(f"{stamp.isoformat()}{sign}{minutes // 60:02d}:{minutes % 60:02d}")  # type: ignore[attr-defined]
    if found is not None:
        assert parse_iso(iso(found)) == found // 1000 * 1000


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1969-12-31T23:59:59Z"])
def test_a_time_that_no_calendar_of_a_reader_could_show_is_none(text: str) -> None:
    assert parse_iso(text) is None


@given(MOMENTS, st.integers(1000, DAY))
def test_new_ids_are_uuids_of_version_7_that_sort_by_time(micros: int, later: int) -> None:
    one, other = new_id(micros), new_id(micros + later)
    assert one < other
    made = uuid.UUID(one)
    assert (made.version, made.variant, str(made)) == (7, uuid.RFC_4122, one)
    assert made.int >> 80 == micros // 1000


def test_ids_of_one_moment_differ() -> None:
    now = system_clock()
    assert len({new_id(now) for _ in range(2000)}) == 2000


@given(MOMENTS)
def test_an_id_says_in_which_millisecond_it_was_made_and_lies_after_the_beginning_of_that(micros: int) -> None:
    made, whole = new_id(micros), micros // 1000 * 1000
    assert made_at(made) == whole
    assert beginning(whole) < made < beginning(whole + 1000)
