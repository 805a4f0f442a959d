"""Decides what a unit of work is handed: a connection's statements, in a transaction that whoever runs the unit begins and ends."""

from typing import Any

import sqlalchemy as sa


class Session:
    """A unit's hold on the database. SQLAlchemy's own knows entities, which we have none of
    (docs/decisions/0022-columns-without-mappers.md): loaded it is 5 MiB, and it prepares for them in each unit and statement."""

    def __init__(self, connection: sa.Connection, info: dict[str, Any] | None = None) -> None:
        self._connection = connection
        self.info = {} if info is None else info  # what the parts of a unit, and who runs it, tell each other
        self.execute, self.scalar, self.scalars = connection.execute, connection.scalar, connection.scalars

    def connection(self) -> sa.Connection:
        return self._connection
