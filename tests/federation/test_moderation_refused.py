"""Shows that only the home group's own people moderate its conversations, through the group: each refusal beside the act that is obeyed."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fedcollab.base.clock import new_id
from fedcollab.features.discussions import service
from fedcollab.federation import activitystreams as ap
from tests import nodes

THROUGH = "not by the group's own organisation, through the group"
ELSEWHERE = "announced by another group than it stands in"


@dataclass
class Stage:
    """Our node, its partner P with two groups and a moderator, an author X that only P knows, and a conversation in P's group."""

    here: nodes.Here
    p: nodes.Rogue
    x: nodes.Rogue
    group: str = ""
    other: str = ""
    thread: str = ""
    opener: str = ""

    @property
    def moderator(self) -> str:
        return self.p.uri("/people/mona")

    def documents(self) -> list[dict[str, Any]]:
        others = [self.x.documents[path] for path in ("/actor", "/people/sokha", "/people/other")]
        return [*others, self.p.documents["/actor"], self.p.documents["/people/mona"]]

    async def have_group(self, path: str) -> str:
        members = [{"id": uri, "name": "n", ap.PEOPLE: 2} for uri in (self.p.uri("/actor"), self.here.url + "/actor", self.x.uri("/actor"))]
        document = self.p.actor(path, "Group", attributedTo=self.p.uri("/actor"), **{ap.LABEL: "TLP:GREEN", ap.MEMBERS: members})
        update = ap.activity("Update", self.p.uri(f"/activities/{new_id()}"), self.p.uri("/actor"), document)
        assert await self.p.send(self.here, self.p.prove(update, self.p.uri("/actor"))) == 202
        await self.here.quiet()
        return self.p.uri(path)

    def act(self, kind: str, about: object, *, by: str = "", server: nodes.Rogue | None = None, **more: object) -> dict[str, Any]:
        """An act with the proof of whoever does it: P's moderator, if nobody is named."""
        at, actor = server or self.p, by or self.moderator
        made = ap.activity(kind, at.uri(f"/activities/{new_id()}"), actor, about, summary="why", context=self.thread, **more)
        return at.prove(made, actor)

    async def announce(self, activity: dict[str, Any], group: str = "") -> str:
        """A group of P passes it on; answers why it was refused, or nothing."""
        made = ap.activity(
            "Announce", self.p.uri(f"/activities/{new_id()}"), group or self.group, activity, **{ap.INTRODUCES: self.documents()}
        )
        return await self.sent(made, group or self.group)

    async def sent(self, activity: dict[str, Any], actor: str) -> str:
        assert await self.p.send(self.here, json.loads(json.dumps(activity)), actor=actor) == 202
        await self.here.quiet()
        [(state, reason)] = await self.here.sql("SELECT state, reason FROM inbox_item WHERE uri = :uri", uri=activity["id"])
        return reason if state == "refused" else ""

    async def state(self) -> list[tuple[Any, ...]]:
        """What a refusal must not change: each post's text and state, each conversation's, all acts; how many rows there are, but for
        the inbox and for who is known: that somebody exists may be learned from what they are refused."""
        tables = {name: rows for name, rows in (await self.here.tables()).items() if name not in ("inbox_item", "actor", "actor_key")}
        posts = await self.here.sql("SELECT html, removed, hidden, deleted_at FROM post ORDER BY id")
        threads = await self.here.sql("SELECT title, locked, untitled FROM thread ORDER BY id")
        return [*posts, *threads, *await self.here.sql("SELECT uri, undone_at FROM moderation_act ORDER BY id"), *tables.items()]

    async def obeyed(self) -> None:
        """The legitimate twin: the group's moderator removes and restores, locks and opens."""
        remove, lock = self.act("Delete", self.opener), self.act("Lock", self.opener)
        assert await self.announce(remove) == ""
        assert await self.here.sql("SELECT html, removed FROM post WHERE uri = :uri", uri=self.opener) == [("", "why")]
        assert await self.announce(lock) == ""
        assert await self.here.sql("SELECT locked FROM thread WHERE uri = :uri", uri=self.thread) == [("why",)]
        for done in (remove, lock):
            inner = {name: done[name] for name in ("id", "type", "actor", "object")}
            assert await self.announce(self.act("Undo", inner)) == ""
        assert await self.here.sql("SELECT removed FROM post WHERE uri = :uri", uri=self.opener) == [(None,)]
        assert await self.here.sql("SELECT locked FROM thread WHERE uri = :uri", uri=self.thread) == [(None,)]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    p, x = await nodes.rogue("Host"), await nodes.rogue("Far")
    p.actor("/people/mona", "Person")
    x.actor("/people/other", "Person")
    here = await nodes.start(tmp_path, peers=(p.port,))
    await nodes.admit(here, p)
    made = Stage(here, p, x)
    made.group, made.other = await made.have_group("/groups/g"), await made.have_group("/groups/other")
    create = x.create(x.uri("/people/sokha"), made.group, name="A question", context=p.uri("/threads/t"))
    made.thread, made.opener = p.uri("/threads/t"), create["object"]["id"]
    assert await made.announce(create) == ""
    yield made
    await here.stop()
    await p.stop()
    await x.stop()


