"""People who have locked their access themselves; whose boxes of a case key did not open; by which key we have proved what we said of
rooms."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.create_table(
        "access_lock",
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id"), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.add_column("room", sa.Column("proved_by", sa.Text, nullable=False, server_default=""))
    op.add_column("key_request", sa.Column("given_by", sa.Text, nullable=False, server_default=""))
    op.add_column("key_request", sa.Column("shut", sa.JSON, nullable=False, server_default="[]"))
