"""Dates, numbers and names as each language writes them."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from babel.dates import format_datetime, format_timedelta
from babel.lists import format_list
from babel.numbers import format_decimal

from deploy._dev import formats
from fedcollab.base.clock import DAY, HOUR, MICROSECONDS, MINUTE
from fedcollab.base.errors import TooLarge
from fedcollab.base.i18n import LANGUAGES, catalogue, direction, negotiate, words

AT = 1_783_261_800 * MICROSECONDS  # 5 July 2026, 14:30 UTC
DIGITS = "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹"


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", "5 Jul 2026, 16:30"),
        ("fr", "5 juil. 2026, 16:30"),
        ("es", "5 jul 2026, 16:30"),
        ("ar", "5 يوليو 2026، 16:30"),
    ],
)
def test_a_date_is_in_the_readers_language_and_zone(language: str, shown: str) -> None:
    assert words(language, "Europe/Paris").date(AT) == shown


@pytest.mark.parametrize(
    ("language", "ago"),
    [
        ("en", ["1 second ago", "2 minutes ago", "5 hours ago"]),
        ("fr", ["il y a 1 seconde", "il y a 2 minutes", "il y a 5 heures"]),
        ("es", ["hace 1 segundo", "hace 2 minutos", "hace 5 horas"]),
        ("ar", ["قبل ثانية واحدة", "قبل دقيقتين", "قبل 5 ساعات"]),
    ],
)
def test_within_a_day_a_time_is_told_from_now(language: str, ago: list[str]) -> None:
    reader = words(language, "UTC")
    assert [reader.when(AT - since, AT) for since in (0, 2 * MINUTE, 5 * HOUR)] == ago
    assert reader.when(AT - DAY, AT) == reader.date(AT - DAY)
    assert reader.when(AT + HOUR, AT) == reader.date(AT + HOUR)


@pytest.mark.parametrize(("language", "shown"), [("en", "12,345"), ("fr", "12\u202f345"), ("es", "12.345"), ("ar", "12,345")])
def test_a_number_is_grouped_as_the_language_does(language: str, shown: str) -> None:
    assert words(language, "UTC").number(12345) == shown


def test_arabic_dates_numbers_and_texts_use_the_same_digits() -> None:
    reader = words("ar", "UTC")
    shown = reader.date(AT) + reader.when(AT - 5 * HOUR, AT) + reader.number(1_234_567_890) + "".join(map(str, _texts("ar")))
    assert [digit for digit in DIGITS if digit in shown] == []


def _texts(language: str) -> list[str]:
    return list(getattr(catalogue(language), "_catalog").values())  # noqa: B009  # gettext gives no other way to all of them


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", "<bdi>A &amp; B</bdi>, <bdi>{0}</bdi>, and <bdi>ج</bdi>"),
        ("fr", "<bdi>A &amp; B</bdi>, <bdi>{0}</bdi> et <bdi>ج</bdi>"),
        ("es", "<bdi>A &amp; B</bdi>, <bdi>{0}</bdi> y <bdi>ج</bdi>"),
        ("ar", "<bdi>A &amp; B</bdi> و<bdi>{0}</bdi> و<bdi>ج</bdi>"),
    ],
)
def test_names_are_listed_as_the_language_does_and_kept_apart(language: str, shown: str) -> None:
    assert words(language, "UTC").names(["A & B", "{0}", "ج"]) == shown


def test_the_tables_are_what_babel_has_of_our_languages() -> None:
    """Else run `deploy/dev messages`."""
    root = Path(__file__).parents[2]
    assert [place for place, text in formats.tables().items() if (root / place).read_text(encoding="utf-8") != text] == []
    assert set(formats.LANGUAGES) == LANGUAGES.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_times_dates_numbers_and_lists_are_written_as_babel_writes_them(language: str) -> None:
    reader, locale, zone, chance = words(language, "Asia/Kathmandu"), Locale.parse(language), ZoneInfo("Asia/Kathmandu"), random.Random(1)
    pattern = "d MMM y، HH:mm" if language == "ar" else "d MMM y, HH:mm"
    for seconds in (*range(1, 60), *range(60, DAY // MICROSECONDS, 420)):
        assert reader.when(0, seconds * MICROSECONDS) == format_timedelta(-seconds, add_direction=True, locale=locale)
    for _ in range(50):
        number = chance.randrange(10 ** chance.randrange(1, 16))
        for exact in (number, number / 1000, float(number)):
            assert reader.number(exact) == format_decimal(exact, locale=locale)
        stamp = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=number)
        assert reader.date(number) == format_datetime(stamp, pattern, tzinfo=zone, locale=locale)
    for some in ("", "a", "ab", "abc", "abcde"):
        assert str(reader.names(some)) == format_list([f"<bdi>{one}</bdi>" for one in some], locale=locale)


def test_markup_in_a_name_stays_text() -> None:
    assert words("ar", "UTC").name("<b>x") == "<bdi>&lt;b&gt;x</bdi>"
    assert "<b>" not in words("en", "UTC").names(["<b>x", "y"])


def test_each_language_has_its_direction_and_all_but_english_a_catalogue() -> None:
    assert {code: direction(code) for code in LANGUAGES} == {"en": "ltr", "fr": "ltr", "es": "ltr", "ar": "rtl"}
    assert [catalogue(code).gettext("Sign in") for code in LANGUAGES] == ["Sign in", "Se connecter", "Iniciar sesión", "تسجيل الدخول"]


def test_numbers_in_an_error_are_written_as_the_language_does() -> None:
    error = TooLarge("at most %(most)s", most=20_000)
    assert [error.in_words(words(code, "UTC")) for code in ("en", "es")] == ["at most 20,000", "at most 20.000"]
    assert error.in_words() == "at most 20000"


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [("fr-CA,en;q=0.5", "fr"), ("de,es;q=0.9,ar;q=0.8", "es"), ("en;q=0.1, ar-EG", "ar"), ("de", "en"), ("", "en"), ("fr;q=x, es", "es")],
)
def test_the_browsers_best_language_of_ours_is_taken(wanted: str, chosen: str) -> None:
    assert negotiate(wanted, "en") == chosen


def test_an_unknown_language_or_zone_falls_back_to_english_and_utc() -> None:
    reader = words("tlh", "Mars/Olympus")
    assert (reader.language, reader.direction, reader.date(AT)) == ("en", "ltr", "5 Jul 2026, 14:30")


def test_after_a_minute_a_time_is_told_in_whole_minutes() -> None:
    reader = words("en", "UTC")
    shown = [reader.when(AT - seconds * MICROSECONDS, AT) for seconds in (1, 49, 61, 119, 120, 59 * 60 + 59)]
    assert shown == ["1 second ago", "49 seconds ago", "1 minute ago", "1 minute ago", "2 minutes ago", "1 hour ago"]


def test_what_stands_in_a_text_is_escaped_and_the_text_itself_is_not() -> None:
    reader = words("en", "UTC")
    assert reader.text("<b>%(name)s</b>", name="<i>") == "<b>&lt;i&gt;</b>"
    assert reader.text("100 %") == "100 %"
    assert reader.texts("%(num)s post of %(name)s", "%(num)s posts of %(name)s", 2, name="<i>") == "2 posts of &lt;i&gt;"
    assert reader.texts("%(num)s post", "%(num)s posts", 1000, num=reader.number(1000)) == "1,000 posts"
    assert reader.name("<i>") == "<bdi>&lt;i&gt;</bdi>"


def test_a_day_is_said_in_words_and_what_is_none_stays() -> None:
    assert words("fr", "Europe/Vienna").on_day("2026-10-01") == "1 oct. 2026"
    assert words("en", "Pacific/Auckland").on_day("2026-10-01") == "1 Oct 2026"
    assert words("en", "UTC").on_day("soon") == "soon"
