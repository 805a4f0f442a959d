"""Shows what a group's host can make us believe of an author whom we don't know: their own words as they proved them, and no more."""

import copy
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fedcollab.access.viewer import Viewer
from fedcollab.actors.service import ActorData
from fedcollab.admin import partners as acts
from fedcollab.base.clock import new_id
from fedcollab.base.errors import NotFound
from fedcollab.features.discussions import reach, reading, service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation.models import BLOCKED
from tests import nodes


@dataclass
class Stage:
    """Our node, the host P of a group, and an author's node X that is no partner of ours."""

    here: nodes.Here
    p: nodes.Rogue
    x: nodes.Rogue
    group: str

    @property
    def author(self) -> str:
        return self.x.uri("/people/sokha")

    def introductions(self) -> list[dict[str, Any]]:
        return [self.x.documents["/actor"], self.x.documents["/people/sokha"]]

    async def announce(self, activity: dict[str, Any], documents: list[dict[str, Any]] | None = None) -> str:
        """P's group passes an activity on; answers what became of it here."""
        uri = self.p.uri(f"/activities/{new_id()}")
        introduces = self.introductions() if documents is None else documents
        made = ap.activity("Announce", uri, self.group, activity, **{ap.INTRODUCES: introduces})
        assert await self.p.send(self.here, json.loads(json.dumps(made)), actor=self.group) == 202
        await self.here.quiet()
        [(state, reason)] = await self.here.sql("SELECT state, reason FROM inbox_item WHERE uri = :uri", uri=uri)
        return f"{state}: {reason}" if reason else state

    async def posts(self) -> list[tuple[Any, ...]]:
        return await self.here.sql(
            "SELECT p.html, a.uri, a.known, t.uri FROM post p JOIN actor a ON a.id = p.author_id"
            " LEFT JOIN actor t ON t.id = a.through_id ORDER BY p.place"
        )

    async def seen_group(self) -> ActorData | None:
        viewer: Viewer = self.here.viewer
        found = await self.here.read(lambda session: [g.actor for g in reading.groups(session, viewer)])
        return found[0] if found else None


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    p, x = await nodes.rogue("Host"), await nodes.rogue("Far")
    here = await nodes.start(tmp_path, peers=(p.port,))
    await nodes.admit(here, p)
    members = [{"id": uri, "name": "n", ap.PEOPLE: 2} for uri in (p.uri("/actor"), here.url + "/actor", x.uri("/actor"))]
    document = p.actor("/groups/g", "Group", attributedTo=p.uri("/actor"), **{ap.LABEL: "TLP:GREEN", ap.MEMBERS: members})
    update = p.prove(ap.activity("Update", p.uri(f"/activities/{new_id()}"), p.uri("/actor"), document), p.uri("/actor"))
    assert await p.send(here, update) == 202
    await here.quiet()
    yield Stage(here, p, x, p.uri("/groups/g"))
    await here.stop()
    await p.stop()
    await x.stop()


async def test_an_introduced_author_is_read_and_gets_no_other_right(stage: Stage) -> None:
    assert await stage.announce(stage.x.create(stage.author, stage.group)) == "done"
    assert await stage.posts() == [("<p>hello</p>", stage.author, "introduced", stage.p.uri("/actor"))]
    assert stage.x.fetched == []
    assert await stage.x.send(stage.here, stage.x.create(stage.author, stage.group)) == 403
    assert await stage.here.sql("SELECT host FROM partner") == [(f"127.0.0.1:{stage.p.port}",)]
    assert len(await stage.posts()) == 1


@pytest.mark.rule("ORG-02")
async def test_a_host_that_changes_a_word_of_an_embedded_post_is_refused(stage: Stage) -> None:
    activity = stage.x.create(stage.author, stage.group)
    for name, value in (("content", "<p>hello, forged</p>"), ("id", stage.x.uri("/posts/other")), ("published", "2020-01-01T00:00:00Z")):
        forged = copy.deepcopy(activity)
        forged["object"][name] = value
        assert await stage.announce(forged) == "refused: the announced activity is not proved by its author's key"
    for forged in ({k: v for k, v in activity.items() if k != "proof"}, activity | {"actor": stage.x.uri("/actor")}):
        assert (await stage.announce(forged)).startswith("refused")
    assert await stage.posts() == []
    assert await stage.announce(activity) == "done"
    assert len(await stage.posts()) == 1


