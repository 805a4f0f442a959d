"""A key for a room that is one person's is signed by that person."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    with op.batch_alter_table("member_key") as table:
        table.add_column(sa.Column("signer", sa.String(64), nullable=False, server_default=""))
        table.add_column(sa.Column("signature", sa.LargeBinary, nullable=False, server_default=sa.text("''")))
