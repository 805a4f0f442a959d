"""How many people a partner has stands with the partner, not in each list; who was told of which one-time link is a row each."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("partner", sa.Column("people", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE partner SET people = coalesce((SELECT max(m.people) FROM audience_member m"
        " WHERE m.organisation_id = partner.organisation_id), 0)"
    )
    op.drop_column("audience_member", "people")
    op.add_column("audience", sa.Column("stale", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table(
        "notice",
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("about_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["actor.id"], name=op.f("fk_notice_person_id_actor")),
        sa.ForeignKeyConstraint(["about_id"], ["actor.id"], name=op.f("fk_notice_about_id_actor")),
        sa.PrimaryKeyConstraint("person_id", "about_id", name=op.f("pk_notice")),
    )
    op.execute(
        "INSERT INTO notice (person_id, about_id, at) SELECT m.person_id, min(a.id), m.created_at FROM member m"
        " JOIN actor a ON a.name = m.notice AND a.known = 'own' AND a.kind = 'Person' GROUP BY m.person_id, m.created_at"
    )
    op.drop_column("member", "notice")
