"""Decides how a stocked node comes to hold the work of years: rows like those that are there, numbered, written by the database itself."""

from typing import Any

import sqlalchemy as sa

from fedcollab.base.model import Model
from fedcollab.base.paths import NodeFiles

from .stock import POSTS, Stocked

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count)"
ROW, THREAD = "printf('00000000-0000-7000-8000-%012x', n.i)", f"printf('00000000-0000-7000-8000-%012x', n.i / {POSTS})"
URI = "'https://grown.example/' || n.i"
PLACE = f"n.i % {POSTS} + 1"
# table -> columns that differ from row to row; all others are those of a row that a service has written
GROWN = {
    "thread": {"id": ROW, "uri": URI, "posts": str(POSTS)},
    "post": {"id": ROW, "uri": URI, "thread_id": THREAD, "place": PLACE},
    "activity": {"id": ROW, "uri": URI, "object_uri": URI, "order_key": THREAD, "body": "''"},
    "delivery": {"seq": "n.i + 100", "activity_id": ROW, "order_key": THREAD, "state": "'done'"},
    "inbox_item": {"id": "n.i + 100", "uri": URI, "order_key": THREAD, "state": "'done'", "body": "'{}'"},
}


def grow(stocked: Stocked, posts: int) -> None:
    """Adds so many posts, 50 a conversation, each with its activity, its delivery to one partner and the inbox row that it came by."""
    engine = sa.create_engine(f"sqlite:///{NodeFiles(stocked.place).database}", poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        partner, actor = (connection.execute(sa.text(q)).scalar_one() for q in ("SELECT min(id) FROM partner", "SELECT min(id) FROM actor"))
        made = {
            "inbox_item": dict(host="grown.example", sender_id=actor, attempts=0, next_try_at=0, reason="", received_at=1),
            "delivery": dict(partner_id=partner, attempts=0, next_try_at=0, error="", done_at=1),
        }
        for table, changed in GROWN.items():
            pattern = connection.execute(sa.text(f"SELECT * FROM {table} LIMIT 1")).mappings().one_or_none()
            kept = dict(pattern or made[table]) | made.get(table, {})
            _multiply(connection, table, kept, changed, posts // POSTS if table == "thread" else posts)
        connection.execute(sa.text("UPDATE partner SET last_seq = last_seq + :count + 100"), {"count": posts})
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


def _multiply(connection: sa.Connection, table: str, kept: dict[str, Any], changed: dict[str, str], count: int) -> None:
    columns = [column.name for column in Model.metadata.tables[table].columns if column.name in kept or column.name in changed]
    values = ", ".join(changed.get(name, f":{name}") for name in columns)
    query = f"INSERT INTO {table} ({', '.join(columns)}) {NUMBERS} SELECT {values} FROM n"
    connection.execute(sa.text(query), {name: kept[name] for name in columns if name not in changed} | {"count": count})
