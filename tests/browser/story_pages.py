"""Lists the pages of stories, and of the flows between conversations and the library."""

from playwright.sync_api import Page as Tab

from .page import Act, Page, fill
from .scene import Scene


def show_code(name: str, then: str = "") -> Act:
    """Types a code that the scene has; `then` presses another button on the page that comes."""

    def act(tab: Tab, scene: Scene) -> None:
        tab.locator("[name=code]").fill(scene.places[name])
        tab.locator("main .btn.main").click()
        tab.wait_for_load_state()
        if then:
            tab.locator("summary").first.click()
            tab.locator(then).click()
            tab.wait_for_load_state()

    return act


def new_sheet(tab: Tab, scene: Scene) -> None:
    """A moderator makes another code, which is shown once."""
    tab.locator("form[action$='/code'] .btn").click()
    tab.wait_for_load_state()


STORY_PAGES = (
    Page("stories", "/stories", "stories/list.html"),
    Page("stories-none", "/stories", "stories/list.html", who="sokha"),
    Page("story-new", "/stories/new", "stories/form.html"),
    Page("story-new-error", "/stories/new", "stories/form.html", act=fill(title="Two years"), sends="/stories/new", status=422),
    Page("story-edit", "/stories/{story_told}/edit", "stories/form.html"),
    Page("story-edit-error", "/stories/{story}/edit", "stories/form.html", act=fill(title=" "), sends="/stories/{id}/edit", status=422),
    Page("story-check", "/stories/{story}", "stories/story.html"),
    Page("story-own", "/stories/{story}", "stories/story.html", who="daan"),
    Page("story-check-changed", "/stories/{story_changed}", "stories/story.html"),
    Page("story-told", "/stories/{story_told}", "stories/story.html"),
    Page("story-gone", "/stories/{story_gone}", "stories/story.html"),
    Page("story-check-error", "/stories/{story}", "stories/story.html", act=fill(), sends="/stories/{id}/check", status=422),
    Page("story-sheet", "/stories/{story}", "stories/sheet.html", act=new_sheet, sends="/stories/{id}/code"),
    Page("story-renew", "/stories/{story_told}/renew", "stories/renew.html"),
    Page("story-renew-error", "/stories/{story_told}/renew", "stories/renew.html", act=fill(), sends="/stories/{id}/renew", status=422),
    Page("story-withdraw", "/stories/{story}/withdraw", "stories/withdraw.html"),
    Page("take-back", "/take-back", "stories/code.html", who=""),
    Page("take-back-slip", "/take-back", "stories/code.html", who="", act=fill(code="123"), sends="/take-back", status=422),
    Page("take-back-stands", "/take-back", "stories/standing.html", who="", act=show_code("code"), sends="/take-back"),
    Page("take-back-some", "/take-back", "stories/standing.html", who="", act=show_code("code", "[value=some]"), sends="/take-back"),
    Page("take-back-gone", "/take-back", "stories/standing.html", who="", act=show_code("code_gone"), sends="/take-back"),
    Page("thread-to-library", "/threads/{thread}/to-library", "flows/close.html"),
    Page(
        "thread-to-library-error",
        "/threads/{thread}/to-library",
        "flows/close.html",
        act=fill(title=" "),
        sends="/threads/{id}/to-library",
        status=422,
    ),
    Page("resource-discuss", "/library/{story_resource}/discuss", "flows/discuss.html"),
    Page(
        "resource-discuss-error",
        "/library/{story_resource}/discuss",
        "flows/discuss.html",
        act=fill(),
        sends="/library/{id}/discuss",
        status=422,
    ),
)
STORY_NO_PAGE = {
    "POST /stories/{id}/withdraw": "leads to the list",
}
