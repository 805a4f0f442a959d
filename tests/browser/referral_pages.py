"""Lists the pages of referrals: those that came and were sent, one of each, sending one step by step, what is to be erased."""

from playwright.sync_api import Page as Tab

from .case_pages import CASE, unfolded
from .page import Page, fill
from .scene import Scene


def to_whom(tab: Tab, scene: Scene) -> None:
    """Chooses the organisation, and goes on to what it sees first."""
    tab.locator("main [name=to]:not([disabled])").first.check()
    fill("[value=on]")(tab, scene)


def coarse(tab: Tab, scene: Scene) -> None:
    """Goes on with nothing filled in."""
    to_whom(tab, scene)
    fill("[value=on]")(tab, scene)


def keeps(tab: Tab, scene: Scene) -> None:
    """Keeps what is to be erased, and has not said on which ground."""
    unfolded(tab, scene)
    fill("[value=keep]")(tab, scene)


ONE = "/referrals/{came}"
REFERRAL_PAGES = (
    Page("referrals", "/referrals", "referrals/list.html", "mira"),
    Page("referrals-keeper", "/referrals", "referrals/list.html", "noor"),
    Page("referrals-none", "/referrals", "referrals/list.html", "vera"),
    Page("referral-came", ONE, "referrals/one.html", "noor", unfolded),
    Page("referral-came-error", ONE, "referrals/one.html", "noor", fill("form[action$='/accept'] button"), "/referrals/{id}/accept", 422),
    Page("referral-sent", "/referrals/{sent}", "referrals/one.html", "mira", unfolded),
    Page("referral-erase", "/referrals/to-erase", "referrals/erase.html", "noor", unfolded),
    Page("referral-erase-error", "/referrals/to-erase", "referrals/erase.html", "noor", keeps, "/referrals/to-erase", 422),
    Page("refer", CASE + "/refer", "flows/refer.html", "mira"),
    Page("refer-error", CASE + "/refer", "flows/refer.html", "mira", fill("[value=on]"), "/cases/{id}/refer", 422),
    Page("refer-first", CASE + "/refer", "flows/refer.html", "mira", to_whom, "/cases/{id}/refer"),
    Page("refer-first-error", CASE + "/refer", "flows/refer.html", "mira", coarse, "/cases/{id}/refer", 422),
)

REFERRAL_NO_PAGE = {
    "GET /referrals/{id}/box": "a box, for partners",
    "POST /cases/{id}/refer/send": "leads to the referral",
    "POST /referrals/{id}/assign": "leads back to the referral",
    "POST /referrals/{id}/decline": "leads back to the referral",
    "POST /referrals/{id}/take-back": "leads back to the referral",
    "POST /referrals/{id}/finish": "leads back to the referral",
}
