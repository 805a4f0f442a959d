"""Shows which activities another server gets that asks for them by their ids: those about what it may see, and no others."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fedcollab.access.viewer import MODERATOR, Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.clock import system_clock
from fedcollab.base.session import Session
from fedcollab.features.discussions import service, thanks
from fedcollab.features.discussions.moderation import acting
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import outbox, profiles, proofs, signatures
from tests import nodes, outside
from tests.nodes import until

from .conftest import Scene
from .test_outside import let_in


async def ask(by: nodes.Rogue, url: str) -> tuple[int, dict[str, Any]]:
    """What a partner's Organization is answered."""
    headers = signatures.sign(by.signers[by.uri("/actor")]["rsa"], "GET", url, b"", system_clock()) | {"Accept": ap.MEDIA_TYPE}
    async with aiohttp.request("GET", url, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None) if answer.status == 200 else {}


async def about(here: nodes.Here, kind: str, uri: str = "") -> list[str]:
    """The ids of our activities of a kind, about a thing or all."""
    query = "SELECT uri FROM activity WHERE type = :kind AND (:about = '' OR object_uri = :about) ORDER BY id"
    rows = await here.sql(query, kind=kind, about=uri)
    return [uri for (uri,) in rows]


async def outsider(here: nodes.Here) -> nodes.Rogue:
    """One more partner, who comes after what was said."""
    made = await nodes.rogue("Later")
    object.__setattr__(here.kernel.fetcher, "peers", frozenset({*here.kernel.fetcher.peers, f"127.0.0.1:{made.port}"}))
    await nodes.admit(here, made)
    return made


async def test_a_partner_inside_gets_each_activity_as_it_was_signed(scene: Scene) -> None:
    here = scene.here
    made = await here.write(service.post_thread, here.viewer, scene.group.id, title="Asked", text="one")
    await here.write(service.edit, here.viewer, made.post_id, text="two")
    [keys] = [await here.read(actors.keys_of, here.viewer.person_id)]
    for kind in ("Create", "Update", "Announce"):
        for uri in await about(here, kind, made.uri):
            status, found = await ask(scene.p, uri)
            assert (status, found["id"], found["type"]) == (200, uri, kind)
            assert kind == "Announce" or proofs.proved(found, keys, system_clock())
    creates = await about(here, "Create", made.uri)
    await here.write(service.delete, here.viewer, made.post_id)
    assert [(await ask(scene.p, uri))[0] for uri in creates] == [404], "its words are gone"
    [deleted] = await about(here, "Delete", made.uri)
    assert (await ask(scene.p, deleted))[1]["object"]["type"] == "Tombstone"
    await scene.twin()


async def test_whoever_may_not_see_a_thing_gets_no_activity_about_it(scene: Scene) -> None:
    here = scene.here
    before = await here.write(service.post_thread, here.viewer, scene.group.id, title="Before", text="one")
    ours = await here.group("ours", "TLP:AMBER+STRICT")
    await here.write(service.post_thread, here.viewer, ours.id, title="Ours", text="one")
    later = await outsider(here)
    after = await here.write(service.post_reply, here.viewer, before.thread_id, text="two")
    tables = await here.tables()
    asked = [uri for kind in ("Create", "Announce") for uri in await about(here, kind, before.uri)]
    assert len(asked) == 2
    for uri in asked:
        assert (await ask(later, uri))[0] == 404
        async with aiohttp.request("GET", uri, headers={"Accept": ap.MEDIA_TYPE}) as answer:
            assert answer.status == 401
        assert (await ask(scene.p, uri))[0] == 200
    for uri in await about(here, "Create", after.uri):
        assert (await ask(later, uri))[0] == 200
    assert (await ask(later, here.url + "/activities/" + nodes.new_id()))[0] == 404
    assert await here.tables() == tables
    await later.stop()


async def test_follows_and_answers_to_others_are_nobody_elses(scene: Scene) -> None:
    """Nor a receipt, which is about a post that the asking partner can see."""
    here = scene.here
    others = [uri for kind in ("Follow", "Accept", "Offer", "Flag") for uri in await about(here, kind)]
    assert others
    for uri in others:
        assert (await ask(scene.p, uri))[0] == 404
    made = await here.write(service.post_thread, here.viewer, scene.group.id, title="Asked", text="one")
    me = await here.read(actors.own, here.kernel.node)
    receipt = ap.activity("Accept", here.url + "/activities/" + nodes.new_id(), me.uri, {"id": "x", "type": "Delete", "object": made.uri})
    passed_on = ap.activity("Announce", here.url + "/activities/" + nodes.new_id(), scene.group.uri, receipt)
    for actor_id, activity in ((me.id, receipt), (scene.group.id, passed_on)):
        await here.write(outbox.publish, actor_id, activity, to=[], order_key="x")
        assert await about(here, activity["type"], made.uri)
        assert (await ask(scene.p, activity["id"]))[0] == 404


