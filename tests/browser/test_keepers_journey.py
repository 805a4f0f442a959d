"""Shows the whole set-up of cases in a real browser, from the first keeper's name to open cases, with script and without."""

import re

import pypdfium2
import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from playwright.sync_api import Page as Tab

from tests.journeys.processes import Process

pytestmark = pytest.mark.browser
PASSWORD = "four plain words here"


def sign_in(tab: Tab, node: Process, name: str) -> None:
    """By a one-time link, choosing a password."""
    tab.goto(node.json("login-link", name)["link"])
    tab.get_by_role("button", name="Sign in").click()
    tab.get_by_label("New password").fill(PASSWORD)
    tab.get_by_role("button", name="Save the password").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("What is new")


def type_password(tab: Tab) -> None:
    tab.get_by_label("Password", exact=True).fill(PASSWORD)
    tab.locator("main .btn.main").click()


def step(tab: Tab, name: str) -> None:
    expect(tab.get_by_role("heading", level=1)).to_have_text(name)


def sheets(tab: Tab) -> list[str]:
    """What somebody copies from the three sheets."""
    return [" ".join(text.split()) for text in tab.locator(".paper .case-code").all_inner_texts()]


def printed(tab: Tab) -> list[str]:
    """The text of each page that comes out of the printer."""
    document = pypdfium2.PdfDocument(tab.pdf())
    try:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]
    finally:
        document.close()


def test_a_keeper_without_training_gets_through_the_set_up_and_the_second_one_takes_the_key(
    pair: tuple[Process, Process], profile: BrowserContext, browser: Browser, request: pytest.FixtureRequest
) -> None:
    node = pair[0] if request.node.callspec.id == "with script" else pair[1]
    tab = profile.new_page()
    sign_in(tab, node, "ilse")
    tab.get_by_role("link", name="Members").click()
    tab.get_by_role("link", name="Look at the keepers").click()
    tab.get_by_label("Who", exact=True).select_option(index=1)
    tab.get_by_role("button", name="Name them a keeper").click()
    tab.goto(node.url)
    tab.get_by_role("link", name="Set up cases for your organisation").click()
    step(tab, "Before you begin")
    tab.locator("main .btn.main").click()
    step(tab, "Two keys")
    tab.get_by_role("button", name="Make my key").click()
    type_password(tab)
    step(tab, "Two keys")
    tab.get_by_role("button", name="Make the organisation’s key").click()
    step(tab, "Three sheets of paper")
    tab.get_by_role("button", name="Make the three sheets").click()
    papers = sheets(tab)
    assert [bool(re.fullmatch(r"([0-9A-Z]{4} ){7}[0-9A-Z]{4}", paper)) for paper in papers] == [True] * 3
    pages = printed(tab)
    assert [[paper in page for paper in papers] for page in pages] == [[number == at for number in range(3)] for at in range(3)]
    assert not any("Print this page now" in page or "Leave now" in page for page in pages)
    tab.goto(node.url)  # left, and taken up again
    tab.get_by_role("link", name="Type two of the sheets").click()
    step(tab, "Try two sheets")
    tab.get_by_label("One sheet").fill(papers[1].lower())
    tab.get_by_label("Another sheet").fill(papers[2][:-1] + "?")
    tab.get_by_role("button", name="Try them").click()
    expect(tab.get_by_role("alert")).to_contain_text("eight groups")
    tab.get_by_label("Another sheet").fill(papers[2])
    tab.get_by_role("button", name="Try them").click()
    step(tab, "A second keeper")

    node.run("user", "add", "ruth")
    tab.reload()
    tab.get_by_label("Who", exact=True).select_option(label="ruth")
    tab.get_by_role("button", name="Name them a keeper").click()
    expect(tab.get_by_text("Has no key of their own yet")).to_be_visible()
    other = browser.new_context(locale="en-GB")
    try:
        second = other.new_page()
        sign_in(second, node, "ruth")
        second.get_by_role("link", name="Your settings").click()
        second.get_by_role("link", name="Keys and papers").click()
        tab.reload()
        assert tab.locator(".say").inner_text() == second.locator(".say").inner_text(), "they read them to each other"
        tab.get_by_label("I have heard them read all words").check()
        tab.get_by_role("button", name="Hand them the key").click()
        expect(tab.get_by_text("Holds the key")).to_have_count(2)
        second.goto(node.url + "/keepers")
        expect(second.get_by_text("Cases can be opened", exact=True)).to_be_visible()
    finally:
        other.close()
    tab.locator("main .btn.main").click()
    step(tab, "What now")
    expect(tab.get_by_text("Cases can be opened on this node")).to_be_visible()
    tab.goto(node.url)
    expect(tab.get_by_role("heading", name="For keepers")).to_have_count(0)
    tab.get_by_role("link", name="Keepers").click()
    leave = tab.get_by_role("link", name="Leave now")
    expect(leave).to_have_attribute("rel", "noreferrer")
