"""Decides what is found: what the viewer may see of it, newest first, or what is called so first where there is little; what it counts is
what they may see, at most the newest thousand."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import Actor
from fedcollab.base.model import aliased
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared

from . import marks, near, query, sight, store, walking
from .models import SearchEntry
from .query import Question
from .snippets import Piece, Sought, marked, snippet, sought

A_PAGE = 20
COUNTED = 1000  # matches that counts and facets are made of
RANKED = 200  # matches of which those named so come first; of more the newest
BEYOND = 1 << 62
SUGGESTED = 5
FACETS = ("kind", "topic", "country", "language", "year", "organisation", "type")


@dataclass(frozen=True)
class Asked:
    """A question: what was typed, and of each filter any of these codes (`organisations` are row ids). `before` is where the page before
    ended. Without words it is answered by the filters alone, newest first, where there is one."""

    q: str = ""
    kinds: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    organisations: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    before: str = ""

    @property
    def filtered(self) -> bool:
        return bool(self.kinds or self.topics or self.countries or self.languages or self.years or self.organisations or self.types)


@dataclass(frozen=True)
class Hit:
    """One thing found. `title` and `snippet` in pieces, some of them marked; an answer has the title of its conversation where the viewer
    may see that. `author` and `organisation` are names as they are now."""

    kind: str
    subject_id: str
    path: str
    title: tuple[Piece, ...]
    snippet: tuple[Piece, ...]
    label: str
    posted_at: int
    language: str
    countries: tuple[str, ...]
    topics: tuple[str, ...]
    year: int | None
    type: str
    author: str
    organisation_id: str
    organisation: str
    host: str
    known: str


@dataclass(frozen=True)
class Found:
    """A page of hits; `facets` of all that was counted, {facet: ((code, number), ...)}, most first; `count` at most 1,000, and `capped`
    where there is more than that. `next` is the `before` of the next page, where there is `more`."""

    rows: tuple[Hit, ...] = ()
    facets: dict[str, tuple[tuple[str, int], ...]] | None = None
    count: int = 0
    capped: bool = False
    more: bool = False
    next: str = ""


class _Line(NamedTuple):
    place: int
    kind: str
    organisation_id: str
    language: str
    countries: str
    topics: str
    year: int | None
    type: str


def find(session: Session, viewer: Viewer, asked: Asked, limit: int = A_PAGE) -> Found:
    """What the viewer finds. Nothing where nothing is asked."""
    question = query.parse(asked.q)
    if not question.wanted and (asked.q.strip() or not asked.filtered):
        return Found(facets={})
    sets = [*_filters(asked), sight.marks_of(session, viewer)]
    lines = _lines(session, viewer, store.ask(session, question, sets))
    if not lines and (begun := question.open) is not None:
        question = begun
        lines = _lines(session, viewer, store.ask(session, question, sets))
    capped, counted = len(lines) > COUNTED, lines[:COUNTED]
    ranks = _ranks(session, viewer, question, sets) if question.wanted and 1 < len(counted) <= RANKED else frozenset()
    keys = sorted(((line.place in ranks, line.place) for line in counted), reverse=True)
    page = _page(session, viewer, question, sets, keys, asked.before, limit, capped)
    places = [place for _, place in page[:limit]]
    more = len(page) > limit
    end = _said(page[limit - 1]) if more else ""
    return Found(_hits(session, viewer, places, sought(question)), _facets(counted), len(counted), capped, more, end)


def _filters(asked: Asked) -> list[list[str]]:
    """A set of marks for each filter."""
    plain: list[tuple[str, Sequence[object]]] = [
        (marks.KIND, asked.kinds),
        (marks.TOPIC, asked.topics),
        (marks.COUNTRY, asked.countries),
        (marks.LANGUAGE, [marks.base(one) for one in asked.languages]),
        (marks.YEAR, asked.years),
        (marks.TYPE, asked.types),
    ]
    found = [[marks.mark(kind, one) for one in values] for kind, values in plain]
    return [*found, [marks.short(marks.ORGANISATION, one) for one in asked.organisations]]


def _lines(session: Session, viewer: Viewer, match: str, before: int = BEYOND, most: int = COUNTED + 1) -> list[_Line]:
    values = sight.asked_by(viewer) | {"match": match, "before": before, "limit": most}
    if not store.is_postgres(session):
        return prepared(session, _lines_query(store.SQLITE_WAY), values).of(_Line)
    step = _step(session, viewer, match, most)
    lines = prepared(session, _lines_query(step.walk), values | step.values).of(_Line) if step else []
    return lines if len(lines) == most else prepared(session, _lines_query(store.ALL_FIRST), values).of(_Line)


def _step(session: Session, viewer: Viewer, match: str, most: int) -> walking.Step | None:
    """The walk that is less work on PostgreSQL than to fetch all matches."""
    walking.settle(session)
    audiences = sight.audiences_of(session, viewer)
    seen = "" if audiences is None else store.ask(session, Question(), [sight.marks_in(viewer, audiences)])
    return walking.step(session, walking.Sight(audiences, viewer.signed_in), match, seen, most)


@cache
def _lines_query(way: str | walking.Walk) -> sa.Select[Any]:
    columns = [getattr(SearchEntry, name) for name in _Line._fields]
    matches = store.matches(way) if isinstance(way, str) else walking.matches(way)
    made = sa.select(*columns).select_from(matches.table).join(SearchEntry, SearchEntry.place == matches.place)
    return made.where(matches.clause, sight.sees()).order_by(matches.place.desc()).limit(sa.bindparam("limit"))


def _ranks(session: Session, viewer: Viewer, question: Question, sets: list[list[str]]) -> frozenset[int]:
    """The places of what has all the words in its title."""
    return frozenset(line.place for line in _lines(session, viewer, store.ask(session, question, sets, titles=True), most=RANKED))


def _page(
    session: Session,
    viewer: Viewer,
    question: Question,
    sets: list[list[str]],
    keys: list[tuple[bool, int]],
    before: str,
    limit: int,
    capped: bool,
) -> list[tuple[bool, int]]:
    """The keys of a page and of the one thing after it."""
    after = _read(before)
    if after is None:
        return keys[: limit + 1]
    if not capped:
        return [key for key in keys if key < after][: limit + 1]
    lines = _lines(session, viewer, store.ask(session, question, sets), after[1], limit + 1)
    return [(False, line.place) for line in lines]


def _said(key: tuple[bool, int]) -> str:
    return f"{int(key[0])}.{key[1]}"


def _read(before: str) -> tuple[bool, int] | None:
    """Where a page began, of what an address says; None for what is no such place."""
    rank, _, place = before.partition(".")
    if rank not in ("0", "1") or not place.isascii() or not place.isdigit() or len(place) > 18:
        return None
    return rank == "1", int(place)


def _facets(lines: list[_Line]) -> dict[str, tuple[tuple[str, int], ...]]:
    counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    for line in lines:
        counts["kind"][line.kind] += 1
        counts["organisation"][line.organisation_id] += 1
        counts["topic"].update(line.topics.split())
        counts["country"].update(line.countries.split())
        counts["language"][line.language] += 1
        counts["year"][str(line.year or "")] += 1
        counts["type"][line.type] += 1
    return {name: tuple((code, number) for code, number in counter.most_common() if code) for name, counter in counts.items()}


def _hits(session: Session, viewer: Viewer, places: list[int], what: Sought) -> tuple[Hit, ...]:
    if not places:
        return ()
    values = sight.asked_by(viewer)
    rows = {row.place: row for row in prepared(session, _full_query(), values | {"places": places})}
    texts = store.shown(session, places)
    within = sorted({row.within for row in rows.values() if row.within})
    threads = {row.subject_id: row.place for row in prepared(session, _threads_query(), values | {"subjects": within})} if within else {}
    titles = {subject: store.shown(session, [place]).get(place, ("", ""))[0] for subject, place in threads.items()}
    return tuple(_hit(rows[place], *texts.get(place, ("", "")), titles, what) for place in places if place in rows)


def _hit(row: Any, title: str, text: str, titles: dict[str, str], what: Sought) -> Hit:
    title = title or titles.get(row.within, "")
    same = (
        "kind",
        "subject_id",
        "path",
        "label",
        "posted_at",
        "language",
        "year",
        "type",
        "organisation_id",
        "organisation",
        "host",
        "known",
    )
    values: dict[str, Any] = {name: getattr(row, name) for name in same}
    values |= dict(countries=tuple(row.countries.split()), topics=tuple(row.topics.split()), author=row.author or "")
    return Hit(title=marked(title, what), snippet=snippet(text, what), **values)


@cache
def _full_query() -> sa.Select[Any]:
    author, organisation = aliased(Actor), aliased(Actor)
    columns: list[Any] = [*SearchEntry.__table__.columns, author.name.label("author"), organisation.name.label("organisation")]
    query = sa.select(*columns, organisation.host, organisation.known).join(organisation, organisation.id == SearchEntry.organisation_id)
    query = query.outerjoin(author, author.id == SearchEntry.author_id)
    return query.where(SearchEntry.place.in_(sa.bindparam("places", expanding=True)), sight.sees())


@cache
def _threads_query() -> sa.Select[Any]:
    columns: list[Any] = [SearchEntry.subject_id, SearchEntry.place]
    query = sa.select(*columns).where(SearchEntry.kind == "thread", SearchEntry.subject_id.in_(sa.bindparam("subjects", expanding=True)))
    return query.where(sight.sees())


@dataclass(frozen=True)
class Suggestion:
    """A name that is near to what was typed, and may have been meant."""

    kind: str
    path: str
    name: str


def suggest(session: Session, viewer: Viewer, typed: str) -> tuple[Suggestion, ...]:
    """Names that somebody may have meant who has typed them wrongly; of those that they may see, the nearest first."""
    places = near.candidates(session, typed[: query.LONGEST])
    if not places:
        return ()
    rows = {row.place: row for row in prepared(session, _full_query(), sight.asked_by(viewer) | {"places": places})}
    names = {place: name for place, (name, _) in store.shown(session, list(rows)).items()}
    alike = sorted(((near.alike(typed, name), place) for place, name in names.items()), reverse=True)
    best = [place for nearness, place in alike if nearness >= near.ALIKE][:SUGGESTED]
    return tuple(Suggestion(rows[place].kind, rows[place].path, names[place]) for place in best)
