"""Referrals to an organisation without a node, which no actor stands for."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    with op.batch_alter_table("referral") as table:
        table.alter_column("organisation_id", existing_type=sa.String(36), nullable=True)
        table.add_column(sa.Column("outside", sa.Text, nullable=False, server_default=""))
