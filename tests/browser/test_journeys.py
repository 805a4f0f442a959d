"""Shows the main job in a real browser, between real processes: one profile on two nodes, with script and without; and joining."""

import time

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from playwright.sync_api import Page as Tab

from tests.journeys.processes import Process, until

pytestmark = pytest.mark.browser
PASSWORD = "four plain words here"


def sign_in(tab: Tab, node: Process) -> None:
    """By a one-time link, choosing a password."""
    tab.goto(node.json("login-link", "ilse")["link"])
    tab.get_by_role("button", name="Sign in").click()
    tab.get_by_label("New password").fill(PASSWORD)
    tab.get_by_role("button", name="Save the password").click()
    read = tab.get_by_role("button", name="I have read this")
    if read.is_visible():
        read.click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("What is new")


def appears(tab: Tab, address: str, words: str) -> None:
    """Opens a page until the words are on it: what a partner sent takes a moment."""

    def there() -> bool:
        tab.goto(address)
        return tab.get_by_text(words, exact=True).first.is_visible()

    until(words, there)


def test_one_profile_writes_on_one_node_answers_on_another_and_reads_the_answer_on_the_first(
    pair: tuple[Process, Process], profile: BrowserContext, request: pytest.FixtureRequest
) -> None:
    one, other = pair
    title, answer = f"Adverts, {request.node.callspec.id}", f"We see them too, {request.node.callspec.id}."
    first, second = profile.new_page(), profile.new_page()
    sign_in(first, one)
    first.get_by_role("link", name="Leads").click()
    first.get_by_role("link", name="Start a discussion").click()
    first.get_by_label("Title").fill(title)
    first.get_by_label("Text").fill("What do *you* see?")
    first.get_by_role("button", name="See it first").click()
    expect(first.locator(".note em")).to_have_text("you")
    first.locator("button[value=send]").click()
    expect(first.get_by_role("heading", level=1)).to_have_text(title)

    sign_in(second, other)
    appears(second, other.url, title)
    second.get_by_role("link", name=title).click()
    expect(second.locator(".post.partner .text em")).to_have_text("you")
    second.get_by_label("Your answer").fill(answer)
    second.locator("button[value=send]").click()
    expect(second.get_by_text(answer, exact=True)).to_be_visible()

    appears(first, first.url, answer)
    expect(first.locator(".post.partner .by")).to_contain_text("Ilse 2")
    expect(first.get_by_role("button", name="Send to")).to_be_visible()
    names = {str(cookie.get("name")) for cookie in profile.cookies()}
    assert {f"session-{one.port}", f"session-{other.port}"} <= names


def test_an_invitation_takes_a_newcomer_from_the_link_to_a_first_answer(
    pair: tuple[Process, Process], profile: BrowserContext, browser: Browser, request: pytest.FixtureRequest
) -> None:
    one, _ = pair
    admin, name = profile.new_page(), f"noor.{len(request.node.callspec.id)}"
    sign_in(admin, one)
    admin.get_by_role("link", name="Members").click()
    admin.get_by_role("button", name="Make a link").click()
    link = admin.locator(".note .code").inner_text()
    fresh = browser.new_context(locale="en-GB")
    try:
        newcomer = fresh.new_page()
        newcomer.goto(link)
        newcomer.get_by_label("Name that others see").fill("Noor A.")
        newcomer.get_by_label("Name to sign in with").fill(name)
        newcomer.get_by_label("Password").fill(PASSWORD)
        newcomer.get_by_role("button", name="Join").click()
        newcomer.get_by_role("link", name="Leads").click()
        expect(newcomer.get_by_role("heading", level=1)).to_have_text("Leads")
        newcomer.goto(link)
        expect(newcomer.get_by_role("heading", level=1)).to_have_text("Not done")
    finally:
        fresh.close()
    admin.goto(one.url + "/admin/members")
    expect(admin.get_by_text(name, exact=True)).to_be_visible()


def test_a_person_sets_a_second_factor_up_and_signs_in_by_the_code_that_an_app_shows(
    pair: tuple[Process, Process], profile: BrowserContext
) -> None:
    _, node = pair
    tab = profile.new_page()
    sign_in(tab, node)
    tab.goto(node.url + "/settings")
    tab.get_by_role("link", name="Second factor").click()
    tab.get_by_role("button", name="Begin").click()
    app = pyotp.TOTP(tab.locator(".code").inner_text().replace(" ", ""))
    tab.get_by_label("The code that it shows now").fill(app.now())
    tab.get_by_role("button", name="Switch it on").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    recovery = tab.locator("li [translate=no]").first.inner_text()
    tab.get_by_role("link", name="I have kept them").click()
    for code in (app.at(int(time.time()) + 30), recovery):  # this step's code was used up by switching it on
        tab.goto(node.url + "/settings")
        tab.get_by_role("button", name="Sign out").click()
        tab.goto(node.url + "/login?next=/groups")
        tab.get_by_label("Name to sign in with").fill("ilse")
        tab.get_by_label("Password").fill(PASSWORD)
        tab.get_by_role("button", name="Sign in").click()
        tab.get_by_label("The code that your app shows now").fill(code)
        tab.get_by_role("button", name="Sign in").click()
        expect(tab).to_have_url(node.url + "/groups")
    node.run("user", "reset-factor", "ilse")
    tab.goto(node.url + "/groups")
    expect(tab.get_by_role("link", name="Sign in")).to_be_visible()


def test_who_is_signed_out_while_writing_signs_in_and_has_the_text_back(pair: tuple[Process, Process], profile: BrowserContext) -> None:
    one, _ = pair
    tab, text = profile.new_page(), "Three adverts,\n\none picture."
    sign_in(tab, one)
    tab.get_by_role("link", name="Leads").click()
    tab.get_by_role("link", name="Start a discussion").click()
    tab.get_by_label("Title").fill("Kept")
    tab.get_by_label("Text").fill(text)
    profile.clear_cookies(name=f"session-{one.port}")
    tab.locator("button[value=send]").click()
    expect(tab.get_by_role("status")).to_contain_text("Your text is safe")
    tab.get_by_label("Name").fill("ilse")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_label("Title")).to_have_value("Kept")
    expect(tab.get_by_label("Text")).to_have_value(text)
    tab.locator("button[value=send]").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Kept")
