"""Shows that a change counts by when its author made it, whatever in the post it touches, and that a label only becomes narrower."""

from typing import Any

import pytest

from fedcollab.actors.service import ActorData
from fedcollab.federation import activitystreams as ap

from .conftest import Scene
from .test_old_news import version


async def take(scene: Scene, activity: dict[str, Any]) -> str:
    """Sends the partner's activity; answers what became of it."""
    proved = scene.p.prove({name: value for name, value in activity.items() if name != "proof"}, scene.author)
    assert await scene.p.send(scene.here, proved) == 202
    await scene.here.quiet()
    [(state, reason)] = await scene.here.sql("SELECT state, reason FROM inbox_item WHERE uri = :uri", uri=activity["id"])
    return f"{state}: {reason}" if reason else state


async def opener(scene: Scene, group: ActorData, **more: Any) -> dict[str, Any]:
    """An Article of the partner's, taken in; answers its object."""
    created = scene.p.create(scene.author, group.uri, type="Article", name="Title 1", content="<p>same</p>", **more)
    assert await take(scene, created) == "done"
    found: dict[str, Any] = created["object"]
    return found


async def title(scene: Scene, obj: dict[str, Any]) -> str:
    query = "SELECT t.title FROM thread t JOIN post p ON p.thread_id = t.id WHERE p.uri = :uri"
    [(found,)] = await scene.here.sql(query, uri=obj["id"])
    return str(found)


@pytest.mark.rule("ORG-25")
async def test_a_title_never_goes_back_to_an_older_one(scene: Scene) -> None:
    obj = await opener(scene, scene.group)
    for number, expected in ((3, "Title 3"), (2, "Title 3"), (4, "Title 4")):
        assert await take(scene, version(scene.p, scene.author, obj, number, content="<p>same</p>", name=f"Title {number}")) == "done"
        assert await title(scene, obj) == expected


@pytest.mark.rule("ORG-25")
async def test_what_lies_between_two_versions_that_read_alike_is_old_news(scene: Scene) -> None:
    obj = await opener(scene, scene.group)
    await take(scene, version(scene.p, scene.author, obj, 3, content="<p>same</p>"))
    await take(scene, version(scene.p, scene.author, obj, 2, content="<p>said by mistake</p>"))
    assert await scene.here.sql("SELECT html FROM post WHERE uri = :uri", uri=obj["id"]) == [("<p>same</p>",)]
    await take(scene, version(scene.p, scene.author, obj, 4, content="<p>newer</p>"))
    assert await scene.here.sql("SELECT html FROM post WHERE uri = :uri", uri=obj["id"]) == [("<p>newer</p>",)]


async def test_an_answers_name_is_not_the_conversations_title(scene: Scene) -> None:
    obj = await opener(scene, scene.group)
    answer = await scene.create(inReplyTo=obj["id"])
    assert await take(scene, answer) == "done"
    assert await take(scene, version(scene.p, scene.author, answer["object"], 2, name="Another title")) == "done"  # type: ignore[arg-type]
    assert await title(scene, obj) == "Title 1"


async def test_a_label_is_made_narrower_by_its_author_and_never_wider(scene: Scene) -> None:
    group = await scene.here.group("public", "TLP:CLEAR")
    obj = await opener(scene, group, to=[ap.PUBLIC, group.uri + "/followers"], **{ap.LABEL: "TLP:CLEAR"})
    label = "SELECT p.label, t.label FROM post p JOIN thread t ON t.id = p.thread_id WHERE p.uri = :uri"
    assert await scene.here.sql(label, uri=obj["id"]) == [("TLP:CLEAR", "TLP:CLEAR")]
    silent = {name: value for name, value in obj.items() if name not in ("to", ap.LABEL, "audience")}
    assert await take(scene, version(scene.p, scene.author, silent, 2)) == "done"
    assert await scene.here.sql(label, uri=obj["id"]) == [("TLP:CLEAR", "TLP:CLEAR")], "who says nothing of it means nothing by it"
    narrower = {"to": [group.uri + "/followers"], ap.LABEL: "TLP:GREEN"}
    assert await take(scene, version(scene.p, scene.author, obj, 3, **narrower)) == "done"
    assert await scene.here.sql(label, uri=obj["id"]) == [("TLP:GREEN", "TLP:GREEN")]
    wider = version(scene.p, scene.author, obj, 4)
    assert await take(scene, wider) == "refused: addressed wider than before"
    assert await scene.here.sql(label, uri=obj["id"]) == [("TLP:GREEN", "TLP:GREEN")]
    await scene.twin()
