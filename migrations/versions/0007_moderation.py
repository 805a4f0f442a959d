"""Moderation: acts with their reasons, reports and what became of them, what members mute; and the state that posts and threads are in."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("thread", sa.Column("locked", sa.Text(), nullable=True))
    op.add_column("thread", sa.Column("untitled", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name in ("removed", "hidden", "refused"):
        op.add_column("post", sa.Column(name, sa.Text(), nullable=True))
    _acts()
    _flags()
    op.create_table(
        "mute",
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["actor.id"], name=op.f("fk_mute_person_id_actor")),
        sa.PrimaryKeyConstraint("person_id", "subject_id", name=op.f("pk_mute")),
    )


def _acts() -> None:
    op.create_table(
        "moderation_act",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("object_uri", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("group_id", sa.String(length=36), nullable=True),
        sa.Column("author_id", sa.String(length=36), nullable=True),
        sa.Column("by_id", sa.String(length=36), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.Column("undone_reason", sa.Text(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["actor.id"], name=op.f("fk_moderation_act_group_id_actor")),
        sa.ForeignKeyConstraint(["author_id"], ["actor.id"], name=op.f("fk_moderation_act_author_id_actor")),
        sa.ForeignKeyConstraint(["by_id"], ["actor.id"], name=op.f("fk_moderation_act_by_id_actor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moderation_act")),
        sa.UniqueConstraint("uri", name=op.f("uq_moderation_act_uri")),
    )
    for name in ("object_uri", "context", "author_id"):
        op.create_index(op.f(f"ix_moderation_act_{name}"), "moderation_act", [name], unique=False)


def _flags() -> None:
    op.create_table(
        "flag",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("post_id", sa.String(length=36), nullable=False),
        sa.Column("organisation_id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=True),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_flag_post_id_post")),
        sa.ForeignKeyConstraint(["organisation_id"], ["actor.id"], name=op.f("fk_flag_organisation_id_actor")),
        sa.ForeignKeyConstraint(["person_id"], ["actor.id"], name=op.f("fk_flag_person_id_actor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag")),
    )
    op.create_index(op.f("ix_flag_post_id"), "flag", ["post_id"], unique=False)
    for name in ("organisation_id", "person_id"):
        op.create_index(op.f(f"ix_flag_{name}_at"), "flag", [name, "at"], unique=False)
    op.create_table(
        "flag_receiver",
        sa.Column("flag_id", sa.String(length=36), nullable=False),
        sa.Column("organisation_id", sa.String(length=36), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by_id", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(["flag_id"], ["flag.id"], name=op.f("fk_flag_receiver_flag_id_flag")),
        sa.ForeignKeyConstraint(["organisation_id"], ["actor.id"], name=op.f("fk_flag_receiver_organisation_id_actor")),
        sa.ForeignKeyConstraint(["closed_by_id"], ["actor.id"], name=op.f("fk_flag_receiver_closed_by_id_actor")),
        sa.PrimaryKeyConstraint("flag_id", "organisation_id", name=op.f("pk_flag_receiver")),
    )
    op.create_index(op.f("ix_flag_receiver_uri"), "flag_receiver", ["uri"], unique=False)
    op.create_index(op.f("ix_flag_receiver_organisation_id_outcome"), "flag_receiver", ["organisation_id", "outcome"], unique=False)
