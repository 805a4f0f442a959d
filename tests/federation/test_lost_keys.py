"""Shows that a partner whose own host shows other keys is suspended until the words were compared, and that nobody else can do that."""

from pathlib import Path
from typing import Any

import pytest

from fedcollab.admin import partners as acts
from fedcollab.admin import trust
from fedcollab.admin.look import look
from fedcollab.base.clock import new_id, system_clock
from fedcollab.base.errors import Conflict, NotFound
from fedcollab.features.discussions import reading, service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import partners, signatures, succession
from fedcollab.federation.models import ADMITTED, LEFT
from tests import nodes
from tests.nodes import Here, Rogue, until

from .conftest import Scene
from .test_key_rotation import actions, opened, sees, states, update


async def state(here: Here, host: str) -> tuple[str, str]:
    found = await here.read(partners.find, host)
    return found.state, found.suspended_for


async def _is(found: Any, wanted: object) -> bool:
    return bool(await found == wanted)


@pytest.mark.rule("R18")
async def test_a_partner_that_lost_its_keys_is_suspended_until_the_words_match_and_then_the_queue_drains(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "A", "B") as (a, b):
        at_a, at_b = await opened(a, b)
        await a.write(succession.start_anew, a.viewer)
        await until("B has noticed", lambda: _is(state(b, a.url), ("suspended", "keys")))
        to_a = await b.write(service.post_reply, b.viewer, at_b, text="held for A")
        to_b = await a.write(service.post_reply, a.viewer, at_a, text="held for B")
        with pytest.raises(Conflict, match="other keys"):
            await b.write(acts.change, b.viewer, a.url, ADMITTED)
        with pytest.raises(Conflict, match="other keys"):
            await acts.add(b.kernel, b.viewer, a.url, approve=True)
        with pytest.raises(Conflict, match="not those whose words"):
            await b.write(trust.check, b.viewer, a.url)
        there = await b.read(look, b.kernel.node, a.url)
        assert there.spoken() == (await a.read(look, a.kernel.node, b.url)).spoken(), "the words are those of the new keys"
        with pytest.raises(Conflict, match="Look at the page again"):
            await b.write(trust.recheck, b.viewer, a.url, "0" * 64)
        assert await state(b, a.url) == ("suspended", "keys")
        assert not await sees(b, to_b.uri)
        assert not await sees(a, to_a.uri)
        await b.write(trust.recheck, b.viewer, a.url, there.keys)
        for here in (a, b):
            for posted in (to_a, to_b):
                await until("what was held has come", lambda here=here, posted=posted: sees(here, posted.uri), 30)
        assert await states(b, a.url + "/actor") == [("current", 2), ("old", 2)]
        assert (await b.read(partners.find, a.url)).checked_at is not None
        await until("all is sent", lambda: b.sql("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM delivery WHERE state <> 'done')"))
        kept = [act for act in await actions(b) if act.startswith("partner.")]
        assert kept[-3:] == ["partner.keys_differ", "partner.suspended", "partner.rechecked"]


async def shout(p: Rogue, here: Here, key: str, *, by: str = "") -> int:
    """Somebody sends in P's name, with a key that P's host does not list."""
    stranger = p.signers[by or p.uri("/people/sokha")]["rsa"]
    signer = nodes.keys.Signer(key, "rsa", stranger.key)
    activity = ap.activity("Update", p.uri(f"/a/{new_id()}"), key.partition("#")[0], {"id": p.uri("/actor"), "type": "Organization"})
    body = nodes.json.dumps(activity).encode()
    return await nodes.raw_post(here.url + "/inbox", signatures.sign(signer, "POST", here.url + "/inbox", body, system_clock()), body)


@pytest.mark.parametrize("path", ["/actor#other", "/people/sokha#other", "/people/nobody#k", "/nowhere", "/actor/main-key"])
async def test_naming_a_key_that_the_partner_has_not_changes_nothing(scene: Scene, path: str) -> None:
    before, pinned = await scene.here.tables(), await states(scene.here, scene.p.uri("/actor"))
    assert await shout(scene.p, scene.here, scene.p.uri(path)) == 401
    assert await scene.here.tables() == before
    assert await state(scene.here, scene.p.url) == ("admitted", "")
    assert await states(scene.here, scene.p.uri("/actor")) == pinned
    assert await scene.here.sql("SELECT count(*) FROM key_offer") == [(0,)]
    await scene.twin()


