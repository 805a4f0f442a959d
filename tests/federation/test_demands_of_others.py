"""Shows that a node meets what other servers are known to demand of those who talk with them, and takes what they are known to send."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from fedcollab import __version__
from fedcollab.actors.keys import Signer
from fedcollab.base.clock import system_clock
from fedcollab.features.discussions import service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import profiles, signatures
from tests import nodes

from .conftest import Scene

PROFILE = "https://www.w3.org/ns/activitystreams"


async def old_form_only(request: web.Request) -> web.Response | None:
    """As a server that knows draft-cavage alone: whoever knocks in the newer form knocks again."""
    return web.Response(status=401) if "Signature-Input" in request.headers else None


def parameters(request: web.Request) -> dict[str, str]:
    """The parameters of a draft-cavage signature."""
    found = (part.partition("=") for part in request.headers["Signature"].split(","))
    return {name: value.strip('"') for name, _, value in found}


async def posted_and_announced(scene: Scene) -> str:
    """A post of our member, of which the partner has been told; answers its id."""
    made = await scene.here.write(service.post_thread, scene.here.viewer, scene.group.id, title="T", text="Said here.")

    async def told() -> bool:
        announced = [a["object"] for a in scene.p.received if a["type"] == "Announce"]
        return made.uri in [ap.ident(activity["object"]) for activity in announced]

    await nodes.until("the partner is told", told)
    return str(made.uri)


async def test_an_actors_id_is_its_keys_less_their_fragments_and_webfinger_gives_the_same_id_back(scene: Scene) -> None:
    here, p = scene.here, scene.p
    rows = await here.sql("SELECT id, uri, username FROM actor WHERE known = 'own'")
    assert len(rows) == 3
    for actor_id, uri, username in rows:
        document = await here.read(profiles.stored_document, actor_id)
        for key, owner in ((document["publicKey"], "owner"), *((key, "controller") for key in document["assertionMethod"])):
            assert (document["id"], key[owner], key["id"].partition("#")[0]) == (uri, uri, uri)
        path = f"/.well-known/webfinger?resource=acct:{username}@{here.host}"
        headers = signatures.sign(p.signers[p.uri("/actor")]["rsa"], "GET", here.url + path, b"", system_clock())
        async with aiohttp.request("GET", here.url + path, headers=headers) as answer:
            found = await answer.json(content_type="application/jrd+json")
        assert found["subject"] == f"acct:{document['preferredUsername']}@{here.host}"
        assert [link["href"] for link in found["links"] if link["rel"] == "self" and link["type"] == ap.MEDIA_TYPE] == [uri]


async def test_each_request_for_a_document_is_signed_and_every_request_says_who_asks(scene: Scene) -> None:
    here, p = scene.here, scene.p
    for name in ("/people/new", "/people/kim"):
        p.actor(name, "Person")
        assert await p.send(here, p.create(p.uri(name), scene.group.uri)) == 202
    await posted_and_announced(scene)
    assert {request.path for request in p.asked} >= {"/actor", "/people/sokha", "/people/new", "/people/kim", "/actor/inbox"}
    for request in p.asked:
        assert "Signature" in request.headers, request.path
        assert request.headers["User-Agent"] == f"fedcollab/{__version__} (+{here.url}/)"


async def test_what_the_old_form_of_signature_covers_is_what_everybody_asks_for(scene: Scene) -> None:
    p = scene.p
    p.asked.clear()
    p.answer = old_form_only
    p.actor("/people/new", "Person")
    assert await p.send(scene.here, p.create(p.uri("/people/new"), scene.group.uri)) == 202
    await posted_and_announced(scene)
    old = [request for request in p.asked if "Signature-Input" not in request.headers]
    assert {request.method for request in old} == {"GET", "POST"}
    for request in old:
        covered = parameters(request)["headers"].split(" ")
        ours = ["fedcollab-sequence"] if "Fedcollab-Sequence" in request.headers else []
        assert covered == ["(request-target)", "host", "date", *(["digest"] if request.method == "POST" else []), *ours]
        assert parameters(request)["algorithm"] in ("rsa-sha256", "hs2019")
        assert parameters(request)["keyId"].startswith(scene.here.url)
        assert request.method == "GET" or request.headers["Content-Type"] == ap.MEDIA_TYPE
        assert request.method == "POST" or f'application/ld+json; profile="{PROFILE}"' in request.headers["Accept"]


async def test_a_partner_that_asks_us_back_before_it_answers_our_post_gets_what_it_asks(scene: Scene) -> None:
    here, p = scene.here, scene.p
    asked: dict[str, int] = {}

    async def ask_back(request: web.Request) -> web.Response | None:
        inner = (await request.json())["object"] if request.method == "POST" else None
        if isinstance(inner, dict) and str(inner.get("actor")).startswith(here.url):
            for uri in (scene.group.uri, here.url + "/actor", inner["actor"], inner["object"]["id"]):
                asked[uri] = (await asyncio.wait_for(p.get(here, uri.removeprefix(here.url)), 5))[0]
            assert await asyncio.wait_for(p.send(here, p.create(scene.author, scene.group.uri)), 5) == 202
        return None

    p.answer = ask_back
    posts = (await here.tables())["post"]
    uri = await posted_and_announced(scene)
    assert set(asked) == {scene.group.uri, here.url + "/actor", uri, *(await here.sql("SELECT uri FROM actor WHERE username = 'ilse'"))[0]}
    assert set(asked.values()) == {200}
    p.answer = None

    async def stored() -> bool:
        return (await here.tables())["post"] >= posts + 2

    await nodes.until("what it sent meanwhile is stored", stored)


@pytest.mark.parametrize(
    "media_type",
    [
        "application/activity+json",
        "application/activity+json; charset=utf-8",
        f'application/ld+json; profile="{PROFILE}"',
        f'application/ld+json;profile="{PROFILE}"; charset=utf-8',
        f"application/ld+json; profile={PROFILE}",
        f'Application/LD+JSON; Profile="https://example.org/other {PROFILE}"',
    ],
)
async def test_both_media_types_of_activitypub_are_taken_however_they_are_spelt(scene: Scene, media_type: str) -> None:
    activity = await scene.create()
    assert await scene.p.send(scene.here, activity, headers={"Content-Type": media_type}) == 202
    assert await scene.stored(activity)
    for other in ("application/ld+json", "application/json", 'application/ld+json; profile="https://example.org/"'):
        assert await scene.p.send(scene.here, await scene.create(), headers={"Content-Type": other}) == 400


@pytest.mark.parametrize("label", ["TLP:GREEN", "TLP:CLEAR"])
async def test_addresses_may_be_bare_strings(scene: Scene, label: str) -> None:
    group = await scene.here.group("bare", label)
    audience = {"to": group.uri + "/followers", "cc": "as:Public" if label == "TLP:CLEAR" else scene.author, "audience": group.uri}
    activity = scene.p.create(scene.author, group.uri, **audience)
    bare = {name: value for name, value in activity.items() if name != "proof"} | {"to": group.uri + "/followers", "cc": scene.author}
    assert await scene.p.send(scene.here, scene.p.prove(bare, scene.author)) == 202
    assert await scene.stored(activity)
    assert await scene.here.sql("SELECT label FROM post WHERE uri = :uri", uri=activity["object"]["id"]) == [(label,)]


@pytest.mark.parametrize("label", ["rsa-sha256", "hs2019", ""])
async def test_a_signature_by_an_rsa_key_may_be_labelled_either_way_or_not_at_all(scene: Scene, label: str) -> None:
    for wrong in ("hmac-sha256", "rsa-sha1"):
        assert await send_labelled(scene, await scene.create(), wrong) == 401
    activity = await scene.create()
    assert await send_labelled(scene, activity, label) == 202
    assert await scene.stored(activity)


async def send_labelled(scene: Scene, activity: dict[str, Any], label: str) -> int:
    body = json.dumps(activity).encode()
    headers = signatures.sign(scene.p.signers[scene.author]["rsa"], "POST", scene.here.url + "/inbox", body, system_clock())
    named = f'algorithm="{label}"' if label else "opaque=1"
    changed = headers["Signature"].replace('algorithm="rsa-sha256"', named)
    assert changed.count(named) == 1
    return await nodes.raw_post(scene.here.url + "/inbox", headers | {"Signature": changed}, body)


def keyed(scene: Scene, path: str, key_id: str) -> str:
    """A person of the partner's whose RSA key is published under that id; answers the person's id."""
    document = scene.p.actor(path, "Person")
    uri = document["id"]
    scene.p.signers[uri]["rsa"] = Signer(key_id, "rsa", scene.p.signers[uri]["rsa"].key)
    bare = {name: value for name, value in document.items() if name != "proof"}
    scene.p.documents[path] = scene.p.prove(bare | {"publicKey": bare["publicKey"] | {"id": key_id}}, scene.p.uri("/actor"))
    return str(uri)


async def test_a_keys_id_may_be_an_address_of_its_own_below_its_owners(scene: Scene) -> None:
    for path, served in (("/people/stub", "a part of its owner's document"), ("/people/key", "the key itself")):
        uri = keyed(scene, path, scene.p.uri(path + "/main-key"))
        whole = scene.p.documents[path]
        part = {"@context": ap.CONTEXT, "id": uri, "type": "Person", "publicKey": whole["publicKey"]}
        scene.p.documents[path + "/main-key"] = part if served.startswith("a part") else {"@context": ap.CONTEXT, **whole["publicKey"]}
        activity = scene.p.create(uri, scene.group.uri)
        assert await scene.p.send(scene.here, activity) == 202, served
        assert await scene.stored(activity)


async def test_a_request_may_name_the_actor_in_the_keys_place(scene: Scene) -> None:
    """Some servers do: the actor's own RSA key is meant, and nobody else's."""
    for path in ("/people/sokha", "/people/plain"):
        if path not in scene.p.documents:
            scene.p.actor(path, "Person")
        uri = scene.p.uri(path)
        scene.p.signers[uri]["rsa"] = Signer(uri, "rsa", scene.p.signers[uri]["rsa"].key)
        activity = scene.p.create(uri, scene.group.uri)
        assert await scene.p.send(scene.here, activity) == 202
        assert await scene.stored(activity)
    stranger = Signer(scene.author, "rsa", scene.p.signers[scene.p.uri("/people/plain")]["rsa"].key)
    scene.p.signers[scene.author]["rsa"] = stranger
    assert await scene.p.send(scene.here, scene.p.create(scene.author, scene.group.uri)) == 401


@pytest.mark.rule("SIG-07")
async def test_a_key_that_its_owner_does_not_list_is_nobodys(scene: Scene) -> None:
    """What lies at a key's address says whose it is, the owner says whether that is so; an owner on another host is not even asked."""
    canary = await nodes.rogue("Elsewhere")
    before = await scene.here.tables()
    for owner in (scene.author, canary.uri("/people/sokha"), "", scene.p.uri("/people/none")):
        uri, path = scene.p.uri("/people/thief"), "/people/thief"
        scene.p.actor(path, "Person")
        key_id = scene.author + "/own-key"
        scene.p.signers[uri]["rsa"] = Signer(key_id, "rsa", scene.p.signers[uri]["rsa"].key)
        served = scene.p.documents[path]["publicKey"] | {"id": key_id, "owner": owner}
        scene.p.documents["/people/sokha/own-key"] = served
        assert await scene.p.send(scene.here, scene.p.create(scene.author, scene.group.uri), actor=uri) == 401
    assert await scene.here.tables() == before
    assert canary.fetched == []
    await scene.twin()
    await canary.stop()
