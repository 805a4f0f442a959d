"""Sealed files: what is asked for of members' nodes, what comes in, what was marked; when sealed messages were erased."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    for name, width in (("digest", 64), ("reason", 16)):
        op.add_column("sealed_file", sa.Column(name, sa.String(width), nullable=False, server_default=""))
    op.add_column("sealed_file", sa.Column("tries", sa.BigInteger, nullable=False, server_default="0"))
    for name in ("next_at", "marked_at"):
        op.add_column("sealed_file", sa.Column(name, sa.BigInteger))
    op.drop_index("ix_sealed_file_message_id", "sealed_file")
    with op.batch_alter_table("sealed_file") as table:
        table.drop_constraint(op.f("uq_sealed_file_uri"), type_="unique")
    op.create_index("ix_sealed_file_message_id", "sealed_file", ["message_id", "uri"], unique=True)
    for name in ("next_at", "digest"):
        op.create_index(f"ix_sealed_file_{name}", "sealed_file", [name])
    op.add_column("sealed_message", sa.Column("erased_at", sa.BigInteger))
    op.create_table(
        "sealed_upload",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_sealed_upload_person_id", "sealed_upload", ["person_id"])
    op.create_index("ix_sealed_upload_at", "sealed_upload", ["at"])
