"""Guests: people of organisations without a node, each on one case."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column("actor", sa.Column("works_for", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "guest",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("room_id", sa.String(36), sa.ForeignKey("room.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("works_for", sa.Text, nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("until", sa.String(10), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("preview", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("by_id", sa.String(36), sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id")),
        sa.Column("joined_at", sa.BigInteger),
        sa.Column("let_in_at", sa.BigInteger),
        sa.Column("let_in_by_id", sa.String(36), sa.ForeignKey("actor.id")),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("ended_by_id", sa.String(36), sa.ForeignKey("actor.id")),
        sa.UniqueConstraint("person_id", name=op.f("uq_guest_person_id")),
    )
    op.create_index("ix_guest_room_id", "guest", ["room_id"])
    op.create_index("ix_guest_token_hash", "guest", ["token_hash"])
