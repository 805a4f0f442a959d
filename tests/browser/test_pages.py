"""Shows that every page in every state is free of barriers, fits its window and keeps to its own policy; and that none is left out."""

import re
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Error
from playwright.sync_api import Page as Tab

from fedcollab.app import FEATURES

from .chromium import Heard, Windows
from .page import Page, fits
from .pages import NO_PAGE, PAGES
from .scene import FRAMED

ROUTES = [(route.method, re.sub(r"\{(\w+):[^}]*\}", r"{\1}", route.path)) for feature in FEATURES for route in feature.routes]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
LOOKS = [(scheme, width) for width in (320, 1280) for scheme in ("light", "dark")]
SAMPLED = [("dark", 320), ("light", 1280)]  # each width and each scheme once
AXE = """async tags => (await axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]})).violations
    .map(found => `${found.id}: ${found.nodes.map(node => node.html.slice(0, 160) + " " + node.failureSummary).join(" | ")}`)"""
# What is pressed is 44 px at least; a page has one heading of the first rank, one main button at most, and no style of its own.
HOUSE = """() => {
    const pressed = "button, select, textarea, input:not([type=hidden], [type=checkbox], [type=radio]), summary, label.pick, " +
        ".btn, .act, .tag, .ib, .nav a, .tabs a, .crumb a, .row .title a, .errs a";
    const small = [...document.querySelectorAll(pressed)].filter(it => it.checkVisibility() && !it.closest(".skip")).map(it => {
        const box = it.getBoundingClientRect();
        return box.width < 43.9 || box.height < 43.9 ? `${box.width} × ${box.height} px: ${it.outerHTML.slice(0, 120)}` : ""; });
    const count = (what, least, most) => {
        const found = document.querySelectorAll(what).length;
        return found < least || found > most ? `${found} times ${what}` : ""; };
    return [...small, count("h1", 1, 1), count(".btn.main", 0, 1), count("[style]", 0, 0)].filter(Boolean); }"""
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def route_of(method: str, path: str) -> str:
    """The first route that takes a path, as the router finds it."""
    return next(f"{method} {pattern}" for found, pattern in ROUTES if found == method and fits(pattern, path))


def test_every_route_has_a_page_under_test_or_shows_none() -> None:
    shown = {f"POST {page.sends}" for page in PAGES if page.sends}
    shown |= {route_of("GET", page.path.partition("?")[0].replace("{", "").replace("}", "")) for page in PAGES}
    routes = {f"{method} {pattern}" for method, pattern in ROUTES}
    assert routes - shown - set(NO_PAGE) == set()
    assert set(NO_PAGE) - routes == set(), "gone"
    assert shown & set(NO_PAGE) == set(), "shown after all"


def test_every_template_has_a_page_under_test() -> None:
    assert {page.template for page in PAGES} == FRAMED


def barriers(tab: Tab, looks: list[tuple[str, int]] = LOOKS) -> list[str]:
    """What axe finds in the page, and by how much it is wider than its window: at two widths, light and dark, and with large text."""
    found = []
    for scheme, width in looks:
        tab.set_viewport_size({"width": width, "height": 800})
        tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # "light" or "dark"
        violations: list[str] = tab.evaluate(AXE, TAGS)
        found += [f"{width} {scheme} {what}" for what in [*violations, *overflow(tab), *tab.evaluate(HOUSE)]]
    tab.set_viewport_size({"width": 640, "height": 800})
    tab.evaluate("() => document.documentElement.style.fontSize = '200%'")
    return found + [f"640 at twice the text size {wider}" for wider in overflow(tab)]


def overflow(tab: Tab) -> list[str]:
    wider = tab.evaluate(WIDER)
    return [f"{wider} px wider than its window"] if wider > 0 else []


