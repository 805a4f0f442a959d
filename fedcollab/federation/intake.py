"""Decides how verified activities are stored: those that come in at the same time are one unit, and each is answered after its commit."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from fedcollab.base.database import Database, wake
from fedcollab.base.errors import BadRequest
from fedcollab.base.session import Session
from fedcollab.base.statements import inserting, put_by

from .models import InboxItem

MOST = 64
Row = dict[str, Any]
Item = tuple[Row, "asyncio.Future[None]"]


@dataclass
class Intake:
    """The rows that wait to be stored. A unit takes all that wait when it starts, not when it is asked for: while the writer is still
    busy with the one before, more come in."""

    waiting: deque[Item] = field(default_factory=deque)
    task: "asyncio.Task[None] | None" = None

    async def store(self, database: Database, row: Row) -> None:
        """Stores an inbox item, once by its id within its signer's host, and answers after the commit. Raises what `write` raises."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((row, done))
        if self.task is None:
            self.task = asyncio.create_task(self._run(database))
        await done

    async def _run(self, database: Database) -> None:
        try:
            while self.waiting:
                taken: list[Item] = []
                try:
                    await database.write(self._take, taken)
                    _answer(taken, None)
                except BadRequest:
                    await _one_by_one(database, taken)
                except Exception as error:  # noqa: BLE001  # whatever it is, it is each caller's to see
                    _answer(taken or self._all(), error)
        finally:
            self.task = None
            for _, done in self.waiting:  # only where the node stops
                done.cancel()

    def _take(self, session: Session, taken: list[Item]) -> None:
        """In the writer's thread; run again it stores what it has taken already, and more."""
        while self.waiting and len(taken) < MOST:
            taken.append(self.waiting.popleft())
        if taken:
            insert(session, [row for row, _ in taken])

    def _all(self) -> list[Item]:
        """What waits for a unit that never started."""
        found, self.waiting = list(self.waiting), deque()
        return found


async def _one_by_one(database: Database, taken: list[Item]) -> None:
    """One that the database does not take is nobody else's fault."""
    for item in taken:
        try:
            await database.write(insert, [item[0]])
            _answer([item], None)
        except Exception as error:  # noqa: BLE001  # as above
            _answer([item], error)


def _answer(taken: list[Item], error: Exception | None) -> None:
    for _, done in taken:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)


def insert(session: Session, rows: list[Row]) -> None:
    """Stores items, each once; those that were there stay as they are."""
    put_by(session, once(session.connection().dialect.name), rows)
    wake(session, "inbox")


@cache
def once(dialect: str) -> Any:
    """Inserts an inbox item unless it is there."""
    table: Any = InboxItem.__table__
    return inserting(dialect, table).on_conflict_do_nothing()
