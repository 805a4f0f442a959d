"""Gives the tests of pages one Chromium and one scene for the folder; both end before other tests run, for Playwright holds the loop."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.journeys.processes import Process, befriend, nodes

from .chromium import Windows, chromium
from .scene import Scene, scene

expect.set_options(timeout=20_000)  # as long as a window waits for anything else; a page that makes keys or tries a password takes its time


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(params=[True, False], ids=["with script", "without script"])
def profile(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A person's browser, with nobody signed in."""
    made = browser.new_context(java_script_enabled=request.param, locale="en-GB")
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, Process]]:
    """Two nodes that know each other; the first keeps a group."""
    with nodes(tmp_path_factory.mktemp("pair"), ["Meridian Outreach", "Réseau Passerelle"]) as (one, other):
        befriend(one, other)
        one.run("group", "add", "leads", "--name", "Leads", "--label", "TLP:GREEN")
        yield one, other


@pytest.fixture(scope="package")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("scene")) as made:
        yield made


@pytest.fixture(scope="package")
def windows(browser: Browser, played: Scene) -> Iterator[Windows]:
    made = Windows(browser, played, os.environ.get("FEDCOLLAB_TEST_AXE", ""))
    yield made
    made.close()