async def moderator(here: nodes.Here) -> Viewer:
    """Somebody else than the author."""

    def person(session: Session, node: Node) -> Viewer:
        made = actors.create_own(session, node, actors.PERSON, username="vera", name="Vera L.")
        profiles.document(session, node, made)
        return Viewer(here.viewer.organisation_id, made.id, frozenset({"member", MODERATOR}), made.name)

    found: Viewer = await here.write(person)
    return found


async def test_the_words_of_a_removed_post_are_not_told_until_it_is_restored(scene: Scene) -> None:
    here = scene.here
    made = await here.write(service.post_thread, here.viewer, scene.group.id, title="Asked", text="one")
    asked = [uri for kind in ("Create", "Announce") for uri in await about(here, kind, made.uri)]
    page = scene.group.uri + "/outbox?before=newest"
    vera = await moderator(here)
    await here.write(acting.remove, vera, made.post_id, "It lets somebody be found.")
    assert [(await ask(scene.p, uri))[0] for uri in asked] == [404, 404]
    assert made.uri not in str(await ask(scene.p, page))
    await here.write(acting.restore, vera, made.post_id, "It was somebody else.")
    assert [(await ask(scene.p, uri))[0] for uri in asked] == [200, 200]
    assert made.uri in str(await ask(scene.p, page))


@pytest.mark.rule("CONF-01")
async def test_a_newcomer_is_not_sent_what_moderators_removed_before_it_came(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Meridian Outreach", "Casa Ladera") as (host, newcomer):
        group = await host.group("open", history=True)
        first = await host.write(service.post_thread, host.viewer, group.id, title="Asked", text="first")
        removed = await host.write(service.post_reply, host.viewer, first.thread_id, text="her street")
        await host.write(acting.remove, await moderator(host), removed.post_id, "It lets somebody be found.")
        await nodes.befriend(host, newcomer)
        await until("the past", lambda: newcomer.sql("SELECT 1 FROM post WHERE html LIKE '%first%'"))
        await host.quiet()
        await newcomer.quiet()
        assert await newcomer.sql("SELECT html FROM post") == [("<p>first</p>",)]
        assert await newcomer.sql("SELECT 1 FROM inbox_item WHERE body LIKE '%her street%'") == []


async def test_servers_outside_get_what_our_people_say_publicly_and_not_who_thanked(tmp_path: Path) -> None:
    p = await nodes.rogue()
    here = await nodes.start(tmp_path, peers=(p.port,))
    far = await outside.server(here)
    let_in(here)
    await nodes.admit(here, p)
    public, inner = await here.group("public", "TLP:CLEAR"), await here.group("inner")
    said, kept = [await here.write(service.post_thread, here.viewer, g.id, title="T", text="one") for g in (public, inner)]
    theirs = p.create(p.uri("/people/sokha"), public.uri, **{"fc:label": "TLP:CLEAR", "to": [ap.PUBLIC, public.uri + "/followers"]})
    assert await p.send(here, theirs) == 202
    await here.quiet()
    [(post_id,)] = await here.sql("SELECT id FROM post WHERE uri = :uri", uri=theirs["object"]["id"])
    await here.write(thanks.thank, here.viewer, post_id)
    [create], [like] = await about(here, "Create", said.uri), await about(here, "Like", theirs["object"]["id"])
    assert (await outside.get(far, create))[0] == 200
    told = [(await outside.get(far, uri)) for uri in await about(here, "Announce", said.uri)]
    assert sorted(status for status, _ in told) == [200, 404], "the id of the post, not the activity with its author's document"
    assert [document["object"] for status, document in told if status == 200] == [said.uri]
    for uri in (like, *await about(here, "Create", kept.uri), *await about(here, "Announce", kept.uri)):
        assert (await outside.get(far, uri))[0] == 404
    assert (await ask(p, like))[0] == 200
    let_in(here, on=False)
    assert (await outside.get(far, create))[0] == 403
    for one in (here, far, p):
        await one.stop()
