"""Shows that a post cannot hide from its own deletion, and that one partner's heavy arrivals are nobody else's."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web

from fedcollab.base.clock import new_id, system_clock
from fedcollab.features.discussions import clients, groups, mentions, service
from fedcollab.features.discussions.moderation import acting
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import catchup, inbox, lanes, queue, signatures, streams
from fedcollab.federation.models import InboxItem
from tests import nodes, outside

from .conftest import Scene
from .test_forwarded import Three, three
from .test_outside import Street, street

__all__ = ["Street", "Three", "street", "three"]
MARK = "where she lives now"


async def posted(scene: Scene, *, hidden: bool) -> Any:
    """A Create that is here; a `hidden` one's post says that its own object is another post."""
    other: Any = await scene.create()
    activity = await scene.create(content=f"<p>{MARK}</p>", **({"object": {"id": other["object"]["id"]}} if hidden else {}))
    for one in (other, activity):
        assert await scene.p.send(scene.here, one) == 202
        assert await scene.stored(one)
    return activity


@pytest.mark.rule("P10")
@pytest.mark.parametrize("hidden", [False, True])
async def test_a_deleted_post_is_emptied_from_the_queue_whatever_its_object_names(scene: Scene, *, hidden: bool) -> None:
    activity = await posted(scene, hidden=hidden)
    uri = activity["object"]["id"]
    delete = ap.activity("Delete", scene.p.uri(f"/activities/{new_id()}"), scene.author, {"id": uri, "type": "Tombstone"})
    assert await scene.p.send(scene.here, scene.p.prove(delete, scene.author)) == 202
    await scene.here.quiet()
    assert await scene.here.sql("SELECT html FROM post WHERE uri = :uri", uri=uri) == [("",)]
    assert await scene.here.sql("SELECT type FROM activity WHERE body LIKE :words", words=f"%{MARK}%") == []


@pytest.mark.rule("P10")
@pytest.mark.parametrize("hidden", [False, True])
async def test_a_removed_post_is_in_no_outbox_whatever_its_object_names(scene: Scene, *, hidden: bool) -> None:
    activity = await posted(scene, hidden=hidden)
    pages = f"{scene.group.uri.removeprefix(scene.here.url)}/outbox?before=newest"
    assert MARK in (await scene.p.get(scene.here, pages))[2]
    post_id = (await scene.here.sql("SELECT id FROM post WHERE uri = :uri", uri=activity["object"]["id"]))[0][0]
    moderator = replace(scene.here.viewer, roles=scene.here.viewer.roles | {"moderator"})
    await scene.here.write(acting.remove, moderator, post_id, "a private address")
    status, _, text = await scene.p.get(scene.here, pages)
    assert status == 200
    assert MARK not in text


async def heavy(scene: Scene, number: int) -> None:
    """Posts, each in a conversation of its own, that name what they are not proved by."""
    scene.here.task.cancel()
    await asyncio.gather(scene.here.task, return_exceptions=True)
    for _ in range(number):
        activity = await scene.create(context=scene.p.uri(f"/threads/{new_id()}"), content="x", more=["\u00e9" * 8] * 9000, odd=0.5)
        activity["proof"] = [{**activity["proof"], "proofValue": "z" + "1" * 64}] * 8
        assert await scene.p.send(scene.here, activity) == 202


@pytest.mark.rule("R7")
async def test_many_that_are_refused_hold_the_writer_no_longer_than_one(scene: Scene) -> None:
    took = []
    for number in (1, 12):
        await heavy(scene, number)
        start = time.process_time()  # not what else the machine does
        await scene.here.write(inbox.process_ready, scene.here.kernel.registry)
        took.append(time.process_time() - start)
    assert took[1] < 3 * took[0]


@pytest.mark.rule("DOS-06")
async def test_a_stream_without_end_that_proves_nothing_is_asked_for_at_leisure(scene: Scene) -> None:
    asked = []

    def answer(request: web.Request) -> web.Response:
        asked.append(request.query["since"])
        seq = (streams.parse(request.query["since"]) or (0, 0))[1] + 1
        page = {"@context": ap.AS2, "id": scene.p.uri("/actor/stream"), "type": "OrderedCollectionPage", ap.EPOCH: 1, ap.LAST: 1 << 50}
        page |= {"next": scene.p.uri("/actor/stream"), "orderedItems": [{ap.SEQ: seq, "object": {"type": "Create"}}]}
        return web.json_response(page, content_type=ap.MEDIA_TYPE)

    scene.p.documents["/actor/stream"] = answer
    await scene.here.write(catchup.want)

    async def begun() -> bool:
        return bool(asked)

    await nodes.until("it is asked for", begun)
    await asyncio.sleep(3)
    assert len(asked) < 20
    await scene.twin()


