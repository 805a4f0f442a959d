"""Shows that what an author said once and took back does not return by somebody who brings the old activity again."""

import json
from typing import Any

import pytest

from fedcollab.base.clock import new_id
from fedcollab.features.discussions import reading, service
from fedcollab.federation import activitystreams as ap
from tests import nodes

from .conftest import Scene
from .test_introductions import Stage, stage

__all__ = ["stage"]  # the fixture


def version(by: nodes.Rogue, author: str, post: dict[str, Any], number: int, **more: Any) -> dict[str, Any]:
    """An Update to the author's version `number`, made in that month."""
    changed = post | {"content": f"<p>version {number}</p>", "updated": f"2026-0{number}-01T00:00:00Z"} | more
    return by.prove(ap.activity("Update", by.uri(f"/activities/{new_id()}"), author, {k: v for k, v in changed.items() if v}), author)


@pytest.mark.rule("ORG-25")
async def test_an_older_version_that_comes_again_changes_nothing(scene: Scene) -> None:
    created = await scene.create()
    assert await scene.p.send(scene.here, created) == 202
    second, third = [version(scene.p, scene.author, created["object"], n) for n in (2, 3)]  # type: ignore[arg-type]  # a Create's object
    for activity in (third, second):
        proved = scene.p.prove({k: v for k, v in activity.items() if k != "proof"}, scene.author)
        assert await scene.p.send(scene.here, proved) == 202
    await scene.here.quiet()
    uri = created["object"]["id"]  # type: ignore[index]
    assert await scene.here.sql("SELECT html FROM post WHERE uri = :uri", uri=uri) == [("<p>version 3</p>",)]
    fourth = version(scene.p, scene.author, created["object"], 4)  # type: ignore[arg-type]
    assert await scene.p.send(scene.here, fourth) == 202
    await scene.here.quiet()
    assert await scene.here.sql("SELECT html FROM post WHERE uri = :uri", uri=uri) == [("<p>version 4</p>",)]


@pytest.mark.rule("ORG-25")
async def test_a_host_cannot_roll_a_post_back_by_announcing_an_old_change_again(stage: Stage) -> None:
    created = stage.x.create(stage.author, stage.group)
    updates = [version(stage.x, stage.author, created["object"], n) for n in (2, 3)]
    for activity in (created, *updates):
        assert await stage.announce(activity) == "done"
    assert await stage.announce(updates[0]) == "done"
    assert [row[0] for row in await stage.posts()] == ["<p>version 3</p>"]
    dateless = version(stage.x, stage.author, created["object"], 4, updated="")
    assert await stage.announce(dateless) == "done", "its proof says when it was made"
    assert await stage.announce(updates[1]) == "done"
    assert [row[0] for row in await stage.posts()] == ["<p>version 4</p>"]


@pytest.mark.rule("ORG-25")
async def test_another_group_changes_and_deletes_nothing(stage: Stage) -> None:
    created = stage.x.create(stage.author, stage.group)
    assert await stage.announce(created) == "done"
    members = [{"id": uri, "name": "n"} for uri in (stage.p.uri("/actor"), stage.here.url + "/actor")]
    document = stage.p.actor("/groups/other", "Group", **{ap.LABEL: "TLP:GREEN", ap.MEMBERS: members})
    made = ap.activity("Update", stage.p.uri(f"/activities/{new_id()}"), stage.p.uri("/actor"), document)
    assert await stage.p.send(stage.here, stage.p.prove(made, stage.p.uri("/actor"))) == 202
    await stage.here.quiet()
    delete = stage.x.prove(ap.activity("Delete", stage.x.uri("/activities/d"), stage.author, created["object"]["id"]), stage.author)
    home = stage.group
    stage.group = document["id"]
    for activity in (version(stage.x, stage.author, created["object"], 2), delete):
        assert await stage.announce(activity) == "refused: announced by another group than it stands in"
    stage.group = home
    assert [row[0] for row in await stage.posts()] == ["<p>hello</p>"]
    assert await stage.announce(delete) == "done"
    assert [row[0] for row in await stage.posts()] == [""]


