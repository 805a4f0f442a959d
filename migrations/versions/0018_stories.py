"""Stories: what a person has agreed to, and until when. What a resource may be used for travels with it, and the discussion that it grew
from."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "story",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("resource_id", sa.String(36)),
        sa.Column("resource_uri", sa.Text, nullable=False),
        sa.Column("draft", sa.JSON),
        sa.Column("told", sa.String(16), nullable=False),
        sa.Column("agreed_by", sa.String(20), nullable=False),
        sa.Column("agreed_how", sa.String(16), nullable=False),
        sa.Column("agreed_on", sa.BigInteger, nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("writer_id", sa.String(36), sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("written_at", sa.BigInteger, nullable=False),
        sa.Column("checked_by_id", sa.String(36), sa.ForeignKey("actor.id")),
        sa.Column("checked_at", sa.BigInteger),
        sa.Column("lessened_at", sa.BigInteger),
        sa.Column("ended", sa.String(16)),
        sa.Column("ended_at", sa.BigInteger),
        sa.UniqueConstraint("resource_id", name=op.f("uq_story_resource_id")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_story_code_hash")),
    )
    op.create_index("ix_story_lessened_at", "story", ["lessened_at"])
    op.create_table(
        "story_use",
        sa.Column("story_id", sa.String(36), sa.ForeignKey("story.id"), primary_key=True),
        sa.Column("use", sa.String(16), primary_key=True),
        sa.Column("channel", sa.String(20), primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_story_use_until", "story_use", ["until"])
    op.add_column("resource", sa.Column("discussion", sa.Text, nullable=False, server_default=""))
    op.add_column("resource", sa.Column("uses", sa.JSON))
    talked = sa.text("discussion <> ''")
    op.create_index("ix_resource_discussion", "resource", ["discussion"], sqlite_where=talked, postgresql_where=talked)
    op.create_table(
        "resource_thread",
        sa.Column("resource_id", sa.String(36), sa.ForeignKey("resource.id"), primary_key=True),
        sa.Column("thread_id", sa.String(36), sa.ForeignKey("thread.id"), primary_key=True),
        sa.Column("grew", sa.Boolean, nullable=False),
    )
    op.create_index("ix_resource_thread_thread_id", "resource_thread", ["thread_id"])
