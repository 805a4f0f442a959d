"""Decides how a test opens a page: one Chromium, a window for each person, the page in a language, the state that was asked for."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Response, sync_playwright
from playwright.sync_api import Page as Tab

from .page import Page, fits
from .scene import Scene

PLAIN = ("", "nobody")
SIZE = {"width": 1280, "height": 720}  # Playwright's own
Heard = list[tuple[str, Callable[..., Any]]]


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The browser whose program the environment names."""
    flags = ["--no-sandbox", "--disable-dev-shm-usage"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["FEDCOLLAB_TEST_CHROMIUM"], args=flags)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Windows:
    """One window for each person, kept between pages. `script` is a file that runs in each page beside the pages' own policy."""

    browser: Browser
    scene: Scene
    script: str = ""
    contexts: dict[str, BrowserContext] = field(default_factory=dict)
    kept: dict[str, Tab] = field(default_factory=dict)

    def context(self, who: str) -> BrowserContext:
        if who not in self.contexts:
            made = self.browser.new_context(reduced_motion="reduce", locale="en-GB")
            if self.script:
                made.add_init_script(path=self.script)
            made.add_cookies(self.scene.session("" if who in PLAIN else who))  # type: ignore[arg-type]  # name, value, url
            made.set_default_timeout(15_000)
            self.contexts[who] = made
        return self.contexts[who]

    @contextlib.contextmanager
    def tab(self, who: str) -> Iterator[Tab]:
        made = self.context(who).new_page()
        try:
            yield made
        finally:
            made.close()

    @contextlib.contextmanager
    def same_tab(self, who: str) -> Iterator[tuple[Tab, Heard]]:
        """The person's one tab, as if it were new, for opening one costs more than a page; and a list of (event, what hears it) for what
        hears until it is given back. One in which something has failed is closed."""
        tab = self.kept.pop(who, None) or self.context(who).new_page()
        heard: Heard = []
        try:
            yield tab, heard
            for event, hear in heard:
                tab.remove_listener(event, hear)
            tab.evaluate("() => sessionStorage.clear()")
            tab.mouse.move(0, 0)
            tab.set_viewport_size(SIZE)  # type: ignore[arg-type]  # width, height
            tab.emulate_media(color_scheme="null")
            self.kept[who] = tab
        finally:
            if who not in self.kept:
                tab.close()

    def show(self, tab: Tab, page: Page, language: str = "en") -> Response:
        """Opens a page in its state; answers what the node answered last. Raises AssertionError where that is something else."""
        answers: list[Response] = []

        def hear(answer: Response) -> None:
            if answer.request.is_navigation_request():
                answers.append(answer)

        tab.on("response", hear)
        self.scene.lately()
        base = self.scene.stage_of(page.who).url
        tab.goto(f"{base}/language/{language}?next={page.path.format(**self.scene.places)}")
        if page.act is not None:
            page.act(tab, self.scene)
        tab.remove_listener("response", hear)
        last = answers[-1]
        assert last.status == page.status, (page.name, last.status, last.url)
        assert self.scene.shown == page.template, page.name
        assert tab.locator("html").get_attribute("lang") == language
        if page.sends:
            assert last.request.method == "POST", page.name
            assert fits(page.sends, urlsplit(last.url).path), (page.name, last.url)
        return last

    def close(self) -> None:
        for context in self.contexts.values():
            context.close()