@pytest.mark.parametrize("answer", [None, "redirect", "another id", "unproved", "a person", "html"])
async def test_only_a_whole_document_from_the_partners_own_address_counts(scene: Scene, answer: str | None) -> None:
    p, true = scene.p, scene.p.documents["/actor"]
    other = await nodes.rogue("Canary")
    fresh = dict(other.documents["/actor"])
    if answer is None:
        p.documents["/actor"] = None
    elif answer == "redirect":
        p.documents["/actor"] = lambda _request: nodes.web.HTTPFound(other.uri("/actor"))
    elif answer == "another id":
        p.documents["/actor"] = fresh
    elif answer == "html":
        p.documents["/actor"] = lambda _request: nodes.web.Response(text="<p>", content_type="text/html")
    else:
        keys = {n: v for n, v in p.actor("/other", "Organization").items() if n in ("publicKey", "assertionMethod")}
        p.documents["/actor"] = true | (keys if answer == "unproved" else {"type": "Person"})
    asked = len(other.fetched)
    assert await shout(p, scene.here, p.uri("/actor#other")) in (401, 503)
    assert await state(scene.here, p.url) == ("admitted", "")
    assert len(other.fetched) == asked, "nobody else is asked"
    p.documents["/actor"] = true
    await scene.twin()
    await other.stop()


async def test_a_partner_made_anew_at_its_old_address_comes_back_after_the_words(scene: Scene) -> None:
    p, here = scene.p, scene.here
    first, true = p.signers[p.uri("/actor")], p.documents["/actor"]
    p.actor("/actor", "Organization", name="Tamarind")
    made, p.documents["/actor"] = p.documents["/actor"], true
    asked = p.fetched.count("/actor")
    for _ in range(5):
        assert await p.send(here, update(p, made)) == 401, "the same key's id, another key"
    assert await state(here, p.url) == ("admitted", ""), "a bad signature proves nothing"
    assert p.fetched.count("/actor") == asked + 1, "looked at once in five minutes, whoever shouts"
    p.documents["/actor"] = made
    here.kernel.looked.clear()
    assert await p.send(here, update(p, made)) == 401
    assert await state(here, p.url) == ("suspended", "keys")
    assert await p.send(here, update(p, made)) == 403
    await here.write(trust.recheck, here.viewer, p.url)
    assert await p.send(here, update(p, p.documents["/actor"])) == 202
    p.signers[p.uri("/actor")] = first
    assert await p.send(here, update(p, p.documents["/actor"])) == 401


async def test_an_organisation_that_had_left_and_lost_its_keys_is_not_locked_out(scene: Scene) -> None:
    p, here = scene.p, scene.here
    await here.write(acts.change, here.viewer, p.url, LEFT)
    with pytest.raises(NotFound):
        await here.write(trust.recheck, here.viewer, p.url)
    p.actor("/actor", "Organization", name="Tamarind")
    with pytest.raises(Conflict, match="other keys"):
        await acts.add(here.kernel, here.viewer, p.url + "/actor")
    await here.write(trust.recheck, here.viewer, p.url)
    assert await state(here, p.url) == ("left", ""), "believed is not admitted"
    await here.write(acts.change, here.viewer, p.url, ADMITTED)
    assert await p.send(here, update(p, p.documents["/actor"])) == 202


async def test_posts_that_waited_when_the_keys_went_keep_their_order(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "A", "B") as (a, b):
        at_a, at_b = await opened(a, b)
        await a.write(succession.start_anew, a.viewer)
        await until("B has noticed", lambda: _is(state(b, a.url), ("suspended", "keys")))
        for number in range(6):
            await a.write(service.post_reply, a.viewer, at_a, text=f"number {number}")
        await b.write(trust.recheck, b.viewer, a.url)
        await until("all have come", lambda: b.sql("SELECT 1 FROM thread WHERE posts = 7"), 30)
        found = await b.read(lambda session: [post.html for post in reading.posts(session, b.viewer, at_b)])
        assert [text for text in found if "number" in text] == [f"<p>number {number}</p>" for number in range(6)]
