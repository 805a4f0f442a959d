"""The files that resources and posts carry, uploads that are under way, and bytes that are to be removed."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "file",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("uri", sa.Text, nullable=False),
        sa.Column("organisation_id", sa.String(36), sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("by_id", sa.String(36), sa.ForeignKey("actor.id")),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("created_at", "used_at")),
        *(sa.Column(name, sa.BigInteger) for name in ("look_at", "attached_at", "width", "height", "pages")),
        sa.Column("preview", sa.String(64), nullable=False),
        sa.UniqueConstraint("uri", name=op.f("uq_file_uri")),
    )
    op.create_index("ix_file_by_id", "file", ["by_id", "created_at"])
    _partly("ix_file_look_at", "file", "look_at", "look_at IS NOT NULL")
    _partly("ix_file_cached", "file", "used_at", "by_id IS NULL AND key != ''")
    op.create_table(
        "upload",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("size", "received")),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "gone_bytes",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("file_id", sa.String(36), nullable=False),
        sa.Column("place", sa.String(6), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("removed_at", sa.BigInteger),
    )
    op.create_index("ix_upload_person_id", "upload", ["person_id"])
    op.create_index("ix_upload_updated_at", "upload", ["updated_at"])
    op.create_index("ix_gone_bytes_at", "gone_bytes", ["at"])
    _partly("ix_gone_bytes_waits", "gone_bytes", "at", "removed_at IS NULL")


def _partly(name: str, table: str, column: str, where: str) -> None:
    """An index over the few rows that are looked for."""
    op.create_index(name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
