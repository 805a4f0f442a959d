"""The index of all that can be found. What is stored already is put in afterwards by the node itself, a little at a time: see
docs/admins/search.md."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

FTS5 = "title, words, marks, head UNINDEXED, body UNINDEXED, tokenize = \"ascii tokenchars '_'\", columnsize = 0"
SQLITE = (f"CREATE VIRTUAL TABLE search_words USING fts5 ({FTS5})",)
POSTGRESQL = (
    "CREATE TABLE search_words (place bigint PRIMARY KEY, words tsvector NOT NULL, head text NOT NULL, body text NOT NULL)",
    "CREATE INDEX ix_search_words_words ON search_words USING gin (words)",
    "ALTER TABLE search_words ALTER COLUMN words SET STATISTICS 1000",  # rare words are known to be rare
)


def upgrade() -> None:
    op.create_table(
        "search_entry",
        sa.Column("place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.String(36), nullable=False),
        sa.Column("within", sa.String(36), nullable=False),
        sa.Column("audience_id", sa.String(36), sa.ForeignKey("audience.id")),
        sa.Column("label", sa.String(16), nullable=False),
        sa.Column("organisation_id", sa.String(36), sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("author_id", sa.String(36)),
        sa.Column("posted_at", sa.BigInteger, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("countries", sa.Text, nullable=False),
        sa.Column("topics", sa.Text, nullable=False),
        sa.Column("year", sa.BigInteger),
        sa.Column("type", sa.String(16), nullable=False),
    )
    op.create_index("ix_search_entry_kind_subject_id", "search_entry", ["kind", "subject_id"], unique=True)
    op.create_table(
        "search_gram",
        sa.Column("gram", sa.String(3), primary_key=True),
        sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
    )
    op.create_index("ix_search_gram_place", "search_gram", ["place"])
    op.create_table(
        "search_state",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("done_at", sa.BigInteger),
    )
    for line in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(line)
