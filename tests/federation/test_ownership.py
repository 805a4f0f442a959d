"""Shows that only whom it concerns changes a thing: objects, follows, accounts, collections; and that odd activities have no effect."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from fedcollab.base.clock import new_id
from fedcollab.features.discussions import service
from fedcollab.federation import activitystreams as ap
from tests import nodes

from .conftest import Scene

FACTS = "actor", "actor_key", "partner", "follow", "thread", "post", "mention", "thanks", "audience", "audience_member", "audit_entry"


@pytest.fixture
async def g(scene: Scene) -> AsyncIterator[nodes.Rogue]:
    """A second partner, whose things P is after."""
    made = await nodes.rogue("G")
    peers = frozenset({*scene.here.kernel.fetcher.peers, f"127.0.0.1:{made.port}"})
    object.__setattr__(scene.here.kernel.fetcher, "peers", peers)
    await nodes.admit(scene.here, made)
    assert await made.send(scene.here, made.create(made.uri("/people/sokha"), scene.group.uri)) == 202
    await scene.here.quiet()
    yield made
    await made.stop()


async def facts(scene: Scene) -> dict[str, list[tuple[Any, ...]]]:
    """All rows that hold facts, byte for byte; less what the talk itself moves: a partner's last success and error."""
    found = {table: sorted(map(repr, await scene.here.sql(f"SELECT * FROM {table}"))) for table in FACTS if table != "partner"}
    found["partner"] = sorted(map(repr, await scene.here.sql("SELECT id, host, state FROM partner")))
    return found  # type: ignore[return-value]


async def without_effect(scene: Scene, activity: dict[str, Any], *statuses: int, actor: str = "") -> None:
    """Sends what P signs; whatever is answered, nothing here is another than before."""
    before = await facts(scene)
    assert await scene.p.send(scene.here, activity, actor=actor or scene.author) in statuses
    await scene.here.quiet()
    assert await facts(scene) == before


def by_p(scene: Scene, kind: str, obj: Any, **more: Any) -> dict[str, Any]:
    return scene.p.prove(ap.activity(kind, scene.p.uri(f"/activities/{new_id()}"), scene.author, obj, **more), scene.author)


@pytest.mark.rule("ORG-04")
@pytest.mark.parametrize("kind", ["Update", "Delete", "Create"])
async def test_a_partner_changes_nothing_of_another_partners(scene: Scene, g: nodes.Rogue, kind: str) -> None:
    [(uri,)] = await scene.here.sql("SELECT uri FROM post WHERE uri LIKE :host", host=g.url + "%")
    obj = {"id": uri, "type": "Note", "content": "<p>taken over</p>", "audience": scene.group.uri, "updated": "2030-01-01T00:00:00Z"}
    for author in (scene.author, g.uri("/people/sokha"), ""):
        await without_effect(scene, by_p(scene, kind, {**obj, **({"attributedTo": author} if author else {})}), 202)
    changed = g.prove(
        ap.activity("Update", g.uri("/activities/u"), g.uri("/people/sokha"), {**obj, "attributedTo": g.uri("/people/sokha")}),
        g.uri("/people/sokha"),
    )
    assert await g.send(scene.here, changed) == 202
    await scene.here.quiet()
    assert await scene.here.sql("SELECT html FROM post WHERE uri = :uri", uri=uri) == [("<p>taken over</p>",)]


@pytest.mark.rule("ORG-07")
async def test_follows_are_answered_and_undone_by_whom_they_concern_alone(scene: Scene, g: nodes.Rogue) -> None:
    me, organisation = scene.here.url + "/actor", scene.p.uri("/actor")
    [(ours,)] = await scene.here.sql("SELECT f.uri FROM follow f JOIN actor a ON a.id = f.target_id WHERE a.uri = :g", g=g.uri("/actor"))
    [(theirs,)] = await scene.here.sql(
        "SELECT f.uri FROM follow f JOIN actor a ON a.id = f.follower_id WHERE a.uri = :g", g=g.uri("/actor")
    )
    to_g = {"id": ours, "type": "Follow", "actor": me, "object": g.uri("/actor")}
    by_g = {"id": theirs, "type": "Follow", "actor": g.uri("/actor"), "object": me}
    never = {"id": scene.here.url + "/activities/never", "type": "Follow", "actor": me, "object": organisation}
    for kind, obj in (("Accept", to_g), ("Reject", to_g), ("Undo", by_g), ("Undo", theirs), ("Accept", never), ("Reject", never)):
        made = ap.activity(kind, scene.p.uri(f"/activities/{new_id()}"), organisation, obj)
        await without_effect(scene, scene.p.prove(made, organisation), 202, actor=organisation)
    for kind, obj, left in (("Accept", to_g, "accepted"), ("Reject", to_g, "rejected")):
        assert await g.send(scene.here, ap.activity(kind, g.uri(f"/activities/{new_id()}"), g.uri("/actor"), obj)) == 202
        await scene.here.quiet()
        assert await scene.here.sql("SELECT state FROM follow WHERE uri = :uri", uri=ours) == [(left,)]
    assert await g.send(scene.here, ap.activity("Undo", g.uri("/activities/undo"), g.uri("/actor"), theirs)) == 202
    await scene.here.quiet()
    assert await scene.here.sql("SELECT 1 FROM follow WHERE uri = :uri", uri=theirs) == []


