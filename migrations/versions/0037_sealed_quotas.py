"""How much of what partners have sealed is here is counted, by the host that has brought it."""

from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"

ROOMS = """
    SELECT brought, room_id, sum(size) AS size FROM (
        SELECT brought, room_id, length(body) AS size FROM sealed_message WHERE brought <> ''
        UNION ALL SELECT m.brought, m.room_id, f.size FROM sealed_file f JOIN sealed_message m ON m.id = f.message_id
        WHERE m.brought <> '' AND f.state = 'here'
    ) AS here GROUP BY brought, room_id
"""
ALL = "SELECT host AS brought, '' AS room_id, sum(size) AS size FROM sealed_use GROUP BY host"


def upgrade() -> None:
    with op.batch_alter_table("sealed_message") as table:
        table.add_column(sa.Column("brought", sa.Text, nullable=False, server_default=""))
    use = op.create_table(
        "sealed_use",
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("room_id", sa.String(36), primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
    )
    bind = op.get_bind()
    own = set(bind.scalars(sa.text("SELECT uri FROM actor WHERE known = 'own'")))
    for uri in bind.scalars(sa.text("SELECT DISTINCT organisation FROM sealed_message")).all():
        if uri not in own:  # who has passed them on is not known any more
            brought = {"host": urlsplit(uri).netloc, "uri": uri}
            bind.execute(sa.text("UPDATE sealed_message SET brought = :host WHERE organisation = :uri"), brought)
    for total in (ROOMS, ALL):
        rows = [dict(host=row.brought, room_id=row.room_id, size=int(row.size)) for row in bind.execute(sa.text(total))]
        if rows:
            bind.execute(sa.insert(use), rows)
