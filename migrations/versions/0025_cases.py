"""Cases: the clear header of each, and which parts of people's records each of our people needs to know."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
DAYS = ("due", "review", "retention", "consent_end")


def upgrade() -> None:
    op.create_table(
        "case_record",
        sa.Column("room_id", sa.String(36), sa.ForeignKey("room.id"), primary_key=True),
        sa.Column("opened_id", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        *(sa.Column(day, sa.String(10), nullable=False) for day in DAYS),
        sa.Column("late", sa.Boolean, nullable=False),
    )
    op.create_index("ix_case_record_due", "case_record", ["due"])
    op.create_index("ix_case_record_review", "case_record", ["review"])
    op.create_index("ix_case_record_retention", "case_record", ["retention"])
    op.create_table(
        "case_need",
        sa.Column("room_id", sa.String(36), sa.ForeignKey("room.id"), primary_key=True),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id"), primary_key=True),
        sa.Column("part", sa.String(40), primary_key=True),
        sa.Column("by_id", sa.String(36), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
