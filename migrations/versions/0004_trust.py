"""Trust in partners: words compared, keys that change, what a partner may do, pauses, vouching."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("actor_key", sa.Column("state", sa.String(length=8), nullable=False, server_default="current"))
    op.add_column("actor_key", sa.Column("until", sa.BigInteger(), nullable=True))
    op.add_column("actor_key", sa.Column("refused_at", sa.BigInteger(), nullable=True))
    op.add_column("partner", sa.Column("suspended_for", sa.String(length=16), nullable=False, server_default=""))
    op.add_column("partner", sa.Column("paused_at", sa.BigInteger(), nullable=True))
    op.add_column("partner", sa.Column("checked_at", sa.BigInteger(), nullable=True))
    op.add_column("partner", sa.Column("checked_by_id", sa.String(length=36), nullable=True))
    op.add_column("partner", sa.Column("allows", sa.JSON(), nullable=False, server_default='["discussions"]'))
    op.add_column("partner", sa.Column("accepted_keys", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("partner", sa.Column("vouched_keys", sa.String(length=64), nullable=False, server_default=""))
    op.create_table(
        "key_offer",
        sa.Column("partner_id", sa.String(length=36), nullable=False),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("keys", sa.String(length=64), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_key_offer_partner_id_partner")),
        sa.PrimaryKeyConstraint("partner_id", name=op.f("pk_key_offer")),
    )
    op.create_table(
        "vouch",
        sa.Column("by_id", sa.String(length=36), nullable=False),
        sa.Column("about_uri", sa.Text(), nullable=False),
        sa.Column("about_host", sa.Text(), nullable=False),
        sa.Column("keys", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["actor.id"], name=op.f("fk_vouch_by_id_actor")),
        sa.PrimaryKeyConstraint("by_id", "about_uri", name=op.f("pk_vouch")),
    )
    op.create_index(op.f("ix_vouch_about_host"), "vouch", ["about_host"])
