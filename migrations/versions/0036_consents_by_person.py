"""What rests on the consents of one person is told from what rests on another's; and what is to be erased goes a little at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    with op.batch_alter_table("consent_mark") as table:
        table.add_column(sa.Column("whose", sa.String(64), nullable=False, server_default=""))
    op.drop_index("ix_consent_mark_uri", "consent_mark")
    op.create_index("ix_consent_mark_uri", "consent_mark", ["uri", "organisation_id", "ours", "room_id"], unique=True)
    op.create_table(
        "message_going",
        sa.Column("message_id", sa.String(36), sa.ForeignKey("sealed_message.id"), primary_key=True),
        sa.Column("room_id", sa.String(36), sa.ForeignKey("room.id"), nullable=False, index=True),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
