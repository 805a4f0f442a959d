"""Shows that a database which another process holds loses nothing: writes wait or are told to come again, reads and the loop go on."""

import asyncio
import contextlib
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from fedcollab.base.clock import new_id
from tests.federation.whole import Whole, whole
from tests.web import Visitor

ONE = pytest.param(1.0, id="a second")
LONG = [pytest.param(seconds, id=f"{seconds:.0f} seconds", marks=[pytest.mark.full, pytest.mark.timeout(600)]) for seconds in (10.0, 60.0)]


@contextlib.contextmanager
def held(url: str) -> Iterator[None]:
    """The lock that writing needs, in the hands of another connection."""
    if url.startswith("postgresql"):
        import psycopg

        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE post, draft, inbox_item, login_session IN EXCLUSIVE MODE")
            yield
            other.rollback()
        return
    raw = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    raw.execute("BEGIN IMMEDIATE")
    yield
    raw.execute("ROLLBACK")
    raw.close()


class Watch(threading.Thread):
    """Looks 50 times a second at what the loop's thread is doing. `stuck` is the longest time in seconds in which it was in the database's
    code at every look: a busy machine can hold up a thread, but not always there."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.loops, self.over, self.stuck = threading.get_ident(), threading.Event(), 0.0

    def run(self) -> None:
        since: float | None = None
        while not self.over.wait(0.02):
            frames = traceback.extract_stack(sys._current_frames()[self.loops])
            if any(frame.filename.endswith(("base/writer.py", "base/postgres.py")) for frame in frames):
                since = since or time.monotonic()
                self.stuck = max(self.stuck, time.monotonic() - since)
            else:
                since = None


def test_a_loop_that_waits_in_the_databases_code_is_seen() -> None:
    watch = Watch()
    watch.start()
    waits = "import time\nend = time.monotonic() + 20\nwhile watch.stuck <= 0.2 and time.monotonic() < end: time.sleep(0.01)"
    exec(compile(waits, "base/writer.py", "exec"), {"watch": watch})
    watch.over.set()
    watch.join()
    assert watch.stuck > 0.2


async def keep_posting(here: Whole, by: Visitor, thread: str, mark: str, over: asyncio.Event) -> dict[str, int]:
    """Sends an answer until it is taken, with the same form as people do; {status: how often}."""
    token, once, seen = await by.token("/settings"), new_id(), dict[str, int]()
    while True:
        form = {"token": token, "once": once, "text": f"marker {mark} end", "act": "send"}
        status, headers, text = await by.ask("POST", f"/threads/{thread}", form)
        seen[str(status)] = seen.get(str(status), 0) + 1
        if status == 303:
            return seen
        assert status == 503, (status, text[:300])
        assert f"marker {mark} end" in text, "what was typed is still in the form"
        assert int(headers.get("Retry-After", "5")) <= 30
        await asyncio.sleep(0.1)


async def keep_reading(by: Visitor, paths: list[str], over: asyncio.Event) -> int:
    """Opens pages until it is over; answers how many. None fails."""
    count = 0
    while not over.is_set():
        for path in paths:
            status, _ = await by.get(path)
            assert status == 200, path
            count += 1
        await asyncio.sleep(0.05)
    return count


async def keep_sending(here: Whole, activity: dict[str, object]) -> set[int]:
    """As a partner delivers: again, the same, until it is taken."""
    seen = set[int]()
    while 202 not in seen:
        seen.add(await here.p.send(here.here, activity))
        await asyncio.sleep(0.1)
    return seen


@pytest.mark.rule("R7")
@pytest.mark.parametrize("seconds", [ONE, *LONG])
async def test_a_locked_database_loses_nothing_and_blocks_neither_readers_nor_the_loop(
    tmp_path: Path, database_url: str, seconds: float
) -> None:
    url = database_url if database_url.startswith("postgresql") else ""
    async with whole(tmp_path, database_url=url) as here:
        posted = await here.site.thread(here.admin, here.group.id)
        thread, over = posted.thread_id, asyncio.Event()
        await here.admin.get(f"/threads/{thread}")
        marks = [f"m{number}" for number in range(12)]
        activities = [here.p.create(here.author, here.group.uri, context=f"{here.p.url}/t/{n}") for n in range(4)]
        watch = Watch()
        watch.start()
        with held(url or f"sqlite:///{here.site.place / 'node.db'}"):
            reader = asyncio.create_task(keep_reading(here.admin, [f"/threads/{thread}", "/groups", "/"], over))
            writers = [asyncio.create_task(keep_posting(here, here.admin, thread, mark, over)) for mark in marks]
            senders = [asyncio.create_task(keep_sending(here, one)) for one in activities]
            await asyncio.sleep(seconds)
            assert not any(task.done() for task in (*writers, *senders, reader)), "nothing is promised while nothing can be stored"
        seen = await asyncio.gather(*writers)
        taken = await asyncio.gather(*senders)
        over.set()
        watch.over.set()
        assert await reader >= 3
        assert watch.stuck < 0.5, "a lock is waited for a second at least; a fifth is what one step may take, and this machine does more"
        assert all(statuses["303"] == 1 for statuses in seen)
        waited = any("503" in statuses for statuses in seen) or any(503 in statuses for statuses in taken)
        assert waited or seconds < 30, "who waits longer than a unit may is told to come again"
        assert all(statuses <= {202, 503} for statuses in taken)
        await here.here.quiet()
        rows = await here.here.sql("SELECT html FROM post WHERE html LIKE '%marker %' ORDER BY place")
        assert sorted(row[0].split(" ")[1] for row in rows) == sorted(marks), "each once, none lost"
        for activity in activities:
            obj = activity["object"]
            assert await here.here.sql("SELECT count(*) FROM post WHERE uri = :uri", uri=obj["id"]) == [(1,)]
        assert (await here.admin.get(f"/threads/{thread}"))[0] == 200
