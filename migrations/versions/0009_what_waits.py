"""What waits has an index of its own: what is done is nearly all, and no question about the rest has to pass it by."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
NOT_DONE = sa.text("state <> 'done'")


def upgrade() -> None:
    op.drop_index("ix_delivery_partner_id_state_seq", "delivery")
    op.drop_index("ix_inbox_item_state_next_try_at_id", "inbox_item")
    op.drop_index("ix_inbox_item_host_order_key_state_id", "inbox_item")
    found = {"sqlite_where": NOT_DONE, "postgresql_where": NOT_DONE}
    op.create_index("ix_delivery_open", "delivery", ["partner_id", "state", "order_key", "seq"], **found)
    op.create_index("ix_inbox_item_open", "inbox_item", ["state", "host", "order_key", "id"], **found)
