"""What the disk looked like stands in the database, a line a day: from it the node says when it will be full. So does what admins say
of the node. When the record was read last is found at once, and the oldest receipts, which go after a year."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "disk_sample",
        sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("database", sa.BigInteger, nullable=False),
        sa.Column("free", sa.BigInteger, nullable=False),
        sa.Column("reusable", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "said",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by_id", sa.String(36), sa.ForeignKey("actor.id")),
    )
    verified = sa.text("action = 'audit.verify'")
    op.create_index("ix_audit_entry_verified", "audit_entry", ["seq"], sqlite_where=verified, postgresql_where=verified)
    op.create_index("ix_receipt_sent_at", "receipt", ["sent_at"])