@pytest.mark.parametrize("others", [0, 1])
async def test_in_a_stream_as_in_the_inbox_one_proof_of_several_is_enough(scene: Scene, others: int) -> None:
    activity = await scene.create()
    other = {**activity["proof"], "verificationMethod": "https://elsewhere.example/key"}
    activity["proof"] = [other] * others + [activity["proof"]]

    def answer(request: web.Request) -> web.Response:
        seq = (streams.parse(request.query["since"]) or (0, 0))[1]
        items = [{ap.SEQ: 1, "object": activity}] if not seq else []
        page = {"@context": ap.AS2, "id": scene.p.uri("/actor/stream"), "type": "OrderedCollectionPage", ap.EPOCH: 1, ap.LAST: 1}
        return web.json_response(page | {"orderedItems": items}, content_type=ap.MEDIA_TYPE)

    scene.p.documents["/actor/stream"] = answer
    await scene.here.write(catchup.want)

    async def whole() -> Any:
        return await scene.here.sql("SELECT 1 FROM partner WHERE heard_seq = 1")

    await nodes.until("the stream is whole", whole)
    assert await scene.stored(activity)


@pytest.mark.rule("CONF-09")
@pytest.mark.parametrize("ours", [True, False])
async def test_what_moderators_took_away_is_in_no_members_inbox_and_no_list_of_news(scene: Scene, *, ours: bool) -> None:
    """Removed in a group of ours or hidden here in somebody else's: the page shows neither its text nor its title, and a tool no more."""
    ilse = (await scene.here.sql("SELECT uri FROM actor WHERE username = 'ilse'"))[0][0]
    more = {"type": "Article", "name": "Her street", "content": f"<p>{MARK}</p>", "tag": {"type": "Mention", "href": ilse}}
    activity = await scene.create(**more)
    sender = scene.author
    if not ours:
        member = [{"id": scene.here.url + "/actor", "name": "Ours"}, {"id": scene.p.uri("/actor"), "name": "P"}]
        group = scene.p.actor("/groups/own", "Group", **{ap.MEMBERS: member, ap.LABEL: "TLP:GREEN", ap.HISTORY: False})
        told = ap.activity("Update", scene.p.uri(f"/activities/{new_id()}"), scene.p.uri("/actor"), group)
        assert await scene.p.send(scene.here, told) == 202
        await scene.here.quiet()
        inner, sender = scene.p.create(scene.author, group["id"], **more), group["id"]
        activity = ap.activity("Announce", scene.p.uri(f"/activities/{new_id()}"), sender, inner, to=[sender + "/followers"])
    assert await scene.p.send(scene.here, activity, actor=sender) == 202
    await scene.here.quiet()

    async def seen() -> str:
        arrived = await scene.here.read(clients.arrivals, scene.here.kernel.node, scene.here.viewer, None, 50)
        return str(arrived) + str(await scene.here.read(mentions.news, scene.here.viewer))

    assert MARK in await seen()
    assert "Her street" in await seen()
    found = await scene.here.sql("SELECT id FROM post WHERE html LIKE :words", words=f"%{MARK}%")
    moderator = replace(scene.here.viewer, roles=scene.here.viewer.roles | {"moderator"})
    await scene.here.write(acting.remove, moderator, found[0][0], "a private address")
    assert MARK not in await seen()
    assert "Her street" not in await seen()


@pytest.mark.rule("SIG-19")
@pytest.mark.rule("R5")
@pytest.mark.parametrize("by_us", [True, False])
async def test_a_stranger_who_names_a_partners_stream_as_a_key_confirms_nothing_in_our_name(tmp_path: Path, *, by_us: bool) -> None:
    """Asking for a stream says that what came before is here: nobody else may make us ask."""
    async with nodes.running(tmp_path, "North", "South") as (north, south):
        await nodes.befriend(north, south)
        group = await south.group()

        async def sent() -> Any:
            return await south.sql("SELECT 1 FROM delivery WHERE state = 'waiting'") == []

        await nodes.until("all is delivered", sent)
        await south.write(queue.pause, on=True)
        await south.write(service.post_thread, south.viewer, group.id, title="T", text="for the north")
        last = (await south.sql("SELECT max(seq) FROM delivery"))[0][0]
        states = "SELECT state FROM delivery WHERE seq = :last"
        assert await south.sql(states, last=last) == [("waiting",)]
        if by_us:
            await north.write(catchup.want)
        else:
            stranger, key = await nodes.rogue("Stranger"), f"{south.url}/actor/stream?since=1:{last}#k"
            signer = replace(stranger.signers[stranger.uri("/actor")]["rsa"], uri=key)
            body = b'{"id": "x", "type": "Like"}'
            headers = signatures.sign(signer, "POST", north.url + "/inbox", body, system_clock(), form=signatures.RFC9421)
            assert await nodes.raw_post(north.url + "/inbox", headers, body) == 401
            await stranger.stop()

        async def done() -> bool:
            return await south.sql(states, last=last) == [("done",)]

        if by_us:
            await nodes.until("what came before is here", done)
        else:
            await asyncio.sleep(1)
            assert await south.sql(states, last=last) == [("waiting",)]
        held = await south.sql("SELECT next_try_at FROM partner")
        assert by_us or held == [(0,)], "nor does it hold up what is pushed"


