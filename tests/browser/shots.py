"""Decides which pictures of the pages are taken to be looked at: phone and desk, light and dark, and one set in Arabic."""

import argparse
import os
import tempfile
from pathlib import Path

from deploy._dev.tools import CHROMIUM

from .chromium import Windows, chromium
from .pages import PAGES
from .scene import scene

SETS = (("en", "light", 390), ("en", "light", 1280), ("en", "dark", 390), ("en", "dark", 1280), ("ar", "light", 390), ("ar", "light", 1280))


def take(windows: Windows, place: Path, wanted: str) -> None:
    """One picture a page and set, named PAGE-LANGUAGE-SCHEME-WIDTH.png."""
    for page in PAGES:
        for language in ("en", "ar"):
            if wanted not in page.name:
                continue
            with windows.tab(page.who) as tab:
                windows.show(tab, page, language)
                for _, scheme, width in (one for one in SETS if one[0] == language):
                    tab.set_viewport_size({"width": width, "height": 844 if width == 390 else 800})
                    tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                    tab.screenshot(path=place / f"{page.name}-{language}-{scheme}-{width}.png", full_page=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.shots", description="Take a picture of every page in every state.")
    parser.add_argument("place", type=Path, help="the folder for the pictures")
    parser.add_argument("--only", default="", help="pages whose name contains this")
    asked = parser.parse_args()
    asked.place.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault(CHROMIUM.variable, CHROMIUM.path() or "chromium")
    with tempfile.TemporaryDirectory() as root, scene(Path(root)) as played, chromium() as browser:
        windows = Windows(browser, played)
        take(windows, asked.place, asked.only)
        windows.close()
    print(f"pictures are in {asked.place}")


if __name__ == "__main__":
    main()
