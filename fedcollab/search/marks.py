"""Decides by which marks a row of the index is narrowed down: who may see it, and what kind of thing it is. They begin with a character
that no word has, so nothing typed is ever taken for one."""

import re

from fedcollab.access.models import CLEAR

CLEAR_MARK, MEMBERS_MARK = "_c", "_m"
KIND, AUDIENCE, LANGUAGE, ORGANISATION, YEAR, TOPIC, COUNTRY, TYPE = "_k", "_a", "_l", "_o", "_y", "_t", "_p", "_f"
NOT_PLAIN = re.compile(r"[^a-z0-9]")
TAIL = 12  # characters of a row id: enough to keep rows apart, and the clause of the viewer decides anyhow


def mark(kind: str, value: object) -> str:
    """One mark, of letters and digits."""
    return kind + NOT_PLAIN.sub("", str(value).lower())


def short(kind: str, row_id: str) -> str:
    """The mark of a row id, which ends in random digits."""
    return mark(kind, row_id[-TAIL:])


def base(language: str) -> str:
    """The language of a BCP 47 tag, without region or script."""
    return NOT_PLAIN.sub("", language.lower().replace("_", "-").partition("-")[0])[:8]


def of_sight(audience_id: str | None, label: str) -> list[str]:
    """Who a row is for, roughly: never narrower than the viewer's clause."""
    return [CLEAR_MARK] * (label == CLEAR) + ([MEMBERS_MARK] if audience_id is None else [short(AUDIENCE, audience_id)])
