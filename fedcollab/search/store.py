"""Decides how words lie in each of the two databases, and how a question is put to them."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import sqlalchemy as sa

from fedcollab.base.session import Session
from fedcollab.base.statements import prepared

from .models import POSTGRESQL, SQLITE
from .query import Question, Term

SQLITE_WAY, ALL_FIRST = "sqlite", "all first"
MERGE = 100  # pages of FTS5's that one step of clearing away writes: 20 ms
TITLE, TEXT = "A", "D"  # weights of PostgreSQL's


def is_postgres(session: Session) -> bool:
    return session.connection().dialect.name == "postgresql"


@cache
def _text(sql: str) -> sa.TextClause:
    return sa.text(sql)


def add(session: Session, place: int, title: list[str], words: list[str], marks: list[str], head: str, body: str) -> None:
    """Puts a row's words in: those of its title, all others, its marks; beside them what is shown."""
    shown = {"place": place, "head": head, "body": body}
    if is_postgres(session):
        sql = "INSERT INTO search_words (place, words, head, body) VALUES (:place, CAST(:words AS tsvector), :head, :body)"
        prepared(session, _text(sql), {"words": _vector(title, words, marks), **shown})
        return
    sql = "INSERT INTO search_words (rowid, title, words, marks, head, body) VALUES (:place, :title, :words, :marks, :head, :body)"
    prepared(session, _text(sql), {"title": " ".join(title), "words": " ".join(words), "marks": " ".join(marks), **shown})


def _vector(title: list[str], words: list[str], marks: list[str]) -> str:
    """A tsvector as it is written: each token with its places and the weight of the title's."""
    places: dict[str, list[str]] = {}
    for at, token in enumerate(title, 1):
        places.setdefault(token, []).append(f"{at}{TITLE}")
    for at, token in enumerate(words, len(title) + 2):
        places.setdefault(token, []).append(str(min(at, 16383)))
    said = [f"'{token}':{','.join(dict.fromkeys(found[:255]))}" for token, found in places.items()]
    return " ".join([*said, *(f"'{mark}'" for mark in marks)])


def take(session: Session, place: int) -> None:
    """Takes a row's words out."""
    name = "place" if is_postgres(session) else "rowid"
    prepared(session, _text(f"DELETE FROM search_words WHERE {name} = :place"), {"place": place})  # noqa: S608  # one of two names


def shown(session: Session, places: Sequence[int]) -> dict[int, tuple[str, str]]:
    """{place: (title, text)} of these rows."""
    if not places:
        return {}
    if is_postgres(session):  # in one round: each is a message there and back, and a plan of its own
        all_of = _text("SELECT place, head, body FROM search_words WHERE place = ANY(:places)")
        rows = prepared(session, all_of, {"places": list(places)}).rows
    else:
        query = _text("SELECT rowid, head, body FROM search_words WHERE rowid = :place")
        rows = [row for place in places for row in prepared(session, query, {"place": place}).rows]
    return {row[0]: (row[1], row[2]) for row in rows}


def ask(session: Session, question: Question, any_of: Iterable[Sequence[str]], *, titles: bool = False) -> str:
    """The question in the database's own language: all words, one mark of each set, none of what is not wanted; `titles`: all the words in
    the title."""
    return (_to_tsquery if is_postgres(session) else _to_fts5)(question, [tuple(one) for one in any_of if one], titles)


def _to_fts5(question: Question, any_of: list[tuple[str, ...]], titles: bool) -> str:
    wanted = [f"({{title}} : {_fts5(term)})" if titles else _fts5(term) for term in question.wanted]
    sets = ["(" + " OR ".join(f'"{mark}"' for mark in one) + ")" for one in any_of]
    said = "(" + " AND ".join([*wanted, *sets]) + ")"
    return f"{said} NOT ({' OR '.join(map(_fts5, question.unwanted))})" if question.unwanted else said


def _fts5(term: Term) -> str:
    return '"' + " ".join(term.tokens) + '"' + (" *" if term.begins else "")


def _to_tsquery(question: Question, any_of: list[tuple[str, ...]], titles: bool) -> str:
    wanted = [_tsquery(term, titles) for term in question.wanted]
    sets = ["(" + " | ".join(f"'{mark}'" for mark in one) + ")" for one in any_of]
    return " & ".join([*wanted, *sets, *(f"!{_tsquery(term, titles=False)}" for term in question.unwanted)])


def _tsquery(term: Term, titles: bool) -> str:
    flags = TITLE if titles else ""
    ends = ["", f":{flags}*" if term.begins else f":{flags}" if flags else ""]
    inner = f":{flags}" if flags else ""
    said = [f"'{token}'{inner}" for token in term.tokens[:-1]] + [f"'{term.tokens[-1]}'{ends[1]}"]
    return "(" + " <-> ".join(said) + ")"


class Matches(NamedTuple):
    """What a query of entries joins to have those that match: a table, which number of its rows is the place, and the clause. Newest first
    SQLite has them by themselves, so that no more is read than shown."""

    table: sa.FromClause
    place: sa.ColumnElement[int]
    clause: sa.ColumnElement[bool]


@cache
def matches(kind: str) -> Matches:
    """SQLite's way newest first, or PostgreSQL's that fetches all and sorts them, before it looks who may see them; a query with it runs
    with `match` and `before`."""
    place = sa.column("rowid" if kind == SQLITE_WAY else "place", sa.BigInteger)
    table = sa.table("search_words", place)
    asked = "search_words MATCH :match" if kind == SQLITE_WAY else "search_words.words @@ CAST(:match AS tsquery)"
    clause = sa.and_(sa.text(asked), table.c[place.name] < sa.bindparam("before"))
    if kind == SQLITE_WAY:
        return Matches(table, table.c[place.name], clause)
    found = sa.select(table.c.place).where(clause).cte("found").prefix_with("MATERIALIZED", dialect="postgresql")
    newest = sa.select(found.c.place).order_by(found.c.place.desc()).offset(0).subquery("newest")
    return Matches(newest, newest.c.place, sa.true())


def clear_away(session: Session) -> bool:
    """One step of rewriting SQLite's index without the words that were deleted; True once it is whole. PostgreSQL does so by itself."""
    if is_postgres(session):
        return True
    driver = session.connection().connection.dbapi_connection
    before = driver.total_changes  # type: ignore[union-attr]  # SQLite's own
    session.connection().exec_driver_sql("INSERT INTO search_words (search_words, rank) VALUES ('merge', ?)", (MERGE,))
    return bool(driver.total_changes - before < 2)  # type: ignore[union-attr]  # SQLite's own


def begin_clearing(session: Session) -> None:
    """From now on steps of `clear_away` go through all of the index."""
    if not is_postgres(session):
        session.connection().exec_driver_sql("INSERT INTO search_words (search_words, rank) VALUES ('merge', ?)", (-MERGE,))


def empty(session: Session) -> None:
    """Makes the words' table anew."""
    for line in ("DROP TABLE search_words", *(POSTGRESQL if is_postgres(session) else SQLITE)):
        session.connection().exec_driver_sql(line)
