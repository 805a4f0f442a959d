"""Shows on both databases that a conversation's id belongs to one group, and that a second group neither takes nor confirms a post."""

from typing import Any

import pytest

from fedcollab.actors.service import ActorData
from fedcollab.base.clock import new_id
from fedcollab.features.discussions import reading, service
from fedcollab.federation import activitystreams as ap

from .conftest import Scene
from .test_foreign_threads import Stage, stage

__all__ = ["stage"]  # the fixture


async def threads(stage: Stage) -> list[tuple[str, int]]:
    """(group, number of posts) of each conversation."""
    found = await stage.here.sql("SELECT g.username, t.posts FROM thread t JOIN actor g ON g.id = t.group_id ORDER BY g.username")
    return [(name, posts) for name, posts in found]


async def test_the_same_context_in_two_groups_is_two_conversations_and_answers_stay_in_theirs(stage: Stage) -> None:
    other, context = await stage.here.group("other"), stage.there.uri("/contexts/1")
    one, two = stage.create(context=context), stage.there.create(stage.author, other.uri, context=context)
    for activity in (one, two):
        assert await stage.take(activity) == "done"
    assert await threads(stage) == [("leads", 1), ("other", 1)]
    nameless: dict[str, Any] = {"audience": "", "to": [stage.there.uri("/people/sokha/followers")], "context": context}
    answer = stage.there.create(stage.author, other.uri, **nameless, inReplyTo=two["object"]["id"])
    del answer["proof"]
    answer = stage.there.prove(answer | {"to": nameless["to"]}, stage.author)
    assert await stage.take(answer) == "done"
    assert await threads(stage) == [("leads", 1), ("other", 2)]
    unclear = stage.there.create(stage.author, other.uri, **nameless)
    del unclear["proof"]
    unclear = stage.there.prove(unclear | {"to": nameless["to"]}, stage.author)
    assert await stage.take(unclear) == "refused: addressed to no group of this node"
    beside = stage.create(context=context, inReplyTo=two["object"]["id"])
    assert await stage.take(beside) == "done", "the context of its own group comes before what it answers"
    across = stage.create(context=stage.there.uri("/contexts/2"), inReplyTo=two["object"]["id"])
    assert await stage.take(across) == "refused: its thread is in another group"
    assert await threads(stage) == [("leads", 2), ("other", 2)]


async def partners_group(scene: Scene, slug: str) -> ActorData:
    """A group of the partner's in which we are."""
    members = [{"id": uri, "name": "n"} for uri in (scene.p.uri("/actor"), scene.here.url + "/actor")]
    document = scene.p.actor(f"/groups/{slug}", "Group", **{ap.LABEL: "TLP:GREEN", ap.MEMBERS: members})
    update = ap.activity("Update", scene.p.uri(f"/activities/{new_id()}"), scene.p.uri("/actor"), document)
    assert await scene.p.send(scene.here, scene.p.prove(update, scene.p.uri("/actor"))) == 202
    await scene.here.quiet()
    [group] = [g.actor for g in await scene.here.read(reading.groups, scene.here.viewer) if g.actor.uri == document["id"]]
    return group


@pytest.mark.rule("ORG-25")
async def test_only_the_group_that_a_post_was_written_in_confirms_it(scene: Scene) -> None:
    group, other = await partners_group(scene, "g"), await partners_group(scene, "h")
    posted = await scene.here.write(service.post_thread, scene.here.viewer, group.id, title="Ours", text="one")
    [(body,)] = await scene.here.sql("SELECT body FROM activity WHERE object_uri = :uri", uri=posted.uri)

    async def echo(by: ActorData) -> tuple[str, bool]:
        import json

        made = ap.activity("Announce", scene.p.uri(f"/activities/{new_id()}"), by.uri, json.loads(body))
        assert await scene.p.send(scene.here, made, actor=by.uri) == 202
        await scene.here.quiet()
        [(state,)] = await scene.here.sql("SELECT state FROM inbox_item WHERE uri = :uri", uri=made["id"])
        [(confirmed,)] = await scene.here.sql("SELECT confirmed_at FROM post WHERE uri = :uri", uri=posted.uri)
        return state, confirmed is not None

    assert await echo(other) == ("refused", False)
    assert await echo(group) == ("done", True)
    await scene.twin()
