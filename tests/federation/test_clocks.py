"""Shows that clocks which differ are no reason to lose anything: a little is borne, more is said in words, and what waited is sent."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from fedcollab.access.models import AudienceMember
from fedcollab.base.clock import HOUR, MICROSECONDS, MINUTE, http_date, system_clock
from fedcollab.base.http import Answer
from fedcollab.features.discussions import service
from fedcollab.federation import clocks, queue
from tests import nodes
from tests.rows import START


class Skewed:
    """A clock that is wrong by so many microseconds."""

    def __init__(self) -> None:
        self.by = 0

    def __call__(self) -> int:
        return system_clock() + self.by


@pytest.mark.rule("R8")
@pytest.mark.parametrize(("skew", "works"), [(30 * MICROSECONDS, True), (-4 * MINUTE, True), (2 * HOUR, False), (-HOUR, False)])
async def test_a_clock_that_is_off_a_little_is_borne_and_one_that_is_off_much_is_told_and_loses_nothing(
    tmp_path: Path, skew: int, works: bool
) -> None:
    ports, clock = (nodes.free_port(), nodes.free_port()), Skewed()
    host = await nodes.start(tmp_path, port=ports[0], peers=ports, name="Meridian Outreach", clock=clock)
    other = await nodes.start(tmp_path, port=ports[1], peers=ports, name="Casa Ladera")
    try:
        await nodes.befriend(host, other)
        group = await host.group()
        await nodes.until("the group", lambda: other.sql("SELECT 1 FROM actor WHERE kind = 'Group'"))
        await host.read_write(lambda session: session.execute(sa.update(AudienceMember).values(since=1)))  # inside for long
        clock.by = skew
        sent = await host.write(service.post_thread, host.viewer, group.id, title="Clocks", text="one")
        for number in range(3):
            await host.write(service.post_reply, host.viewer, sent.thread_id, text=str(number))
        if not works:
            await nodes.until("the error", lambda: host.sql("SELECT 1 FROM partner WHERE last_error LIKE '%clocks differ%'"))
            line = (await host.read(queue.lines))[0]
            assert line.last_error == f"answered 401: the clocks differ by {abs(skew) // MINUTE} minutes"
            assert line.waiting >= 4
            clock.by = 0
            await host.write(queue.now)
        await nodes.until("all are there", lambda: other.sql("SELECT 1 WHERE (SELECT count(*) FROM post) = 4"))
        await nodes.settled(host, other)
        assert await other.sql("SELECT html FROM post ORDER BY place") == [(f"<p>{n}</p>",) for n in ("one", 0, 1, 2)]
        assert await host.sql("SELECT DISTINCT state FROM delivery") == [("done",)]
        print(f"skew {skew // MICROSECONDS} s: lost 0, duplicated 0, reordered 0")
    finally:
        await other.stop()
        await host.stop()


@pytest.mark.parametrize(
    ("status", "date", "said"),
    [
        (401, http_date(START + 2 * HOUR), "answered 401: the clocks differ by 120 minutes"),
        (401, http_date(START - HOUR), "answered 401: the clocks differ by 60 minutes"),
        (401, http_date(START + MINUTE), "answered 401"),
        (403, http_date(START + 2 * HOUR), "answered 403"),
        (401, "", "answered 401"),
        (401, "yesterday", "answered 401"),
    ],
)
def test_what_an_answer_says_of_the_clocks(status: int, date: str, said: str) -> None:
    assert clocks.why(Answer(status, "https://p.example/inbox", "", b"", None, date), START) == said
