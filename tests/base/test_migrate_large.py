"""Shows a database of 100,000 posts brought on by processes that are killed in each step: nothing is lost, and memory stays small."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from fedcollab.base.database import Database, open_database
from fedcollab.base.migrate import current, head, missing

from .test_migrate_filled import ACTOR, AUDIENCE, before, run

ROWS = 100_000
MEMORY = 512 * 1024  # KiB
EARLIER, STEP = "0005", "0006"
MIGRATE = """
import sys
from fedcollab.base.database import open_database
from fedcollab.base.migrate import migrate
migrate(open_database(sys.argv[1]).engine)
"""
SHARED = "audience_id, label, author_id, organisation_id, posted_at"
THREADS = (
    f"INSERT INTO thread (id, group_id, title, language, last_post_at, posts, uri, {SHARED}) SELECT 't' || n, 'one', 'T ' || n, 'en', n, 1,"
    " 'https://a.example/t/' || n, 'audience', 'TLP:GREEN', 'one', 'one', n {numbers}"
)
POSTS = (
    f"INSERT INTO post (id, thread_id, reply_to, source, html, language, place, uri, {SHARED}) SELECT 'p' || n, 't' || n, '', '',"
    " '<p>' || {text} || n || '</p>', 'en', 1, 'https://a.example/p/' || n, 'audience', 'TLP:GREEN', 'one', 'one', n {numbers}"
)
ACTIVITIES = (
    "INSERT INTO activity (id, uri, type, actor_id, object_uri, order_key, body, created_at)"
    " SELECT 'a' || n, 'https://a.example/a/' || n, 'Create', 'one', 'https://a.example/p/' || n, 't' || n, {text} || n, n {numbers}"
)
DELIVERIES = (
    "INSERT INTO delivery (partner_id, seq, activity_id, order_key, state, attempts, next_try_at, error)"
    " SELECT 'partner', n, 'a' || n, 't' || n, 'refused', 1, 0, '' {numbers}"
)
FILLED = (THREADS, POSTS, ACTIVITIES, DELIVERIES)
PARTNER = (
    "INSERT INTO partner (id, organisation_id, host, state, epoch, last_seq, attempts, next_try_at, leased_until, last_error, created_at)"
    " VALUES ('partner', 'two', 'b.example', 'admitted', 1, 100000, 0, 0, 0, '', 1)"
)
COUNTS = {
    "post": "SELECT count(*), sum(length(html)) FROM post",
    "thread": "SELECT count(*), sum(length(title)) FROM thread",
    "activity": "SELECT count(*), sum(length(body)) FROM activity",
    "delivery": "SELECT count(*), sum(seq) FROM delivery",
}


def fill(database: Database) -> None:
    """A node of a year ago: 100,000 posts, each with its activity and a delivery."""
    postgresql = database.engine.dialect.name == "postgresql"
    no = "false" if postgresql else "0"
    numbers = f"FROM generate_series(1, {ROWS}) AS t(n)"
    if not postgresql:
        numbers = f"FROM (WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < {ROWS}) SELECT n FROM t)"
    text = "'" + "a word said often; " * 20 + "'"
    run(database, ACTOR.format("one"), ACTOR.format("two"), AUDIENCE.format("audience", "one", no), PARTNER)
    run(database, *(statement.format(numbers=numbers, text=text) for statement in FILLED))


def counted(database: Database) -> dict[str, tuple[int, int]]:
    with database.engine.connect() as connection:
        return {name: tuple(map(int, connection.execute(sa.text(query)).one())) for name, query in COUNTS.items()}  # type: ignore[misc]


# A process counts what it was begun from as its own: so it is begun from a small one, which says its exit code and its peak in KiB.
BEGIN = """import os, subprocess, sys
made = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(made.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)"""


def migrating(url: str, crash: str = "") -> tuple[int, int, str]:
    """(exit code, peak memory in KiB, what it said of errors) of a process that migrates."""
    environment, words = os.environ | {"FEDCOLLAB_CRASH_AT": crash}, [sys.executable, "-c", MIGRATE, url]
    begun = [sys.executable, "-S", "-c", BEGIN, *words]
    done = subprocess.run(begun, env=environment, timeout=300, check=True, capture_output=True, text=True)
    code, peak = done.stdout.split()
    return int(code), int(peak), done.stderr


@pytest.mark.slow
@pytest.mark.rule("R16")
@pytest.mark.timeout(600)
@pytest.mark.sampled
def test_killed_in_every_step_a_large_database_comes_to_the_newest_and_nothing_is_lost(
    database_url: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    database = open_database(database_url)
    before(database, STEP)
    fill(database)
    rows = counted(database)
    database.close()
    steps, peaks = missing(EARLIER), list[int]()
    for step in steps:
        code, peak, _ = migrating(database_url, "migrate.step:1")
        assert code == -9, "killed in the step, before it is kept"
        peaks.append(peak)
        kept = open_database(database_url)
        assert current(kept.engine) < step, "it has no effect"
        assert counted(kept) == rows
        kept.close()
        code, peak, errors = migrating(database_url, "migrate.step:2")
        assert code == (-9 if step != steps[-1] else 0), errors
        peaks.append(peak)
        kept = open_database(database_url)
        assert current(kept.engine) == step, "the one before the kill is kept"
        assert counted(kept) == rows
        kept.close()
    done = open_database(database_url)
    assert current(done.engine) == head()
    done.close()
    record_property("said", f"{ROWS} posts through {len(steps)} steps, killed in each: peak memory {max(peaks) // 1024} MiB")
    assert max(peaks) < MEMORY
