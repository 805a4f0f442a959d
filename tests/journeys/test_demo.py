"""Shows the demo as whoever reads the README meets it: signed in with its one password, there is a case that two organisations work on."""

import json
import re
import subprocess
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from .browserless import Browser
from .processes import CLI, Process

LISTED = re.compile(r'href="(/(?:cases|referrals|sealed)/[0-9a-f-]{36})"')


@pytest.fixture
def shown() -> Iterator[tuple[dict[str, list[str]], str]]:
    """({address: the names to sign in with}, the password) of a demo of two organisations."""
    with subprocess.Popen([*CLI, "demo", "--nodes", "2", "--json"], stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            lines = []
            for line in running.stdout:
                lines.append(line)
                if line == "}\n":
                    break
            said = json.loads("".join(lines))
            yield {one["url"]: list(one["names"].values()) for one in said["organisations"]}, said["password"]
        finally:
            running.terminate()
            running.wait(20)


def signed_in(url: str, name: str, password: str) -> Browser:
    browser = Browser(Process(Path(), urllib.parse.urlsplit(url).port or 0))
    form = {"token": browser.find_token("/login"), "username": name, "password": password}
    assert browser.ask("POST", "/login", form)[:2] == (303, "/"), name
    return browser


def first(browser: Browser, path: str) -> str:
    """The page of the first that a list has."""
    listed = LISTED.search(browser.ask("GET", path)[2].split("<main", 1)[1])
    assert listed, path
    status, _, page = browser.ask("GET", listed[1])
    assert status == 200, listed[1]
    return page


@pytest.mark.slow
def test_whoever_tries_the_demo_signs_in_with_its_password_and_finds_a_case_a_referral_and_a_sealed_group(
    shown: tuple[dict[str, list[str]], str],
) -> None:
    organisations, password = shown
    (here, ours), (there, theirs) = organisations.items()
    for name in ours:
        assert "Réseau Passerelle" in signed_in(here, name, password).ask("GET", "/cases")[2]
    for name in theirs:
        page = first(signed_in(there, name, password), "/cases")
        assert "Mondays" in page, "what the one has asked"
        assert "camionnette" in page, "what the other has answered"
    keeper = signed_in(there, theirs[0], password)
    assert "Liège" in first(keeper, "/referrals")
    assert "Vans on Mondays" in first(keeper, "/sealed")
    assert "/answer" not in keeper.ask("GET", "/keepers/tasks")[2], "nothing waits that nobody told the visitor of"
