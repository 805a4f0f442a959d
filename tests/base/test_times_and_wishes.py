"""Shows that any wish for a language is answered, and that dates and numbers are shown in the reader's own way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.clock import DAY, HOUR, MINUTE, parse_iso
from fedcollab.base.i18n import LANGUAGES, Words, catalogue, direction, negotiate

NOON = parse_iso("2026-03-01T12:00:00Z") or 0


@given(st.text(), st.sampled_from(sorted(LANGUAGES)))
def test_any_wish_is_answered_with_one_of_our_languages(wanted: str, default: str) -> None:
    assert negotiate(wanted, default) in LANGUAGES


@given(st.lists(st.tuples(st.sampled_from([*LANGUAGES, "de", "zh-Hant"]), st.integers(0, 1000)), max_size=8))
def test_the_highest_wish_that_we_speak_wins(wishes: list[tuple[str, int]]) -> None:
    field = ", ".join(f"{code};q={quality / 1000:.3f}" for code, quality in wishes)
    ours = [(quality, code) for code, quality in wishes if code in LANGUAGES and quality]
    found = negotiate(field, "none")
    assert found == "none" if not ours else found in [code for quality, code in ours if quality == max(ours)[0]]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("fr-CA,fr;q=0.9", "fr"),
        ("de, ar;q=0.5", "ar"),
        ("fr;q=0", "es"),
        ("FR", "fr"),
        ("en ; q=0.2 , ar ; q=0.3", "ar"),
        ("*", "es"),
        ("", "es"),
    ],
)
def test_wishes_as_browsers_write_them(wanted: str, found: str) -> None:
    assert negotiate(wanted, "es") == found


def test_arabic_runs_from_right_to_left_whatever_its_region() -> None:
    assert {code: direction(code) for code in (*LANGUAGES, "ar-EG", "fa")} == {
        "en": "ltr", "fr": "ltr", "es": "ltr", "ar": "rtl", "ar-EG": "rtl", "fa": "rtl",
    }  # fmt: skip
    assert Words("ar").direction == "rtl"


def test_a_language_that_we_do_not_speak_reads_as_english() -> None:
    assert Words("tlh").language == "en"
    assert catalogue("tlh").gettext("Sign in") == "Sign in"


@pytest.mark.parametrize("zone", ["", "nowhere", "../../etc/passwd", "Europe", "\0", "UTC\n", "x" * 60])
def test_an_unknown_time_zone_is_utc_and_breaks_no_page(zone: str) -> None:
    assert Words("en", zone).date(NOON) == Words("en", "UTC").date(NOON)


def test_dates_are_in_the_readers_zone_and_language() -> None:
    assert Words("en", "Europe/Vienna").date(NOON) == "1 Mar 2026, 13:00"
    assert Words("fr", "America/New_York").date(NOON) == "1 mars 2026, 07:00"
    assert "مارس" in Words("ar", "Africa/Cairo").date(NOON)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("ago", [0, MINUTE, HOUR, DAY - 1, DAY, 400 * DAY, -MINUTE])
def test_every_distance_in_time_is_said_in_every_language(language: str, ago: int) -> None:
    words = Words(language, "Asia/Kathmandu")
    assert words.when(NOON - ago, NOON)
    assert (words.when(NOON - ago, NOON) == words.date(NOON - ago)) == (not 0 <= ago < DAY)
    assert Words("en").when(NOON - 5 * MINUTE, NOON) == "5 minutes ago"


@given(st.integers(-(10**15), 10**15))
def test_numbers_are_shown_in_every_language(value: int) -> None:
    assert all(Words(language).number(value) for language in LANGUAGES)


@given(st.text(max_size=30), st.sampled_from(["UTC", "America/New_York", "Pacific/Kiritimati"]))
def test_whatever_time_a_document_states_can_be_shown(text: str, zone: str) -> None:
    for stated in (text, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1970-01-01T00:00:00+14:00"):
        micros = parse_iso(stated)
        assert micros is None or Words("en", zone).when(micros, NOON)
