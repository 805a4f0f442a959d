"""Shows what servers that are no partners may do: nothing where the setting is off, and where it is on read, follow and answer what is
public, counted and bounded, and be blocked."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fedcollab.actors import service as actors
from fedcollab.actors.service import ActorData
from fedcollab.admin import partners as acts
from fedcollab.features.discussions import public, reading, service, thanks
from fedcollab.features.discussions.moderation import acting
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import profiles, proofs
from tests import nodes, outside
from tests.nodes import until


@dataclass
class Street:
    """A node with a public and a partners' group, and a server outside."""

    here: nodes.Here
    far: nodes.Rogue
    public: ActorData
    inner: ActorData
    ana: str

    async def open(self, group: ActorData, text: str = "one") -> service.Posted:
        posted: service.Posted = await self.here.write(service.post_thread, self.here.viewer, group.id, title="T", text=text)
        return posted

    def follow(self, target: str) -> dict[str, Any]:
        return outside.activity(self.far, "Follow", self.ana, target)

    async def take(self, made: dict[str, Any]) -> str:
        return await outside.take(self.here, self.far, made)

    async def got(self, kind: str, about: str) -> dict[str, Any]:
        """The first activity of this kind about a thing that has come to the server outside."""

        async def look() -> Any:
            return next((a for a in self.far.received if a["type"] == kind and about in (ap.ident(a["object"]), _inner(a))), None)

        found: dict[str, Any] = await until(f"{kind} of {about}", look)
        return found

    async def tables(self) -> dict[str, int]:
        return await self.here.tables()


def _inner(activity: dict[str, Any]) -> str:
    obj = activity["object"]
    return ap.ident(obj.get("object")) if isinstance(obj, dict) else ""


def let_in(here: nodes.Here, on: bool = True) -> None:
    """The same node as if its settings had said so."""
    object.__setattr__(here.kernel.node, "settings", replace(here.kernel.node.settings, outside_servers=on))


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    here = await nodes.start(tmp_path)
    far = await outside.server(here)
    let_in(here)
    yield Street(here, far, await here.group("public", "TLP:CLEAR"), await here.group("inner"), far.uri("/users/ana"))
    await here.stop()
    await far.stop()


async def test_where_it_is_off_nothing_is_fetched_stored_or_answered(street: Street) -> None:
    let_in(street.here, on=False)
    posted = await street.open(street.public)
    before = await street.tables()
    assert await street.take(street.follow(street.public.uri)) == "403"
    assert await street.take(outside.answer(street.far, street.ana, posted.uri)) == "403"
    for url in (street.public.uri, posted.uri, f"{street.here.url}/threads/{posted.thread_id}"):
        assert await outside.get(street.far, url) == (403, None)
    assert (street.far.fetched, await street.tables()) == ([], before)
    assert await street.here.sql("SELECT times FROM application") == [(2,)]


async def test_what_is_public_can_be_read_and_nothing_is_kept_of_the_reader(street: Street) -> None:
    posted, secret = await street.open(street.public), await street.open(street.inner)
    before = await street.tables()
    [(me,)] = await street.here.sql("SELECT uri FROM actor WHERE kind = 'Person'")
    context = f"{street.here.url}/threads/{posted.thread_id}"
    found = [await outside.get(street.far, url) for url in (street.public.uri, posted.uri, context, context + "/posts", me)]
    assert [status for status, _ in found] == [200] * 5
    assert found[3][1]["orderedItems"] == [posted.uri]
    stored = await street.here.read(profiles.stored_document, street.public.id)
    assert stored is not None
    believed = await street.here.read(lambda session: actors.keys_of(session, actors.own(session, street.here.kernel.node).id))
    assert (ap.MEMBERS in stored, ap.MEMBERS in found[0][1]) == (True, False), "who our partners are is for partners"
    assert proofs.proved(found[0][1], believed)
    for url in (street.inner.uri, secret.uri, f"{street.here.url}/threads/{secret.thread_id}", street.inner.uri + "/outbox"):
        assert await outside.get(street.far, url) == (404, None)
    assert (street.far.fetched, await street.tables()) == (["/users/ana"], before), "the key is fetched once"
    await street.here.write(service.delete, street.here.viewer, posted.post_id)
    status, tombstone = await outside.get(street.far, posted.uri)
    assert (status, tombstone["type"], tombstone["formerType"]) == (410, "Tombstone", "Article")


