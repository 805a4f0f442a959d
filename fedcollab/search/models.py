"""Decides how the index is stored: a narrow row for each thing that can be found, its words beside it, the threes of names.

The words lie in `search_words`: on SQLite a table of FTS5, on PostgreSQL one with a tsvector. It is no model, for the two are not alike."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import ForeignKey, Index, String, Text

from fedcollab.base.model import Mapped, Model, mapped_column

FTS5 = "title, words, marks, head UNINDEXED, body UNINDEXED, tokenize = \"ascii tokenchars '_'\", columnsize = 0"
SQLITE = (f"CREATE VIRTUAL TABLE search_words USING fts5 ({FTS5})",)
POSTGRESQL = (
    "CREATE TABLE search_words (place bigint PRIMARY KEY, words tsvector NOT NULL, head text NOT NULL, body text NOT NULL)",
    "CREATE INDEX ix_search_words_words ON search_words USING gin (words)",
    "ALTER TABLE search_words ALTER COLUMN words SET STATISTICS 1000",  # rare words are known to be rare
)
WALKS = (  # newest first through what is public, through each audience, through names (walking.py); FTS5 keeps that order by itself
    "CREATE INDEX ix_search_entry_public ON search_entry (place) WHERE label = 'TLP:CLEAR'",
    "CREATE INDEX ix_search_entry_inside ON search_entry (audience_id, place) WHERE label <> 'TLP:CLEAR'",
    "CREATE INDEX ix_search_entry_names ON search_entry (place) WHERE audience_id IS NULL",
)


PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # an INTEGER key is SQLite's own number of the row: no index beside it


class SearchEntry(Model):
    """Something that can be found. `place` is its number in the order of time, and the words' row. `within` is the conversation that an
    answer stands in. Without an audience it is a name, for members alone. `countries` and `topics` are codes with blanks between."""

    __tablename__ = "search_entry"
    place: Mapped[int] = mapped_column(PLACE, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(String(36))
    within: Mapped[str] = mapped_column(String(36), default="")
    audience_id: Mapped[str | None] = mapped_column(ForeignKey("audience.id"))
    label: Mapped[str] = mapped_column(String(16))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    author_id: Mapped[str | None] = mapped_column(String(36))
    posted_at: Mapped[int]
    path: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(16))
    countries: Mapped[str] = mapped_column(Text)
    topics: Mapped[str] = mapped_column(Text)
    year: Mapped[int | None]
    type: Mapped[str] = mapped_column(String(16))

    __table_args__ = (Index("ix_search_entry_kind_subject_id", "kind", "subject_id", unique=True),)


class SearchGram(Model):
    """Three letters of a name in the index."""

    __tablename__ = "search_gram"
    gram: Mapped[str] = mapped_column(String(3), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, index=True, autoincrement=False)


class SearchState(Model):
    """How far the index has come: what of a feature's stock is in it (down to `key`), whether deleted words wait to be cleared away, and
    which way of making words it was made by."""

    __tablename__ = "search_state"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(Text, default="")
    number: Mapped[int] = mapped_column(default=0)
    at: Mapped[int]
    done_at: Mapped[int | None]


def _make(_table: Any, connection: sa.Connection, **_rest: Any) -> None:
    for line in (*POSTGRESQL, *WALKS) if connection.dialect.name == "postgresql" else SQLITE:
        connection.exec_driver_sql(line)


sa.event.listen(SearchEntry.__table__, "after_create", _make)
