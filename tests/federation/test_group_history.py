"""What a partner's composer says of newcomers is what the group's host has decided: both nodes say the same."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.features.discussions import reading, service
from fedcollab.features.discussions.moderation import acting, records
from fedcollab.federation import follows
from tests import nodes
from tests.nodes import Here, until


async def history(here: Here, uri: str) -> bool | None:
    """Whether organisations admitted later see what came before, as this node says before sending; None while it knows no such group."""

    def read(session: Any) -> bool | None:
        return next((g.history for g in reading.groups(session, here.viewer) if g.actor.uri == uri), None)

    found: bool | None = await here.read(read)
    return found


@pytest.mark.parametrize("opened", [True, False])
async def test_a_partner_is_told_whether_newcomers_see_what_came_before(tmp_path: Path, opened: bool) -> None:
    ports = (nodes.free_port(), nodes.free_port())
    made = [await nodes.start(tmp_path, port=port, peers=ports, name=f"Node {port}") for port in ports]
    host, partner = made
    try:
        await nodes.befriend(host, partner)
        group = await host.group("leads", history=opened)

        async def known() -> bool:
            return await history(partner, group.uri) is not None

        await until("the group is known", known)
        assert await history(host, group.uri) is opened
        assert await history(partner, group.uri) is opened
    finally:
        await asyncio.gather(*(one.stop() for one in made))


@pytest.mark.rule("CONF-01")
async def test_a_newcomer_is_sent_what_came_before_it_where_history_is_open_and_nothing_else(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Meridian Outreach", "Casa Ladera") as (host, newcomer):
        written = []
        for slug, opened in (("open", True), ("shut", False)):
            group = await host.group(slug, history=opened)
            first = await host.write(service.post_thread, host.viewer, group.id, title=slug, text=f"{slug} first")
            await host.write(service.post_reply, host.viewer, first.thread_id, text=f"{slug} second")
            gone = await host.write(service.post_reply, host.viewer, first.thread_id, text=f"{slug} taken away")
            await host.write(service.delete, host.viewer, gone.post_id)
            written.append(first)
        await host.write(service.edit, host.viewer, written[0].post_id, text="open first, edited")
        await nodes.befriend(host, newcomer)
        await until("the past", lambda: newcomer.sql("SELECT 1 FROM post WHERE html LIKE '%open first, edited%'"))
        await host.write(service.post_reply, host.viewer, written[1].thread_id, text="shut since then")
        await until("the present", lambda: newcomer.sql("SELECT 1 FROM post WHERE html LIKE '%since then%'"))
        await newcomer.quiet()
        rows = await newcomer.sql("SELECT html FROM post ORDER BY place, html")
        assert {html for (html,) in rows} == {"<p>open first, edited</p>", "<p>open second</p>", "<p>shut since then</p>"}
        assert await newcomer.sql("SELECT html FROM post_revision") == [("<p>open first</p>",)]
        before = await host.sql("SELECT count(*) FROM delivery")
        await host.read_write(lambda session: session.execute(sa.text("DELETE FROM follow WHERE follower_id <> target_id")))
        await newcomer.read_write(lambda session: session.execute(sa.text("DELETE FROM follow")))
        await newcomer.write(follows.follow, await newcomer.read(actors.by_uri, host.url + "/actor"))
        await until("followed again", lambda: newcomer.sql("SELECT 1 FROM follow WHERE state = 'accepted'"))
        sent = (await host.sql("SELECT count(*) FROM delivery"))[0][0] - before[0][0]
        assert sent < 5, "an Accept and the groups' documents, not the past once more"


async def test_a_newcomer_is_told_which_conversations_of_the_past_are_locked_and_why(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Meridian Outreach", "Casa Ladera") as (host, newcomer):
        group = await host.group("open", history=True)
        shut, open_ = [await host.write(service.post_thread, host.viewer, group.id, title=name, text="first") for name in ("shut", "open")]
        await host.write(acting.lock, host.viewer, open_.thread_id, "too loud")
        await host.write(acting.unlock, host.viewer, open_.thread_id, "quiet again")
        await host.write(acting.lock, host.viewer, shut.thread_id, "over")
        await nodes.befriend(host, newcomer)
        await until("the lock", lambda: newcomer.sql("SELECT 1 FROM thread WHERE locked IS NOT NULL"))
        await newcomer.quiet()
        assert await newcomer.sql("SELECT title, locked FROM thread ORDER BY title") == [("open", None), ("shut", "over")]
        [(thread,)] = await newcomer.sql("SELECT id FROM thread WHERE title = 'shut'")
        assert [one.reason for one in await newcomer.read(records.log, newcomer.viewer, thread)] == ["over"]
