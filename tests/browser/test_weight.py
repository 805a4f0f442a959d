"""Shows that a first view is light: what a phone fetches for one page, compressed as a web server does."""

import gzip
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Response

from .chromium import Windows
from .pages import PAGES

pytestmark = pytest.mark.browser
MOST = 40 * 1024


@pytest.mark.parametrize("name", ["landing", "home", "thread"])
def test_a_first_view_weighs_at_most_40_kilobytes(windows: Windows, name: str) -> None:
    page = next(page for page in PAGES if page.name == name)
    answers: list[Response] = []
    context = windows.browser.new_context()
    try:
        context.add_cookies(windows.scene.session(page.who))  # type: ignore[arg-type]  # name, value, url
        tab = context.new_page()
        tab.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108  # Playwright marks what it calls; a list's method can't be
        tab.goto(windows.scene.busy.url + page.path.format(**windows.scene.places), wait_until="networkidle")
        weights = {urlsplit(answer.url).path: len(gzip.compress(answer.body())) for answer in answers}
    finally:
        context.close()
    assert {"/static/app.css", "/static/tokens.css", "/static/icons.svg"} <= set(weights)
    assert sum(weights.values()) <= MOST, weights
