"""Lists the pages of guests: asked, coming, at home, on their case; and those of whoever asks and lets them in."""

from playwright.sync_api import Page as Tab

from .case_pages import CASE, unfolded
from .page import Page, fill
from .scene import Scene
from .visited import NOT_COME, ask

GUESTS, JOIN = CASE + "/guests", "/guests/join/{link}"


def asked(tab: Tab, scene: Scene) -> None:
    """Asks somebody in, for whom a link is shown this once."""
    form = tab.locator("form[action$='/guests']")
    form.locator("[name=name]").fill(f"Guest {scene.fresh()}")
    form.locator("[name=works_for]").fill("Interpreters' pool")
    form.locator("[name=type]").select_option("LocalGovernmentOrganisation")
    form.get_by_role("button").click()
    tab.wait_for_load_state()


def declined(tab: Tab, scene: Scene) -> None:
    """Says no to a link of their own."""
    token = scene.run(scene.busy.write(ask, scene, NOT_COME))[1]
    tab.goto(f"{scene.busy.url}/guests/join/{token}")
    tab.locator("aside form .btn").first.click()
    tab.wait_for_load_state()


ASK = "form[action$='/guests'] .btn"
GUEST_PAGES = (
    Page("guests", GUESTS, "guests/list.html", "mira", unfolded),
    Page("guests-error", GUESTS, "guests/list.html", "mira", fill(ASK), "/cases/{id}/guests", 422),
    Page("guests-invitation", GUESTS, "guests/invitation.html", "mira", asked, "/cases/{id}/guests"),
    Page("guests-let-in", GUESTS + "/{sara}", "guests/let_in.html", "mira", unfolded),
    Page("guests-let-in-error", GUESTS + "/{sara}", "guests/let_in.html", "mira", fill(), "/cases/{id}/guests/{guest}", 422),
    Page("guest-join", JOIN, "guests/join.html", ""),
    Page("guest-join-error", JOIN, "guests/join.html", "", fill(username="bo", password="short"), "/guests/join/{token}", 422),
    Page("guest-declined", "/login", "guests/declined.html", "", declined, "/guests/join/{token}"),
    Page("guest-home", "/guest", "guests/home.html", "sara"),
    Page("guest-home-in", "/guest", "guests/home.html", "lin"),
    Page("guest-case", CASE, "cases/timeline.html", "lin"),
    Page("guest-case-people", CASE + "/people", "cases/people.html", "lin"),
    Page("guest-case-tasks", CASE + "/tasks", "cases/tasks.html", "lin", unfolded),
    Page("guest-keys", "/settings/keys", "members/keys.html", "lin"),
    Page("guest-nothing", "/groups", "base/error.html", "lin", status=404),
    Page("members-guests", "/admin/members", "admin/members.html", "ilse", unfolded),
)

GUEST_NO_PAGE = {"POST /cases/{id}/guests/{guest}/end": "leads back to the list of guests"}
