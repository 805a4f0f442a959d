"""What is sealed is counted for whoever wrote it, not for whoever brings it; and of what is sent stands whose share it takes.
What is erased before it came is noted."""

from collections import Counter
from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"

HERE = """
    SELECT organisation, brought, room_id, sum(size) AS size FROM (
        SELECT organisation, brought, room_id, length(body) AS size FROM sealed_message WHERE brought <> ''
        UNION ALL SELECT m.organisation, m.brought, m.room_id, f.size FROM sealed_file f JOIN sealed_message m ON m.id = f.message_id
        WHERE m.brought <> '' AND f.state = 'here'
    ) AS here GROUP BY organisation, brought, room_id
"""
WAITS = """
    SELECT DISTINCT a.id, a.object_uri FROM activity a JOIN delivery d ON d.activity_id = a.id
    WHERE d.state = 'waiting' AND a.type IN ('Create', 'Announce') AND a.object_uri <> a.order_key
    AND a.body LIKE '%"fc:SealedMessage"%' AND a.body NOT LIKE '%"type":"Delete"%'
"""


def upgrade() -> None:
    op.add_column("activity", sa.Column("share", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "erased_ahead",
        sa.Column("uri", sa.Text, primary_key=True),
        sa.Column("room_id", sa.String(36), sa.ForeignKey("room.id"), nullable=False),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_erased_ahead_room_id", "erased_ahead", ["room_id", "organisation"])
    bind = op.get_bind()
    for row in bind.execute(sa.text(WAITS)).all():
        bind.execute(sa.text("UPDATE activity SET share = :host WHERE id = :id"), {"host": urlsplit(row.object_uri).netloc, "id": row.id})
    counted = Counter[tuple[str, str]]()
    for row in bind.execute(sa.text(HERE)).all():
        author = urlsplit(row.organisation).netloc
        for share in {author} if row.brought == author else {author, f"via {row.brought}"}:
            counted.update({(share, row.room_id): int(row.size), (share, ""): int(row.size)})
    use = sa.table("sealed_use", sa.column("host"), sa.column("room_id"), sa.column("size"))
    bind.execute(sa.delete(use))
    if counted:
        bind.execute(sa.insert(use), [dict(host=share, room_id=room, size=size) for (share, room), size in sorted(counted.items())])
