"""Lists the pages of referrals: those that came and were sent, one of each, sending one step by step, what is to be erased; and those by
which an organisation without a node is asked and answers."""

from playwright.sync_api import Page as Tab

from fedcollab.features.referrals import outside

from .case_pages import CASE, unfolded
from .page import Page, fill
from .referred import CODE
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


def without_node(tab: Tab, scene: Scene) -> None:
    """Chooses an organisation without a node, and does not say which."""
    tab.locator("main [name=to][value=outside]").check()
    fill("[value=on]")(tab, scene)


def guesses(tab: Tab, scene: Scene) -> None:
    """Types another code; that is not counted against those who look at this page next."""
    fill(code="1234 0000")(tab, scene)
    scene.run(scene.busy.write(lambda session, _: outside.forget_tries(session, outside.found(session, scene.places["waits"]))))


def opens(tab: Tab, scene: Scene) -> None:
    """Types the code."""
    fill(code=CODE)(tab, scene)


def no_reason(tab: Tab, scene: Scene) -> None:
    """Declines, and has chosen no reason."""
    opens(tab, scene)
    fill("aside form .btn")(tab, scene)


def no_outcome(tab: Tab, scene: Scene) -> None:
    """Says that it is done, and not how it came out."""
    unfolded(tab, scene)
    fill("#referral .btn")(tab, scene)


LINK = "/guests/join/{waits_link}"
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
    Page("referral-sent-outside", "/referrals/{waits}", "referrals/one.html", "mira", unfolded),
    Page("referral-accepted-outside", "/referrals/{vic}", "referrals/one.html", "mira", unfolded),
    Page("referral-let-in", "/cases/{vic_room}/guests/{vic}", "guests/let_in.html", "mira"),
    Page("referral-link", LINK, "guests/join.html", ""),
    Page("referral-link-error", LINK, "guests/join.html", "", guesses, "/guests/join/{token}", 422),
    Page("referral-link-open", LINK, "guests/join.html", "", opens, "/guests/join/{token}"),
    Page("referral-link-no", LINK, "guests/join.html", "", no_reason, "/guests/join/{token}", 422),
    Page("guest-home-referral", "/guest", "guests/home.html", "vic", unfolded),
    Page("guest-home-referral-error", "/guest", "guests/home.html", "vic", no_outcome, "/guest/referral", 422),
    Page("refer-outside-error", CASE + "/refer", "flows/refer.html", "mira", without_node, "/cases/{id}/refer", 422),
    Page("refer", CASE + "/refer", "flows/refer.html", "mira"),
    Page("refer-error", CASE + "/refer", "flows/refer.html", "mira", fill("[value=on]"), "/cases/{id}/refer", 422),
    Page("refer-first", CASE + "/refer", "flows/refer.html", "mira", to_whom, "/cases/{id}/refer"),
    Page("refer-first-error", CASE + "/refer", "flows/refer.html", "mira", coarse, "/cases/{id}/refer", 422),
)

REFERRAL_NO_PAGE = {
    "GET /referrals/{id}/box": "a box, for partners",
    "POST /cases/{id}/refer/send": "leads to the referral",
    "POST /referrals/{id}/assign": "leads back to the referral",
    "POST /referrals/{id}/decline": "leads back to the list",
    "POST /referrals/{id}/take-back": "leads back to the referral",
    "POST /referrals/{id}/finish": "leads back to the referral",
}
