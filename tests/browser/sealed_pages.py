"""Lists the pages of sealed groups: mine, a new one, its conversations and posts, resources, who is in it, an invitation answered."""

from playwright.sync_api import Page as Tab

from .case_pages import unfolded
from .page import Act, Page, fill
from .scene import Scene

GROUP = "/sealed/{sealed}"
POST, OTHER = GROUP + "/posts/{sealed_post}", GROUP + "/posts/{sealed_other}"


def previewed(**fields: str) -> Act:
    return fill("[value=preview]", **fields)


def searched(tab: Tab, scene: Scene) -> None:
    tab.locator("#q").fill("kitchen")
    tab.locator("form[action$='/search'] button").last.click()
    tab.wait_for_load_state()


def empty(tab: Tab, scene: Scene) -> None:
    """A file without a byte."""
    tab.locator("[name=file]").set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b""})
    tab.locator("form[enctype] button").click()
    tab.wait_for_load_state()


def nobody(tab: Tab, scene: Scene) -> None:
    """Says yes without anybody who takes part."""
    for box in tab.locator("main [name=person]").all():
        box.uncheck()
    fill()(tab, scene)


SEALED_PAGES = (
    Page("sealed", "/sealed", "rooms/list.html", "mira"),
    Page("sealed-asked", "/sealed", "rooms/list.html", "tomas"),
    Page("sealed-keeper", "/sealed", "rooms/list.html", "noor"),
    Page("sealed-off", "/sealed", "rooms/list.html", "sokha"),
    Page("sealed-new", "/sealed/new", "rooms/new.html", "mira"),
    Page("sealed-new-error", "/sealed/new", "rooms/new.html", "mira", fill(about="No name"), "/sealed/new", 422),
    Page("sealed-group", GROUP, "rooms/group.html", "mira"),
    Page("sealed-older", GROUP, "rooms/group.html", "tomas", fill(".pager .btn")),
    Page("sealed-search", GROUP, "rooms/search.html", "mira", searched, "/sealed/{id}/search"),
    Page("sealed-start", GROUP + "/start", "rooms/start.html", "mira"),
    Page("sealed-preview", GROUP + "/start", "rooms/start.html", "mira", previewed(title="A question", text="Is *this* new?")),
    Page("sealed-start-error", GROUP + "/start", "rooms/start.html", "mira", fill(text="No title"), "/sealed/{id}/start", 422),
    Page("sealed-thread", GROUP + "/threads/{sealed_thread}", "rooms/conversation.html", "mira", unfolded),
    Page(
        "sealed-answer-error",
        GROUP + "/threads/{sealed_thread}",
        "rooms/conversation.html",
        "tomas",
        fill("[value=send]", text=" "),
        "/sealed/{id}/threads/{row}",
        422,
    ),
    Page("sealed-resources", GROUP + "/resources", "rooms/resources.html", "mira"),
    Page(
        "sealed-resources-error",
        GROUP + "/resources",
        "rooms/resources.html",
        "mira",
        fill("[value=send]", title="A guide"),
        "/sealed/{id}/resources",
        422,
    ),
    Page("sealed-about", GROUP + "/about", "rooms/about.html", "mira"),
    Page("sealed-about-error", GROUP + "/about", "rooms/about.html", "mira", fill(name=" "), "/sealed/{id}/about", 422),
    Page("sealed-edit", POST + "/edit", "rooms/edit.html", "mira"),
    Page("sealed-edit-error", POST + "/edit", "rooms/edit.html", "mira", fill(text=" "), "/sealed/{id}/posts/{row}/edit", 422),
    Page("sealed-file", POST + "/file", "rooms/file.html", "mira"),
    Page("sealed-file-error", POST + "/file", "rooms/file.html", "mira", empty, "/sealed/{id}/posts/{row}/file", 422),
    Page("sealed-file-mark", GROUP + "/files/{sealed_file}/mark", "rooms/mark.html", "mira"),
    Page("sealed-file-marked", GROUP + "/files/{sealed_marked}/mark", "rooms/mark.html", "tomas"),
    Page("sealed-history", OTHER + "/history", "rooms/history.html", "mira"),
    Page("sealed-remove", POST + "/remove", "rooms/remove.html", "mira"),
    Page("sealed-people", GROUP + "/people", "rooms/members.html", "mira", unfolded),
    Page("sealed-named", "/sealed/{named}/people", "rooms/members.html", "mira", unfolded),
    Page("sealed-record", GROUP + "/record", "rooms/record.html", "mira"),
    Page("sealed-export", GROUP + "/export", "rooms/export.html", "mira"),
    Page("sealed-end", GROUP + "/end", "rooms/end.html", "mira"),
    Page("sealed-end-not", GROUP + "/end", "rooms/end.html", "tomas"),
    Page("sealed-ended", "/sealed/ended", "rooms/ended.html", "mira", unfolded),
    Page("sealed-asks", "/sealed/{invited}/answer", "rooms/answer.html", "mira", unfolded),
    Page("sealed-asks-name", "/sealed/{named}/answer", "rooms/answer.html", "tomas"),
    Page("sealed-asks-error", "/sealed/{invited}/answer", "rooms/answer.html", "mira", nobody, "/sealed/{id}/answer", 422),
)

SEALED_NO_PAGE = {
    "GET /sealed/{id}/posts/{row}": "leads to the post's place in its conversation",
    "GET /sealed/{id}/files/{file}": "a file",
    "POST /sealed/{id}/files/{file}/mark": "leads back to its page",
    "POST /sealed/{id}/posts/{row}/remove": "leads to the conversation",
    "POST /sealed/{id}/export": "a file",
    "POST /sealed/{id}/end": "leads to the ended groups",
    "POST /sealed/{id}/end/hold": "leads back to the ended groups",
    "POST /sealed/{id}/end/let-go": "leads back to the ended groups",
    "POST /sealed/{id}/people": "leads back to who is in it",
}
