"""Shows that a node which is killed at each page of its catch-up goes on where it was, until nothing is missing and nothing is twice."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench.catching import write_meanwhile

from .databases import query
from .processes import befriend, nodes, until

MISSED = 500


@pytest.mark.rule("R2")
@pytest.mark.timeout(300)
@pytest.mark.sampled
def test_a_node_killed_at_each_page_has_all_that_it_missed_once_and_in_order(tmp_path: Path, urls: Callable[[int], list[str]]) -> None:
    with nodes(tmp_path, ["Meridian Outreach", "Casa Ladera"], urls(2)) as (host, away):
        befriend(host, away)
        host.run("group", "add", "leads", "--name", "Leads", "--label", "TLP:GREEN")
        until("the group", lambda: query(away, "SELECT 1 FROM actor WHERE username = 'leads'"))
        away.stop()
        host.stop()
        write_meanwhile(host, MISSED)
        host.serve()
        deaths = 0
        away.environment = {"FEDCOLLAB_CRASH_AT": "catchup.page:1"}
        while not query(away, "SELECT 1 FROM partner WHERE resync_at IS NULL AND whole_at IS NOT NULL AND heard_seq >= 500"):
            away.start()
            assert away.running is not None
            until("its death or its end", lambda: died(away) or not query(away, "SELECT 1 FROM partner WHERE resync_at IS NOT NULL"), 60)
            deaths += died(away)
            away.kill()
            assert deaths < 40
        away.environment = {}
        away.serve()
        until("all of them", lambda: query(away, f"SELECT 1 WHERE (SELECT count(*) FROM post) >= {MISSED}"), 120)
        until("nothing waits", lambda: query(host, "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM delivery WHERE state = 'waiting')"))
        mine, theirs = (sorted(query(node, "SELECT uri, html, place FROM post")) for node in (host, away))
        assert mine == theirs
        assert deaths >= 3
        print(f"killed {deaths} times while catching up, of {MISSED}: lost 0, duplicated 0, reordered 0")


def died(node: "object") -> bool:
    """Whether the process has ended by itself."""
    running = getattr(node, "running", None)
    return running is not None and running.poll() is not None