async def test_the_hosts_echo_of_an_earlier_change_leaves_our_members_own_words_alone(scene: Scene) -> None:
    here, p = scene.here, scene.p
    members = [{"id": uri, "name": "n"} for uri in (p.uri("/actor"), here.url + "/actor")]
    document = p.actor("/groups/g", "Group", **{ap.LABEL: "TLP:GREEN", ap.MEMBERS: members})
    update = p.prove(ap.activity("Update", p.uri(f"/activities/{new_id()}"), p.uri("/actor"), document), p.uri("/actor"))
    assert await p.send(here, update) == 202
    await here.quiet()
    [group] = [g.actor for g in await here.read(reading.groups, here.viewer) if g.actor.uri == document["id"]]
    posted = await here.write(service.post_thread, here.viewer, group.id, title="Ours", text="one")
    for text in ("two", "three"):
        await here.write(service.edit, here.viewer, posted.post_id, text=text)

    async def sent() -> list[dict[str, Any]]:
        found = [a for a in p.received if a["type"] in ("Create", "Update") and ap.ident(a["object"]) == posted.uri]
        return found if len(found) == 3 else []

    for activity in [*(await nodes.until("the host has all three", sent)), p.received[-2]]:
        echo = ap.activity("Announce", p.uri(f"/activities/{new_id()}"), document["id"], activity)
        assert await p.send(here, json.loads(json.dumps(echo)), actor=document["id"]) == 202
        await here.quiet()
        stored = await here.sql("SELECT html, source FROM post WHERE uri = :uri", uri=posted.uri)
        assert stored == [("<p>three</p>", "three")]
    assert len(await here.read(reading.revisions, here.viewer, posted.post_id)) == 2


@pytest.mark.rule("ORG-05")
@pytest.mark.parametrize("wrong", [{"type": "Follow"}, {"id": 5, "type": "Follow"}, {"id": ["a"], "type": "Follow"}, ["a", "b"], 7, None])
async def test_what_names_nothing_undoes_and_deletes_nothing_and_holds_nobody_up(scene: Scene, wrong: object) -> None:
    before = await scene.here.sql("SELECT id, state FROM follow ORDER BY id")
    for kind in ("Undo", "Delete", "Accept", "Reject", "Follow"):
        made = ap.activity(kind, scene.p.uri(f"/activities/{new_id()}"), scene.p.uri("/actor"), wrong)
        assert await scene.p.send(scene.here, made) == 202
    await scene.here.quiet()
    assert await scene.here.sql("SELECT id, state FROM follow ORDER BY id") == before
    assert await scene.here.sql("SELECT attempts FROM inbox_item WHERE attempts > 0") == []
    await scene.twin()


async def test_a_deletion_that_names_its_post_by_id_alone_is_passed_on(scene: Scene) -> None:
    other = await nodes.rogue("Other")
    wider = nodes.may_also_reach(scene.here, other)
    peers = wider.kernel.fetcher.peers
    object.__setattr__(scene.here.kernel.fetcher, "peers", peers)
    await nodes.admit(scene.here, other)
    await wider.kernel.fetcher.close()
    created = await scene.create()
    assert await scene.p.send(scene.here, created) == 202
    uri = ap.ident(created["object"])
    delete = scene.p.prove(ap.activity("Delete", scene.p.uri("/activities/d1"), scene.author, uri), scene.author)
    assert await scene.p.send(scene.here, delete) == 202

    async def told() -> bool:
        return any(ap.types(a.get("object")) == ["Delete"] for a in other.received)

    await nodes.until("the others inside are told", told)
    assert await scene.here.sql("SELECT html FROM post WHERE uri = :uri", uri=uri) == [("",)]
    await other.stop()


async def test_an_opener_without_a_thread_of_its_own_joins_the_answers_that_came_before_it(scene: Scene) -> None:
    opener = await scene.create()
    uri = ap.ident(opener["object"])
    answer = await scene.create(context=uri, inReplyTo=uri)
    for activity in (answer, opener):
        assert await scene.p.send(scene.here, activity) == 202
        assert await scene.stored(activity)
    assert await scene.here.sql("SELECT count(*), count(DISTINCT thread_id) FROM post WHERE uri = :a OR reply_to = :a", a=uri) == [(2, 1)]