@pytest.mark.rule("ORG-05")
async def test_others_than_the_groups_own_people_remove_and_lock_nothing(stage: Stage) -> None:
    before = await stage.state()
    stranger, author = stage.x.uri("/people/other"), stage.x.uri("/people/sokha")
    create = stage.x.create(author, stage.group, context=stage.thread, inReplyTo=stage.opener)
    for kind, about in (("Delete", stage.opener), ("Lock", stage.opener), ("Lock", stage.thread), ("Delete", create["object"]["id"])):
        assert await stage.announce(stage.act(kind, about, by=stranger, server=stage.x)) == THROUGH
    assert await stage.state() == before
    await stage.obeyed()


@pytest.mark.rule("ORG-05")
async def test_a_moderators_act_counts_through_its_own_group_alone(stage: Stage) -> None:
    before = await stage.state()
    for kind, about in (("Delete", stage.opener), ("Lock", stage.opener), ("Lock", stage.thread)):
        assert await stage.announce(stage.act(kind, about), group=stage.other) == ELSEWHERE
        assert await stage.sent(stage.act(kind, about), stage.moderator) == THROUGH
    assert await stage.state() == before
    await stage.obeyed()


@pytest.mark.rule("ORG-05")
async def test_a_host_moderates_nothing_in_groups_of_ours(stage: Stage) -> None:
    mine = await stage.here.group("mine")
    posted = await stage.here.write(service.post_thread, stage.here.viewer, mine.id, title="Ours", text="ours")
    [(thread,)] = await stage.here.sql("SELECT uri FROM thread WHERE id = :id", id=posted.thread_id)
    before = await stage.state()
    for kind, about in (("Delete", posted.uri), ("Lock", posted.uri), ("Lock", thread)):
        assert await stage.announce(stage.act(kind, about)) == ELSEWHERE
        assert await stage.sent(stage.act(kind, about), stage.moderator) == THROUGH
    assert await stage.state() == before
    await stage.obeyed()


@pytest.mark.rule("ORG-05")
async def test_a_moderator_that_somebody_else_plays_is_not_believed(stage: Stage) -> None:
    before = await stage.state()
    forged = stage.act("Delete", stage.opener)
    for name, value in (("summary", "another reason"), ("object", stage.p.uri("/posts/none")), ("actor", stage.p.uri("/people/sokha"))):
        assert "not proved by its author's key" in await stage.announce(forged | {name: value})
    bare = {name: value for name, value in forged.items() if name != "proof"}
    assert "not proved by its author's key" in await stage.announce(bare)
    assert await stage.state() == before
    await stage.obeyed()


@pytest.mark.rule("ORG-05")
async def test_what_a_moderator_did_is_undone_by_nobody_else(stage: Stage) -> None:
    remove, stranger = stage.act("Delete", stage.opener), stage.x.uri("/people/sokha")
    assert await stage.announce(remove) == ""
    before = await stage.state()
    inner = {name: remove[name] for name in ("id", "type", "actor", "object")}
    assert await stage.announce(stage.act("Undo", inner, by=stranger, server=stage.x)) == THROUGH
    assert await stage.announce(stage.act("Undo", inner), group=stage.other) == ELSEWHERE
    assert await stage.sent(stage.act("Undo", inner), stage.moderator) == THROUGH
    far = inner | {"id": stage.x.uri("/activities/1")}
    assert await stage.announce(stage.act("Undo", far)) == "undoes what another node did"
    assert await stage.state() == before
    assert await stage.announce(stage.act("Undo", inner)) == ""
    await stage.obeyed()


async def test_a_removal_empties_what_is_here_and_the_restored_text_comes_again_from_its_author(stage: Stage) -> None:
    create = stage.x.create(stage.x.uri("/people/sokha"), stage.group, context=stage.thread, inReplyTo=stage.opener)
    uri = create["object"]["id"]
    remove = stage.act("Delete", uri)
    assert await stage.announce(remove) == "", "before the post has come"
    assert await stage.announce(create) == ""
    assert await stage.here.sql("SELECT html, removed FROM post WHERE uri = :uri", uri=uri) == [("", "why")]
    forged = create | {"object": create["object"] | {"content": "<p>forged</p>"}}
    assert await stage.announce(create) == "", "again, while it is removed"
    assert await stage.here.sql("SELECT html FROM post WHERE uri = :uri", uri=uri) == [("",)]
    inner = {name: remove[name] for name in ("id", "type", "actor", "object")}
    assert await stage.announce(stage.act("Undo", inner)) == ""
    assert "not proved" in await stage.announce(forged)
    assert await stage.announce(create) == ""
    assert await stage.here.sql("SELECT html, removed FROM post WHERE uri = :uri", uri=uri) == [("<p>hello</p>", None)]
