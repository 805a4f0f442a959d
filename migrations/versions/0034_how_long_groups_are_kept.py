"""A sealed group has a day on which it ends by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    with op.batch_alter_table("group_named") as table:
        table.add_column(sa.Column("retention", sa.String(10), nullable=False, server_default=""))