async def test_people_who_have_said_nothing_public_are_not_shown_outside(street: Street) -> None:
    await street.open(street.inner)
    [(me,)] = await street.here.sql("SELECT uri FROM actor WHERE kind = 'Person'")
    finger = f"{street.here.url}/.well-known/webfinger?resource=acct:ilse@{street.here.host}"
    assert [(await outside.get(street.far, url))[0] for url in (me, finger)] == [404, 404]
    await street.open(street.public)
    assert [(await outside.get(street.far, url))[0] for url in (me, finger)] == [200, 200]
    for name, status in (("public", 200), ("inner", 404)):
        url = f"{street.here.url}/.well-known/webfinger?resource=acct:{name}@{street.here.host}"
        assert (await outside.get(street.far, url))[0] == status
        async with aiohttp.request("GET", url) as unsigned:
            assert unsigned.status == status, "as other software asks"
    let_in(street.here, on=False)
    for resource in ("public", "ilse", "inner", "nobody"):
        async with aiohttp.request(
            "GET", f"{street.here.url}/.well-known/webfinger?resource=acct:{resource}@{street.here.host}"
        ) as unsigned:
            assert unsigned.status == 401


async def test_a_follower_outside_is_told_of_what_is_public_as_others_know_it(street: Street) -> None:
    bea = outside.person(street.far, "/users/bea")
    assert await street.take(street.follow(street.public.uri)) == "done"
    assert await street.take(outside.activity(street.far, "Follow", bea, street.public.uri)) == "done"
    accept = await street.got("Accept", street.public.uri)
    assert (accept["actor"], accept["object"]["type"]) == (street.public.uri, "Follow")
    posted, secret = await street.open(street.public), await street.open(street.inner)
    announce = await street.got("Announce", posted.uri)
    assert (announce["actor"], announce["object"], ap.is_public(announce)) == (street.public.uri, posted.uri, True)
    await street.here.write(service.edit, street.here.viewer, posted.post_id, text="two")
    assert (await street.got("Update", posted.uri))["object"]["content"] == "<p>two</p>"
    await street.here.write(service.delete, street.here.viewer, posted.post_id)
    assert (await street.got("Delete", posted.uri))["object"]["type"] == "Tombstone"
    assert (await street.got("Undo", posted.uri))["object"]["id"] == announce["id"]
    told = [a["type"] for a in street.far.received if a["type"] != "Accept"]
    assert sorted(told) == ["Announce", "Delete", "Undo", "Update"], "once a server, however many follow"
    assert secret.uri not in str(street.far.received)
    assert await street.take(outside.activity(street.far, "Undo", street.ana, {"type": "Follow", "id": "x"})) == "done"
    assert await street.here.sql("SELECT count(*) FROM follow") == [(2,)]


async def test_of_a_group_that_is_public_no_more_nothing_goes_outside_and_what_went_is_taken_back(street: Street) -> None:
    assert await street.take(street.follow(street.public.uri)) == "done"
    posted = await street.open(street.public)
    announce = await street.got("Announce", posted.uri)
    await street.here.write(public.narrow, street.here.viewer, street.public.id)
    assert (await street.got("Undo", posted.uri))["object"]["id"] == announce["id"]
    await street.here.write(service.edit, street.here.viewer, posted.post_id, text="for partners only")
    await street.open(street.public, "for partners too")
    await street.here.write(service.delete, street.here.viewer, posted.post_id)
    assert (await street.got("Delete", posted.uri))["object"]["type"] == "Tombstone"
    assert "for partners" not in str(street.far.received)


async def test_an_answer_goes_no_further_than_the_conversation_that_it_stands_in(street: Street) -> None:
    narrow = dict(title="T", text="for partners", label="TLP:GREEN")
    opener = await street.here.write(service.post_thread, street.here.viewer, street.public.id, **narrow)
    answer = await street.here.write(service.post_reply, street.here.viewer, opener.thread_id, text="as you say")
    assert await street.here.sql("SELECT label FROM post WHERE id = :id", id=answer.post_id) == [("TLP:GREEN",)]


async def test_only_public_groups_are_followed_and_a_follow_is_taken_back_by_its_own(street: Street) -> None:
    assert await street.take(street.follow(street.inner.uri)) == "refused: only public groups can be followed from outside"
    assert await street.take(street.follow(street.here.url + "/actor")) == "403"
    assert await street.here.sql("SELECT host FROM application") == [(f"127.0.0.1:{street.far.port}",)], "it asks to be a partner"
    follow = street.follow(street.public.uri)
    assert await street.take(follow) == "done"
    bea = outside.person(street.far, "/users/bea")
    assert await street.take(outside.activity(street.far, "Undo", bea, follow)) == "done"
    assert await street.here.sql("SELECT count(*) FROM follow") == [(1,)]
    assert await street.take(outside.activity(street.far, "Undo", street.ana, follow)) == "done"
    assert await street.here.sql("SELECT count(*) FROM follow") == [(0,)]


