"""Opens what a node keeps, beside it, on either database: to read it, or to change it behind its back."""

import sqlite3
import tomllib
from typing import Any

from .processes import Process


def query(node: Process, sql: str) -> list[tuple[Any, ...]]:
    """The rows of one query, as committed."""
    settings = tomllib.loads((node.place / "node.toml").read_text())
    url = settings.get("database_url", "")
    if url:
        import psycopg

        with psycopg.connect(url) as connection:
            return list(connection.execute(sql))
    connection = sqlite3.connect(f"file:{node.place / 'node.db'}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def change(node: Process, sql: str) -> None:
    """Runs one statement that no node would run."""
    settings = tomllib.loads((node.place / "node.toml").read_text())
    url = settings.get("database_url", "")
    if url:
        import psycopg

        with psycopg.connect(url) as connection:
            connection.execute(sql)
        return
    raw = sqlite3.connect(node.place / "node.db", timeout=10)
    try:
        with raw:
            raw.execute(sql)
    finally:
        raw.close()