@pytest.mark.parametrize("invented", [0, 25])
async def test_keys_that_a_stranger_invents_close_the_door_on_no_partners_newcomer(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, invented: int
) -> None:
    monkeypatch.setattr("fedcollab.federation.authenticate.client", lambda request: request.headers.get("X-From", "the partner"))
    stranger = await nodes.rogue("Stranger")
    body = b'{"id": "x", "type": "Like"}'
    for _ in range(invented):
        signer = replace(stranger.signers[stranger.uri("/actor")]["rsa"], uri=scene.p.uri(f"/people/{new_id()}#main-key"))
        headers = signatures.sign(signer, "POST", scene.here.url + "/inbox", body, system_clock(), form=signatures.RFC9421)
        assert await nodes.raw_post(scene.here.url + "/inbox", headers | {"X-From": "the stranger"}, body) in (401, 503)
    await stranger.stop()
    newcomer = scene.p.actor(f"/people/{new_id()}", "Person")
    assert await scene.p.send(scene.here, scene.p.create(newcomer["id"], scene.group.uri)) == 202


@pytest.mark.parametrize("again", [False, True])
async def test_an_old_word_that_takes_thanks_back_takes_no_newer_ones(three: Three, *, again: bool) -> None:
    post, who = three.by(three.g), three.p.uri("/people/sokha")
    assert await three.g.send(three.here, post) == 202
    await three.stored(post)

    def said(kind: str, obj: object) -> dict[str, Any]:
        return three.p.prove(ap.activity(kind, three.p.uri(f"/activities/{new_id()}"), who, obj), who)

    words = [("Like", post["object"]["id"]), ("Undo", {"type": "Like", "object": post["object"]["id"]}), ("Like", post["object"]["id"])]
    made = []
    for kind, obj in words:
        made.append(said(kind, obj))
        await asyncio.sleep(0.01)  # a proof says its time in thousandths of a second
        assert await three.p.send(three.here, made[-1]) == 202
        await three.here.quiet()
    undo = made[1]
    if again:
        assert await three.g.send(three.here, undo, actor=three.g.uri("/people/sokha")) == 202
        await three.here.quiet()
    assert len(await three.here.sql("SELECT 1 FROM thanks WHERE undone_at IS NULL")) == 1
    later = said("Undo", {"type": "Like", "object": post["object"]["id"]})
    assert await three.p.send(three.here, later) == 202
    await three.here.quiet()
    assert await three.here.sql("SELECT 1 FROM thanks WHERE undone_at IS NULL") == []


@pytest.mark.rule("DOS-05")
@pytest.mark.parametrize("size", [10_000, 900_000])
async def test_an_authors_profile_does_not_make_a_short_post_a_long_one(scene: Scene, size: int) -> None:
    person = scene.p.actor(f"/people/{new_id()}", "Person", padding="x" * size)
    for _ in range(3):
        assert await scene.p.send(scene.here, scene.p.create(person["id"], scene.group.uri), actor=scene.author) in (202, 401)
        assert await scene.p.send(scene.here, scene.p.create(person["id"], scene.group.uri)) in (202, 401)
    await scene.here.quiet()
    longest = (await scene.here.sql("SELECT max(length(body)) FROM activity"))[0][0]
    assert longest < 200_000
    if size < 100_000:
        assert await scene.here.sql("SELECT 1 FROM post JOIN actor ON actor.id = author_id WHERE actor.uri = :uri", uri=person["id"])


