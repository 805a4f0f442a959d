"""A conversation's id is one group's own; who was mentioned, who said thanks; a group's outbox is found by its announcements."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    with op.batch_alter_table("thread") as thread:  # on SQLite the table is built anew: a constraint can't be dropped otherwise
        thread.drop_constraint(op.f("uq_thread_uri"), type_="unique")
        thread.create_index("ix_thread_group_uri", ["group_id", "uri"], unique=True)
        thread.create_index("ix_thread_uri", ["uri"])
    op.create_table(
        "mention",
        sa.Column("post_id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_mention_post_id_post")),
        sa.ForeignKeyConstraint(["person_id"], ["actor.id"], name=op.f("fk_mention_person_id_actor")),
        sa.PrimaryKeyConstraint("post_id", "person_id", name=op.f("pk_mention")),
    )
    op.create_index("ix_mention_person_seen", "mention", ["person_id", "seen_at"])
    op.create_index("ix_mention_at", "mention", ["at"])
    op.create_table(
        "thanks",
        sa.Column("post_id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_thanks_post_id_post")),
        sa.ForeignKeyConstraint(["person_id"], ["actor.id"], name=op.f("fk_thanks_person_id_actor")),
        sa.PrimaryKeyConstraint("post_id", "person_id", name=op.f("pk_thanks")),
    )
    op.create_index(op.f("ix_thanks_uri"), "thanks", ["uri"])
    public = sa.text("label = 'TLP:CLEAR'")
    for table in ("thread", "post"):
        op.create_index(f"ix_{table}_public", table, ["author_id"], sqlite_where=public, postgresql_where=public)
    audience = sa.table("audience", sa.column("owner_id"), sa.column("stale", sa.Boolean()))
    ours = sa.select(sa.column("id")).select_from(sa.table("actor")).where(sa.column("known") == "own")
    op.execute(audience.update().where(audience.c.owner_id.in_(ours)).values(stale=True))  # signed anew within a minute, with an outbox
