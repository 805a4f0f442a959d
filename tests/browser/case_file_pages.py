"""Lists the pages of a case's files: what was shared, one that is refused, one that may show the abuse of a child."""

from playwright.sync_api import Page as Tab

from .page import Page
from .scene import Scene

FILES = "/cases/{case}/files"


def empty(tab: Tab, scene: Scene) -> None:
    """A file without a byte."""
    tab.locator("[name=about]").fill("What she wrote down")
    tab.locator("[name=file]").set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b""})
    tab.locator("form[enctype] button").click()
    tab.wait_for_load_state()


CASE_FILE_PAGES = (
    Page("case-files", FILES, "cases/files.html", "mira"),
    Page("case-files-error", FILES, "cases/files.html", "mira", empty, FILES.replace("{case}", "{id}"), 422),
    Page("case-file-mark", FILES + "/{file}/mark", "cases/mark.html", "mira"),
    Page("case-file-marked", FILES + "/{marked}/mark", "cases/mark.html", "mira"),
)

CASE_FILE_NO_PAGE = {
    "GET /cases/{id}/files/{file}": "a file",
    "POST /cases/{id}/files/{file}/mark": "leads back to its page",
}
