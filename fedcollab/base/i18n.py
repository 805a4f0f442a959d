"""Decides in which language and how dates and numbers are shown: gettext catalogues beside the code, and what CLDR says of our languages.

CLDR's tables are written beforehand (`deploy/dev messages`): Babel, which reads them as well, would keep some 4 MiB for them, and more for
each language."""

import contextlib
import gettext
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from markupsafe import Markup

from .clock import DAY, EPOCH, MICROSECONDS
from .paths import LOCALES

LANGUAGES = {"en": "English", "fr": "Français", "es": "Español", "ar": "العربية"}
REGIONS = frozenset(("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"))
COMMA = {"ar": "، "}  # between day and time, where it is another one
SPANS = (("day", 86_400), ("hour", 3600), ("minute", 60))  # seconds
ALMOST = 0.85  # of an hour is told as one
APART, TOGETHER = Markup("<bdi>"), Markup("</bdi>")  # what is added to them is escaped
DAY_LETTERS = 10
RIGHT_TO_LEFT = frozenset(("ar", "fa", "ur", "he"))


@lru_cache(64)
def catalogue(language: str) -> gettext.NullTranslations:
    """The texts of one language; English is the language of the message ids."""
    return gettext.translation("messages", LOCALES, [language], fallback=True)


@cache
def _formats() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((LOCALES / "formats.json").read_text(encoding="utf-8"))
    return found


@cache
def called(language: str) -> Mapping[str, Mapping[str, str]]:
    """What one of our languages calls `languages`, {tag: name}, and `territories`, {code of two letters: name}."""
    found: dict[str, dict[str, str]] = json.loads((LOCALES / f"names-{language}.json").read_text(encoding="utf-8"))
    return found


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
        self._formats = _formats()[self.language]
        texts = catalogue(self.language)
        self.gettext, self.ngettext = texts.gettext, texts.ngettext
        self._zone: tzinfo
        try:
            self._zone = ZoneInfo(time_zone)
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
        unit, length = next(((unit, length) for unit, length in SPANS if seconds >= ALMOST * length), ("second", 1))
        return str(self._formats["ago"][unit][max(1, round(seconds / length)) - 1])

    @lru_cache(4096)  # noqa: B019  # as above
    def date(self, micros: int) -> str:
        """Date and time in the reader's zone."""
        return f"{self.on(micros)}{COMMA.get(self.language, ', ')}{self.time(micros)}"

    @lru_cache(4096)  # noqa: B019  # as above
    def on(self, micros: int) -> str:
        """The day alone, in the reader's zone."""
        moment = self._moment(micros)
        return f"{moment.day} {self._formats['months'][moment.month - 1]} {moment.year}"

    def on_day(self, text: str) -> str:
        """A day as forms and records write it (2026-03-01), in words; what is no day as it is."""
        found = self.day(text)
        return text if found is None else self.on(found)

    def time(self, micros: int, /) -> str:
        """The time of day in the reader's zone."""
        return format(self._moment(micros), "%H:%M")

    def day(self, text: str, later: int = 0) -> int | None:
        """When a day (2026-03-01), or the one so many days later, begins in the reader's zone; None for what is no day."""
        try:
            found = date.fromisoformat(text) + timedelta(days=later) if len(text) == DAY_LETTERS else None
            stamp = datetime(found.year, found.month, found.day, tzinfo=self._zone) if found else None
            return None if stamp is None else max(0, (stamp - EPOCH) // timedelta(microseconds=1))
        except (ValueError, OverflowError):  # no day of any calendar; or the last one
            return None

    def _moment(self, micros: int) -> datetime:
        return (EPOCH + timedelta(microseconds=micros)).astimezone(self._zone)

    @lru_cache(4096)  # noqa: B019  # as above
    def number(self, value: float) -> str:
        """A count, grouped as the language does, or a number with at most three decimals; in the digits 0 to 9, as dates are."""
        whole, _, part = f"{value:,.3f}".partition(".")
        part = part.rstrip("0")
        return whole.replace(",", self._formats["group"]) + (self._formats["decimal"] + part if part else "")

    def name(self, text: str) -> Markup:
        """A name or address inside a sentence, kept apart from the sentence's writing direction."""
        return APART + text + TOGETHER

    def language_name(self, tag: str) -> str:
        """What a language is called in the reader's; the tag itself where CLDR has no word for it."""
        return called(self.language)["languages"].get(tag.split("-", maxsplit=1)[0].lower(), tag)

    def country_name(self, code: str) -> str:
        """What a country (ISO 3166-1, two letters) is called in the reader's language; the code itself where CLDR has no word for it."""
        return called(self.language)["territories"].get(code.upper(), code)

    def names(self, texts: Iterable[str]) -> Markup:
        """Names as the language lists them: "a, b and c"."""
        *some, last = [self.name(text) for text in texts] or [Markup()]
        if not some:
            return last
        listed, patterns = some[0], self._formats["list"]
        for one in some[1:]:
            listed = Markup(patterns["start" if listed is some[0] else "middle"]).format(listed, one)  # noqa: S704  # CLDR's own
        return Markup(patterns["end" if len(some) > 1 else "2"]).format(listed, last)  # noqa: S704  # as above


@lru_cache(512)
def words(language: str, time_zone: str) -> Words:
    """A reader's `Words`; made once, for CLDR data are slow to load."""
    return Words(language, time_zone)
