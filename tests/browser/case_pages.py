"""Lists the pages of cases: mine, a new one, the timeline, tasks, who can read it, an invitation made and answered."""

from playwright.sync_api import Page as Tab

from .page import Page, fill
from .scene import Scene

CASE = "/cases/{case}"


def unfolded(tab: Tab, scene: Scene) -> None:
    """Opens all that is folded."""
    tab.evaluate("() => document.querySelectorAll('main details').forEach(one => { one.open = true; })")


def decided(tab: Tab, scene: Scene) -> None:
    """A decision without its reason."""
    form = tab.locator("form[action$='/say/decision']")
    unfolded(tab, scene)
    form.locator("[name=what]").fill("No address is shared.")
    form.locator("button").click()
    tab.wait_for_load_state()


def searched(tab: Tab, scene: Scene) -> None:
    unfolded(tab, scene)
    tab.locator("#q").fill("lawyer")
    tab.locator("form[action$='/search'] button").last.click()
    tab.wait_for_load_state()


def chosen(tab: Tab, scene: Scene) -> None:
    """Goes on to the ground of an invitation."""
    tab.locator("main [name=whom]:not([disabled])").first.check()
    fill()(tab, scene)


def groundless(tab: Tab, scene: Scene) -> None:
    chosen(tab, scene)
    fill(what="What the lawyer needs to know")(tab, scene)


def another(tab: Tab, scene: Scene) -> None:
    """The code of another case."""
    fill(".btn.bad", code="bafuko-tezara")(tab, scene)


CASE_PAGES = (
    Page("cases", "/cases", "cases/list.html", "mira"),
    Page("cases-keeper", "/cases", "cases/list.html", "noor"),
    Page("cases-shut", "/cases", "cases/list.html", "vera"),
    Page("case-new", "/cases/new", "cases/new.html", "mira"),
    Page("case-new-error", "/cases/new", "cases/new.html", "mira", fill(review="2020-01-01"), "/cases/new", 422),
    Page("case-new-shut", "/cases/new", "cases/new.html", "vera"),
    Page("case", CASE, "cases/timeline.html", "mira"),
    Page("case-unfolded", CASE, "cases/timeline.html", "mira", unfolded),
    Page("case-error", CASE, "cases/timeline.html", "mira", decided, "/cases/{id}/say/{kind}", 422),
    Page("case-adding", CASE + "/new", "cases/adding.html", "mira"),
    Page("case-search", CASE, "cases/search.html", "mira", searched, "/cases/{id}/search"),
    Page("case-tasks", CASE + "/tasks", "cases/tasks.html", "mira", unfolded),
    Page("case-tasks-error", CASE + "/tasks", "cases/tasks.html", "mira", fill(), "/cases/{id}/tasks", 422),
    Page("case-access", CASE + "/access", "cases/access.html", "mira", unfolded),
    Page(
        "case-access-error",
        CASE + "/access",
        "cases/access.html",
        "mira",
        fill("form[action$='/assign'] button"),
        "/cases/{id}/access/assign",
        422,
    ),
    Page("case-invite", "/cases/{alone}/access/invite", "cases/invite.html", "mira"),
    Page("case-invite-error", "/cases/{alone}/access/invite", "cases/invite.html", "mira", fill(), "/cases/{id}/access/invite/to", 422),
    Page("case-ground", "/cases/{alone}/access/invite", "cases/invite_ground.html", "mira", chosen, "/cases/{id}/access/invite/to"),
    Page(
        "case-ground-error",
        "/cases/{alone}/access/invite",
        "cases/invite_ground.html",
        "mira",
        groundless,
        "/cases/{id}/access/invite",
        422,
    ),
    Page("case-week", "/cases/read", "cases/week.html", "mira"),
    Page("case-end", "/cases/{alone}/end", "cases/end.html", "mira"),
    Page("case-end-held", CASE + "/end", "cases/end.html", "mira"),
    Page("case-end-error", "/cases/{alone}/end", "cases/end.html", "mira", another, "/cases/{id}/end", 422),
    Page("cases-ended", "/cases/ended", "cases/ended.html", "mira", unfolded),
    Page("case-record", CASE + "/record", "cases/record.html", "mira"),
    Page("case-export", CASE + "/export", "cases/export.html", "mira"),
    Page("case-answer", "/cases/{asked}/answer", "cases/answer.html", "mira"),
    Page("case-assign", "/cases/{nobodys}/assign", "cases/assign.html", "noor"),
    Page("case-assign-error", "/cases/{nobodys}/assign", "cases/assign.html", "noor", fill(), "/cases/{id}/assign", 400),
)

CASE_NO_PAGE = {
    "POST /cases/{id}/end/hold": "leads back to the ended cases",
    "POST /cases/{id}/end/let-go": "leads back to the ended cases",
    "POST /cases/{id}/export": "gives a file",
    "POST /cases/{id}/tasks/progress": "leads back to the tasks",
    "POST /cases/{id}/answer": "leads to the list of cases",
    "POST /cases/{id}/access/unassign": "leads back to the access list",
    "POST /cases/{id}/access/needs": "leads back to the access list",
    "POST /cases/{id}/access/withdraw": "leads back to the access list",
    "POST /cases/{id}/access/remove": "leads back to the access list",
    "POST /cases/{id}/access/leave": "leads to the list of cases",
}
