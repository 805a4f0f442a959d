"""Decides how PostgreSQL comes by what matches, newest first: it fetches all of that, or walks from the newest on through what the viewer
may see; whichever is less work by the database's own statistics, and where those were wrong, the other way."""

from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.access.models import CLEAR
from fedcollab.base.model import aliased
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared

from .models import SearchEntry
from .store import Matches

A_MATCH, A_STEP, A_STEP_INSIDE = 6.0, 1.0, 8.0  # microseconds: to fetch a match, to walk past a row, past one of an audience
FURTHER, AT_LEAST = 4, 500  # how much further than expected a walk goes, and rows that any goes
SETTINGS = {  # until the end of the unit: a plan for this very word, and never one that first reads all of a table
    "plan_cache_mode": "force_custom_plan",
    **dict.fromkeys(("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_sort"), "off"),
    "max_parallel_workers_per_gather": "0",
}


class Sight(NamedTuple):
    """What a viewer may see, roughly: what is public, and what is in these audiences; names too, where they are a member. No audiences at
    all (None): most of what is here."""

    audiences: list[str] | None
    members: bool


class Walk(NamedTuple):
    """A way through the rows: of how many audiences (None: through all rows), and whether through names."""

    audiences: int | None
    members: bool


class Step(NamedTuple):
    """How to come by matches: by a walk that ends after `bound` rows."""

    walk: Walk
    values: dict[str, Any]


def settle(session: Session) -> None:
    """Has the unit's statements planned for what they are asked."""
    prepared(session, _settings())


@cache
def _settings() -> sa.Select[Any]:
    return sa.select(*(sa.func.set_config(name, value, sa.true()) for name, value in SETTINGS.items()))


def step(session: Session, sight: Sight, match: str, seen: str, most: int) -> Step | None:
    """The walk that finds `most` matches with less work than fetching all of them, if there is one. `seen` is the question for all that
    the viewer may see, empty where no audiences are named."""
    matching, all_rows = _guessed(session, match, seen)
    steps = most * all_rows / max(matching, 1)
    cost = A_STEP if sight.audiences is None else A_STEP_INSIDE
    if steps * cost >= matching * A_MATCH:
        return None
    named = {f"audience{at}": one for at, one in enumerate(sight.audiences or ())}
    way = Walk(None if sight.audiences is None else len(sight.audiences), sight.members)
    return Step(way, {**named, "bound": int(steps * FURTHER) + AT_LEAST})


def _guessed(session: Session, match: str, seen: str) -> tuple[float, float]:
    """How many rows match, and how many there are to walk through, as the statistics have it."""
    plan = prepared(session, _guess(bool(seen)), {"match": match, "seen": seen} if seen else {"match": match}).scalar_one()
    matching, all_rows = plan[0]["Plan"]["Plans"]
    return matching["Plan Rows"], all_rows["Plan Rows"]


@cache
def _guess(narrowed: bool) -> sa.TextClause:
    of_all = " WHERE words @@ CAST(:seen AS tsquery)" if narrowed else ""
    both = f"SELECT 1 FROM search_words WHERE words @@ CAST(:match AS tsquery) UNION ALL SELECT 1 FROM search_words{of_all}"  # noqa: S608  # of two
    return sa.text(f"EXPLAIN (FORMAT JSON) {both}")


@cache
def matches(way: Walk) -> Matches:
    """What a query of entries joins for a walk; it runs with `match`, `before` and the walk's values."""
    asked: sa.ColumnElement[bool] = sa.and_(sa.text("search_words.words @@ CAST(:match AS tsquery)"))
    place = sa.column("place", sa.BigInteger)
    if way.audiences is None:
        table = sa.table("search_words", place, sa.column("words"))
        near = _newest(sa.select(table.c.place, table.c.words).where(table.c.place < sa.bindparam("before")), table.c.place)
        rows = near.subquery("search_words")
        return Matches(rows, rows.c.place, asked)
    there = sa.union_all(*_branches(way)).subquery("there")
    near_by = _newest(sa.select(there.c.place), there.c.place).subquery("near_by")
    words = sa.table("search_words", place)
    return Matches(near_by.join(words, words.c.place == near_by.c.place), near_by.c.place, asked)


def _newest(query: sa.Select[Any], place: sa.ColumnElement[int]) -> sa.Select[Any]:
    return query.order_by(place.desc()).limit(sa.bindparam("bound"))


def _branches(way: Walk) -> list[sa.Select[Any]]:
    """Each in the order of an index (said in each, or PostgreSQL sorts them all instead of merging them); together they have every row
    once."""
    public: sa.ColumnElement[str] = sa.literal_column(f"'{CLEAR}'")  # as the indexes say it
    entry: Any = aliased(SearchEntry)
    named = [entry.audience_id == sa.bindparam(f"audience{at}") for at in range(way.audiences or 0)]
    inside = [entry.audience_id.is_(None), *named] if way.members else named
    clauses = [entry.label == public, *(sa.and_(whose, entry.label != public) for whose in inside)]
    return [sa.select(entry.place).where(one, entry.place < sa.bindparam("before")).order_by(entry.place.desc()) for one in clauses]
