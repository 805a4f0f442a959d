"""Lists the pages of posts that carry files in each of their states."""

from playwright.sync_api import Page as Tab

from .page import Page, fill
from .scene import Scene


def add(tab: Tab, scene: Scene) -> None:
    """Goes from what is being written to the form for a file."""
    tab.locator("[name=act][value=file]").click()
    tab.locator("[type=file]").wait_for()


def untick(tab: Tab, scene: Scene) -> None:
    """Takes a file off what is being written, and looks at it."""
    tab.locator("#files input").uncheck()
    tab.locator("[value=preview]").click()
    tab.locator(".note .text").first.wait_for()


FILE_PAGES = (
    Page("files", "/threads/{carried}?file={flyer}", "discussions/thread.html"),
    Page("files-read", "/threads/{carried}", "discussions/thread.html", "daan"),
    Page("files-untick", "/threads/{carried}?file={flyer}", "discussions/thread.html", act=untick),
    Page("files-add", "/threads/{carried}", "discussions/attach.html", act=add),
    Page("attach", "/attach/{carried}", "discussions/attach.html"),
    Page("files-edit", "/posts/{carrier}/edit", "discussions/edit.html"),
    Page("files-edit-error", "/posts/{carrier}/edit", "discussions/edit.html", act=fill(text=" "), sends="/posts/{id}/edit", status=422),
)
FILE_NO_PAGE = {
    "GET /files/{id}/preview": "a picture",
    "GET /files": "a file, for partners",
    "GET /files/{id}": "a file",
    "POST /files": "leads on, with the file's id",
    "POST /files/{id}/again": "leads back",
    "POST /uploads": "for the script that uploads",
    "HEAD /uploads/{id}": "for the script that uploads",
    "PATCH /uploads/{id}": "for the script that uploads",
    "DELETE /uploads/{id}": "for the script that uploads",
}