@pytest.mark.rule("ORG-08")
async def test_nobody_moves_anybody(scene: Scene, g: nodes.Rogue) -> None:
    a, b, victim = scene.p.uri("/people/sokha"), scene.p.uri("/people/b"), g.uri("/people/sokha")
    scene.p.actor("/people/b", "Person", alsoKnownAs=[a])
    stolen = ap.activity("Move", scene.p.uri("/activities/m1"), victim, victim, target=a)
    await without_effect(scene, stolen, 401, actor=a)
    for obj, target in ((victim, a), (a, b), (b, a), (scene.here.url + "/actor", a)):
        await without_effect(scene, by_p(scene, "Move", obj, target=target), 202)
    await scene.twin()


@pytest.mark.rule("ORG-09")
@pytest.mark.parametrize("kind", ["Add", "Remove"])
async def test_nobody_adds_to_or_takes_from_anothers_collection(scene: Scene, g: nodes.Rogue, kind: str) -> None:
    targets = [scene.group.uri + "/followers", scene.here.url + "/actor/followers", g.uri("/featured")]
    for target in [*targets, scene.group.uri]:
        for obj in (scene.p.uri("/actor"), g.uri("/actor"), scene.author):
            await without_effect(scene, by_p(scene, kind, obj, target=target), 202)
    await scene.twin()


@pytest.mark.rule("ORG-18")
@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
async def test_a_partner_speaks_for_nothing_under_our_own_ids(scene: Scene, kind: str) -> None:
    here = scene.here
    posted = await here.write(service.post_thread, here.viewer, scene.group.id, title="Ours", text="one")
    [(me,)] = await here.sql("SELECT uri FROM actor WHERE kind = 'Person' AND known = 'own'")
    note = {"type": "Note", "content": "<p>theirs</p>", "audience": scene.group.uri, "updated": "2030-01-01T00:00:00Z"}
    for uri in (posted.uri, here.url + "/cases/1", here.url + "/posts/new", me, here.url + "/actor"):
        for author in (scene.author, me):
            await without_effect(scene, by_p(scene, kind, {**note, "id": uri, "attributedTo": author}), 202)
    for actor in (me, here.url + "/actor"):
        as_us = ap.activity(kind, scene.p.uri(f"/activities/{new_id()}"), actor, {**note, "id": posted.uri})
        await without_effect(scene, as_us, 401, actor=scene.author)
        as_us["id"] = here.url + "/activities/x"
        await without_effect(scene, as_us, 401, actor=scene.author)
    await scene.twin()


@pytest.mark.rule("ORG-21")
async def test_what_is_nested_or_unknown_has_no_effect(scene: Scene) -> None:
    [(follow,)] = await scene.here.sql(
        "SELECT f.uri FROM follow f JOIN actor a ON a.id = f.follower_id WHERE a.uri = :p", p=scene.p.uri("/actor")
    )
    create: dict[str, Any] = await scene.create()
    undo = {"id": scene.p.uri("/activities/inner"), "type": "Undo", "actor": scene.p.uri("/actor"), "object": follow}
    for made in (
        by_p(scene, "Create", by_p(scene, "Create", create)),
        by_p(scene, "Update", create),
        by_p(scene, "Undo", by_p(scene, "Undo", undo)),
        by_p(scene, "Undo", create),
        by_p(scene, "Announce", create),
        by_p(scene, "Foo", create["object"]),
        by_p(scene, "Create", {**create["object"], "type": "Foo"}),
        by_p(scene, "Create", {**create["object"], "id": scene.p.uri("/posts/b"), "type": ["Create", "Follow"]}),
    ):
        await without_effect(scene, made, 202)
    deep: Any = create["object"]
    for _ in range(40):
        deep = {"id": scene.p.uri(f"/activities/{new_id()}"), "type": "Create", "actor": scene.author, "object": deep}
    await without_effect(scene, deep, 400)
    await scene.twin()
