"""Shows moderation between three nodes: reported on one, removed by the host of the group, obeyed on all, the author's own among them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.service import ActorData
from fedcollab.base.errors import Refused
from fedcollab.features.discussions import reading, service
from fedcollab.features.discussions.moderation import acting, decide, flags, records
from tests import nodes
from tests.nodes import Here, until


@dataclass
class Three:
    """A reads, B keeps the group, C's member writes; A and C know each other through B alone."""

    a: Here
    b: Here
    c: Here
    group: ActorData
    post: service.Posted

    async def row(self, at: Here, column: str) -> Any:
        found = await at.sql(f"SELECT {column} FROM post WHERE uri = :uri", uri=self.post.uri)
        return found[0][0] if found else None

    async def thread(self, at: Here) -> str:
        return str(await self.row(at, "thread_id"))

    async def shown(self, at: Here) -> reading.PostView:
        """The post as the node's own member reads it who neither wrote nor moderates."""
        viewer = Viewer(at.viewer.organisation_id, "somebody", frozenset({"member"}))
        [post] = [p for p in await at.read(reading.posts, viewer, await self.thread(at)) if p.uri == self.post.uri]
        assert isinstance(post, reading.PostView)
        return post

    async def everywhere(self, removed: str | None, html: str) -> None:
        """The post is in this state for readers on all three nodes."""
        for at in (self.a, self.b, self.c):

            async def same(at: Here = at) -> bool:
                post = await self.shown(at)
                return (post.removed, post.html) == (removed, html)

            await until(f"{at.url}: {removed} {html}", same)

    async def log(self, at: Here) -> list[tuple[str, str, str]]:
        found: list[records.Entry] = await at.read(records.log, at.viewer, await self.thread(at))
        return [(one.kind, one.reason, one.undone_reason) for one in found]


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[Three]:
    async with nodes.running(tmp_path, "Reader", "Host", "Writer") as (a, b, c):
        await nodes.befriend(a, b)
        await nodes.befriend(b, c)
        group = await b.group("leads")

        async def known(at: Here) -> list[Any]:
            return await at.sql("SELECT id FROM actor WHERE uri = :uri", uri=group.uri)

        [(there,)] = await until("the group", lambda: known(c))
        await until("the group", lambda: known(a))
        post = await c.write(service.post_thread, c.viewer, there, title="A question", text="words of ilse")
        made = Three(a, b, c, group, post)
        await until("the post has come", lambda: made.row(a, "confirmed_at"))
        await until("the post is confirmed", lambda: made.row(c, "confirmed_at"))
        yield made


async def queue(at: Here) -> list[records.Reported]:
    found: list[records.Reported] = await at.read(records.queue, at.viewer)
    return found


async def test_a_report_reaches_the_host_and_through_it_the_author_and_its_outcome_comes_back(three: Three) -> None:
    a, b, c = three.a, three.b, three.c
    post_id = await three.row(a, "id")
    await a.write(flags.make, a.viewer, post_id, reason="person", text="Her street is in it.")
    [at_host] = await until("at the host", lambda: queue(b))
    [at_author] = await until("at the author's", lambda: queue(c))
    assert [(r.organisation, r.reason, r.text) for r in at_host.reports] == [("Reader", "person", "Her street is in it.")]
    assert [(r.organisation, r.text) for r in at_author.reports] == [("Host", "Her street is in it.")]
    for at in (b, c):
        assert a.viewer.person_id not in str(await at.sql("SELECT * FROM flag")) + str(await at.sql("SELECT * FROM inbox_item"))
    assert a.viewer.person_id not in str(await a.sql("SELECT body FROM activity WHERE type = 'Flag'"))
    await b.write(decide.decide, b.viewer, at_host.id, "remove", "It lets somebody be found.")
    await three.everywhere("It lets somebody be found.", "")

    async def outcomes() -> Any:
        [made] = await a.read(records.made, a.viewer)
        found = {one.organisation: (one.direct, one.outcome, one.why) for one in made.answers}
        return found if found["Host"][1] and found["Reader"][1] else None

    found = await until("the outcome has come back", outcomes)
    assert found["Host"] == (True, "removed", "It lets somebody be found.")
    assert found["Reader"] == (True, "removed", "It lets somebody be found.")
    assert found["Writer"] == (False, "", "")
    assert await queue(a) == await queue(b) == await queue(c) == []


