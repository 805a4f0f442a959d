"""Shows who is believed about others: a forwarded activity by its proof or its origin alone, and no proof that is wrong by anybody."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fedcollab.actors.service import ActorData
from fedcollab.admin import permissions
from fedcollab.base.clock import new_id
from fedcollab.federation import activitystreams as ap
from tests import nodes

from .conftest import Scene


@dataclass
class Three:
    """Our node, two partners P and G, a stranger X, and a group of ours that both partners are inside."""

    here: nodes.Here
    p: nodes.Rogue
    g: nodes.Rogue
    x: nodes.Rogue
    group: ActorData

    def by(self, other: nodes.Rogue, **note: Any) -> dict[str, Any]:
        return other.create(other.uri("/people/sokha"), self.group.uri, **note)

    async def brought(self, activity: dict[str, Any]) -> int:
        """P sends it, signed by P's own person."""
        return await self.p.send(self.here, activity, actor=self.p.uri("/people/sokha"))

    async def stored(self, activity: dict[str, Any]) -> list[tuple[Any, ...]]:
        await self.here.quiet()
        query = "SELECT actor.uri FROM post JOIN actor ON actor.id = post.author_id WHERE post.uri = :uri"
        return await self.here.sql(query, uri=activity["object"]["id"])


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[Three]:
    p, g, x = [await nodes.rogue(name) for name in ("Tamarind", "Kivuli", "Stranger")]
    here = await nodes.start(tmp_path, peers=(p.port, g.port, x.port))
    async with contextlib.AsyncExitStack() as stack:
        for one in (p, g, x, here):
            stack.push_async_callback(one.stop)
        group = await here.group()
        for one in (p, g):
            await nodes.admit(here, one)
        yield Three(here, p, g, x, group)


@pytest.mark.rule("ORG-23")
async def test_what_another_partner_has_proved_is_believed_whoever_brings_it(three: Three) -> None:
    activity = three.by(three.g)
    assert await three.brought(activity) == 202
    assert await three.stored(activity) == [(three.g.uri("/people/sokha"),)]
    assert three.g.fetched == ["/actor", "/people/sokha"], "its author, who was not known, by itself"
    assert await three.g.send(three.here, activity) == 202
    assert len(await three.stored(activity)) == 1


@pytest.mark.rule("ORG-23")
async def test_without_a_proof_its_origin_is_asked_and_what_the_origin_serves_counts(three: Three) -> None:
    served = {k: v for k, v in three.by(three.g, content="<p>as it was</p>").items() if k != "proof"}
    path = served["id"].removeprefix(three.g.url)
    forged = served | {"object": served["object"] | {"content": "<p>as it was not</p>"}}
    three.g.documents[path] = served
    assert await three.brought(forged) == 202
    assert await three.stored(served) == [(three.g.uri("/people/sokha"),)]
    assert "not" not in (await three.here.sql("SELECT html FROM post WHERE uri = :uri", uri=served["object"]["id"]))[0][0]
    assert path in three.g.fetched


@pytest.mark.parametrize("proof", [True, False])
async def test_what_its_origin_serves_is_passed_on_if_its_author_has_proved_it(three: Three, proof: bool) -> None:
    activity = three.by(three.g)
    bare = {name: value for name, value in activity.items() if name != "proof"}
    three.g.documents[activity["id"].removeprefix(three.g.url)] = activity if proof else bare
    assert await three.brought(bare) == 202
    assert await three.stored(activity)
    after = three.by(three.g)
    assert await three.g.send(three.here, after) == 202

    await three.here.quiet()
    await nodes.settled(three.here)
    assert after["object"]["id"] in json.dumps(three.p.received)
    assert (activity["object"]["id"] in json.dumps(three.p.received)) == proof


