"""Gives tests how long acts on pages hold the node's writer: the processor time of the longest of its units."""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.writer import SqliteEngine, Unit
from tests.features.cases.desks import Office

MOST, TRIES = 0.05, 3  # seconds of processor time; of so many tries the best counts, where an act can be done again
Act = Callable[[], Awaitable[Any]]


@contextmanager
def units(at: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The processor time of each unit that the node's writer runs."""
    attempt, found, mine = SqliteEngine._attempt, list[float](), at.site.kernel.database.backend

    def counted(self: SqliteEngine, connection: sa.Connection, unit: Unit) -> bool:
        began = time.thread_time()
        try:
            return attempt(self, connection, unit)
        finally:
            if self is mine:
                found.append(time.thread_time() - began)

    with monkeypatch.context() as patch:
        patch.setattr(SqliteEngine, "_attempt", counted)
        yield found


class Watched:
    """Does acts and keeps, by their names, how long the longest unit of each held the writer."""

    def __init__(self, found: list[float]) -> None:
        self.found, self.longest = found, dict[str, float]()

    async def once(self, name: str, act: Act) -> Any:
        self.found.clear()
        answer = await act()
        status = answer[0] if isinstance(answer, tuple) else 200
        assert status in (200, 303), (name, answer)
        self.longest[name] = min(max(self.found, default=0.0), self.longest.get(name, 1e9))
        return answer

    async def often(self, name: str, act: Act) -> None:
        for _ in range(TRIES):
            await self.once(name, act)
            if self.longest[name] <= MOST:
                return

    def slow(self) -> dict[str, str]:
        """The acts that hold the writer longer than a unit may."""
        return {name: f"{seconds * 1e3:.0f} ms" for name, seconds in self.longest.items() if seconds > MOST}
