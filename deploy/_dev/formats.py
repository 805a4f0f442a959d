"""Decides how a running node knows CLDR's formats and names of its languages without Babel: from small tables, written here.

Run by the environment's interpreter, for it needs Babel; a test holds the tables to what Babel says."""

import json
import re
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_timedelta

ROOT = Path(__file__).resolve().parents[2]
PLACE = Path("fedcollab/locales")
LANGUAGES = ("ar", "en", "es", "fr")
SPANS = {"second": (1, 51), "minute": (60, 51), "hour": (3600, 23), "day": (86400, 1)}  # seconds; the most of them that are told so


def formats() -> dict[str, Any]:
    """{language: how it writes months, times ago, counts and lists}."""
    return {language: _formats(Locale.parse(language)) for language in LANGUAGES}


def _formats(locale: Locale) -> dict[str, Any]:
    months = locale.months["format"]["abbreviated"]
    return {
        "months": [months[number] for number in range(1, 13)],
        "ago": {unit: [_ago(locale, length * number) for number in range(1, most + 1)] for unit, (length, most) in SPANS.items()},
        "group": locale.number_symbols["latn"]["group"],
        "decimal": locale.number_symbols["latn"]["decimal"],
        "list": {name: str(pattern) for name, pattern in sorted(locale.list_patterns["standard"].items())},
    }


def _ago(locale: Locale, seconds: int) -> str:
    return str(format_timedelta(-seconds, threshold=1, add_direction=True, locale=locale))


def names(language: str) -> dict[str, dict[str, str]]:
    """What a language calls languages and countries."""
    locale = Locale.parse(language)
    countries = {str(code): str(name) for code, name in locale.territories.items() if re.fullmatch("[A-Z]{2}", str(code))}
    return {"languages": {str(tag): str(name) for tag, name in locale.languages.items()}, "territories": countries}


def tables() -> dict[Path, str]:
    """Each table, by its place below the root."""
    made: dict[Path, Any] = {PLACE / f"names-{language}.json": names(language) for language in LANGUAGES}
    return {place: _text(table) for place, table in (made | {PLACE / "formats.json": formats()}).items()}


def _text(table: object) -> str:
    return json.dumps(table, ensure_ascii=False, indent=0, sort_keys=True) + "\n"


def refresh(root: Path = ROOT) -> None:
    """Writes them all."""
    for place, text in tables().items():
        (root / place).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    refresh()
