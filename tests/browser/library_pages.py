"""Lists the pages of the library in each of their states."""

from playwright.sync_api import Page as Tab

from .page import Act, Page, fill
from .scene import Scene


def folded(tab: Tab, scene: Scene) -> None:
    """Opens all that is folded."""
    for one in tab.locator("main summary").all():
        one.click()


def changed_meanwhile(tab: Tab, scene: Scene) -> None:
    """Two people have had the form open; the second one sends it."""
    tab.locator("[name=revision]").evaluate("field => { field.value = '1' }")
    fill(title="Another title", year="2024", countries="Nepal")(tab, scene)


def keep(tab: Tab, scene: Scene) -> None:
    tab.locator("[name=title]").fill("Half a guide")
    tab.locator("[value=keep]").click()
    tab.locator("#kept .meta").wait_for()


def send(**fields: str) -> Act:
    return fill("form:not(.line) .btn.main", **fields)


def withdraw(tab: Tab, scene: Scene) -> None:
    fill(".btn.bad")(tab, scene)


AT = "/library/{resource}"
LIBRARY_PAGES = (
    Page("library", "/library", "resources/library.html"),
    Page("library-told", "/library", "resources/library.html", who="daan"),
    Page("library-empty", "/library", "resources/library.html", who="sokha"),
    Page("library-public", "/library", "resources/library.html", who=""),
    Page("library-found", "/library?q=contract&topic=LegalAdvice", "resources/library.html"),
    Page("library-filter", "/library?by=all", "resources/library.html"),
    Page("library-nothing", "/library?q=giraffe", "resources/library.html"),
    Page("resource", AT, "resources/resource.html"),
    Page("resource-open", AT, "resources/resource.html", act=folded),
    Page("resource-adder", AT, "resources/resource.html", who="daan"),
    Page("resource-public", AT, "resources/resource.html", who=""),
    Page("resource-partner", "/library/{partners}", "resources/resource.html"),
    Page("resource-arabic", "/library/{card}", "resources/resource.html"),
    Page("resource-withdrawn", "/library/{withdrawn}", "resources/resource.html"),
    Page("resource-new", "/library/new", "resources/new.html"),
    Page("resource-new-error", "/library/new", "resources/new.html", act=send(year="last"), sends="/library/new", status=422),
    Page("resource-new-kept", "/library/new", "resources/new.html", act=keep),
    Page("resource-edit", AT + "/edit", "resources/edit.html"),
    Page("resource-edit-both", AT + "/edit", "resources/edit.html", act=changed_meanwhile, sends="/library/{id}/edit", status=409),
    Page("resource-version", AT + "/version", "resources/version.html"),
    Page("resource-version-error", AT + "/version", "resources/version.html", act=send(), sends="/library/{id}/version", status=422),
    Page("resource-withdraw", AT + "/withdraw", "resources/withdraw.html"),
    Page("resource-withdraw-error", AT + "/withdraw", "resources/withdraw.html", act=withdraw, sends="/library/{id}/withdraw", status=422),
    Page("resource-withdraw-old", AT + "/withdraw?number=2", "resources/withdraw.html"),
    Page("resource-delete", AT + "/delete", "resources/delete.html"),
    Page("resource-audience", AT + "/audience", "resources/audience.html"),
    Page("resource-translations", AT + "/translations", "resources/translations.html"),
    Page(
        "resource-translations-error",
        AT + "/translations",
        "resources/translations.html",
        act=send(address="elsewhere"),
        sends="/library/{id}/translations",
        status=422,
    ),
    Page("note", AT + "/note", "resources/note.html"),
    Page("note-error", AT + "/note", "resources/note.html", act=send(country="Nowhere"), sends="/library/{id}/note", status=422),
    Page("note-edit", "/library/notes/{country_note}/edit", "resources/note.html"),
    Page("note-remove", "/library/notes/{partners_note}/remove", "resources/remove_note.html"),
    Page(
        "note-remove-error",
        "/library/notes/{partners_note}/remove",
        "resources/remove_note.html",
        act=withdraw,
        sends="/library/notes/{id}/remove",
        status=422,
    ),
    Page("due", "/review", "resources/due.html"),
    Page("due-none", "/review", "resources/due.html", who="sokha"),
    Page("lists", "/library/lists", "resources/lists.html"),
    Page("lists-none", "/library/lists", "resources/lists.html", who="sokha"),
    Page("list-new", "/library/lists/new", "resources/new_list.html"),
    Page("list-new-error", "/library/lists/new", "resources/new_list.html", act=send(), sends="/library/lists/new", status=422),
    Page("list", "/library/lists/{list}", "resources/list.html"),
    Page("list-empty", "/library/lists/{list_empty}", "resources/list.html", act=folded),
)
LIBRARY_NO_PAGE = {
    "GET /library/notes/{id}": "leads to its place on the resource's page",
    "POST /library/keep": "one line beside the form",
    "POST /library/{id}/keep": "one line beside the form",
    "POST /library/{id}/delete": "leads to the library",
    "POST /library/{id}/audience": "leads back to the resource",
    "POST /library/{id}/translations/end": "leads back to the translations",
    "POST /library/{id}/list": "leads to the list",
    "POST /library/lists/{id}/take": "leads back to the list",
    "POST /library/lists/{id}/delete": "leads to the lists",
    "POST /library/notes/{id}/edit": "leads back to the resource",
    "POST /library/notes/{id}/delete": "leads back to the resource",
}
