"""What waits for a partner can be read in the order of its numbers, without looking at all that it was ever sent."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
NOT_DONE = sa.text("state <> 'done'")


def upgrade() -> None:
    op.create_index("ix_delivery_next", "delivery", ["partner_id", "state", "seq"], sqlite_where=NOT_DONE, postgresql_where=NOT_DONE)
