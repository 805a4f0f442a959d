"""Decides which tests can run here, and prints the rules with the tests that show them (--rules)."""

import gc
import os
import signal
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import settings

from fedcollab.base import postgres as postgres_engine
from fedcollab.base import writer
from tests import pooled
from tests.needs import NEEDS, lacking
from tests.postgresql import database_url, either_url, postgres

__all__ = ["database_url", "either_url", "postgres"]  # fixtures for all folders
settings.register_profile("house", deadline=None, max_examples=40)  # a busy machine is no failure
settings.register_profile("full", parent=settings.get_profile("house"), max_examples=60)
settings.load_profile("house")
pooled.install()
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of what a shell runs beside: all that tests start would be deaf to Ctrl-C too
    signal.signal(signal.SIGINT, signal.default_int_handler)
writer.LATE = postgres_engine.LATE = 60.0  # seconds that a unit waits: where the whole machine stands still for some, no test fails
USUAL = 120.0  # seconds, as pyproject.toml has it
KNOWN = Path(__file__).with_name("rules.txt")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the tests that take minutes, and more rounds of others")
    parser.addoption("--rules", action="store_true", help="run nothing: print each rule id with its tests, and the ids without one")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--full"):
        settings.load_profile("full")


@pytest.hookimpl(tryfirst=True)  # before marks choose
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("sampled") and item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.full)
    if hasattr(config, "workerinput"):
        items.sort(key=longest_first)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: looking through all of it again and again for garbage was a seventh of the quick tests' time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 50)


def longest_first(item: pytest.Item) -> float:
    """Tests that run side by side begin with those that are given more time than usual, so that no core waits for one of them at the end.
    Files whose tests share what is dear stay as they are."""
    given = item.get_closest_marker("timeout")
    if given is None or any(item.get_closest_marker(shared) for shared in ("browser", "trixie", "bookworm")):
        return -USUAL
    return min(-USUAL, -float(given.args[0]))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("full") and not item.config.getoption("--full"):
        pytest.skip("takes minutes: run with --full")
    for marker, (variable, name, what) in NEEDS.items():
        if item.get_closest_marker(marker) and not os.environ.get(variable):
            lacking(f"{name} is missing: run deploy/dev test, or set {variable} to {what}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    if not session.config.getoption("--rules"):
        return None
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.ensure_newline()
        for line in rules_table(session.items, KNOWN.read_text().split()):
            reporter.write_line(line)
    return True


def rules_table(items: Iterable[pytest.Item], known: list[str]) -> list[str]:
    """Each id that tests show with their names (a test with several parameters once), then the ids that none shows."""
    shown: dict[str, dict[str, None]] = defaultdict(dict)
    for item in items:
        for marker in item.iter_markers("rule"):
            for rule in marker.args:
                shown[rule][item.nodeid.split("[")[0]] = None
    lines = []
    for rule in [*(rule for rule in known if rule in shown), *sorted(set(shown) - set(known))]:
        lines += [f"{rule}{'' if rule in known else '  (not a known id)'}", *(f"    {test}" for test in shown[rule])]
    without = [rule for rule in known if rule not in shown]
    return [*lines, "", f"{len(known) - len(without)} of {len(known)} rules are shown; without a test: {' '.join(without) or 'none'}"]
