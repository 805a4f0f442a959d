"""Decides how words lie in each of the two databases, and how a question is put to them."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.base.statements import prepared

from .models import POSTGRESQL, SQLITE
from .query import Question, Term

MERGE = 100  # pages of FTS5's that one step of clearing away writes: 20 ms
TITLE, TEXT = "A", "D"  # weights of PostgreSQL's


def is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


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
    name = "place" if is_postgres(session) else "rowid"
    query = _text(f"SELECT {name}, head, body FROM search_words WHERE {name} = :place")  # noqa: S608  # one of two names
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


def matching(session: Session, match: str, before: int, most: int) -> tuple[Any, dict[str, Any]]:
    """What a query of places joins, and the values that it runs with: the places of matches, newest first. SQLite looks through `most` of
    them at the most; PostgreSQL plans better where it isn't told."""
    return _matching(is_postgres(session)), {"match": match, "before": before, "most": most}


@cache
def _matching(postgres: bool) -> Any:
    if postgres:
        sql = "SELECT place FROM search_words WHERE words @@ CAST(:match AS tsquery) AND place < :before"
    else:
        sql = "SELECT rowid AS place FROM search_words WHERE search_words MATCH :match AND rowid < :before ORDER BY rowid DESC LIMIT :most"
    return sa.text(sql).columns(sa.column("place", sa.BigInteger)).subquery("matching")


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