async def test_what_a_host_says_in_its_own_proof_is_not_its_authors(stage: Stage) -> None:
    signer = stage.p.signers[stage.p.uri("/people/sokha")]
    stage.x.signers[stage.author]["ed25519"], real = signer["ed25519"], stage.x.signers[stage.author]["ed25519"]
    forged = stage.x.create(stage.author, stage.group)
    stage.x.signers[stage.author]["ed25519"] = real
    assert await stage.announce(forged) == "refused: the announced activity is not proved by its author's key"
    assert await stage.posts() == []


async def test_a_second_different_key_of_an_introduced_author_is_refused_and_the_first_goes_on(stage: Stage) -> None:
    assert await stage.announce(stage.x.create(stage.author, stage.group)) == "done"
    keys = await stage.here.sql("SELECT uri, public FROM actor_key ORDER BY uri")
    old = copy.deepcopy(stage.x.signers), copy.deepcopy(stage.x.documents)
    for path, kind in (("/people/sokha", "Person"), ("/actor", "Organization")):
        stage.x.actor(path, kind)
    stage.x.actor("/people/sokha", "Person")
    assert (await stage.announce(stage.x.create(stage.author, stage.group))).startswith("refused")
    stage.x.actor("/people/new", "Person")
    newcomer = stage.x.create(stage.x.uri("/people/new"), stage.group)
    documents = [stage.x.documents["/actor"], stage.x.documents["/people/new"]]
    assert await stage.announce(newcomer, documents) == "refused: other keys than those pinned"
    assert await stage.here.sql("SELECT uri, public FROM actor_key ORDER BY uri") == keys
    stage.x.signers, stage.x.documents = old
    assert await stage.announce(stage.x.create(stage.author, stage.group)) == "done"
    assert len(await stage.posts()) == 2


async def test_documents_that_do_not_vouch_for_the_author_introduce_nobody(stage: Stage) -> None:
    activity = stage.x.create(stage.author, stage.group)
    person, organisation = stage.x.documents["/people/sokha"], stage.x.documents["/actor"]
    for documents in (
        [],
        [person],
        [organisation],
        [organisation, person | {"name": "Somebody else"}],
        [organisation | {"name": "x"}, person],
    ):
        assert (await stage.announce(activity, documents)).startswith("refused")
    nobody = stage.here.url + "/people/nobody"
    ours = ap.activity("Create", stage.here.url + "/activities/1", nobody, {"id": stage.here.url + "/posts/1", "type": "Note"})
    assert (await stage.announce(ours, [person | {"id": nobody}])).startswith("refused")
    assert await stage.here.sql("SELECT uri FROM actor WHERE known = 'introduced' AND kind = 'Person'") == []
    assert await stage.announce(activity) == "done"


async def test_an_author_whose_document_is_missing_is_fetched_from_a_partner_and_from_nobody_else(stage: Stage) -> None:
    author = stage.p.uri("/people/sokha")
    document, stage.p.documents["/people/sokha"] = stage.p.documents["/people/sokha"], {"id": author, "type": "Note"}
    assert (await stage.announce(stage.p.create(author, stage.group), [])).startswith("refused")
    stage.p.documents["/people/sokha"] = document
    assert await stage.announce(stage.p.create(author, stage.group), []) == "done"
    assert stage.p.fetched.count("/people/sokha") == 2
    assert await stage.posts() == [("<p>hello</p>", author, "partner", None)]
    assert (await stage.announce(stage.x.create(stage.author, stage.group), [])).startswith("refused")
    assert stage.x.fetched == []


