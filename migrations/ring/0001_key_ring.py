"""The key ring: boxes of people's, the organisation's and rooms' keys, and what was destroyed."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "person_secret",
        sa.Column("kid", sa.String(100), primary_key=True),
        sa.Column("person_id", sa.String(36), nullable=False),
        sa.Column("by_password", sa.LargeBinary, nullable=False),
        sa.Column("by_code", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_person_secret_person_id", "person_secret", ["person_id"])
    op.create_table(
        "unlocked",
        sa.Column("session_hash", sa.String(64), primary_key=True),
        sa.Column("kid", sa.String(100), primary_key=True),
        sa.Column("box", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "wrap",
        sa.Column("of", sa.String(200), primary_key=True),
        sa.Column("to_kid", sa.String(100), primary_key=True),
        sa.Column("box", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_wrap_to_kid", "wrap", ["to_kid"])
    op.create_table(
        "sheet_box",
        sa.Column("rk", sa.String(100), primary_key=True),
        sa.Column("pair", sa.String(10), primary_key=True),
        sa.Column("box", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "destroyed",
        sa.Column("of", sa.String(200), primary_key=True),
        sa.Column("to_kid", sa.String(100), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
