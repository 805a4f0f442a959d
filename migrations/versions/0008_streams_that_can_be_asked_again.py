"""What came is numbered as its sender numbered it, so that gaps show; who confirmed a deletion is a row each; what is old may go."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

KEPT = 45 * 24 * 3600 * 1_000_000  # microseconds


def upgrade() -> None:
    _partner()
    op.add_column("activity", sa.Column("purge_at", sa.BigInteger(), nullable=True))
    activity = sa.table("activity", sa.column("created_at", sa.BigInteger()), sa.column("purge_at", sa.BigInteger()))
    op.execute(sa.update(activity).values(purge_at=activity.c.created_at + KEPT))
    op.create_index(op.f("ix_activity_purge_at"), "activity", ["purge_at"], unique=False)
    op.add_column("inbox_item", sa.Column("epoch", sa.BigInteger(), nullable=True))
    op.add_column("inbox_item", sa.Column("seq", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_inbox_item_host_epoch_seq"), "inbox_item", ["host", "epoch", "seq"], unique=False)
    op.execute("UPDATE delivery SET state = 'dropped' WHERE state = 'refused' AND status IS NULL")
    op.create_table(
        "receipt",
        sa.Column("activity_uri", sa.Text(), nullable=False),
        sa.Column("organisation_uri", sa.Text(), nullable=False),
        sa.Column("object_uri", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("activity_uri", "organisation_uri", name=op.f("pk_receipt")),
    )
    op.create_index(op.f("ix_receipt_object_uri"), "receipt", ["object_uri"], unique=False)


def _partner() -> None:
    for name in ("heard_epoch", "heard_seq", "resync_tries"):
        op.add_column("partner", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("partner", sa.Column("resync_error", sa.Text(), nullable=False, server_default=""))
    for name in ("resync_at", "whole_at"):
        op.add_column("partner", sa.Column(name, sa.BigInteger(), nullable=True))
