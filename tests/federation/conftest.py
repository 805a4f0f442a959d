"""Gives federation's tests a node, a partner made for the test, and a group both are inside."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fedcollab.actors.service import ActorData
from tests import nodes


@dataclass
class Scene:
    """The node under attack, its partner P, and a group of the node."""

    here: nodes.Here
    p: nodes.Rogue
    group: ActorData

    @property
    def author(self) -> str:
        return self.p.uri("/people/sokha")

    async def create(self, **note: object) -> dict[str, object]:
        return self.p.create(self.author, self.group.uri, **note)

    async def stored(self, activity: dict[str, object]) -> bool:
        """Whether the post of a Create is here once the inbox is quiet."""
        await self.here.quiet()
        obj = activity["object"]
        assert isinstance(obj, dict)
        return bool(await self.here.sql("SELECT 1 FROM post WHERE uri = :uri", uri=obj["id"]))

    async def twin(self) -> None:
        """The legitimate request works, before and after whatever was refused."""
        activity = await self.create()
        assert await self.p.send(self.here, activity) == 202
        assert await self.stored(activity)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    p = await nodes.rogue()
    here = await nodes.start(tmp_path, peers=(p.port,))
    group = await here.group()
    await nodes.admit(here, p)
    made = Scene(here, p, group)
    await made.twin()
    await nodes.settled(here)
    yield made
    await here.stop()
    await p.stop()
