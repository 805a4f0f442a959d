"""Decides which names are near to one that was typed: those that share enough of their threes of letters."""

from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.base.statements import put as put_row

from . import words
from .models import SearchGram

NAMES = frozenset({"person", "organisation", "group"})
ALIKE = 0.3  # of the threes of both together
CANDIDATES = 60


def put(session: Session, place: int, kind: str, name: str) -> None:
    """Keeps a name's threes; what is not a name has none."""
    grams = sorted(words.near(name)) if kind in NAMES else []
    if grams:
        put_row(session, SearchGram, *(dict(gram=gram, place=place) for gram in grams))


def take(session: Session, place: int) -> None:
    prepared(session, _delete(), {"at": place})


@cache
def _delete() -> sa.Delete:
    return sa.delete(SearchGram).where(SearchGram.place == sa.bindparam("at"))


def candidates(session: Session, typed: str) -> list[int]:
    """The places of names that share the most threes with what was typed, whoever may see them."""
    grams = sorted(words.near(typed))
    return prepared(session, _shared(), {"grams": grams, "least": max(1, len(grams) // 4), "most": CANDIDATES}).scalars() if grams else []


@cache
def _shared() -> sa.Select[Any]:
    columns: list[Any] = [SearchGram.place]
    shared = sa.func.count()
    query = sa.select(*columns).where(SearchGram.gram.in_(sa.bindparam("grams", expanding=True))).group_by(SearchGram.place)
    return query.having(shared >= sa.bindparam("least")).order_by(shared.desc(), SearchGram.place.desc()).limit(sa.bindparam("most"))


def alike(typed: str, name: str) -> float:
    """How near two names are, from 0 to 1."""
    ours, theirs = words.near(typed), words.near(name)
    return len(ours & theirs) / len(ours | theirs) if ours and theirs else 0.0