async def test_a_removed_post_comes_back_on_every_node_and_the_reasons_stay_on_all(three: Three) -> None:
    a, b, c = three.a, three.b, three.c
    await b.write(acting.remove, b.viewer, await three.row(b, "id"), "It lets somebody be found.")
    await three.everywhere("It lets somebody be found.", "")
    assert (await three.row(a, "html"), await three.row(c, "html")) == ("", "<p>words of ilse</p>")
    assert await a.sql("SELECT title FROM thread") == [("",)]
    mine = [p.html for p in await c.read(reading.posts, c.viewer, await three.thread(c))]
    assert mine == ["<p>words of ilse</p>"], "its author still reads it"
    [told] = await c.read(records.told, c.viewer, fresh=True)
    assert (told.kind, told.by, told.reason) == ("remove", "Host", "It lets somebody be found.")
    with pytest.raises(Refused, match="removed this post"):
        await c.write(service.edit, c.viewer, three.post.post_id, text="other words")
    await b.write(acting.restore, b.viewer, await three.row(b, "id"), "It was somebody else.")
    await three.everywhere(None, "<p>words of ilse</p>")
    assert await a.sql("SELECT title FROM thread") == [("A question",)]
    logs = [await three.log(at) for at in (a, b, c)]
    assert logs[0] == logs[1] == logs[2] == [("remove", "It lets somebody be found.", "It was somebody else.")]
    await c.write(service.delete, c.viewer, three.post.post_id)
    await until("deleted at last", lambda: three.row(a, "deleted_at"))
    assert await three.log(a) == logs[0]


async def test_a_lock_stops_answers_on_every_node_and_what_comes_late_is_not_taken(three: Three) -> None:
    a, b, c = three.a, three.b, three.c
    await b.write(acting.lock, b.viewer, await three.thread(b), "Enough said.")
    for at in (a, c):
        await until("locked", lambda at=at: at.sql("SELECT 1 FROM thread WHERE locked = 'Enough said.'"))
        with pytest.raises(Refused, match="locked this conversation"):
            await at.write(service.post_reply, at.viewer, await three.thread(at), text="More.")
    await a.kernel.database.write(_not_yet_locked)  # as if the lock were still on its way
    late = await a.write(service.post_reply, a.viewer, await three.thread(a), text="More.")
    refused = await until("told", lambda: a.sql("SELECT refused FROM post WHERE id = :id AND refused IS NOT NULL", id=late.post_id))
    assert refused == [("Enough said.",)]
    [told] = await a.read(records.told, a.viewer)
    assert (told.kind, told.by, told.reason) == ("late", "Host", "Enough said.")
    assert await b.sql("SELECT count(*) FROM post") == [(1,)]
    await b.write(acting.unlock, b.viewer, await three.thread(b), "Go on.")
    for at in (a, c):
        await until("open", lambda at=at: at.sql("SELECT 1 FROM moderation_act WHERE kind = 'lock' AND undone_at IS NOT NULL"))
    again = await c.write(service.post_reply, c.viewer, await three.thread(c), text="More.")
    await until("taken", lambda: a.sql("SELECT 1 FROM post WHERE uri = :uri AND confirmed_at IS NOT NULL", uri=again.uri))


def _not_yet_locked(session: Any) -> None:
    session.execute(sa.text("UPDATE thread SET locked = NULL"))


async def test_what_our_own_moderators_hide_is_hidden_here_alone(three: Three) -> None:
    a, b, c = three.a, three.b, three.c
    await a.write(acting.remove, a.viewer, await three.row(a, "id"), "Not for our people.")
    assert (await three.shown(a)).html == ""
    answer = await c.write(service.post_reply, c.viewer, await three.thread(c), text="Something after it.")
    await until("what was sent after it", lambda: a.sql("SELECT 1 FROM post WHERE uri = :uri", uri=answer.uri))
    assert [(await three.shown(at)).html for at in (b, c)] == ["<p>words of ilse</p>"] * 2
    assert [await three.log(at) for at in (a, b, c)] == [[("hide", "Not for our people.", "")], [], []]
