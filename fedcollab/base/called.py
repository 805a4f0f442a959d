"""Decides which country and which language people mean: by the code, or by the name in one of our languages or in its own."""

import re
from functools import lru_cache

from .i18n import LANGUAGES, called

LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")


@lru_cache(1)
def countries() -> frozenset[str]:
    """The codes of ISO 3166-1 (alpha-2) that have a name, less those that CLDR has for no country."""
    return frozenset(called("en")["territories"].keys() - {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})


def country(text: str) -> str:
    """The code of a country by its code, or its name in one of our languages; empty for what is none."""
    found = text.strip()
    return found.upper() if found.upper() in countries() else _names("territories").get(found.casefold(), "")


def language(text: str) -> str:
    """The tag of a language by its tag, or its name in one of our languages or in its own; empty for what is none."""
    found = _names("languages").get(text.strip().casefold(), "")
    return found or (text.strip() if LANGUAGE.fullmatch(text.strip()) else "")


@lru_cache(2)
def _names(what: str) -> dict[str, str]:
    """{name in small letters: code}; what two are called alike is the first's."""
    found: dict[str, str] = {}
    for code in LANGUAGES:
        for key, name in called(code)[what].items():
            if key in countries() if what == "territories" else LANGUAGE.fullmatch(key):
                found.setdefault(name.casefold(), key)
    return found