async def test_public_answers_come_in_are_changed_and_deleted_by_their_author_alone(street: Street) -> None:
    posted, secret = await street.open(street.public), await street.open(street.inner)
    made = outside.answer(street.far, street.ana, posted.uri)
    assert await street.take(made) == "done"
    shown = await street.here.read(reading.posts, street.here.viewer, posted.thread_id)
    host = f"127.0.0.1:{street.far.port}"
    assert [(p.author, p.known, p.host, p.through) for p in shown[1:]] == [("Ana", "foreign", host, None)]
    bea = outside.person(street.far, "/users/bea")
    uri = made["object"]["id"]
    changed = {**made["object"], "content": "<p>changed</p>", "updated": "2030-01-01T00:00:00Z"}
    for author, words in ((bea, "somebody else's post"), (street.ana, "")):
        obj = {**changed, "attributedTo": author}
        assert words in await street.take(outside.activity(street.far, "Update", author, obj))
    assert await street.here.sql("SELECT html FROM post WHERE uri = :uri", uri=uri) == [("<p>changed</p>",)]
    for wrong in (
        outside.answer(street.far, street.ana, secret.uri),
        outside.answer(street.far, street.ana, posted.uri, to=[street.public.uri], cc=[]),
        outside.answer(street.far, street.ana, "", to=[ap.PUBLIC, street.public.uri], name="A new conversation"),
        outside.answer(street.far, street.ana, secret.uri, to=[ap.PUBLIC, street.public.uri]),
    ):
        assert (await street.take(wrong)).startswith("refused: "), wrong
    like = outside.activity(street.far, "Like", street.ana, posted.uri)
    assert await street.take(like) == "done"
    assert (await street.here.read(thanks.of_page, street.here.viewer, posted.thread_id))[posted.post_id].number == 1
    assert (await street.take(outside.activity(street.far, "Like", street.ana, secret.uri))).startswith("refused: ")
    assert await street.take(outside.activity(street.far, "Delete", street.ana, {"id": uri, "type": "Tombstone"})) == "done"
    assert await street.here.sql("SELECT html FROM post WHERE uri = :uri", uri=uri) == [("",)]


async def test_nothing_else_from_outside_has_an_effect(street: Street) -> None:
    assert await street.take(street.follow(street.public.uri)) == "done"
    before = await street.here.sql("SELECT count(*) FROM actor"), await street.here.sql("SELECT count(*) FROM audit_entry")
    document = street.far.documents["/users/ana"]
    stray = {"id": street.far.uri("/groups/g"), "type": "Group", "inbox": street.far.uri("/inbox"), ap.LABEL: "TLP:CLEAR"}
    for kind, obj in (
        ("Update", stray),
        ("Update", document | {"name": "Admin"}),
        ("Announce", {"id": street.far.uri("/notes/1"), "type": "Note", "attributedTo": street.ana}),
        ("Move", street.ana),
        ("Add", street.ana),
        ("Accept", {"id": street.here.url + "/activities/x", "type": "Follow"}),
        ("Flag", [street.public.uri]),
    ):
        assert (await street.take(outside.activity(street.far, kind, street.ana, obj))).startswith(("done", "refused"))
    assert (await street.here.sql("SELECT count(*) FROM actor"), await street.here.sql("SELECT count(*) FROM audit_entry")) == before
    assert await street.here.sql("SELECT name FROM actor WHERE uri = :uri", uri=street.ana) == [("Ana",)]


async def test_a_blocked_server_is_not_heard_not_fetched_from_and_not_sent_to(street: Street) -> None:
    posted = await street.open(street.public)
    assert await street.take(street.follow(street.public.uri)) == "done"
    made = outside.answer(street.far, street.ana, posted.uri)
    assert await street.take(made) == "done"
    await street.got("Accept", street.public.uri)
    host = f"127.0.0.1:{street.far.port}"
    await street.here.write(acts.block, street.here.viewer, host)
    shown = await street.here.read(reading.posts, street.here.viewer, posted.thread_id)
    assert [p.uri for p in shown] == [posted.uri], "its people's words are hidden"
    street.far.fetched.clear()
    street.far.received.clear()
    outside.person(street.far, "/users/cid")
    cid = outside.activity(street.far, "Follow", street.far.uri("/users/cid"), street.public.uri)
    assert [await street.take(one) for one in (cid, outside.answer(street.far, street.ana, posted.uri))] == ["403", "403"]
    assert (await outside.get(street.far, posted.uri))[0] == 403
    await street.open(street.public)
    assert (street.far.fetched, street.far.received) == ([], [])
    await street.here.write(acts.unblock, street.here.viewer, host)
    assert await street.take(street.follow(street.public.uri)) == "done", "as any other server, once it asks again"
    later = await street.open(street.public)
    await street.got("Announce", later.uri)


