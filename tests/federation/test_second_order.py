"""Shows that no address inside a document or an activity is ever asked, and that a host is one host however it is spelt."""

import json
from typing import Any

import pytest
from aiohttp import web

from fedcollab.admin import partners as acts
from fedcollab.base.clock import new_id, system_clock
from fedcollab.base.errors import FedcollabError, Unauthorized
from fedcollab.features.discussions import service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import inbox, partners, signatures
from fedcollab.federation.models import ADMITTED, BLOCKED
from tests import nodes, rows

from .conftest import Scene
from .test_origins_refused import Canary, canary, names

__all__ = ["Canary", "canary", "names"]


def jrd(href: str) -> Any:
    body = {"subject": "acct:organisation@x", "links": [{"rel": "self", "type": ap.MEDIA_TYPE, "href": href}]}
    return lambda _request: web.json_response(body, content_type="application/jrd+json")


ELSEWHERE = ("https://127.0.0.1/actor", "https://x.test/actor", "file:///etc/passwd", "//127.0.0.1/a", "")


@pytest.mark.rule("SSRF-10")
async def test_webfinger_and_nodeinfo_lead_nowhere_but_to_the_host_that_was_asked(scene: Scene, canary: Canary, names: list[str]) -> None:
    x = await nodes.rogue("Kapok")
    here = nodes.may_also_reach(scene.here, x)
    inside = f"http://127.0.0.1:{canary.port}"
    x.documents["/.well-known/nodeinfo"] = {"links": [{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": inside + "/n"}]}
    before = await here.tables()
    for href in (*ELSEWHERE, inside + "/actor", scene.p.uri("/actor")):
        x.documents["/.well-known/webfinger"] = jrd(href)
        with pytest.raises(FedcollabError):
            await acts.add(here.kernel, here.viewer, x.url, approve=True)
    x.documents["/.well-known/webfinger"] = lambda _request: web.Response(status=302, headers={"Location": inside + "/w"})
    with pytest.raises(FedcollabError):
        await acts.add(here.kernel, here.viewer, x.url, approve=True)
    for links in ([], {}, "x", [None], [{"rel": "self"}], [{"rel": "self", "type": ap.MEDIA_TYPE, "href": ["a"]}]):
        x.documents["/.well-known/webfinger"] = {"links": links}
        with pytest.raises(FedcollabError):
            await acts.add(here.kernel, here.viewer, x.url, approve=True)
    assert (canary.hits, names) == (0, [])
    assert await here.tables() == before
    x.documents["/.well-known/webfinger"] = jrd(x.uri("/actor"))
    assert (await acts.add(here.kernel, here.viewer, x.url)).host == f"127.0.0.1:{x.port}"
    assert canary.hits == 0
    await x.stop()
    await here.kernel.fetcher.close()


def second_order(at: str) -> dict[str, Any]:
    """Every property that other software follows, leading to the canary."""
    link = {"type": "Link", "href": at + "/link"}
    page = {"id": at + "/page", "type": "CollectionPage", "next": at + "/next", "partOf": at + "/whole", "items": [at + "/item"]}
    return {
        "icon": {"type": "Image", "url": at + "/icon"},
        "image": [{"type": "Image", "url": [link]}],
        "attachment": [{"type": "Document", "url": at + "/file"}, {"type": "PropertyValue", "value": f"<a href='{at}'>x</a>"}, link],
        "tag": [
            {"type": "Emoji", "name": ":x:", "icon": {"type": "Image", "url": at + "/emoji"}},
            {"type": "Mention", "href": at + "/mention"},
            {"type": "Hashtag", "href": at + "/hashtag"},
        ],
        "replies": {"id": at + "/replies", "type": "Collection", "first": page},
        "first": at + "/first",
        "next": at + "/next",
        "likes": at + "/likes",
        "shares": at + "/shares",
        "url": [link, at + "/url"],
        "preview": at + "/preview",
        "generator": {"id": at + "/generator", "type": "Application"},
        "location": {"type": "Place", "url": at + "/place"},
        "quoteUrl": at + "/quote",
        "oneOf": [{"type": "Note", "id": at + "/choice"}],
        "@context": [ap.AS2, at + "/context", {"@vocab": at + "/vocab", "x": {"@id": at, "@context": at}}],
        "proofPurpose": at,
        "instrument": at,
        "result": at,
        "origin": at,
        "target": at + "/target",
        "describes": at,
    }


@pytest.mark.rule("SSRF-11")
async def test_no_property_of_an_activity_or_an_actor_is_followed(scene: Scene, canary: Canary, names: list[str]) -> None:
    for at in (f"http://127.0.0.1:{canary.port}", f"https://127.0.0.1:{canary.port}", "https://x.test"):
        more = second_order(at)
        note = {name: value for name, value in more.items() if name != "@context"}
        words = f"<p><img src='{at}/img'><a href='{at}/a'>a</a> {at}/bare @who@x.test</p><video src='{at}/v'></video>"
        activity = await scene.create(**note, content=words)
        assert await scene.p.send(scene.here, activity) == 202
        assert await scene.stored(activity)
        whole = {k: v for k, v in (await scene.create()).items() if k != "proof"} | more
        assert await scene.p.send(scene.here, scene.p.prove(whole, scene.author)) == 202
        endpoints = {"endpoints": {"sharedInbox": at + "/shared", "proxyUrl": at + "/proxy", "oauthAuthorizationEndpoint": at}}
        lists = {"outbox": at + "/out", "followers": at + "/followers", "featured": at + "/featured", "streams": [at]}
        elsewhere = lists | {"alsoKnownAs": [at], "movedTo": at}
        actor = scene.p.actor(f"/people/{new_id()}", "Person", **note, **endpoints, **elsewhere)
        assert await scene.p.send(scene.here, scene.p.create(actor["id"], scene.group.uri)) == 202
        for kind in ("Like", "Announce", "Add", "Remove", "Move", "Flag", "Offer", "Invite", "Join", "View", "Question", "Block"):
            made = ap.activity(kind, scene.p.uri(f"/activities/{new_id()}"), scene.author, at + "/object", **note)
            assert await scene.p.send(scene.here, made) in (202, 400)
    await scene.here.quiet()
    delivered = len(scene.p.received)
    await scene.here.write(
        service.post_thread, scene.here.viewer, scene.group.id, title="Ours", text=f"![x](http://127.0.0.1:{canary.port}/i)"
    )

    async def arrived() -> bool:
        return len(scene.p.received) > delivered

    await nodes.until("our own post goes to the inbox on the partner's host", arrived)
    assert canary.hits == 0
    assert names == []
    await scene.twin()


@pytest.mark.rule("SSRF-11")
@pytest.mark.parametrize("field", ["inbox", ap.ORGANISATION])
async def test_a_document_whose_own_addresses_lie_elsewhere_is_refused(scene: Scene, canary: Canary, field: str) -> None:
    for at in (f"http://127.0.0.1:{canary.port}/x", "https://169.254.169.254/x", "file:///etc/passwd", "https://x.test/x"):
        actor = scene.p.actor(f"/people/{new_id()}", "Person", **{field: at})
        assert await scene.p.send(scene.here, scene.p.create(actor["id"], scene.group.uri)) == 401
    assert canary.hits == 0
    await scene.twin()


SPELLINGS = ["p.test", "P.TEST", "p.test.", "P.Test.", "p.test:443", "p.test.:443", "P.TEST:0443", "p.test:"]
OTHERS = ["sub.p.test", "p.test.evil.test", "evilp.test", "p.test:8443", "p.test@evil.test", "p.test%2eevil.test", "p.tes", "\uff50.test"]


@pytest.mark.rule("HOST-02")
def test_a_partner_is_found_and_a_block_holds_in_every_spelling_of_its_host() -> None:
    at = rows.node()
    with rows.memory() as session, rows.quick_keys():
        rows.home(session, at)
        for state in (ADMITTED, BLOCKED):
            rows.partner(session, at, "p.test" if state == ADMITTED else "q.test", state)
        for spelling in SPELLINGS:
            for name, state in (("p", ADMITTED), ("q", BLOCKED)):
                host = inbox.host_of(f"https://{spelling.replace('p', name).replace('P', name.upper())}/actor")
                found = partners.by_host(session, host)
                assert (host, found.state if found else "") == (f"{name}.test", state), spelling
        for other in OTHERS:
            try:
                host = inbox.host_of(f"https://{other}/actor")
            except FedcollabError:
                continue
            assert partners.by_host(session, host) is None, other


@pytest.mark.rule("HOST-02", "HOST-03")
async def test_a_blocked_partner_gets_in_by_no_spelling_and_a_stranger_by_none_like_a_partners(scene: Scene, names: list[str]) -> None:
    """Signed as well as can be, by the key that was pinned for the host: what is refused is the host."""
    signer = scene.p.signers[scene.author]["rsa"]
    await scene.here.write(make_partner, "q.test", BLOCKED)
    body = json.dumps(await scene.create()).encode()
    before = await scene.here.tables()
    for spelling in (*SPELLINGS, *OTHERS):
        blocked = spelling in SPELLINGS
        host = spelling.replace("p", "q", 1).replace("P", "Q", 1) if blocked else spelling
        headers = signatures.sign(signer, "POST", scene.here.url + "/inbox", body, system_clock())
        headers["Signature"] = headers["Signature"].replace(signer.uri, f"https://{host}/actor#main-key")
        assert host in headers["Signature"]
        assert await nodes.raw_post(scene.here.url + "/inbox", headers, body) in ((403,) if blocked else (401, 403)), spelling
    assert await scene.here.tables() == before
    assert names == []
    await scene.twin()


def make_partner(session: Any, node: Any, host: str, state: str) -> None:
    rows.partner(session, node, host, state)


@pytest.mark.rule("HOST-02")
@pytest.mark.parametrize("spelling", ["https://P.TEST/a/1", "https://p.test./a/1", "https://p.test:443/a/1", "https://p.test/a/1"])
def test_an_activity_of_the_signers_host_is_of_that_host_in_every_spelling(spelling: str) -> None:
    at = rows.node()
    with rows.memory() as session:
        signer = rows.actors.by_id(session, rows.organisation(session, "p.test"))
        assert inbox.check({"id": spelling, "type": "Like", "object": "x"}, signer)["actor"] == signer.uri
        for other in ("https://sub.p.test/a/1", "https://p.test.evil.test/a/1", "https://p.test:8443/a/1", "http://p.test:443/a/1"):
            with pytest.raises(Unauthorized):
                inbox.check({"id": other, "type": "Like", "object": "x"}, signer)
    assert at.host == "home.example"