async def test_the_hosts_echo_of_an_own_edit_or_deletion_takes_nothing_back(stage: Stage) -> None:
    here = stage.here
    [(group_id,)] = await here.sql("SELECT id FROM actor WHERE uri = :uri", uri=stage.group)
    posted = await here.write(service.post_thread, here.viewer, group_id, title="T", text="*first*")
    for text in ("*second*", "*third*"):
        await here.write(service.edit, here.viewer, posted.post_id, text=text)

    def sent(kind: str) -> list[dict[str, Any]]:
        return [a for a in stage.p.received if a["type"] == kind and a["object"]["id"] == posted.uri]

    async def both() -> bool:
        return len(sent("Update")) == 2

    await nodes.until("both edits at the host", both)
    for echo in (*sent("Create"), *sent("Update")):
        assert await stage.announce(echo) == "done"
        assert await here.sql("SELECT source, html FROM post") == [("*third*", "<p><em>third</em></p>")]
    assert await here.sql("SELECT html FROM post_revision ORDER BY id") == [("<p><em>first</em></p>",), ("<p><em>second</em></p>",)]
    await here.write(service.delete, here.viewer, posted.post_id)

    async def deletion() -> bool:
        return bool(sent("Delete"))

    await nodes.until("the deletion at the host", deletion)
    assert await stage.announce(sent("Delete")[0]) == "done"


async def test_a_person_who_is_no_group_passes_nothing_on(stage: Stage) -> None:
    uri, person = stage.p.uri(f"/activities/{new_id()}"), stage.p.uri("/people/sokha")
    made = ap.activity("Announce", uri, person, stage.x.create(stage.author, stage.group))
    assert await stage.p.send(stage.here, made | {ap.INTRODUCES: stage.introductions()}) == 202
    await stage.here.quiet()
    assert await stage.posts() == []
    assert await stage.announce(stage.x.create(stage.author, stage.group)) == "done"


async def test_a_blocked_hosts_group_is_hidden_with_its_threads_and_the_blocked_are_refused_at_once(stage: Stage) -> None:
    activity = stage.p.create(stage.p.uri("/people/sokha"), stage.group)
    assert await stage.announce(activity, [stage.p.documents["/people/sokha"]]) == "done"
    assert await stage.announce(stage.x.create(stage.author, stage.group)) == "done"
    group = await stage.seen_group()
    assert group
    [(thread, _)] = (await stage.here.sql("SELECT id, title FROM thread ORDER BY id"))[:1]
    await stage.here.write(acts.change, stage.here.viewer, stage.p.url, BLOCKED)
    assert await stage.seen_group() is None
    for read, key in ((reading.group, group.id), (reading.thread_row, thread)):
        with pytest.raises(NotFound):
            await stage.here.read(read, stage.here.viewer, key)
    assert await stage.p.send(stage.here, stage.p.create(stage.p.uri("/people/sokha"), stage.group)) == 403
    await stage.here.write(acts.change, stage.here.viewer, stage.p.url, "admitted")
    assert await stage.seen_group() == group
    assert await stage.here.read(reading.thread_row, stage.here.viewer, thread)


async def test_a_yes_to_some_organisations_is_none_to_others_that_come_after(stage: Stage) -> None:
    def asked(session: Any) -> tuple[str, list[str]]:
        [group] = reading.groups(session, stage.here.viewer)
        found = reach.reach(session, group)
        return found.consent, [o.uri for o in found.unsure]

    before, named = await stage.here.read(asked)
    assert named == [stage.x.uri("/actor")]
    members = [
        {"id": uri, "name": "n"} for uri in (stage.p.uri("/actor"), stage.here.url + "/actor", stage.x.uri("/actor"), "https://z.example/a")
    ]
    document = stage.p.documents["/groups/g"] | {ap.MEMBERS: members}
    bare = {name: value for name, value in document.items() if name != "proof"}
    made = ap.activity("Update", stage.p.uri("/activities/more"), stage.p.uri("/actor"), stage.p.prove(bare, stage.p.uri("/actor")))
    assert await stage.p.send(stage.here, stage.p.prove(made, stage.p.uri("/actor"))) == 202
    await stage.here.quiet()
    after, named = await stage.here.read(asked)
    assert named == [stage.x.uri("/actor"), "https://z.example/a"]
    assert len({before, after, ""}) == 3
