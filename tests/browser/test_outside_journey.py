"""Shows in a real browser without script how a person is referred to an organisation without a node: by link and code, a preview first,
then a yes, words compared, read and done."""

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from .chromium import Windows
from .scene import PASSWORD
from .test_guest_journey import sets_up_a_second_factor

pytestmark = pytest.mark.browser
FIRST = {"reason": "AdditionalServicesRequired", "urgency": "Days", "age": "18-20"}
GROUND = {"what": "Who she is", "why": "A complaint", "without_why": "She cannot be asked today"}


def refers(mira: Tab, place: str) -> tuple[str, str]:
    """(The link, the code) that are shown once."""
    mira.goto(place)
    mira.locator("[name=to][value=outside]").check()
    mira.get_by_label("Who there").fill("Ada Brandt")
    mira.get_by_label("For which organisation they work").fill("Police of Emmerich")
    mira.get_by_label("What it is", exact=True).select_option("LawEnforcement")
    mira.get_by_label("In which country").fill("Germany")
    mira.get_by_role("button", name="Go on").click()
    for name, code in FIRST.items():
        mira.locator(f"[name={name}]").select_option(code)
    mira.locator("[name=support][value=Legal]").check()
    mira.get_by_label("Country", exact=True).fill("Germany")
    mira.get_by_role("button", name="Go on").click()
    mira.locator("[name=take]").first.check()
    mira.get_by_role("button", name="Go on").click()
    for name, text in GROUND.items():
        mira.locator(f"main [name={name}]").fill(text)
    mira.locator("main [name=without]").select_option("Danger")
    mira.locator("main [name=basis][value=VitalInterests]").check()
    mira.locator("main [name=out_of]").fill("Germany")
    mira.get_by_role("button", name="Go on").click()
    mira.get_by_role("button", name="Send the referral").click()
    return mira.locator("main .note .code").first.inner_text(), mira.locator("#code").inner_text()


def says_yes(ada: Tab, link: str, code: str) -> None:
    ada.goto(link)
    expect(ada.locator("main")).not_to_contain_text("Within days")
    ada.get_by_label("The code that you were told").fill(code)
    ada.get_by_role("button", name="Show what is asked").click()
    expect(ada.locator("main")).to_contain_text("Within days")
    ada.get_by_label("Name to sign in with").fill("ada-of-emmerich")
    ada.get_by_label("Password").fill(PASSWORD)
    ada.get_by_role("button", name="Accept").click()
    expect(ada.locator("#referral")).to_contain_text("Accepted")


def test_a_person_is_referred_to_the_police_who_have_no_node_and_say_how_it_came_out(windows: Windows, browser: Browser) -> None:
    scene = windows.scene
    node = scene.busy.url
    theirs = browser.new_context(java_script_enabled=False, locale="en-GB")
    theirs.set_default_timeout(20_000)
    with windows.tab("mira") as mira:
        mira.goto(f"{node}/language/en?next=/")
        scene.lately()
        ada = theirs.new_page()
        link, code = refers(mira, f"{node}/cases/{scene.places['case']}/refer")
        says_yes(ada, link, code)
        sets_up_a_second_factor(ada, scene.busy.kernel.node.now())
        ada.goto(node)
        words = ada.locator("main .say.code").inner_text()
        mira.goto(node + "/referrals")
        mira.locator("#sent").get_by_role("link", name="Ada Brandt, Police of Emmerich").first.click()
        mira.get_by_role("link", name="Compare words and let them in").click()
        mira.locator(".row", has_text="Ada Brandt").get_by_role("link", name="Compare words and let them in").click()
        expect(mira.locator("main .say.code")).to_have_text(words)
        mira.get_by_label("I have heard them read all the words").check()
        mira.get_by_role("button", name="Let them in").click()
        expect(mira.locator(".row", has_text="Ada Brandt").first).to_contain_text("Inside")
        ada.reload()
        ada.locator("#referral summary").click()
        ada.locator("[name=outcome][value=Successful]").check()
        ada.get_by_role("button", name="Say that it is done").click()
        expect(ada.locator("#referral")).to_contain_text("Done")
        ada.get_by_role("link", name="Open the case").click()
        expect(ada.locator("main .seal")).to_contain_text("at Meridian Outreach can read this case")
        mira.goto(node + "/referrals")
        expect(mira.locator("#sent .row", has_text="Police of Emmerich").first).to_contain_text("Done")
    theirs.close()
