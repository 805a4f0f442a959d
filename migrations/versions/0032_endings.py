"""A room that is to be gone waits where others wrote in it too, and may be held; who was asked to let something go may refuse."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.create_table(
        "room_ending",
        sa.Column("room_id", sa.String(36), sa.ForeignKey("room.id"), primary_key=True, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("activity", sa.JSON, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("held_why", sa.String(16), nullable=False),
        sa.Column("held_by", sa.String(36)),
        sa.Column("held_until", sa.BigInteger),
        sa.Column("done_at", sa.BigInteger),
    )
    op.create_index("ix_room_ending_due_at", "room_ending", ["due_at"])
    op.create_index("ix_room_ending_done_at", "room_ending", ["done_at"])
    op.add_column("receipt", sa.Column("reason", sa.String(16), nullable=False, server_default=""))
