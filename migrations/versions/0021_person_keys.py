"""People's sealing keys: that cases are on, and the public halves of ours and of other nodes' people."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
IN_USE = sa.text("state = 'current'")


def upgrade() -> None:
    op.create_table(
        "sealing_state",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("on_at", sa.BigInteger, nullable=False),
        sa.Column("by_id", sa.String(36), sa.ForeignKey("actor.id")),
    )
    op.create_table(
        "person_key",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("kid", sa.String(100), nullable=False),
        sa.Column("public", sa.LargeBinary, nullable=False),
        sa.Column("signing", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("prev", sa.String(100), nullable=False),
        sa.Column("first_hand", sa.Boolean, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("confirmed_at", sa.BigInteger),
        sa.Column("confirmed_by", sa.String(36), sa.ForeignKey("actor.id")),
    )
    op.create_index("ix_person_key_person_id_kid", "person_key", ["person_id", "kid"], unique=True)
    op.create_index("ix_person_key_kid", "person_key", ["kid"])
    op.create_index("uq_person_key_current", "person_key", ["person_id"], unique=True, sqlite_where=IN_USE, postgresql_where=IN_USE)
