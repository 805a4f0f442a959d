"""The library: imports, with what was read and what became of each entry; what harvesters ask for is found by its time."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
PUBLIC = sa.text("label = 'TLP:CLEAR'")


def upgrade() -> None:
    texts = ("name", "label", "publisher", "text")
    op.create_index(
        "ix_resource_harvest", "resource", ["organisation_id", "changed_at", "id"], sqlite_where=PUBLIC, postgresql_where=PUBLIC
    )
    op.create_table(
        "library_import",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("person_id", sa.String(36), sa.ForeignKey("actor.id"), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("format", sa.String(8), nullable=False),
        sa.Column("guessed", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("entries", "created_at", "changed_at")),
    )
    op.create_index("ix_library_import_person_id", "library_import", ["person_id"])
    op.create_index("ix_library_import_state", "library_import", ["state"])
    op.create_table(
        "library_import_row",
        sa.Column("import_id", sa.String(36), sa.ForeignKey("library_import.id"), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.JSON, nullable=name in ("record", "reason")) for name in ("record", "reason", "notes")),
        sa.Column("label", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("chosen", sa.Boolean, nullable=False),
        sa.Column("resource_id", sa.String(36)),
        sa.Column("same_as", sa.BigInteger),
    )
    op.create_index("ix_library_import_row_next", "library_import_row", ["import_id", "state", "number"])
