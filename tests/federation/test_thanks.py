"""Shows that thanks travel to every node that carries the conversation and are counted once a person; and that nobody gives another's."""

import json
from pathlib import Path
from typing import Any

import pytest

from fedcollab.base.clock import new_id
from fedcollab.features.discussions import reading, service, thanks
from fedcollab.federation import activitystreams as ap
from tests import nodes
from tests.nodes import Here, until

from .conftest import Scene
from .test_contexts import partners_group
from .test_foreign_threads import Stage, stage

__all__ = ["stage"]  # the fixture


async def counted(here: Here, uri: str) -> int:
    """How many thanks a post has, as a member of this node reads it."""
    row = await here.read(reading.post_by_uri, here.viewer, uri)
    found = await here.read(thanks.of_page, here.viewer, row.thread_id)
    return found[row.id].number if found else 0


async def test_thanks_reach_every_node_and_are_taken_back_there_too(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B", "C") as (host, b, c):
        group = await host.group()
        await nodes.befriend(host, b)
        await nodes.befriend(host, c)
        opener = await host.write(service.post_thread, host.viewer, group.id, title="T", text="Hello")
        for one in (b, c):
            await until("the opener", lambda one=one: one.sql("SELECT 1 FROM post WHERE uri = :uri", uri=opener.uri))

        async def everywhere(number: int) -> bool:
            return [await counted(one, opener.uri) for one in (host, b, c)] == [number] * 3

        rows = {one.url: await one.read(reading.post_by_uri, one.viewer, opener.uri) for one in (b, c)}
        for _ in range(2):
            for one in (b, c):
                await one.write(thanks.thank, one.viewer, rows[one.url].id)
        await until("two thanks everywhere", lambda: everywhere(2))
        await b.write(thanks.unthank, b.viewer, rows[b.url].id)
        await until("one everywhere", lambda: everywhere(1))
        await b.write(thanks.thank, b.viewer, rows[b.url].id)
        await until("two again", lambda: everywhere(2))
        [found] = (await host.read(thanks.of_page, host.viewer, opener.thread_id)).values()
        assert {(name, host_name) for _, name, host_name, _ in found.people} == {("Ilse V.", b.host), ("Ilse V.", c.host)}
        assert await b.sql("SELECT count(*) FROM activity WHERE type = 'Like'") == [(2,)]
        await host.write(service.delete, host.viewer, opener.post_id)
        await until("gone with its thanks", lambda: c.sql("SELECT 1 FROM post WHERE deleted_at IS NOT NULL"))
        assert await c.sql("SELECT * FROM thanks") == []


def like(by: nodes.Rogue, author: str, post: str, **more: Any) -> dict[str, Any]:
    return by.prove(ap.activity("Like", by.uri(f"/likes/{new_id()}"), author, post, **more), author)


async def test_likes_by_other_software_are_counted_once_and_undone_by_id_or_by_post(stage: Stage) -> None:
    opener = await stage.here.write(service.post_thread, stage.here.viewer, stage.group.id, title="T", text="Hello")
    one, two = (like(stage.there, stage.author, opener.uri) for _ in range(2))
    assert [await stage.take(activity) for activity in (one, two)] == ["done", "done"]
    assert await counted(stage.here, opener.uri) == 1
    organisation = stage.there.uri("/actor")
    undo = ap.activity("Undo", stage.there.uri("/activities/u1"), stage.author, one["id"])
    assert await stage.take(undo) == "done"
    assert await counted(stage.here, opener.uri) == 0
    assert await stage.take(ap.activity("Like", stage.there.uri("/likes/3"), stage.author, {"id": opener.uri, "type": "Article"})) == "done"
    assert await counted(stage.here, opener.uri) == 1
    bare = {"type": "Like", "actor": stage.author, "object": opener.uri}
    assert await stage.take(ap.activity("Undo", stage.there.uri("/activities/u2"), stage.author, bare)) == "done"
    assert await counted(stage.here, opener.uri) == 0
    by_nobody = ap.activity("Like", stage.there.uri("/likes/4"), organisation, opener.uri)
    assert await stage.there.send(stage.here, by_nobody) == 202
    await stage.here.quiet()
    reason = await stage.here.sql("SELECT reason FROM inbox_item WHERE uri = :uri", uri=by_nobody["id"])
    assert reason == [("people say thanks",)]
    assert await counted(stage.here, opener.uri) == 0


@pytest.mark.rule("ORG-07")
async def test_nobody_takes_back_anothers_thanks(scene: Scene) -> None:
    here, p = scene.here, scene.p
    p.actor("/people/other", "Person")
    opener = await here.write(service.post_thread, here.viewer, scene.group.id, title="T", text="Hello")
    mine = like(p, scene.author, opener.uri)
    assert await p.send(here, mine) == 202
    await here.quiet()
    assert await counted(here, opener.uri) == 1
    for wrong in (mine["id"], {"id": mine["id"], "type": "Like", "actor": scene.author, "object": opener.uri}):
        undo = p.prove(ap.activity("Undo", p.uri(f"/activities/{new_id()}"), p.uri("/people/other"), wrong), p.uri("/people/other"))
        assert await p.send(here, undo) == 202
    await here.quiet()
    assert await counted(here, opener.uri) == 1
    undo = ap.activity("Undo", p.uri(f"/activities/{new_id()}"), scene.author, mine["id"])
    assert await p.send(here, p.prove(undo, scene.author)) == 202
    await here.quiet()
    assert await counted(here, opener.uri) == 0


@pytest.mark.rule("ORG-25")
async def test_a_host_cannot_bring_back_thanks_that_were_taken_back(scene: Scene) -> None:
    here, p = scene.here, scene.p
    group = await partners_group(scene, "g")
    other = await partners_group(scene, "h")
    created = p.create(scene.author, group.uri)
    p.actor("/people/reader", "Person")
    liked = like(p, p.uri("/people/reader"), created["object"]["id"])
    undone = p.prove(ap.activity("Undo", p.uri("/activities/undo"), liked["actor"], {**liked, "@context": ap.CONTEXT}), liked["actor"])

    async def announce(activity: dict[str, Any], by: str) -> None:
        made = ap.activity("Announce", p.uri(f"/activities/{new_id()}"), by, activity, **{ap.INTRODUCES: [p.documents["/people/reader"]]})
        assert await p.send(here, json.loads(json.dumps(made)), actor=by) == 202
        await here.quiet()

    await announce(created, group.uri)
    await announce(liked, other.uri)
    assert await counted(here, created["object"]["id"]) == 0, "another group than it stands in"
    for activity, number in ((liked, 1), (undone, 0), (liked, 0), (like(p, liked["actor"], liked["object"]), 1)):
        await announce(activity, group.uri)
        assert await counted(here, created["object"]["id"]) == number
