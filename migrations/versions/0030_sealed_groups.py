"""Sealed groups: where each message belongs, which one names the group, and what each of our people has seen."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.create_table(
        "group_entry",
        sa.Column("message_id", sa.String(36), sa.ForeignKey("sealed_message.id"), primary_key=True),
        sa.Column("room_id", sa.String(36), sa.ForeignKey("room.id"), nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
    )
    op.create_index("ix_group_entry_place", "group_entry", ["room_id", "place", "about", "message_id"])
    op.create_table(
        "group_named",
        sa.Column("room_id", sa.String(36), sa.ForeignKey("room.id"), primary_key=True),
        sa.Column("message_id", sa.String(36), sa.ForeignKey("sealed_message.id"), nullable=False),
    )
    op.create_table(
        "group_seen",
        sa.Column("room_id", sa.String(36), sa.ForeignKey("room.id"), primary_key=True),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id"), primary_key=True),
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("opened_on", sa.String(10), nullable=False),
    )
