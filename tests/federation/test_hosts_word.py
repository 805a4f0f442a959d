"""Shows that what somebody outside says reaches the nodes inside on their host's word, is shown so, and that this word goes no further."""

import json
from pathlib import Path
from typing import Any

import pytest

from fedcollab.base.clock import new_id
from fedcollab.features.discussions import reading, service
from fedcollab.features.discussions.moderation import acting
from fedcollab.federation import activitystreams as ap
from tests import nodes, outside
from tests.nodes import until

from .test_introductions import Stage, stage
from .test_outside import let_in

__all__ = ["stage"]  # the fixture


async def test_an_answer_from_outside_is_read_inside_through_the_host_and_not_vouched_for(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B") as (host, b):
        far = await outside.server(host)
        let_in(host)
        group = await host.group("public", "TLP:CLEAR")
        await nodes.befriend(host, b)
        opener = await host.write(service.post_thread, host.viewer, group.id, title="T", text="Hello")
        made = outside.answer(far, far.uri("/users/ana"), opener.uri)
        assert await outside.take(host, far, made) == "done"
        uri = made["object"]["id"]

        async def shown(html: str) -> bool:
            return bool(await b.sql("SELECT 1 FROM post WHERE uri = :uri AND html = :html", uri=uri, html=html))

        await until("the answer", lambda: shown("<p>from outside</p>"))
        row = await b.read(reading.post_by_uri, b.viewer, uri)
        [_, post] = await b.read(reading.posts, b.viewer, row.thread_id)
        assert (post.author, post.known, post.host, post.through) == ("Ana", "foreign", f"127.0.0.1:{far.port}", "Host")
        assert (
            await b.sql("SELECT 1 FROM actor_key k JOIN actor a ON a.id = k.actor_id WHERE a.uri = :uri", uri=far.uri("/users/ana")) == []
        )
        assert await b.sql("SELECT count(*) FROM partner") == [(1,)]
        changed = {**made["object"], "content": "<p>changed</p>", "updated": "2030-01-01T00:00:00Z"}
        assert await outside.take(host, far, outside.activity(far, "Update", far.uri("/users/ana"), changed)) == "done"
        await until("the change", lambda: shown("<p>changed</p>"))
        assert await outside.take(host, far, outside.activity(far, "Delete", far.uri("/users/ana"), uri)) == "done"
        await until("the deletion", lambda: shown(""))
        await b.quiet()
        assert await b.sql("SELECT state, reason FROM inbox_item WHERE state <> 'done'") == []
        assert far.fetched.count("/users/ana") == 1
        await far.stop()


def note(server: nodes.Rogue, author: str, group: str, **more: Any) -> dict[str, Any]:
    made = {"id": server.uri(f"/notes/{new_id()}"), "type": "Note", "attributedTo": author, "content": "<p>said</p>", "audience": group}
    return made | {"to": [ap.PUBLIC]} | more


async def public_group(stage: Stage) -> None:
    """The host's group is public."""
    members = [{"id": uri, "name": "n"} for uri in (stage.p.uri("/actor"), stage.here.url + "/actor")]
    document = stage.p.actor("/groups/public", "Group", **{ap.LABEL: "TLP:CLEAR", ap.MEMBERS: members})
    update = stage.p.prove(ap.activity("Update", stage.p.uri("/activities/p"), stage.p.uri("/actor"), document), stage.p.uri("/actor"))
    assert await stage.p.send(stage.here, update) == 202
    await stage.here.quiet()
    stage.group = document["id"]


@pytest.mark.rule("ORG-02")
async def test_a_hosts_word_speaks_for_nobody_who_could_prove_theirs_and_for_nothing_but_the_public(stage: Stage) -> None:
    await public_group(stage)
    far = await outside.server()
    ana, document = far.uri("/users/ana"), [far.documents["/users/ana"]]
    other = await nodes.rogue("Partner")
    fetcher = stage.here.kernel.fetcher
    object.__setattr__(fetcher, "peers", frozenset({*fetcher.peers, f"127.0.0.1:{other.port}"}))
    await nodes.admit(stage.here, other)
    [(me,)] = await stage.here.sql("SELECT uri FROM actor WHERE kind = 'Person' AND known = 'own'")
    assert await stage.announce(stage.x.create(stage.author, stage.group, to=[ap.PUBLIC])) == "done", "introduced, with a proof"
    before = await stage.posts()
    ours = {**note(far, me, stage.group), "id": stage.here.url + "/posts/new"}
    for obj, documents, reason in (
        (ours, [], "a partner speaks for itself"),
        (note(other, other.uri("/people/sokha"), stage.group), [other.documents["/people/sokha"]], "a partner speaks for itself"),
        (note(stage.p, stage.p.uri("/people/sokha"), stage.group), [], "a partner speaks for itself"),
        (note(stage.x, stage.author, stage.group), stage.introductions(), "this author's words come with a proof"),
        (note(stage.x, ana, stage.group), document, "the announced id lies on another host than its author"),
        (note(far, ana, stage.group), [], "an author without a document"),
        (note(far, ana, stage.group), [document[0] | {"id": far.uri("/users/bea")}], "an author without a document"),
        (note(far, ana, stage.group, to=[stage.group]), document, "a host's word alone carries what is public alone"),
    ):
        assert await stage.announce(json.loads(json.dumps(obj)), documents) == f"refused: {reason}"
    assert await stage.posts() == before
    good = note(far, ana, stage.group)
    assert await stage.announce(good, document) == "done"
    forged = {**good, "id": far.uri("/notes/2"), "attributedTo": [ana, far.uri("/users/bea")]}
    assert (await stage.announce(forged, document)).startswith("refused")
    assert len(await stage.posts()) == len(before) + 1
    assert (far.fetched, far.received) == ([], [])
    await far.stop()
    await other.stop()


@pytest.mark.rule("ORG-25")
async def test_a_things_older_text_announced_again_changes_nothing(stage: Stage) -> None:
    await public_group(stage)
    far = await outside.server()
    document = [far.documents["/users/ana"]]
    good = note(far, far.uri("/users/ana"), stage.group)
    for content, updated, html in (
        ("<p>1</p>", "", "<p>1</p>"),
        ("<p>3</p>", "2026-03-01T00:00:00Z", "<p>3</p>"),
        ("<p>2</p>", "2026-02-01T00:00:00Z", "<p>3</p>"),
        ("<p>1</p>", "", "<p>3</p>"),
        ("<p>4</p>", "2026-04-01T00:00:00Z", "<p>4</p>"),
    ):
        version = good | {"content": content} | ({"updated": updated} if updated else {})
        assert await stage.announce(version, document) == "done"
        assert [row[0] for row in await stage.posts()] == [html]
    await far.stop()


async def test_what_moderators_took_away_of_somebody_outside_is_read_again_inside_when_they_restore_it(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B") as (host, b):
        far = await outside.server(host)
        let_in(host)
        group, ana = await host.group("public", "TLP:CLEAR"), far.uri("/users/ana")
        await nodes.befriend(host, b)
        opener = await host.write(service.post_thread, host.viewer, group.id, title="T", text="Hello")
        made = outside.answer(far, ana, opener.uri)
        assert await outside.take(host, far, made) == "done"
        uri = made["object"]["id"]

        async def shown(html: str) -> bool:
            return bool(await b.sql("SELECT 1 FROM post WHERE uri = :uri AND html = :html", uri=uri, html=html))

        await until("the answer", lambda: shown("<p>from outside</p>"))
        [(post_id,)] = await host.sql("SELECT id FROM post WHERE uri = :uri", uri=uri)
        await host.write(acting.remove, host.viewer, post_id, "why")
        await until("the removal", lambda: shown(""))
        changed = {**made["object"], "content": "<p>meanwhile</p>", "updated": "2030-01-01T00:00:00Z"}
        assert await outside.take(host, far, outside.activity(far, "Update", ana, changed)) == "done"
        assert await host.sql(
            "SELECT count(*) FROM delivery d JOIN activity a ON a.id = d.activity_id WHERE a.body LIKE '%meanwhile%'"
        ) == [(0,)], "what was removed waits"
        await host.write(acting.restore, host.viewer, post_id, "why not")
        await until("the text again, as its author says it now", lambda: shown("<p>meanwhile</p>"))
        await b.quiet()
        assert await b.sql("SELECT removed FROM post WHERE uri = :uri", uri=uri) == [(None,)]
        await far.stop()