@pytest.mark.rule("ORG-23")
async def test_what_is_neither_proved_nor_served_by_its_origin_has_no_effect(three: Three) -> None:
    author = three.g.uri("/people/sokha")
    true = three.by(three.g)
    bare = {k: v for k, v in three.by(three.g).items() if k != "proof"}
    other_author = {k: v for k, v in three.by(three.g).items() if k != "proof"}
    three.g.documents[other_author["id"].removeprefix(three.g.url)] = other_author | {"actor": three.g.uri("/actor")}
    by_p = three.p.prove(bare | {"id": three.g.uri(f"/activities/{new_id()}")}, three.p.uri("/people/sokha"))
    changed = true | {"object": true["object"] | {"content": "<p>changed</p>"}}
    announced = three.g.prove(ap.activity("Announce", three.g.uri(f"/activities/{new_id()}"), author, true), author)
    posts = await three.here.sql("SELECT count(*) FROM post")
    for number, activity in enumerate((bare, other_author, by_p, changed, announced)):
        assert await three.brought(activity) == 202, number
    await three.here.quiet()
    assert await three.here.sql("SELECT count(*) FROM post") == posts
    assert await three.here.sql("SELECT count(*) FROM inbox_item WHERE state = 'refused'") == [(5,)]
    assert await three.g.send(three.here, true) == 202
    assert await three.stored(true) == [(author,)]


@pytest.mark.rule("ORG-23", "SIG-06")
async def test_nobody_brings_the_word_of_a_stranger_of_ours_or_of_a_neighbour(three: Three) -> None:
    """Not of a host that is no partner, not of our own people, and not of somebody else on the sender's own host; nobody is asked."""
    before, mine = await three.here.tables(), three.here.url + "/people/" + three.here.viewer.person_id
    three.p.actor("/people/neighbour", "Person")
    ours = three.by(three.p) | {"actor": mine, "id": three.here.url + f"/activities/{new_id()}"}
    neighbour = three.p.create(three.p.uri("/people/neighbour"), three.group.uri)
    elsewhere = three.by(three.g) | {"id": three.p.uri(f"/activities/{new_id()}")}
    for activity in (three.by(three.x), ours, neighbour, elsewhere):
        assert await three.brought(activity) == 401
    await three.here.quiet()
    after = await three.here.tables()
    known = ("actor", "actor_key")  # P's own person, whose key was asked for
    assert {k: v for k, v in after.items() if k not in known} == {k: v for k, v in before.items() if k not in known}
    assert three.x.fetched == []
    activity = three.by(three.p)
    assert await three.brought(activity) == 202
    assert await three.stored(activity)


@pytest.mark.rule("ORG-23")
async def test_what_an_organisation_says_of_itself_is_taken_from_itself_alone(three: Three) -> None:
    """An old Follow or a withdrawal that another one keeps and brings again has no effect."""
    follow = await three.here.sql(
        "SELECT follow.uri FROM follow JOIN actor ON actor.id = follower_id WHERE host = :h", h=f"127.0.0.1:{three.g.port}"
    )
    actor = three.g.uri("/actor")
    undo = three.g.prove(ap.activity("Undo", three.g.uri(f"/activities/{new_id()}"), actor, {"id": follow[0][0], "type": "Follow"}), actor)
    follows = await three.here.sql("SELECT count(*) FROM follow")
    assert await three.brought(undo) == 202
    await three.here.quiet()
    assert await three.here.sql("SELECT count(*) FROM follow") == follows
    assert await three.g.send(three.here, undo) == 202
    await three.here.quiet()
    assert await three.here.sql("SELECT count(*) FROM follow") != follows


async def test_a_wrong_proof_undoes_a_right_signature(scene: Scene) -> None:
    true = await scene.create()
    proof = true["proof"]
    assert isinstance(proof, dict)
    posts = await scene.here.sql("SELECT count(*) FROM post")
    organisation = scene.p.prove({k: v for k, v in (await scene.create()).items() if k != "proof"}, scene.p.uri("/actor"))
    changed = dict(await scene.create(), published="2026-01-01T00:00:00Z")
    for activity in (
        true | {"proof": proof | {"proofValue": "z1111"}},
        organisation,
        changed,
        true | {"proof": [proof | {"created": "x"}]},
    ):
        activity["id"] = scene.p.uri(f"/activities/{new_id()}")
        assert await scene.p.send(scene.here, activity) == 202
    await scene.here.quiet()
    assert await scene.here.sql("SELECT count(*) FROM post") == posts
    assert await scene.here.sql("SELECT count(*) FROM inbox_item WHERE state = 'refused'") == [(4,)]
    for proof_of in ([{"type": "AnothersProof"}, (later := await scene.create())["proof"]], {"type": "AnothersProof"}):
        later = later | {"proof": proof_of}
        assert await scene.p.send(scene.here, later) == 202
        assert await scene.stored(later)


