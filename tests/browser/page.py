"""Decides what a page under test is: an address, who looks, what they do there, what answers."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page as Tab

from .scene import Scene

Act = Callable[[Tab, Scene], None]


@dataclass(frozen=True)
class Page:
    """One page in one state: its address (names in braces are the scene's), who looks, what they do there, what answers.

    `sends` is the pattern of the route that answers the form; without one it is the route of the address itself."""

    name: str
    path: str
    template: str
    who: str = "ilse"
    act: Act | None = None
    sends: str = ""
    status: int = 200


def fits(pattern: str, path: str) -> bool:
    """Whether a route's pattern takes a path."""
    return bool(re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(pattern)), path))


def fill(button: str = ".btn.main", **fields: str) -> Act:
    """Fills a form's fields by name and presses a button."""

    def act(tab: Tab, scene: Scene) -> None:
        for name, value in fields.items():
            tab.locator(f"main [name={name}]:not([type=hidden])").fill(value.replace("NUMBER", str(scene.fresh())))
        tab.locator(f"main {button}").first.click()
        tab.wait_for_load_state()

    return act
