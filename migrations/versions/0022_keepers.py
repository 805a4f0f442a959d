"""The organisation's key, ours and partners', the sheets that open ours, and its keepers."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "organisation_key",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("organisation_id", sa.String(36), sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("kid", sa.String(100), nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_organisation_key_organisation_id_kid", "organisation_key", ["organisation_id", "kid"], unique=True)
    op.create_table(
        "recovery_key",
        sa.Column("kid", sa.String(100), primary_key=True),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by_id", sa.String(36), sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("tried_at", sa.BigInteger),
        sa.Column("used_at", sa.BigInteger),
        sa.Column("used_by_id", sa.String(36), sa.ForeignKey("actor.id")),
    )
    op.create_table(
        "keeper",
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id"), primary_key=True),
        sa.Column("kid", sa.String(100), nullable=False),
        sa.Column("named_by_id", sa.String(36), sa.ForeignKey("actor.id")),
        sa.Column("named_at", sa.BigInteger, nullable=False),
        sa.Column("since", sa.BigInteger),
    )
