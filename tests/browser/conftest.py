"""Gives the tests of pages one Chromium and one scene for the folder; both end before other tests run, for Playwright holds the loop."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from .chromium import Windows, chromium
from .scene import Scene, scene


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="package")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("scene")) as made:
        yield made


@pytest.fixture(scope="package")
def windows(browser: Browser, played: Scene) -> Iterator[Windows]:
    made = Windows(browser, played, os.environ.get("FEDCOLLAB_TEST_AXE", ""))
    yield made
    made.close()
