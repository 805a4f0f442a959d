"""Decides what a test may need of the machine, and what becomes of it where that is missing."""

import os

import pytest

NEEDS = {
    "postgres": ("FEDCOLLAB_TEST_POSTGRES_BIN", "PostgreSQL", "the folder with its initdb and postgres"),
    "browser": ("FEDCOLLAB_TEST_CHROMIUM", "Chromium", "its program"),
    "axe": ("FEDCOLLAB_TEST_AXE", "axe-core", "its axe.min.js"),
    "peers": ("FEDCOLLAB_TEST_PEERS", "npm", "the folder with the packages of tests/peers/package.json"),
    "trixie": ("FEDCOLLAB_TEST_TRIXIE", "a tree of Debian 13", "the folder with its root and wheels"),
    "bookworm": ("FEDCOLLAB_TEST_BOOKWORM", "a tree of Debian 12", "the folder with its root and wheels"),
    "caddy": ("FEDCOLLAB_TEST_CADDY", "Caddy", "its program"),
    "nginx": ("FEDCOLLAB_TEST_NGINX", "nginx", "its program"),
    "compose": ("FEDCOLLAB_TEST_DOCKER_COMPOSE", "docker-compose", "its program"),
    "systemd": ("FEDCOLLAB_TEST_SYSTEMD_ANALYZE", "systemd-analyze", "its program"),
}


def lacking(words: str) -> None:
    """Skips the test with one plain line. A build server has everything: there, what is missing hides no failure."""
    if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(words, pytrace=False)
    pytest.skip(words)
