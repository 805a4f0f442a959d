"""Shows that nobody speaks for another: authors, deletions, edits, strangers, applicants; and that nothing is fetched for them."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from fedcollab.admin import partners as acts
from fedcollab.base.clock import new_id, system_clock
from fedcollab.features.discussions import service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import signatures
from tests import nodes

from .conftest import Scene


@pytest.fixture
async def canary() -> AsyncIterator["Canary"]:
    made = Canary()
    server = await asyncio.start_server(made.hit, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


@pytest.fixture
def names(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that the node looks up from now on."""
    found, fetcher = list[str](), scene.here.kernel.fetcher
    real = fetcher.lookup

    async def lookup(host: str, port: int) -> list[str]:
        found.append(host)
        return await real(host, port)

    monkeypatch.setattr(fetcher, "lookup", lookup)
    return found


class Canary:
    """A listener that nobody has a reason to call."""

    hits = 0
    port = 0

    async def hit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hits += 1
        writer.close()


@pytest.mark.rule("ORG-02")
@pytest.mark.parametrize("others", ["alone", "beside"])
async def test_a_post_attributed_to_somebody_else_is_refused(scene: Scene, others: str) -> None:
    victim = scene.here.url + "/people/" + scene.here.viewer.person_id
    activity = await scene.create(attributedTo=victim if others == "alone" else [scene.author, victim])
    assert await scene.p.send(scene.here, activity) == 202
    assert not await scene.stored(activity)
    reason = await scene.here.sql("SELECT state, reason FROM inbox_item WHERE uri = :uri", uri=activity["id"])
    assert reason == [("refused", "attributedTo names another than the actor")]
    await scene.twin()


@pytest.mark.rule("ORG-01")
async def test_an_object_whose_id_lies_on_another_host_is_refused(scene: Scene) -> None:
    for foreign in ("http://127.0.0.1:1/posts/o9", f"{scene.here.url}/posts/{new_id()}"):
        activity = await scene.create(id=foreign)
        assert await scene.p.send(scene.here, activity) == 202
        assert not await scene.stored(activity)
    await scene.twin()


@pytest.mark.rule("ORG-05")
async def test_a_partner_deletes_its_own_posts_and_nobody_elses(scene: Scene) -> None:
    mine, theirs = await scene.create(), scene.p.actor("/people/other", "Person")["id"]
    assert await scene.p.send(scene.here, mine) == 202
    assert await scene.stored(mine)
    uri = mine["object"]["id"]  # type: ignore[index]  # a Create's object is a document
    local = await scene.here.write(service.post_thread, scene.here.viewer, scene.group.id, title="Ours", text="ours")
    for actor, target in (
        (theirs, uri),
        (scene.author, scene.here.url + "/actor"),
        (scene.author, scene.group.uri),
        (scene.author, scene.author),
        (scene.author, local.uri),
        (scene.author, "http://127.0.0.1:1/posts/o1"),
        (scene.p.uri("/actor"), local.uri),
    ):
        delete = scene.p.prove(ap.activity("Delete", scene.p.uri(f"/activities/{new_id()}"), actor, target), actor)
        assert await scene.p.send(scene.here, delete) == 202
    await scene.here.quiet()
    assert await scene.here.sql("SELECT count(*) FROM post WHERE deleted_at IS NOT NULL") == [(0,)]
    assert await scene.here.sql("SELECT html FROM post WHERE uri = :uri", uri=local.uri) == [("<p>ours</p>",)]
    assert await scene.here.sql("SELECT count(*) FROM actor WHERE disabled_at IS NOT NULL") == [(0,)]
    delete = scene.p.prove(
        ap.activity("Delete", scene.p.uri(f"/activities/{new_id()}"), scene.author, {"id": uri, "type": "Tombstone"}), scene.author
    )
    assert await scene.p.send(scene.here, delete) == 202
    await scene.here.quiet()
    assert await scene.here.sql("SELECT html, source FROM post WHERE uri = :uri AND deleted_at IS NOT NULL", uri=uri) == [("", "")]


@pytest.mark.rule("ORG-03")
async def test_a_partner_cannot_change_somebody_elses_profile_or_group(scene: Scene) -> None:
    before = await scene.here.sql("SELECT uri, name, inbox, document FROM actor ORDER BY id")
    for victim in (scene.here.url + "/actor", scene.group.uri):
        document = scene.p.documents["/actor"] | {
            "id": victim,
            "type": "Group",
            "inbox": victim + "/inbox",
            ap.ORGANISATION: scene.p.uri("/actor"),
        }
        update = scene.p.prove(
            ap.activity("Update", scene.p.uri(f"/activities/{new_id()}"), scene.p.uri("/actor"), document), scene.p.uri("/actor")
        )
        assert await scene.p.send(scene.here, update) == 202
    await scene.here.quiet()
    assert await scene.here.sql("SELECT uri, name, inbox, document FROM actor ORDER BY id") == before
    await scene.twin()


