"""Decides how the doctor reads a node's database: over connections that can't write, with a Lacking for what can't be read."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from fedcollab.base.config import Settings
from fedcollab.base.database import JSON
from fedcollab.base.paths import NodeFiles

from .findings import Lacking

SECONDS = 5  # that a database may take to be there


def engine(settings: Settings, files: NodeFiles) -> sa.Engine:
    """Connections to the node's database that can't write."""
    return opened(settings.database_url, files.database)


def opened(url: str, path: Path) -> sa.Engine:
    """Connections that can't write: to a PostgreSQL database, or where `url` is empty, to a file."""
    if url:
        plain = url.split("://", 1)[1]
        arguments = {"connect_timeout": SECONDS, "options": f"-c default_transaction_read_only=on -c lock_timeout={SECONDS}s"}
        return sa.create_engine(f"postgresql+psycopg://{plain}", poolclass=sa.pool.NullPool, connect_args=arguments, **JSON)
    address = f"{path.resolve().as_uri()}?mode=ro"
    return sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(address, SECONDS, uri=True), poolclass=sa.pool.NullPool, **JSON)


@contextmanager
def connected(opened: sa.Engine) -> Iterator[sa.Connection]:
    """The database whatever its step. Raises Lacking."""
    try:
        with opened.connect() as connection:
            yield connection
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise Lacking("integrity" if "malformed" in str(error) else "database") from None


def words_of(error: BaseException) -> str:
    """The first line of what a database's driver says."""
    said = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return said.partition("\n")[0]