@pytest.mark.rule("P10")
@pytest.mark.parametrize("hidden", [False, True])
async def test_what_was_said_and_deleted_outside_is_emptied_too_whatever_its_object_names(street: Street, *, hidden: bool) -> None:
    posted = await street.open(street.public)
    assert await street.take(street.follow(street.public.uri)) == "done"
    more: dict[str, Any] = {"object": {"id": posted.uri}} if hidden else {}
    said = outside.answer(street.far, street.ana, posted.uri, content=f"<p>{MARK}</p>", **more)
    assert await street.take(said) == "done"
    query = "SELECT type FROM activity WHERE body LIKE :words"
    assert await street.here.sql(query, words=f"%{MARK}%") == [("Announce",)]
    assert await street.take(outside.activity(street.far, "Delete", street.ana, said["object"]["id"])) == "done"
    assert await street.here.sql(query, words=f"%{MARK}%") == []


@pytest.mark.parametrize("good", [True, False])
async def test_a_confirmation_is_passed_on_with_a_good_proof_alone(three: Three, *, good: bool) -> None:
    post, who, org = three.by(three.g), three.g.uri("/people/sokha"), three.p.uri("/actor")
    assert await three.g.send(three.here, post) == 202
    await three.stored(post)
    tombstone = {"id": post["object"]["id"], "type": "Tombstone"}
    delete = three.g.prove(ap.activity("Delete", three.g.uri(f"/activities/{new_id()}"), who, tombstone), who)

    async def delivered() -> Any:
        return await three.here.sql("SELECT 1 FROM delivery WHERE state = 'waiting'") == []

    await nodes.until("the post is delivered", delivered)
    assert await three.g.send(three.here, delete) == 202
    await three.here.quiet()
    await nodes.until("the deletion is delivered", delivered)
    said = {"id": delete["id"], "type": "Delete", "actor": who, "object": post["object"]["id"]}
    accept = ap.activity("Accept", three.p.uri(f"/activities/{new_id()}"), org, said)
    accept = three.p.prove(accept, org) if good else accept | {"proof": {"type": "SomethingElse", "proofValue": "z1"}}
    assert await three.p.send(three.here, accept) == 202
    await three.here.quiet()
    assert await three.here.sql("SELECT state FROM receipt WHERE organisation_uri = :org", org=org) == [("confirmed",)]
    passed = await three.here.sql("SELECT 1 FROM activity WHERE type = 'Announce' AND body LIKE :uri", uri=f"%{accept['id']}%")
    assert bool(passed) is good


@pytest.mark.rule("R3")
async def test_what_is_next_is_found_as_fast_behind_a_long_conversation_that_waits_for_a_document(scene: Scene) -> None:
    scene.here.task.cancel()
    await asyncio.gather(scene.here.task, return_exceptions=True)
    sender, host = (await scene.here.sql("SELECT sender_id, host FROM inbox_item LIMIT 1"))[0]

    def fill(session: Any, node: Any) -> None:
        keys = ["long"] * lanes.PAGE + [f"thread {number}" for number in range(20_000)]
        same = dict(host=host, sender_id=sender, body={}, state="waiting", attempts=0, next_try_at=0, reason="", received_at=node.now())
        session.execute(sa.insert(InboxItem), [same | dict(uri=str(at), order_key=key) for at, key in enumerate(keys)])

    await scene.here.write(fill)
    took = []
    for busy in ((), (f"{host} long",)):
        start = time.process_time()  # not what else the machine does
        assert await scene.here.read(lanes.ready, scene.here.kernel.node.now(), busy=busy)
        took.append(time.process_time() - start)
    assert took[1] < max(0.03, 5 * took[0])


@pytest.mark.rule("FED-06")
@pytest.mark.parametrize("odd", [False, True])
async def test_a_post_that_names_a_deletion_somewhere_is_none_for_who_is_outside(three: Three, *, odd: bool) -> None:
    await three.here.write(queue.pause, on=True)
    more: dict[str, Any] = {"instrument": {"type": "Delete"}} if odd else {}
    activity = three.by(three.p, **more)
    assert await three.p.send(three.here, activity) == 202
    assert await three.stored(activity)
    uri = activity["object"]["id"]
    [(g,)] = await three.here.sql("SELECT organisation_id FROM partner WHERE host = :host", host=f"127.0.0.1:{three.g.port}")
    query = "SELECT d.state FROM delivery d JOIN activity a ON a.id = d.activity_id JOIN partner p ON p.id = d.partner_id"
    query += " WHERE a.object_uri = :uri AND p.organisation_id = :g"
    assert await three.here.sql(query, uri=uri, g=g) == [("waiting",)]
    await three.here.write(groups.expel_partner, g)
    assert await three.here.sql(query, uri=uri, g=g) == [("dropped",)]
