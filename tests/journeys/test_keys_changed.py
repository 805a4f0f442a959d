"""Shows nodes whose keys change during traffic, each a process of its own: nothing lost, the old keys dead; and keys that were lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .databases import query
from .faults import NAMES, scene, settle
from .processes import Process, befriend, nodes, until


def keys_of(node: Process, other: Process) -> list[tuple[Any, ...]]:
    """(state, how many) of another organisation's keys as a node has them."""
    sql = "SELECT k.state, count(*) FROM actor_key k JOIN actor a ON a.id = k.actor_id WHERE a.uri = '{}' GROUP BY k.state ORDER BY k.state"
    return [tuple(row) for row in query(node, sql.format(other.url + "/actor"))]


def rotate(node: Process, others: list[Process]) -> None:
    """New keys, accepted by all others one after the other; waits until only the new ones are believed."""
    made = node.json("key", "rotate", "--grace", "1")
    assert (len(made["missing"]), made["accepted"]) == (len(others), [])
    for other in others:
        until("the offer", lambda other=other: query(other, "SELECT 1 FROM key_offer"))
        other.run("partner", "accept-keys", node.url)
    until("the new keys are in use", lambda: node.json("key", "status")["keys"] == made["successor"])
    for other in others:
        until("the old keys are dead", lambda other=other: keys_of(other, node) == [("current", 2), ("old", 2)])


@pytest.mark.rule("R17")
@pytest.mark.timeout(600)
@pytest.mark.sampled
def test_keys_that_change_under_traffic_lose_nothing_and_the_old_ones_are_dead(
    tmp_path: Path, urls: Callable[[int], list[str]], request: pytest.FixtureRequest
) -> None:
    rounds = 5 if request.config.getoption("--full") else 1
    with nodes(tmp_path, NAMES, urls(3)) as made:
        senders = scene(made)
        for sender in senders:
            sender.start()
        for number in range(rounds):
            for node in made if rounds > 1 else made[:2]:
                change = again if number else rotate
                change(node, [other for other in made if other is not node])
        for sender in senders:
            sender.over.set()
        for sender in senders:
            sender.join(70)
            assert not sender.is_alive()
        settle(made, senders)
        assert sum(len(sender.acknowledged) for sender in senders) > 20 * rounds
        for node in made:
            assert query(node, "SELECT count(*) FROM delivery WHERE state IN ('refused', 'parked')") == [(0,)]
            assert query(node, "SELECT count(*) FROM partner WHERE state <> 'admitted'") == [(0,)]


def again(node: Process, others: list[Process]) -> None:
    """A further change of keys, killed in the midst of it."""
    made = node.json("key", "rotate")
    node.kill()
    node.serve()
    for other in others:
        until("the offer", lambda other=other: query(other, "SELECT 1 FROM key_offer"))
        other.run("partner", "accept-keys", node.url)
    until("the new keys are in use", lambda: node.json("key", "status")["keys"] == made["successor"])


@pytest.mark.rule("R18")
@pytest.mark.timeout(300)
@pytest.mark.sampled
def test_an_admin_gets_over_lost_keys_by_the_command_line(tmp_path: Path, urls: Callable[[int], list[str]]) -> None:
    with nodes(tmp_path, NAMES[:2], urls(2)) as (a, b):
        befriend(a, b)
        group = b.json("group", "add", "leads", "--name", "Leads")["uri"]
        until("the group is known", lambda: query(a, f"SELECT 1 FROM actor WHERE uri = '{group}'"))
        assert "key new --lost" in a.run("key", "new", check=False).stderr
        assert "partner recheck" in a.run("key", "new", "--lost").stdout
        until("B has noticed", lambda: b.json("partner", "list")[0]["suspended_for"] == "keys")
        opener = b.json("post", "leads", "--as", "ilse", "--title", "T", "--text", "held")["uri"]
        assert b.run("partner", "approve", a.url, check=False).returncode == 1
        assert b.run("partner", "checked", a.url, check=False).returncode == 1
        there, here = b.json("partner", "words", a.url), a.json("partner", "words", b.url)
        assert (there["words"], there["digits"]) == (here["words"], here["digits"])
        assert (there["other_keys"], here["other_keys"]) == (True, False)
        assert query(a, f"SELECT 1 FROM post WHERE uri = '{opener}'") == []
        assert b.json("partner", "recheck", a.url)["state"] == "admitted"
        until("what was held has come", lambda: query(a, f"SELECT 1 FROM post WHERE uri = '{opener}'"), 30)
        assert a.json("partner", "checked", b.url)["checked_at"] > 0
        assert a.json("partner", "pause", b.url)["paused_at"] > 0
        assert a.json("partner", "resume", b.url)["paused_at"] is None
        assert a.json("partner", "allow", b.url)["allows"] == []
        assert a.json("partner", "allow", b.url, "--feature", "discussions")["allows"] == ["discussions"]
        assert "discussions" in a.run("partner", "allow", b.url, "--feature", "cases", check=False).stderr
        assert len(a.json("partner", "vouch", b.url)["vouched_keys"]) == 64
        assert a.json("partner", "vouch", b.url, "--back")["vouched_keys"] == ""