@pytest.mark.rule("SSRF-01", "SSRF-12")
async def test_addresses_inside_an_activity_are_never_asked(scene: Scene, canary: Canary, names: list[str]) -> None:
    for host in (f"http://127.0.0.1:{canary.port}", f"https://127.0.0.1:{canary.port}", "https://x.test"):
        for name in ("inReplyTo", "context", "attachment", "url", "replies"):
            activity = await scene.create(**{name: f"{host}/o"})
            assert await scene.p.send(scene.here, activity) == 202
        announce = ap.activity("Announce", scene.p.uri(f"/activities/{new_id()}"), scene.author, f"{host}/o")
        assert await scene.p.send(scene.here, announce) == 202
    await scene.here.quiet()
    assert canary.hits == 0
    assert "x.test" not in names
    await scene.twin()


@pytest.mark.rule("SSRF-01", "FED-01")
async def test_a_key_at_an_unlisted_address_is_never_fetched(scene: Scene, canary: Canary, names: list[str]) -> None:
    body = json.dumps(await scene.create()).encode()
    for host in (f"http://127.0.0.1:{canary.port}", f"http://[::1]:{canary.port}", f"https://127.0.0.1:{canary.port}", "https://x.test"):
        headers = signatures.sign(scene.p.signers[scene.author]["rsa"], "POST", scene.here.url + "/inbox", body, system_clock())
        headers["Signature"] = headers["Signature"].replace(scene.p.url, host)
        assert await nodes.raw_post(scene.here.url + "/inbox", headers, body) in (401, 403)
    assert canary.hits == 0
    assert "x.test" not in names
    assert scene.p.received == [] or all(a["type"] in ("Accept", "Follow", "Update", "Announce") for a in scene.p.received)
    await scene.twin()


@pytest.mark.rule("FED-01")
async def test_a_strangers_signed_requests_are_refused_counted_once_and_cause_no_fetch(scene: Scene) -> None:
    x = await nodes.rogue("Stranger")
    before = await scene.here.tables()
    for _ in range(3):
        assert await x.send(scene.here, x.create(x.uri("/people/sokha"), scene.group.uri)) == 403
    signer = x.signers[x.uri("/actor")]["rsa"]
    for path in ("/people/" + scene.here.viewer.person_id, "/groups/" + scene.group.id, f"/posts/{new_id()}"):
        headers = signatures.sign(signer, "GET", scene.here.url + path, b"", system_clock())
        async with aiohttp.request("GET", scene.here.url + path, headers=headers | {"Accept": ap.MEDIA_TYPE}) as answer:
            assert answer.status in (401, 403)
        async with aiohttp.request("GET", scene.here.url + path, headers={"Accept": ap.MEDIA_TYPE}) as answer:
            assert answer.status == 401
    async with aiohttp.request("GET", f"{scene.here.url}/.well-known/webfinger?resource=acct:ilse@{scene.here.host}") as answer:
        assert answer.status == 401
    assert x.fetched == []
    assert await scene.here.tables() == before
    assert await scene.here.sql("SELECT host, times FROM application") == [(f"127.0.0.1:{x.port}", 3)]
    for path in ("/actor", f"/.well-known/webfinger?resource={scene.here.url}/", "/nodeinfo/2.1"):
        async with aiohttp.request("GET", scene.here.url + path, headers={"Accept": ap.MEDIA_TYPE}) as answer:
            assert answer.status == 200
    await x.stop()
    await scene.twin()


@pytest.mark.rule("FED-09")
async def test_an_application_that_waits_has_no_effect_until_it_is_approved(scene: Scene) -> None:
    x = await nodes.rogue("Applicant")
    peers = frozenset({*scene.here.kernel.fetcher.peers, f"127.0.0.1:{x.port}"})
    object.__setattr__(scene.here.kernel.fetcher, "peers", peers)
    await acts.add(scene.here.kernel, scene.here.viewer, x.uri("/actor"))
    fetched, before = list(x.fetched), await scene.here.tables()
    follow = ap.activity("Follow", x.uri(f"/activities/{new_id()}"), x.uri("/actor"), scene.here.url + "/actor")
    assert await x.send(scene.here, follow) == 403
    assert await x.send(scene.here, x.create(x.uri("/people/sokha"), scene.group.uri)) == 403
    assert (await scene.here.tables(), x.fetched, x.received) == (before, fetched, [])
    await nodes.admit(scene.here, x)
    activity = x.create(x.uri("/people/sokha"), scene.group.uri)
    assert await x.send(scene.here, activity) == 202
    assert await scene.stored(activity)
    await x.stop()


async def test_a_post_wider_than_its_group_is_refused(scene: Scene) -> None:
    for wide in ({"to": [ap.PUBLIC]}, {ap.LABEL: "TLP:CLEAR", "to": ["as:Public"]}):
        activity = await scene.create(**wide)
        assert await scene.p.send(scene.here, activity) == 202
        assert not await scene.stored(activity)
        assert await scene.here.sql("SELECT reason FROM inbox_item WHERE uri = :uri", uri=activity["id"]) == [
            ("addressed wider than its group",)
        ]
    await scene.twin()


async def test_a_partner_outside_the_group_cannot_write_in_it(scene: Scene) -> None:
    ours = await scene.here.group("ours", "TLP:AMBER+STRICT")
    activity = scene.p.create(scene.author, ours.uri)
    assert await scene.p.send(scene.here, activity) == 202
    assert not await scene.stored(activity)
    await scene.twin()
