"""Shows that a new name reaches everybody who knows the person, and that nobody but their organisation can change it."""

from pathlib import Path
from typing import Any

from fedcollab.base.clock import new_id, system_clock
from fedcollab.features.discussions import reading, service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import proofs
from tests import nodes
from tests.nodes import Here, until

from .conftest import Scene


async def named(here: Here, uri: str, name: str) -> bool:
    return bool(await here.sql("SELECT 1 FROM actor WHERE uri = :uri AND name = :name", uri=uri, name=name))


async def rename(here: Here, name: str) -> None:
    """As the settings form does, for a node of the tests whose people have no account."""
    from fedcollab.actors import service as actors
    from fedcollab.federation import follows

    def work(session: Any, node: Any) -> None:
        import sqlalchemy as sa

        session.execute(sa.text("UPDATE actor SET name = :name WHERE id = :id"), {"name": name, "id": here.viewer.person_id})
        follows.tell_profile(session, node, actors.by_id(session, here.viewer.person_id))

    await here.write(work)


async def test_a_new_name_reaches_partners_at_once_and_others_with_the_next_post(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B", "C") as (host, b, c):
        group = await host.group()
        await nodes.befriend(host, b)
        await nodes.befriend(host, c)
        opener = await host.write(service.post_thread, host.viewer, group.id, title="T", text="Hello")
        for one in (b, c):
            await until("the opener", lambda one=one: one.sql("SELECT 1 FROM post WHERE uri = :uri", uri=opener.uri))
        row = await b.read(reading.post_by_uri, b.viewer, opener.uri)
        await b.write(service.post_reply, b.viewer, row.thread_id, text="First")
        (uri,) = (await b.sql("SELECT uri FROM actor WHERE id = :id", id=b.viewer.person_id))[0]
        await until("C knows the author", lambda: named(c, uri, "Ilse V."))
        await rename(b, "Ilse van D.")
        await until("the host, a partner, knows", lambda: named(host, uri, "Ilse van D."))
        assert await named(c, uri, "Ilse V.")
        await b.write(service.post_reply, b.viewer, row.thread_id, text="Second")
        await until("C learns it with the post", lambda: named(c, uri, "Ilse van D."))
        assert await c.sql("SELECT known FROM actor WHERE uri = :uri", uri=uri) == [("introduced",)]


async def test_a_profile_without_its_organisations_proof_or_an_older_one_changes_nothing(scene: Scene) -> None:
    person, name = scene.p.documents["/people/sokha"], "Sokha P."
    forged = {**person, "name": "Forged"}
    by_herself = scene.p.prove({k: v for k, v in forged.items() if k != "proof"}, scene.author)
    older = {k: v for k, v in forged.items() if k != "proof"}
    older = proofs.prove(older, scene.p.signers[scene.p.uri("/actor")]["ed25519"], system_clock() - 10**12)
    for document in (forged, by_herself, older):
        update = ap.activity("Update", scene.p.uri(f"/activities/{new_id()}"), scene.author, document)
        assert await scene.p.send(scene.here, update) == 202
        await scene.here.quiet()
        assert await named(scene.here, scene.author, name)
    good = scene.p.prove({**{k: v for k, v in person.items() if k != "proof"}, "name": "Sokha Prak"}, scene.p.uri("/actor"))
    update = ap.activity("Update", scene.p.uri(f"/activities/{new_id()}"), scene.author, good)
    assert await scene.p.send(scene.here, update) == 202
    await scene.here.quiet()
    assert await named(scene.here, scene.author, "Sokha Prak")


async def test_nobody_changes_the_profile_of_somebody_else(scene: Scene) -> None:
    scene.p.actor("/people/other", "Person", name="Other")
    victim = scene.p.prove(
        {**{k: v for k, v in scene.p.documents["/people/sokha"].items() if k != "proof"}, "name": "X"}, scene.p.uri("/actor")
    )
    update = ap.activity("Update", scene.p.uri(f"/activities/{new_id()}"), scene.p.uri("/people/other"), victim)
    assert await scene.p.send(scene.here, update) == 202
    await scene.here.quiet()
    assert await named(scene.here, scene.author, "Sokha P.")