def listen(tab: Tab, heard: Heard, page: Page) -> list[str]:
    """What the browser complains of until the tab is given back, breaches of the pages' policy too; a refusal that is meant is none."""
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        refused_as_meant = page.status >= 400 and "the server responded with a status of" in message.text
        if message.type in ("error", "warning") and not refused_as_meant:
            complaints.append(message.text)

    def stumble(error: Error) -> None:
        complaints.append(str(error))

    heard += [("console", hear), ("pageerror", stumble)]
    for event, what in heard:
        tab.on(event, what)  # type: ignore[call-overload]  # one overload for each event's name
    return complaints


@pytest.mark.browser
def test_a_breach_of_the_pages_policy_is_heard(windows: Windows) -> None:
    with windows.same_tab("") as (tab, heard):
        complaints = listen(tab, heard, PAGES[0])
        windows.show(tab, PAGES[0])
        assert complaints == []
        tab.evaluate("""() => document.body.insertAdjacentHTML("beforeend", "<p style='color:red'>")""")
        assert "Content Security Policy" in "".join(complaints)


@pytest.mark.browser
@pytest.mark.parametrize("route", [route for route in NO_PAGE if route.startswith("GET")])
def test_what_is_said_to_show_no_page_shows_none(windows: Windows, route: str) -> None:
    path = route.removeprefix("GET ").replace("{id}", windows.scene.places["own"]).replace("{code}", "en")
    answer = windows.context("ilse").request.get(windows.scene.busy.url + path, max_redirects=0)
    assert answer.status >= 300 or "text/html" not in answer.headers["content-type"]


FIRST = {page.template: page.name for page in reversed(PAGES) if not page.act}  # of the pages that one template makes


FORMS = (
    "cases/form.html"  # of every kind of entry, made of its fields: those that between them have all kinds of fields, the rest with --full
)
ALL_FIELDS = {
    "entry-message",
    "entry-message-error",
    "entry-contact-one",
    "entry-exploitation",
    "entry-suspicion",
    "entry-consent",
    "entry-terms",
}


def _reading(page: Page, language: str) -> Any:
    """From right to left each template once; what else it makes, and what becomes of it by somebody's act, with --full."""
    rest = language == "ar" and FIRST.get(page.template) != page.name
    rest = rest or (page.template == FORMS and page.name not in ALL_FIELDS)
    return pytest.param(page, language, id=f"{page.name}-{language}", marks=pytest.mark.full if rest else ())


def sampled(page: Page) -> list[tuple[str, int]]:
    """Without --full: each width and each scheme once of what a template makes first, of its other states one of the two in turn."""
    return SAMPLED if FIRST.get(page.template) == page.name else [SAMPLED[PAGES.index(page) % len(SAMPLED)]]


READINGS = [_reading(page, language) for page in PAGES for language in ("en", "ar")]


@pytest.mark.browser
@pytest.mark.axe
def test_the_search_for_barriers_finds_a_field_without_a_name_and_a_page_that_is_too_wide(windows: Windows) -> None:
    with windows.tab("") as tab:
        windows.show(tab, PAGES[0])
        tab.evaluate("() => document.querySelector('main').append(document.createElement('input'), document.createElement('button'))")
        tab.evaluate("() => document.querySelector('main').style.width = '200vw'")
        found = "\n".join(barriers(tab))
    assert "320 dark label: <input>" in found
    assert "1280 light 1 times [style]" in found
    assert "px: <button></button>" in found
    assert "320 light 320 px wider than its window" in found


@pytest.mark.browser
@pytest.mark.axe
@pytest.mark.parametrize(("page", "language"), READINGS)
def test_a_page_is_free_of_barriers_fits_and_keeps_to_its_policy(
    windows: Windows, page: Page, language: str, pytestconfig: pytest.Config
) -> None:
    looks = LOOKS if pytestconfig.getoption("--full") else sampled(page)
    with windows.same_tab(page.who) as (tab, heard):
        complaints = listen(tab, heard, page)
        windows.show(tab, page, language)
        assert tab.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
        found = barriers(tab, looks) + complaints
    assert not found, "\n".join(found)
