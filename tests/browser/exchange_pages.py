"""Lists the pages of imports in each of their states."""

from playwright.sync_api import Page as Tab

from .page import Page, fill
from .scene import Scene


def wrong(tab: Tab, scene: Scene) -> None:
    """A text of no format."""
    fill("form .btn.main", text="What is this?")(tab, scene)


def none_chosen(tab: Tab, scene: Scene) -> None:
    tab.locator("[name=row]").evaluate_all("boxes => boxes.forEach(box => { box.checked = false })")
    tab.locator("[value=import]").click()
    tab.wait_for_load_state()


AT, FORM = "/library/import/{import}", "resources/exchange/import.html"
ROWS, CORRECT = "resources/exchange/rows.html", "resources/exchange/text.html"
EXCHANGE_PAGES = (
    Page("import-form", "/library/import", FORM),
    Page("import-form-first", "/library/import", FORM, who="sokha"),
    Page("import-form-error", "/library/import", FORM, act=wrong, sends="/library/import", status=422),
    Page("import-preview", AT, ROWS),
    Page("import-preview-none", AT, ROWS, act=none_chosen, sends="/library/import/{id}", status=422),
    Page("import-long", "/library/import/{import_long}?page=2", ROWS),
    Page("import-running", "/library/import/{import_running}", ROWS),
    Page("import-done", "/library/import/{import_done}", ROWS),
    Page("import-text", AT + "/text", CORRECT),
    Page("import-text-unread", "/library/import/{import_unread}/text", CORRECT),
)
EXCHANGE_NO_PAGE = {
    "GET /library/import/{id}/file": "a file",
    "GET /library/import/{id}/report.csv": "a file",
    "POST /library/import/{id}/text": "leads to the preview",
    "GET /library/export": "a file",
    "GET /library/feed": "for feed readers",
    "GET /oai": "for harvesters",
    "POST /oai": "for harvesters",
}
