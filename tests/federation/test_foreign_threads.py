"""Shows on both databases how threads come to be from what other software sends: without a context, out of order, with odd ids."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from fedcollab.actors.service import ActorData
from fedcollab.base.database import open_database
from tests import nodes


@dataclass
class Stage:
    """Our node with a group, and a partner who writes in it."""

    here: nodes.Here
    there: nodes.Rogue
    group: ActorData

    @property
    def author(self) -> str:
        return self.there.uri("/people/sokha")

    def create(self, **note: Any) -> dict[str, Any]:
        return self.there.create(self.author, self.group.uri, **note)

    async def take(self, activity: dict[str, Any]) -> str:
        """Sends an activity; answers what became of it."""
        assert await self.there.send(self.here, activity, actor=self.author) == 202
        await self.here.quiet()
        [(state, reason)] = await self.here.sql("SELECT state, reason FROM inbox_item WHERE uri = :uri", uri=activity["id"])
        return f"{state}: {reason}" if reason else state


@pytest.fixture
async def stage(tmp_path: Any, database_url: str) -> AsyncIterator[Stage]:
    there = await nodes.rogue()
    here = await nodes.start(tmp_path, peers=(there.port,), database=open_database(database_url))
    group = await here.group()
    await nodes.admit(here, there)
    yield Stage(here, there, group)
    await asyncio.gather(here.stop(), there.stop())


LONG = {
    "plain": "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=3000)),
    "wide": "".join(random.Random(1).choices("éжщ中文", k=900)),
}


@pytest.mark.parametrize("letters", sorted(LONG))
async def test_an_id_too_long_to_be_found_again_is_refused_at_once_and_holds_nothing_up(stage: Stage, letters: str) -> None:
    long = LONG[letters]
    assert (await stage.take(stage.create(context=stage.there.uri("/contexts/") + long))).startswith("refused")
    assert (await stage.take(stage.create(id=stage.there.uri("/posts/") + long))).startswith("refused")
    assert await stage.there.send(stage.here, stage.create() | {"id": stage.there.uri("/activities/") + long}, actor=stage.author) == 400
    assert await stage.take(stage.create()) == "done"
