"""Shows that kill -9 at any moment loses nothing acknowledged, doubles nothing and reorders nothing in a thread."""

from collections.abc import Callable
from pathlib import Path

import pytest

from .faults import play, verdict


@pytest.mark.rule("R1", "R2")
@pytest.mark.timeout(900)
def test_nodes_killed_during_traffic_lose_double_and_reorder_nothing(
    tmp_path: Path, urls: Callable[[int], list[str]], request: pytest.FixtureRequest
) -> None:
    rounds = 20 if request.config.getoption("--full") else 3
    posts, wrong = play(tmp_path, rounds, seed=7, urls=urls(3))
    assert not wrong
    assert posts > 20 * rounds


def test_the_judge_sees_what_is_lost_doubled_and_reordered() -> None:
    sent = {"a": ["a-1", "a-2", "a-3"]}
    assert verdict(sent, ["a-1", "a-2", "a-3"]) == []
    assert verdict(sent, ["a-1", "a-3"]) == ["lost a-2"]
    assert verdict(sent, ["a-1", "a-2", "a-2", "a-3"]) == ["twice a-2"]
    assert verdict(sent, ["a-2", "a-1", "a-3"]) == ["reordered a"]
