"""Shows that a post which its host does not take, for want of permission, does not wait in silence: its author is told, and nobody else."""

from pathlib import Path
from typing import Any

from fedcollab.admin import permissions
from fedcollab.features.discussions import reading, service
from fedcollab.features.discussions.moderation import records
from fedcollab.federation import activitystreams as ap
from tests import nodes
from tests.nodes import until

from .conftest import Scene


async def test_the_author_reads_that_the_host_does_not_take_part_with_them_any_more(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B") as (host, b):
        group = await host.group()
        await nodes.befriend(host, b)
        opener = await host.write(service.post_thread, host.viewer, group.id, title="T", text="x")
        await until("the opener", lambda: b.sql("SELECT 1 FROM post WHERE uri = :uri", uri=opener.uri))
        row = await b.read(reading.post_by_uri, b.viewer, opener.uri)
        await host.write(permissions.allow, None, b.url, [])
        lost = await b.write(service.post_reply, b.viewer, row.thread_id, text="Does it reach you?")
        await until("b hears of it", lambda: b.sql("SELECT 1 FROM post WHERE id = :id AND refused = ''", id=lost.post_id))
        [news] = await b.read(lambda session: records.told(session, b.viewer, fresh=True))
        assert (news.post_id, news.reason) == (lost.post_id, "")
        [shown] = [post for post in await b.read(reading.posts, b.viewer, row.thread_id) if post.id == lost.post_id]
        assert shown.html == "<p>Does it reach you?</p>", "the text is still there, to send it again"
        reason = "SELECT state, reason FROM inbox_item WHERE reason <> ''"
        assert await host.sql(reason) == [("refused", "the partner may not take part in this")]
        await host.write(permissions.allow, None, b.url, ["discussions"])
        again = await b.write(service.post_reply, b.viewer, row.thread_id, text="And now?")
        confirmed = "SELECT 1 FROM post WHERE id = :id AND confirmed_at IS NOT NULL AND refused IS NULL"
        await until("the host takes it", lambda: b.sql(confirmed, id=again.post_id))


async def test_only_what_was_meant_for_a_group_of_ours_and_sent_by_its_authors_organisation_is_answered(scene: Scene) -> None:
    here, p = scene.here, scene.p
    await here.write(permissions.allow, None, p.url, [])
    seen = len(p.received)
    elsewhere: Any = await scene.create()
    for part in (elsewhere, elsewhere["object"]):
        part.update(dict.fromkeys(("to", "cc", "audience"), p.uri("/groups/theirs")))
    meant: Any = await scene.create()
    assert await p.send(here, p.prove(elsewhere, scene.author)) == 202
    assert await p.send(here, meant) == 202
    await until("the answer", lambda: _rejects(p, seen))
    await here.quiet()
    [reject] = await _rejects(p, seen)
    assert ap.ident(reject["object"]) == meant["id"]
    assert "summary" not in reject
    sent = "SELECT count(*) FROM inbox_item WHERE state = 'refused' AND reason = 'the partner may not take part in this'"
    assert await here.sql(sent) == [(2,)]
    assert not await scene.stored(meant)
    await here.write(permissions.allow, None, p.url, ["discussions"])
    await scene.twin()


async def _rejects(p: nodes.Rogue, seen: int) -> list[Any]:
    return [one for one in p.received[seen:] if one.get("type") == "Reject"]
