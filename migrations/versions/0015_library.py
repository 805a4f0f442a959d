"""The library: records, their versions, notes and lists; an organisation has audiences of its own, one a label; whoever may discuss with
us may share libraries."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
PUBLIC, DUE = sa.text("label = 'TLP:CLEAR'"), sa.text("review_on <> ''")


def upgrade() -> None:
    with op.batch_alter_table("audience") as audience:  # as in step 0006
        audience.drop_constraint(op.f("uq_audience_group_id"), type_="unique")
        audience.create_index("ix_audience_group_id_label", ["group_id", "label"], unique=True)
    _allow()
    _resource()
    _parts()
    _note()
    _collections()
    op.create_table(
        "record_draft",
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id"), primary_key=True),
        sa.Column("place", sa.String(36), primary_key=True),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "catalogue",
        sa.Column("organisation_id", sa.String(36), sa.ForeignKey("actor.id"), primary_key=True),
        sa.Column("after", sa.String(36), nullable=False),
        sa.Column("begun_at", sa.BigInteger, nullable=False),
        sa.Column("done_at", sa.BigInteger),
    )


def _allow() -> None:
    """Partners that take part in discussions may take part in this."""
    partner = sa.table("partner", sa.column("id"), sa.column("allows", sa.JSON))
    for row in op.get_bind().execute(sa.select(partner.c.id, partner.c.allows)).all():
        allows = json.loads(row.allows) if isinstance(row.allows, str) else row.allows
        if "discussions" in allows:
            op.execute(partner.update().where(partner.c.id == row.id).values(allows=sorted({*allows, "library"})))


def _shared(table: str) -> list[sa.Column[object] | sa.UniqueConstraint]:
    return [
        sa.UniqueConstraint("uri", name=op.f(f"uq_{table}_uri")),
        sa.Column("uri", sa.Text, nullable=False),
        sa.Column("audience_id", sa.String(36), sa.ForeignKey("audience.id"), nullable=False),
        sa.Column("label", sa.String(16), nullable=False),
        sa.Column("author_id", sa.String(36), sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("organisation_id", sa.String(36), sa.ForeignKey("actor.id"), nullable=False),
        sa.Column("posted_at", sa.BigInteger, nullable=False),
        sa.Column("added_by_id", sa.String(36), sa.ForeignKey("actor.id")),
    ]


def _resource() -> None:
    texts = ("title", "publisher", "summary", "html", "abstract", "source", "identifier", "reason")
    short = {"language": 16, "kind": 16, "licence": 32, "review_on": 10, "state": 16}
    op.create_table(
        "resource",
        sa.Column("id", sa.String(36), primary_key=True),
        *_shared("resource"),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        *(sa.Column(name, sa.String(length), nullable=False) for name, length in short.items()),
        *(sa.Column(name, sa.JSON, nullable=False) for name in ("authors", "countries", "topics")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("number", "revision", "changed_at")),
        sa.Column("passed_on", sa.Boolean, nullable=False),
        sa.Column("year", sa.BigInteger),
        sa.Column("deleted_at", sa.BigInteger),
    )
    op.create_index("ix_resource_newest", "resource", ["posted_at", "id"])
    op.create_index("ix_resource_of", "resource", ["organisation_id", "posted_at", "id"])
    op.create_index("ix_resource_public", "resource", ["author_id"], sqlite_where=PUBLIC, postgresql_where=PUBLIC)
    op.create_index("ix_resource_due", "resource", ["organisation_id", "review_on"], sqlite_where=DUE, postgresql_where=DUE)
    op.create_index("ix_resource_added_by_id", "resource", ["added_by_id"])


def _parts() -> None:
    op.create_table(
        "resource_version",
        sa.Column("resource_id", sa.String(36), sa.ForeignKey("resource.id"), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("file_id", sa.String(36), sa.ForeignKey("file.id")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("note", "link", "reason")),
        sa.Column("published_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
    )
    op.create_index("ix_resource_version_file_id", "resource_version", ["file_id"])
    op.create_table(
        "resource_translation",
        sa.Column("resource_id", sa.String(36), sa.ForeignKey("resource.id"), primary_key=True),
        sa.Column("uri", sa.Text, primary_key=True),
    )
    op.create_index("ix_resource_translation_uri", "resource_translation", ["uri"])
    op.create_table(
        "label_change",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("resource_id", sa.String(36), sa.ForeignKey("resource.id"), nullable=False),
        sa.Column("by_id", sa.String(36), sa.ForeignKey("actor.id")),
        sa.Column("before", sa.String(16), nullable=False),
        sa.Column("after", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_label_change_resource_id", "label_change", ["resource_id"])


def _note() -> None:
    op.create_table(
        "country_note",
        sa.Column("id", sa.String(36), primary_key=True),
        *_shared("country_note"),
        sa.Column("resource_id", sa.String(36), sa.ForeignKey("resource.id"), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("html", sa.Text, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        *(sa.Column(name, sa.BigInteger) for name in ("edited_at", "confirmed_at", "deleted_at")),
        sa.Column("removed", sa.Text),
    )
    op.create_index("ix_country_note_resource", "country_note", ["resource_id", "posted_at"])
    op.create_index("ix_country_note_author_id", "country_note", ["author_id"])


def _collections() -> None:
    op.create_table(
        "collection",
        sa.Column("id", sa.String(36), primary_key=True),
        *_shared("collection"),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
    )
    op.create_index("ix_collection_author_id", "collection", ["author_id"])
    op.create_table(
        "collection_item",
        sa.Column("collection_id", sa.String(36), sa.ForeignKey("collection.id"), primary_key=True),
        sa.Column("resource_id", sa.String(36), sa.ForeignKey("resource.id"), primary_key=True),
        sa.Column("place", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_collection_item_resource_id", "collection_item", ["resource_id"])
