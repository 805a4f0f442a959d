"""Shows how a group on other software is followed and read: each thing as its own server tells it, and only where that is a partner."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web

from fedcollab.actors.service import ActorData
from fedcollab.admin import partners as acts
from fedcollab.base.clock import new_id
from fedcollab.base.database import wake
from fedcollab.base.errors import Refused, Unreachable
from fedcollab.base.session import Session
from fedcollab.features.discussions import reading, service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation.models import InboxItem
from tests import nodes, outside
from tests.nodes import until


@dataclass
class Forum:
    """Our node, and an admitted partner that runs other software, with a group and two people."""

    here: nodes.Here
    there: nodes.Rogue
    group: ActorData
    ana: str

    def note(self, **more: Any) -> dict[str, Any]:
        """A thing that its server serves."""
        path = f"/notes/{new_id()}"
        made = {"@context": ap.AS2, "id": self.there.uri(path), "type": "Note", "attributedTo": self.ana, "content": "<p>said</p>"}
        self.there.documents[path] = made | {"audience": self.group.uri, "to": [ap.PUBLIC]} | more
        found: dict[str, Any] = self.there.documents[path]
        return found

    async def announce(self, obj: Any) -> str:
        return await outside.take(self.here, self.there, outside.activity(self.there, "Announce", self.group.uri, obj))

    async def posts(self) -> list[tuple[Any, ...]]:
        return await self.here.sql(
            "SELECT p.uri, p.html, a.known FROM post p JOIN actor a ON a.id = p.author_id ORDER BY p.posted_at, p.place"
        )

    async def due(self, uri: str) -> None:
        """What was set aside is due now."""

        def now(session: Session) -> None:
            session.execute(sa.update(InboxItem).where(InboxItem.uri == uri).values(next_try_at=0))
            wake(session, "inbox")

        await self.here.read_write(now)


@pytest.fixture
async def forum(tmp_path: Path) -> AsyncIterator[Forum]:
    there = await nodes.rogue("Forum")
    outside.person(there, "/actor", "Application", name="Forum")
    group = outside.person(there, "/category/7", "Group", name="Routes", attributedTo=there.uri("/category/7/moderators"))
    ana = outside.person(there, "/users/ana", name="Ana")
    here = await nodes.start(tmp_path, peers=(there.port,))
    await nodes.admit(here, there)
    await acts.follow_group(here.kernel, here.viewer, group)
    [found] = [g.actor for g in await here.read(reading.groups, here.viewer)]
    yield Forum(here, there, found, ana)
    await here.stop()
    await there.stop()


async def test_it_is_followed_once_and_its_yes_counts(forum: Forum) -> None:
    async def asked() -> list[dict[str, Any]]:
        return [a for a in forum.there.received if a["type"] == "Follow" and a["object"] == forum.group.uri]

    [follow] = await until("the Follow", asked)
    accept = outside.activity(forum.there, "Accept", forum.group.uri, follow)
    assert await outside.take(forum.here, forum.there, accept) == "done"
    assert await forum.here.sql("SELECT state FROM follow WHERE uri = :uri", uri=follow["id"]) == [("accepted",)]
    await acts.follow_group(forum.here.kernel, forum.here.viewer, forum.group.uri)
    assert await forum.here.sql("SELECT count(*) FROM follow WHERE target_id = :id", id=forum.group.id) == [(1,)]
    with pytest.raises(Refused, match="no group of other software"):
        await acts.follow_group(forum.here.kernel, forum.here.viewer, forum.ana)
    with pytest.raises(Unreachable, match="not one of our partners"):
        await acts.follow_group(forum.here.kernel, forum.here.viewer, "https://other.example/category/1")


@pytest.mark.rule("ORG-02")
async def test_what_it_announces_is_taken_as_its_own_server_tells_it(forum: Forum) -> None:
    by_id, inside = forum.note(), forum.note(content="<p>true</p>")
    create = outside.activity(forum.there, "Create", forum.ana, inside | {"content": "<p>forged</p>"})
    assert await forum.announce(by_id["id"]) == "done"
    assert await forum.announce(create) == "done"
    assert await forum.posts() == [(by_id["id"], "<p>said</p>", "foreign"), (inside["id"], "<p>true</p>", "foreign")]
    path = inside["id"].removeprefix(forum.there.url)
    forum.there.documents[path] = inside | {"content": "<p>changed</p>", "updated": "2030-01-01T00:00:00Z"}
    assert await forum.announce(outside.activity(forum.there, "Update", forum.ana, inside)) == "done"
    assert (await forum.posts())[1][1] == "<p>changed</p>"
    forum.there.documents[path] = {"@context": ap.AS2, "id": inside["id"], "type": "Tombstone", "attributedTo": forum.ana}
    assert await forum.announce(inside["id"]) == "done"
    assert (await forum.posts())[1][1] == ""


async def test_what_its_server_cannot_show_just_now_is_asked_for_again_and_holds_up_nothing(forum: Forum) -> None:
    note, other = forum.note(), forum.note()
    path, query = note["id"].removeprefix(forum.there.url), "SELECT state, attempts FROM inbox_item WHERE uri = :uri"
    forum.there.documents[path] = lambda _request: web.Response(status=503)
    announced = outside.activity(forum.there, "Announce", forum.group.uri, note["id"])
    assert await forum.there.send(forum.here, announced) == 202

    async def tried(times: int) -> bool:
        return await forum.here.sql(query, uri=announced["id"]) == [("early", times)]

    await until("it is set aside", lambda: tried(1))
    second = outside.activity(forum.there, "Announce", forum.group.uri, other["id"])
    assert await forum.there.send(forum.here, second) == 202
    await until("the next is here", lambda: forum.here.sql("SELECT 1 FROM post WHERE uri = :uri", uri=other["id"]))
    await forum.due(announced["id"])
    await until("it was asked for again", lambda: tried(2))
    forum.there.documents[path] = note
    await forum.due(announced["id"])
    await until("it is here as well", lambda: forum.here.sql("SELECT 1 FROM post WHERE uri = :uri", uri=note["id"]))


async def test_what_its_server_cannot_show_for_half_an_hour_is_refused(forum: Forum) -> None:
    note = forum.note()
    forum.there.documents[note["id"].removeprefix(forum.there.url)] = lambda _request: web.Response(status=503)
    announced = outside.activity(forum.there, "Announce", forum.group.uri, note["id"])
    assert await forum.there.send(forum.here, announced) == 202

    async def refused() -> bool:
        await forum.due(announced["id"])
        found = await forum.here.sql("SELECT state, reason FROM inbox_item WHERE uri = :uri", uri=announced["id"])
        return found == [("refused", "its own server does not have it")]

    await until("it is given up", refused)


@pytest.mark.rule("ORG-02")
async def test_what_no_partner_confirms_is_refused_and_not_asked_for(forum: Forum) -> None:
    far = await outside.server(forum.here)
    elsewhere = {"id": far.uri("/notes/1"), "type": "Note", "attributedTo": far.uri("/users/ana"), "content": "x", "to": [ap.PUBLIC]}
    far.documents["/notes/1"] = elsewhere
    lying = forum.note(attributedTo=far.uri("/users/ana"))
    like = outside.activity(forum.there, "Like", forum.ana, forum.note())
    for obj, reason in (
        (elsewhere["id"], "from a server that is no partner"),
        (elsewhere, "from a server that is no partner"),
        (outside.activity(forum.there, "Create", forum.ana, elsewhere), "from a server that is no partner"),
        (lying["id"], "the announced id lies on another host than its author"),
        (forum.there.uri("/notes/none"), "its own server does not have it"),
        (like, "without a proof a group announces what was written or changed"),
        (forum.here.url + "/posts/none", "nobody here has written this"),
    ):
        assert await forum.announce(obj) == f"refused: {reason}"
    assert (await forum.posts(), far.fetched) == ([], [])
    assert await forum.announce(forum.note()["id"]) == "done"
    await far.stop()


@pytest.mark.rule("ORG-18")
async def test_our_members_post_goes_there_and_its_echo_is_its_receipt_alone(forum: Forum) -> None:
    here = forum.here
    posted = await here.write(service.post_thread, here.viewer, forum.group.id, title="Asked", text="one")

    async def sent() -> Any:
        return next((a for a in forum.there.received if a["type"] == "Create" and a["object"]["id"] == posted.uri), None)

    create = json.loads(json.dumps(await until("the post", sent)))
    assert ap.is_public(create["object"])
    create.pop("proof")
    forged = create["object"] | {"id": here.url + "/posts/new"}
    assert await forum.announce(create | {"object": forged}) == "refused: nobody here has written this"
    assert await forum.announce(create | {"object": create["object"] | {"content": "<p>forged</p>"}}) == "done"
    assert await here.sql("SELECT html, confirmed_at IS NOT NULL FROM post") == [("<p>one</p>", 1)]
