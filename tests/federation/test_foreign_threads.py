"""Shows on both databases how threads come to be from what other software sends: without a context, out of order, with odd ids."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from fedcollab.actors.service import ActorData
from fedcollab.base.database import open_database
from fedcollab.federation import activitystreams as ap
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


async def test_an_opener_without_a_context_that_comes_after_its_answer_opens_their_thread(stage: Stage) -> None:
    opener = stage.create(name="What do you see?")
    uri = opener["object"]["id"]
    answer = stage.create(context=uri, inReplyTo=uri, content="<p>Three adverts</p>")
    for activity in (answer, opener):
        assert await stage.take(activity) == "done"
    assert await stage.here.sql("SELECT uri, title, posts FROM thread") == [(uri, "What do you see?", 2)]


async def test_what_has_no_context_is_passed_on_in_the_order_of_its_thread(stage: Stage) -> None:
    opener = stage.create()
    uri = opener["object"]["id"]
    answer = stage.create(inReplyTo=uri)
    changed = answer["object"] | {"content": "<p>changed</p>"}
    update = stage.there.prove(ap.activity("Update", stage.there.uri("/activities/u"), stage.author, changed), stage.author)
    gone = answer["object"]["id"]
    delete = stage.there.prove(ap.activity("Delete", stage.there.uri("/activities/d"), stage.author, gone), stage.author)
    for activity in (opener, answer, update, delete):
        assert await stage.take(activity) == "done"
    passed = await stage.here.sql("SELECT order_key, object_uri FROM activity WHERE type = 'Announce' ORDER BY created_at, id")
    assert passed == [(uri, uri), *([(uri, gone)] * 3)]


async def test_an_answer_to_our_follow_that_does_not_name_it_is_done_with_at_once(stage: Stage) -> None:
    organisation = stage.there.uri("/actor")
    accept = ap.activity("Accept", stage.there.uri("/activities/a"), organisation, {"type": "Follow", "actor": stage.here.url + "/actor"})
    assert await stage.there.send(stage.here, accept) == 202
    await stage.here.quiet()
    assert await stage.here.sql("SELECT state, attempts FROM inbox_item WHERE uri = :uri", uri=accept["id"]) == [("done", 0)]