async def test_a_server_that_is_removed_is_sent_nothing_until_it_follows_again(street: Street) -> None:
    assert await street.take(street.follow(street.public.uri)) == "done"
    await street.got("Accept", street.public.uri)
    await street.here.write(acts.change, street.here.viewer, f"127.0.0.1:{street.far.port}", "left")
    await street.open(street.public)
    assert await street.here.sql("SELECT count(*) FROM delivery WHERE state = 'waiting'") == [(0,)]
    bea = outside.person(street.far, "/users/bea")
    assert await street.take(outside.activity(street.far, "Follow", bea, street.public.uri)) == "done"
    assert await street.here.sql("SELECT a.uri FROM follow f JOIN actor a ON a.id = f.follower_id") == [(bea,)]
    later = await street.open(street.public)
    await street.got("Announce", later.uri)
    assert [a["type"] for a in street.far.received].count("Announce") == 1


async def test_a_key_that_fails_is_not_fetched_again_and_a_server_has_few_tries(street: Street) -> None:
    document = street.far.documents.pop("/users/ana")
    for _ in range(3):
        assert await street.take(street.follow(street.public.uri)) == "503"
    assert street.far.fetched == ["/users/ana"]
    for number in range(15):
        made = outside.person(street.far, f"/users/{number}")
        await street.take(outside.activity(street.far, "Follow", made, street.public.uri))
    assert len(street.far.fetched) == 10
    street.here.kernel.strangers.asked.clear()
    street.here.kernel.strangers.found.clear()
    street.far.documents["/users/ana"] = document
    assert await street.take(street.follow(street.public.uri)) == "done"


async def test_a_bad_signature_stores_nothing_of_who_made_it(street: Street) -> None:
    before = await street.tables()
    outside.person(street.far, "/users/bea")
    forged = street.follow(street.public.uri)
    assert await street.far.send(street.here, forged, actor=street.far.uri("/users/bea")) == 401
    street.far.signers[street.ana]["rsa"] = replace(street.far.signers[street.far.uri("/users/bea")]["rsa"], uri=street.ana + "#main-key")
    assert await street.far.send(street.here, street.follow(street.public.uri)) == 401
    after = await street.tables()
    assert {name: after[name] for name in ("follow", "inbox_item", "activity")} == {
        name: before[name] for name in ("follow", "inbox_item", "activity")
    }
    assert await street.here.sql("SELECT uri FROM actor WHERE uri = :uri", uri=street.ana) == []


async def test_a_server_outside_that_becomes_a_partner_keeps_its_line(street: Street) -> None:
    posted = await street.open(street.public)
    assert await street.take(outside.answer(street.far, street.ana, posted.uri)) == "done"
    found = await acts.add(street.here.kernel, street.here.viewer, street.far.uri("/actor"))
    assert (found.state, found.uri) == ("applied", street.far.uri("/actor"))
    await street.here.write(acts.change, street.here.viewer, found.host, "admitted")
    assert await street.here.sql("SELECT count(*) FROM partner") == [(1,)]
    assert await street.take(outside.answer(street.far, street.ana, posted.uri, audience=street.public.uri)) == "done"


async def test_what_our_moderators_remove_is_taken_back_outside_and_told_again_when_it_is_restored(street: Street) -> None:
    assert await street.take(street.follow(street.public.uri)) == "done"
    made = outside.answer(street.far, street.ana, (await street.open(street.public)).uri)
    assert await street.take(made) == "done"
    uri, ilse = made["object"]["id"], street.here.viewer
    first = await street.got("Announce", uri)
    [(post_id,)] = await street.here.sql("SELECT id FROM post WHERE uri = :uri", uri=uri)
    for earlier in (first, None):
        announced = earlier or await street.got("Announce", uri)
        street.far.received.clear()
        await street.here.write(acting.remove, ilse, post_id, "It names somebody.")
        assert (await street.got("Undo", uri))["object"]["id"] == announced["id"]
        assert "It names somebody." not in str(street.far.received), "the reason is for those inside"
        street.far.received.clear()
        await street.here.write(acting.restore, ilse, post_id, "It was another one.")
        assert (await street.got("Announce", uri))["id"] != announced["id"]
