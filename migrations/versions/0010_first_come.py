"""What waits in the inbox can be read in the order in which it came, without looking at all that waits."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
NOT_DONE = sa.text("state <> 'done'")


def upgrade() -> None:
    op.create_index("ix_inbox_item_first", "inbox_item", ["state", "id"], sqlite_where=NOT_DONE, postgresql_where=NOT_DONE)