@pytest.mark.rule("SIG-21")
async def test_a_linked_data_signature_gives_no_word_its_author(three: Three) -> None:
    """A valid original of G's with its Linked-Data signature, rearranged and with members added: only the HTTP signer counts."""
    block = {"type": "RsaSignature2017", "creator": three.g.uri("/people/sokha#main-key"), "signatureValue": "c2lnbmVk"}
    original = {k: v for k, v in three.by(three.g).items() if k != "proof"} | {"signature": block}
    before = await three.here.sql("SELECT count(*) FROM post")
    for changed in (original, dict(reversed(original.items())), {k: v for k, v in original.items() if k != "to"} | {"x:unsigned": "term"}):
        assert await three.brought(changed | {"id": three.g.uri(f"/activities/{new_id()}")}) == 202
    graph = {"@context": original["@context"], "@graph": [original], "id": original["id"], "type": "Create", "actor": original["actor"]}
    assert await three.brought(graph) in (202, 400)
    await three.here.quiet()
    assert await three.here.sql("SELECT count(*) FROM post") == before
    own = three.by(three.p)
    assert await three.p.send(three.here, own | {"signature": block}) == 202, "beside a good proof it is not looked at"
    assert await three.stored(own)


async def test_everything_that_we_publish_carries_a_proof(three: Three) -> None:
    """Each activity, the one inside each Announce, and each actor's document with it."""
    activity = three.by(three.g)
    assert await three.g.send(three.here, activity) == 202
    assert await three.stored(activity)

    async def echoed() -> bool:
        return activity["id"] in json.dumps(three.p.received) and activity["id"] in json.dumps(three.g.received)

    await nodes.until("it is announced to both", echoed)
    for sent in [*three.p.received, *three.g.received]:
        assert sent["proof"]["cryptosuite"] == "eddsa-jcs-2022"
        assert sent["proof"]["verificationMethod"] == sent["actor"] + "#ed25519-key"
        if sent["type"] == "Announce":
            assert all(document["proof"]["proofValue"] for document in [sent["object"], *sent[ap.INTRODUCES]])
    for path in ("/actor", f"/people/{three.here.viewer.person_id}", f"/groups/{three.group.id}"):
        status, _, text = await three.p.get(three.here, path)
        assert status == 200
        assert json.loads(text)["proof"]["proofValue"]


@pytest.mark.rule("ORG-23")
async def test_nobody_brings_a_post_into_a_group_that_its_author_did_not_write_to(three: Three) -> None:
    """P opens a conversation of the same name in our group, and brings G's words for another group by it."""
    context = three.g.uri("/threads/7")
    assert await three.p.send(three.here, three.p.create(three.p.uri("/people/sokha"), three.group.uri, context=context)) == 202
    other = three.x.uri("/groups/other")
    moved = three.g.create(three.g.uri("/people/sokha"), other, context=context)
    assert await three.brought(moved) == 202
    assert await three.stored(moved) == []
    assert await three.brought(three.by(three.g, context=context)) == 202
    await three.here.quiet()
    assert await three.here.sql("SELECT count(*) FROM post") == [(2,)], "the same, written to our group"


@pytest.mark.rule("FED-06")
async def test_who_may_take_part_no_more_is_not_heard_by_way_of_another(three: Three) -> None:
    activity, author = three.by(three.g), three.g.uri("/people/sokha")
    assert await three.g.send(three.here, activity) == 202
    assert await three.stored(activity)
    await three.here.write(permissions.allow, three.here.viewer, three.g.url, [])
    changed = activity["object"] | {"content": "<p>still here</p>", "updated": "2036-01-01T00:00:00Z"}
    update = three.g.prove(ap.activity("Update", three.g.uri(f"/activities/{new_id()}"), author, changed), author)
    assert await three.brought(update) == 202
    await three.here.quiet()
    assert await three.here.sql("SELECT count(*) FROM post WHERE html LIKE '%still here%'") == [(0,)]
