"""Decides in which language and how dates and numbers are shown: gettext catalogues beside the code, formats from CLDR."""

import contextlib
import gettext
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import available_timezones

from babel import Locale
from babel.dates import UTC, format_datetime, format_timedelta, get_timezone
from babel.lists import format_list
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from .clock import DAY, EPOCH, MICROSECONDS
from .paths import LOCALES

LANGUAGES = {"en": "English", "fr": "Français", "es": "Español", "ar": "العربية"}
REGIONS = frozenset(("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"))
DATE = {"ar": "d MMM y، HH:mm"}  # an Arabic comma
USUAL_DATE = "d MMM y, HH:mm"
DAY_ALONE = "d MMM y"
APART, TOGETHER = Markup("<bdi>"), Markup("</bdi>")  # what is added to them is escaped
DAY_LETTERS = 10
RIGHT_TO_LEFT = frozenset(("ar", "fa", "ur", "he"))


@lru_cache(64)
def catalogue(language: str) -> gettext.NullTranslations:
    """The texts of one language; English is the language of the message ids."""
    return gettext.translation("messages", LOCALES, [language], fallback=True)


def direction(language: str) -> str:
    """`rtl` or `ltr`, for the page as a whole."""
    return "rtl" if language.split("-", maxsplit=1)[0] in RIGHT_TO_LEFT else "ltr"


def negotiate(wanted: str, default: str) -> str:
    """The best of our languages for an Accept-Language field."""
    ranked = []
    for number, part in enumerate(wanted.split(",")[:20]):
        code, _, quality = "".join(part.split()).partition(";q=")
        with contextlib.suppress(ValueError):
            ranked.append((-float(quality or 1), number, code.split("-")[0].lower()))
    return next((code for rank, _, code in sorted(ranked) if code in LANGUAGES and rank < 0), default)


@lru_cache(1)
def time_zones() -> list[str]:
    """The time zones that people can choose: region and city, by name, and UTC."""
    found = {name for name in available_timezones() if "/" in name and name.split("/")[0] in REGIONS}
    return sorted(found | {"UTC"})


class Words:
    """One reader's language and time zone, as templates use them."""

    def __init__(self, language: str, time_zone: str = "UTC") -> None:
        self.language = language if language in LANGUAGES else "en"
        self.direction = direction(self.language)
        self._locale = Locale.parse(self.language)
        texts = catalogue(self.language)
        self.gettext, self.ngettext = texts.gettext, texts.ngettext
        try:
            self._zone = get_timezone(time_zone)
        except (LookupError, ValueError, OSError):  # unknown; not a name at all; a folder of names
            self._zone = UTC

    def text(self, message: str, /, **values: object) -> Markup:
        """A text for a page: the message ids are ours and safe, the values are escaped."""
        found = self._text(message)
        return found % values if values else found

    @lru_cache(2000)  # noqa: B019  # `words` keeps each Words as long as the node runs
    def _text(self, message: str) -> Markup:
        return Markup(self.gettext(message))  # noqa: S704  # as above

    def texts(self, one: str, many: str, num: int, /, **values: object) -> Markup:
        """A text for a page that counts; `%(num)s` is the number unless `values` says it otherwise."""
        return Markup(self.ngettext(one, many, num)) % ({"num": num} | values)  # noqa: S704  # as in `text`

    def when(self, micros: int, now: int) -> str:
        """A time as people say it: "5 minutes ago" within a day, else date and time in the reader's zone."""
        if 0 <= now - micros < DAY:
            seconds = max(1, (now - micros) // MICROSECONDS)
            return self._ago(seconds if seconds < 60 else seconds // 60 * 60)
        return self.date(micros)

    @lru_cache(4096)  # noqa: B019  # as above
    def _ago(self, seconds: int) -> str:
        return str(format_timedelta(-seconds, add_direction=True, locale=self._locale))

    @lru_cache(4096)  # noqa: B019  # as above
    def date(self, micros: int) -> str:
        """Date and time in the reader's zone."""
        return self._moment(micros, DATE.get(self.language, USUAL_DATE))

    @lru_cache(4096)  # noqa: B019  # as above
    def on(self, micros: int) -> str:
        """The day alone, in the reader's zone."""
        return self._moment(micros, DAY_ALONE)

    def on_day(self, text: str) -> str:
        """A day as forms and records write it (2026-03-01), in words; what is no day as it is."""
        found = self.day(text)
        return text if found is None else self.on(found)

    def time(self, micros: int, /) -> str:
        """The time of day in the reader's zone."""
        return self._moment(micros, "HH:mm")

    def day(self, text: str, later: int = 0) -> int | None:
        """When a day (2026-03-01), or the one so many days later, begins in the reader's zone; None for what is no day."""
        try:
            found = date.fromisoformat(text) + timedelta(days=later) if len(text) == DAY_LETTERS else None
            stamp = datetime(found.year, found.month, found.day, tzinfo=self._zone) if found else None
            return None if stamp is None else max(0, (stamp - EPOCH) // timedelta(microseconds=1))
        except (ValueError, OverflowError):  # no day of any calendar; or the last one
            return None

    def _moment(self, micros: int, pattern: str) -> str:
        stamp = EPOCH + timedelta(microseconds=micros)
        return str(format_datetime(stamp, pattern, tzinfo=self._zone, locale=self._locale))

    @lru_cache(4096)  # noqa: B019  # as above
    def number(self, value: int) -> str:
        """A count, grouped as the language does; in the digits 0 to 9, as dates are."""
        return str(format_decimal(value, locale=self._locale))

    def name(self, text: str) -> Markup:
        """A name or address inside a sentence, kept apart from the sentence's writing direction."""
        return APART + text + TOGETHER

    def language_name(self, tag: str) -> str:
        """What a language is called in the reader's; the tag itself where CLDR has no word for it."""
        return str(self._locale.languages.get(tag.split("-", maxsplit=1)[0].lower()) or tag)

    def country_name(self, code: str) -> str:
        """What a country (ISO 3166-1, two letters) is called in the reader's language; the code itself where CLDR has no word for it."""
        return str(self._locale.territories.get(code.upper()) or code)

    def names(self, texts: Iterable[str]) -> Markup:
        """Names as the language lists them: "a, b and c"."""
        return Markup(format_list([str(escape(self.name(text))) for text in texts], locale=self._locale))  # noqa: S704  # escaped by name()


@lru_cache(512)
def words(language: str, time_zone: str) -> Words:
    """A reader's `Words`; made once, for CLDR data are slow to load."""
    return Words(language, time_zone)
