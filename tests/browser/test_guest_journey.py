"""Shows a guest's whole way in a real browser without script: asked, come, a second factor, let in by words, at work, ended."""

import re

import pyotp
import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from fedcollab.base.clock import MICROSECONDS

from .chromium import Windows
from .guest_pages import GUESTS
from .scene import PASSWORD

pytestmark = pytest.mark.browser
SAID = {"what": "What is needed for the complaint", "why": "She wants to report it", "without_why": "He knows where she sleeps"}


def asks(mira: Tab, place: str) -> str:
    """The link that is shown once."""
    mira.goto(place)
    mira.get_by_label("Their name").fill("Ada Brandt")
    mira.get_by_label("For which organisation they work").fill("Police of Emmerich")
    mira.get_by_label("What it is", exact=True).select_option("LawEnforcement")
    mira.get_by_role("button", name="Make the link").click()
    return mira.locator("main .note .code").inner_text()


def comes(ada: Tab, link: str) -> None:
    ada.goto(link)
    expect(ada.get_by_role("heading", level=1)).to_have_text("Meridian Outreach asks you to work on a case")
    ada.get_by_label("Name to sign in with").fill("Ada")
    ada.get_by_label("Password").fill(PASSWORD)
    ada.get_by_role("button", name="I come").click()
    expect(ada.get_by_role("heading", level=1)).to_have_text("Your case")


def sets_up_a_second_factor(ada: Tab, now: int) -> None:
    ada.get_by_role("link", name="Second factor").click()
    ada.get_by_role("button", name="Begin").click()
    app = pyotp.TOTP(ada.locator("main .qr + .code").inner_text().replace(" ", ""))
    ada.get_by_label("The code that it shows now").fill(app.at(now // MICROSECONDS))
    ada.get_by_role("button", name="Switch it on").click()


def lets_in(mira: Tab, place: str, words: str) -> None:
    mira.goto(place)
    mira.locator(".row", has_text="Ada Brandt").get_by_role("link", name="Compare words and let them in").click()
    expect(mira.locator("main .say.code")).to_have_text(words)
    mira.get_by_label("I have heard them read all the words").check()
    for name, text in SAID.items():
        mira.locator(f"main [name={name}]").fill(text)
    mira.locator("main [name=without]").select_option("Danger")
    mira.locator("main [name=basis][value=VitalInterests]").check()
    for name in ("out_of", "into"):
        mira.locator(f"main [name={name}]").fill("Germany")
    mira.get_by_role("button", name="Let them in").click()
    expect(mira.locator(".row", has_text="Ada Brandt").first).to_contain_text("Inside")


def test_a_guest_comes_by_a_link_works_one_case_and_is_out_when_it_is_ended(windows: Windows, browser: Browser) -> None:
    scene = windows.scene
    node = scene.busy.url
    place = node + GUESTS.format(**scene.places)
    theirs = browser.new_context(java_script_enabled=False, locale="en-GB")
    theirs.set_default_timeout(20_000)
    with windows.tab("mira") as mira:
        scene.lately()
        ada = theirs.new_page()
        comes(ada, asks(mira, place))
        sets_up_a_second_factor(ada, scene.busy.kernel.node.now())
        ada.goto(node)
        expect(ada.locator("main")).to_contain_text("You read nothing yet")
        lets_in(mira, place, ada.locator("main .say.code").inner_text())
        ada.reload()
        ada.get_by_role("link", name="Open the case").click()
        expect(ada.locator("main .seal")).to_contain_text("at Meridian Outreach can read this case")
        ada.locator("summary", has_text="Message").click()
        ada.get_by_label("Your message").fill("We have opened a file.")
        ada.get_by_role("button", name="Send the message").click()
        expect(ada.locator(".tl li").first).to_contain_text("We have opened a file.")
        mira.goto(node + f"/cases/{scene.places['case']}")
        expect(mira.locator(".tl li").first).to_contain_text(re.compile(r"Ada Brandt, Police of Emmerich · Guest of"))
        mira.goto(place)
        row = mira.locator(".row", has_text="Ada Brandt").first
        row.locator("summary").click()
        row.get_by_role("button", name="End it now").click()
        ada.reload()
        expect(ada.get_by_role("button", name="Sign in")).to_be_visible()
        mira.goto(node + f"/cases/{scene.places['case']}")
        expect(mira.locator(".tl li").first).to_contain_text("A guest has ended")
    theirs.close()
