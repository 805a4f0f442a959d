"""Shows that nothing written before an organisation was inside reaches it, whichever way: edits, deletions, titles, documents."""

import json
from typing import Any

import pytest

from fedcollab.access.viewer import Viewer
from fedcollab.admin import partners as acts
from fedcollab.features.discussions import reading, service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation.models import BLOCKED
from tests import nodes

from .conftest import Scene

MARK = "written before the latecomer"


async def latecomer(scene: Scene) -> nodes.Rogue:
    late = await nodes.rogue("Latecomer")
    object.__setattr__(scene.here.kernel.fetcher, "peers", scene.here.kernel.fetcher.peers | {f"127.0.0.1:{late.port}"})
    await nodes.admit(scene.here, late)
    return late


async def has(party: nodes.Rogue, words: str) -> bool:
    return words in json.dumps(party.received)


async def test_an_edit_and_a_deletion_go_to_those_alone_who_were_inside_when_the_post_came(scene: Scene) -> None:
    ours = await scene.here.write(service.post_thread, scene.here.viewer, scene.group.id, title="Old", text=MARK)
    theirs = await scene.create(content=f"<p>{MARK}</p>", updated="2026-01-01T00:00:00Z")
    assert await scene.p.send(scene.here, theirs) == 202
    assert await scene.stored(theirs)
    late = await latecomer(scene)
    await scene.here.write(service.edit, scene.here.viewer, ours.post_id, text=f"{MARK}, edited")
    obj: Any = theirs["object"]
    changed = obj | {"content": f"<p>{MARK}, edited too</p>", "updated": "2026-02-01T00:00:00Z"}
    update = scene.p.prove(ap.activity("Update", scene.p.uri("/activities/u1"), scene.author, changed), scene.author)
    assert await scene.p.send(scene.here, update) == 202
    await scene.here.quiet()
    for words in ("edited", "edited too"):
        await nodes.until("the party inside has the edit", lambda words=words: has(scene.p, f"{MARK}, {words}"))
    await scene.here.write(service.delete, scene.here.viewer, ours.post_id)
    after = await scene.here.write(service.post_thread, scene.here.viewer, scene.group.id, title="New", text="since the latecomer")
    await nodes.until("the latecomer has what is new", lambda: has(late, "since the latecomer"))
    await nodes.until("the party inside has the deletion", lambda: has(scene.p, '"type": "Delete"'))
    seen = json.dumps(late.received)
    assert MARK not in seen
    assert ours.uri not in seen
    assert obj["id"] not in seen
    assert (await late.get(scene.here, f"/posts/{after.post_id}"))[0] == 200
    await late.stop()


async def test_a_partner_that_was_served_left_and_came_back_still_hears_of_a_deletion(scene: Scene) -> None:
    ours = await scene.here.write(service.post_thread, scene.here.viewer, scene.group.id, title="Old", text=MARK)
    await nodes.until("the partner has it", lambda: has(scene.p, MARK))
    for state in (BLOCKED, "admitted"):
        await scene.here.write(acts.change, scene.here.viewer, scene.p.url, state)
    await scene.here.write(service.delete, scene.here.viewer, ours.post_id)
    await nodes.until("the partner is asked to delete", lambda: has(scene.p, '"type": "Delete"'))


@pytest.mark.rule("CONF-01")
async def test_the_title_of_a_thread_is_for_those_alone_who_may_see_its_opener(scene: Scene) -> None:
    open_group = await scene.here.group("open", "TLP:CLEAR")
    title = "A title for partners alone"
    opener: Any = scene.p.create(scene.author, open_group.uri, type="Article", name=title)  # not addressed to the public: GREEN
    assert await scene.p.send(scene.here, opener) == 202
    assert await scene.stored(opener)
    [(thread,)] = await scene.here.sql("SELECT id FROM thread WHERE title = :title", title=title)
    answer = scene.p.create(
        scene.author,
        open_group.uri,
        inReplyTo=opener["object"]["id"],
        to=[ap.PUBLIC, open_group.uri + "/followers"],
        content="<p>All may read.</p>",
    )
    assert await scene.p.send(scene.here, answer) == 202
    assert await scene.stored(answer)
    green = await scene.here.write(service.post_thread, scene.here.viewer, scene.group.id, title=title, text=MARK)
    late = await latecomer(scene)
    await scene.here.write(service.post_reply, scene.here.viewer, green.thread_id, text="A late answer.")
    nobody, newcomer = Viewer(), Viewer(organisation_id=(await partner_id(scene, late)))
    for viewer, group, row_id in ((nobody, open_group.id, thread), (newcomer, scene.group.id, green.thread_id)):
        assert (await scene.here.read(reading.thread_row, viewer, row_id)).title is None
        assert (await scene.here.read(reading.around, viewer, row_id)).thread.title is None
        assert title not in [t.title for t in await scene.here.read(reading.threads, viewer, group)]
        assert (await scene.here.read(reading.thread_row, scene.here.viewer, row_id)).title == title
    status, _, body = await late.get(scene.here, f"/threads/{green.thread_id}")
    assert (status, title in body) == (200, False)
    assert title in (await scene.p.get(scene.here, f"/threads/{green.thread_id}"))[2]
    await late.stop()


async def partner_id(scene: Scene, other: nodes.Rogue) -> str:
    [(found,)] = await scene.here.sql("SELECT organisation_id FROM partner WHERE host = :host", host=f"127.0.0.1:{other.port}")
    return str(found)


async def test_the_title_of_a_thread_that_a_blocked_organisation_has_opened_is_hidden(scene: Scene) -> None:
    opener = await scene.create(type="Article", name="A blocked title")
    assert await scene.p.send(scene.here, opener) == 202
    assert await scene.stored(opener)
    [(thread,)] = await scene.here.sql("SELECT id FROM thread WHERE title = 'A blocked title'")
    await scene.here.write(service.post_reply, scene.here.viewer, thread, text="Ours.")
    assert (await scene.here.read(reading.thread_row, scene.here.viewer, thread)).title == "A blocked title"
    await scene.here.write(acts.change, scene.here.viewer, scene.p.url, BLOCKED)
    assert (await scene.here.read(reading.thread_row, scene.here.viewer, thread)).title is None


@pytest.mark.rule("CONF-01")
async def test_a_partner_cannot_find_out_a_group_that_is_ours_alone_by_its_name_or_by_following_it(scene: Scene) -> None:
    ours = await scene.here.group("inquiry", "TLP:AMBER+STRICT")
    found, real, none = [
        await scene.p.get(scene.here, f"/.well-known/webfinger?resource=acct:{name}@{scene.here.host}")
        for name in ("leads", "inquiry", "nothing")
    ]
    assert found[0] == 200
    assert real == none
    assert real[0] == 404
    before = len(scene.p.received)
    for number, target in enumerate((ours.uri, scene.here.url + "/groups/none")):
        follow = ap.activity("Follow", scene.p.uri(f"/activities/f{number}"), scene.p.uri("/actor"), target)
        assert await scene.p.send(scene.here, follow) == 202
    await scene.here.quiet()
    assert await scene.here.sql("SELECT 1 FROM follow WHERE target_id = :group", group=ours.id) == []
    await scene.twin()
    await nodes.until("the twin's echo is back", lambda: echoes(scene, before))
    assert "Accept" not in [activity["type"] for activity in scene.p.received[before:]]


async def echoes(scene: Scene, before: int) -> bool:
    return len(scene.p.received) > before
