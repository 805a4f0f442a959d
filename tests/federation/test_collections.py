"""Shows what of a conversation and a group other servers can page through: all that the asking partner may see, once, and nothing else."""

import json
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from fedcollab.actors.models import Actor
from fedcollab.base.clock import system_clock
from fedcollab.features.discussions import paging, service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import profiles, signatures
from tests import nodes

from .conftest import Scene


async def fetch(scene: Scene, url: str, by: nodes.Rogue | None = None, status: int = 200) -> dict[str, Any]:
    """A document by a signed GET of the partner's Organization, found under the id it says."""
    one = by or scene.p
    headers = signatures.sign(one.signers[one.uri("/actor")]["rsa"], "GET", url, b"", system_clock())
    async with aiohttp.request("GET", url, headers=headers | {"Accept": ap.MEDIA_TYPE}) as answer:
        assert answer.status == status, await answer.text()
        if status != 200:
            return {}
        found: dict[str, Any] = json.loads(await answer.read())
        assert (found["id"], answer.content_type) == (url, ap.MEDIA_TYPE)
        return found


async def all_pages(scene: Scene, collection: dict[str, Any]) -> list[Any]:
    items, url = [], collection["first"]
    for _ in range(20):
        page = await fetch(scene, url)
        assert (page["type"], page["partOf"]) == ("OrderedCollectionPage", collection["id"])
        items += page["orderedItems"]
        if "next" not in page:
            return items
        url = page["next"]
    raise AssertionError("pages without end")


async def test_a_context_is_a_collection_of_all_posts_in_pages(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "POSTS", 2)
    here = scene.here
    opener = await here.write(service.post_thread, here.viewer, scene.group.id, title="Asked", text="one")
    answers = [await here.write(service.post_reply, here.viewer, opener.thread_id, text=text) for text in ("two", "three", "four", "gone")]
    uris = [opener.uri, *(answer.uri for answer in answers)]
    await here.write(service.delete, here.viewer, uris.pop().rsplit("/", 1)[-1])
    context = f"{here.url}/threads/{opener.thread_id}"
    found = await fetch(scene, context)
    about = (found["type"], found["name"], found["totalItems"], found["attributedTo"], found["audience"])
    assert about == ("OrderedCollection", "Asked", 4, scene.group.uri, scene.group.uri)
    assert await all_pages(scene, found) == uris
    assert (await fetch(scene, uris[0]))["context"] == context
    assert (await fetch(scene, context + "/posts?after=x-y"))["orderedItems"] == uris[:2]


async def test_who_came_later_or_is_outside_is_shown_no_more_than_they_may_see(scene: Scene) -> None:
    here = scene.here
    ours = await here.group("ours", "TLP:AMBER+STRICT")
    secret = await here.write(service.post_thread, here.viewer, ours.id, title="Ours", text="one")
    before = await here.write(service.post_thread, here.viewer, scene.group.id, title="Before", text="one")
    later = await nodes.rogue("Later")
    peers = frozenset({*here.kernel.fetcher.peers, f"127.0.0.1:{later.port}"})
    object.__setattr__(here.kernel.fetcher, "peers", peers)
    await nodes.admit(here, later)
    answer = await here.write(service.post_reply, here.viewer, before.thread_id, text="two")
    context = f"{here.url}/threads/{before.thread_id}"
    found = await fetch(scene, context, later)
    assert (found["totalItems"], found.get("name")) == (1, None), "the title is the opener's"
    assert (await fetch(scene, found["first"], later))["orderedItems"] == [answer.uri]
    assert [
        ap.ident(a["object"]["object"]) for a in (await fetch(scene, scene.group.uri + "/outbox?before=newest", later))["orderedItems"]
    ] == [answer.uri]
    for path in (f"/threads/{secret.thread_id}", f"/threads/{secret.thread_id}/posts", f"/groups/{ours.id}/outbox"):
        await fetch(scene, here.url + path, status=404)
    await fetch(scene, f"{here.url}/groups/{ours.id}/followers", status=404)
    for path in (f"/threads/{before.thread_id}/posts", f"/groups/{scene.group.id}/outbox", f"/groups/{scene.group.id}/followers"):
        async with aiohttp.request("GET", here.url + path, headers={"Accept": ap.MEDIA_TYPE}) as answered:
            assert answered.status == 401
    await later.stop()


async def test_a_groups_outbox_holds_what_it_announced_newest_first(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "ANNOUNCES", 2)
    here = scene.here
    opener = await here.write(service.post_thread, here.viewer, scene.group.id, title="Asked", text="one")
    uris = [opener.uri] + [(await here.write(service.post_reply, here.viewer, opener.thread_id, text=t)).uri for t in ("two", "three")]
    document = await fetch(scene, scene.group.uri)
    found = await fetch(scene, document["outbox"])
    announced = await all_pages(scene, found)
    assert [ap.ident(a["object"]["object"]) for a in announced[:3]] == uris[::-1]
    assert {(a["type"], a["actor"], "proof" in a) for a in announced} == {("Announce", scene.group.uri, True)}
    assert (await fetch(scene, document["followers"]))["totalItems"] == 1


async def test_a_conversation_under_another_servers_id_is_not_ours_to_list(scene: Scene) -> None:
    context = scene.p.uri("/contexts/1")
    created = await scene.create(context=context)
    assert await scene.p.send(scene.here, created) == 202
    assert await scene.stored(created)
    [(thread_id,)] = await scene.here.sql("SELECT id FROM thread WHERE uri = :uri", uri=context)
    for path in (f"/threads/{thread_id}", f"/threads/{thread_id}/posts"):
        await fetch(scene, scene.here.url + path, status=404)


async def test_the_organisations_lists_resolve_for_anybody_and_say_nothing(scene: Scene) -> None:
    async with aiohttp.request("GET", scene.here.url + "/actor", headers={"Accept": ap.MEDIA_TYPE}) as answer:
        document = json.loads(await answer.read())
    for name in ("outbox", "followers", "following"):
        async with aiohttp.request("GET", document[name], headers={"Accept": ap.MEDIA_TYPE}) as answer:
            found = json.loads(await answer.read())
        assert (answer.status, found["id"], found["type"]) == (200, document[name], "OrderedCollection")
        assert set(found) == {"@context", "id", "type"}


async def test_an_organisations_document_that_an_earlier_program_made_is_signed_anew_once(scene: Scene) -> None:
    here = scene.here
    now = await here.read(profiles.stored_document, here.viewer.organisation_id)
    before = {name: value for name, value in now.items() if name != "outbox"}
    old = sa.update(Actor).where(Actor.id == here.viewer.organisation_id).values(document=before)
    await here.kernel.database.write(lambda session: session.execute(old) and None)
    await here.write(profiles.renew_own)
    made = await here.read(profiles.stored_document, here.viewer.organisation_id)
    assert {**made, "proof": 0} == {**now, "proof": 0}
    await here.write(profiles.renew_own)
    assert await here.read(profiles.stored_document, here.viewer.organisation_id) == made
