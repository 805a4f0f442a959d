"""Posts carry files."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "post_file",
        sa.Column("post_id", sa.String(36), sa.ForeignKey("post.id"), primary_key=True),
        sa.Column("file_id", sa.String(36), sa.ForeignKey("file.id"), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "draft_file",
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id"), primary_key=True),
        sa.Column("place", sa.String(36), primary_key=True),
        sa.Column("file_id", sa.String(36), sa.ForeignKey("file.id"), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_post_file_file_id", "post_file", ["file_id"])
    op.create_index("ix_draft_file_file_id", "draft_file", ["file_id"])
    op.add_column("file", sa.Column("through_id", sa.String(36)))
