"""Passkeys beside the app's code, and when a browser's person was last asked for what they sign in with."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "passkey",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.UniqueConstraint("credential", name=op.f("uq_passkey_credential")),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("counter", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_index("ix_passkey_person_id", "passkey", ["person_id"])
    op.add_column("login_session", sa.Column("asked_at", sa.BigInteger))
    op.add_column("half_login", sa.Column("given", sa.Boolean, nullable=False, server_default=sa.false()))
    for table in ("login_session", "half_login"):
        op.add_column(table, sa.Column("challenge", sa.String(64), nullable=False, server_default=""))
        op.add_column(table, sa.Column("challenge_ends_at", sa.BigInteger, nullable=False, server_default="0"))
