"""Shows that a deleted post is nowhere: not in the tables, the history, the outbox, the inbox of any node, or on its way."""

from pathlib import Path

from fedcollab.features.discussions import reading, service
from tests import nodes
from tests.nodes import Here, until

SECRET = "a-word-that-must-go"


async def holds(here: Here) -> list[str]:
    """The tables in which the word still stands."""
    tables = [name for (name,) in await here.sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = []
    for table in tables:
        rows = await here.sql(f"SELECT * FROM {table}")
        found += [table] if any(SECRET in str(value) for row in rows for value in row) else []
    return found


async def gone(here: Here, uri: str) -> bool:
    return bool(await here.sql("SELECT 1 FROM post WHERE uri = :uri AND deleted_at IS NOT NULL", uri=uri))


async def test_a_deleted_post_is_nowhere_on_any_node_and_not_on_its_way_either(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B", "C") as (host, b, c):
        group = await host.group()
        await nodes.befriend(host, b)
        await nodes.befriend(host, c)
        opener = await host.write(service.post_thread, host.viewer, group.id, title="T", text="Hello")
        for one in (b, c):
            await until("the opener", lambda one=one: one.sql("SELECT 1 FROM post WHERE uri = :uri", uri=opener.uri))
        await c.runner.cleanup()  # away: what is sent now waits for it
        row = await b.read(reading.post_by_uri, b.viewer, opener.uri)
        answer = await b.write(service.post_reply, b.viewer, row.thread_id, text=f"Number: {SECRET}")
        await until("the answer at the host", lambda: host.sql("SELECT 1 FROM post WHERE uri = :uri", uri=answer.uri))
        await b.write(service.edit, b.viewer, answer.post_id, text=f"Number again: {SECRET}")
        await until("the edit at the host", lambda: host.sql("SELECT 1 FROM post_revision"))
        assert "post" in await holds(host)
        await b.write(service.delete, b.viewer, answer.post_id)
        await until("gone at the host", lambda: gone(host, answer.uri))
        for one in (host, b, c):
            await one.quiet()
            assert await holds(one) == [], one.url
        waiting = "SELECT a.body FROM delivery d JOIN activity a ON a.id = d.activity_id WHERE d.state = 'waiting'"
        assert all(SECRET not in body and body for (body,) in await host.sql(waiting))
        assert await b.read(reading.post_by_uri, b.viewer, opener.uri), "the rest of the thread stays"


async def test_with_a_deleted_opener_its_title_is_gone_on_every_node_and_the_answers_stay(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B") as (host, b):
        group = await host.group()
        await nodes.befriend(host, b)
        opener = await host.write(service.post_thread, host.viewer, group.id, title=f"Who knows {SECRET}?", text="Hello")
        await until("the opener", lambda: b.sql("SELECT 1 FROM post WHERE uri = :uri", uri=opener.uri))
        row = await b.read(reading.post_by_uri, b.viewer, opener.uri)
        answer = await b.write(service.post_reply, b.viewer, row.thread_id, text="I do")
        await until("the answer at the host", lambda: host.sql("SELECT 1 FROM post WHERE uri = :uri", uri=answer.uri))
        await host.write(service.delete, host.viewer, opener.post_id)
        await until("gone at B", lambda: gone(b, opener.uri))
        for one in (host, b):
            await one.quiet()
            assert await holds(one) == [], one.url
            place = await one.read(reading.post_by_uri, one.viewer, answer.uri)
            assert (await one.read(reading.thread_row, one.viewer, place.thread_id)).title is None
