"""Lists the pages of keepers: the set-up step by step, who keeps the key, the way back by two sheets, tasks; and of who leaves."""

from playwright.sync_api import Page as Tab

from .page import Page, fill
from .scene import Scene

SHEETS = dict(sheet="ABCD EFGH", sheet2="ABCD EFGH")


def folded_open(tab: Tab, scene: Scene) -> None:
    tab.locator("main details summary").first.click()


def new_sheets(tab: Tab, scene: Scene) -> None:
    """Makes three new sheets, which are shown once."""
    folded_open(tab, scene)
    tab.locator("main .btn.bad").click()
    tab.locator(".paper").first.wait_for()


def put_nobody(tab: Tab, scene: Scene) -> None:
    """Chooses nobody, for what nobody is on."""
    scene.forgive()
    tab.locator("main form:has(select)").first.locator(".btn").click()
    tab.wait_for_load_state()


STEP = "/keepers/set-up"
KEEPING_PAGES = (
    Page("home-keeper", "/", "discussions/home.html", "noor"),
    Page("keepers", "/keepers", "keeping/keepers.html", "noor"),
    Page("keepers-remove", "/keepers", "keeping/keepers.html", "noor", folded_open),
    Page("keepers-error", "/keepers", "keeping/keepers.html", "noor", fill(), "/keepers", 400),
    Page("keepers-waits", "/keepers", "keeping/keepers.html", "adil"),
    Page("keepers-admin", "/keepers", "keeping/keepers.html", "ilse"),
    Page("keepers-none", "/keepers", "keeping/keepers.html", "sokha"),
    Page("tasks", "/keepers/tasks", "keeping/tasks.html", "noor"),
    Page("tasks-waits", "/keepers/tasks", "keeping/tasks.html", "adil"),
    Page("tasks-none", "/keepers/tasks", "keeping/tasks.html", "vera"),
    Page("tasks-error", "/keepers/tasks", "keeping/tasks.html", "noor", put_nobody, "/keepers/tasks/{id}", 400),
    Page("leaving", "/leaving", "flows/leaving.html", "hana"),
    Page("leaving-none", "/leaving", "flows/leaving.html", "vera"),
    Page("leaving-error", "/leaving", "flows/leaving.html", "hana", put_nobody, "/leaving/{id}", 400),
    Page("room-frozen", "/keepers/rooms/{frozen}", "keeping/room.html", "noor"),
    Page("room-forked", "/keepers/rooms/{forked}", "keeping/room.html", "noor"),
    Page("room-led", "/keepers/rooms/{led}", "keeping/room.html", "noor"),
    Page("room-error", "/keepers/rooms/{frozen}", "keeping/room.html", "noor", fill(), "/keepers/rooms/{id}", 422),
    Page("keeping-about", f"{STEP}/about", "keeping/about.html", "noor"),
    Page("keeping-keys", f"{STEP}/keys", "keeping/keys.html", "noor"),
    Page("keeping-keys-waits", f"{STEP}/keys", "keeping/keys.html", "lena"),
    Page("keeping-sheets", f"{STEP}/sheets", "keeping/sheets.html", "noor", folded_open),
    Page("keeping-print", f"{STEP}/sheets", "keeping/print.html", "noor", new_sheets, f"{STEP}/sheets"),
    Page("keeping-try", f"{STEP}/try", "keeping/try.html", "noor"),
    Page("keeping-try-error", f"{STEP}/try", "keeping/try.html", "noor", fill(**SHEETS), f"{STEP}/try", 422),
    Page("keeping-second", f"{STEP}/second", "keeping/second.html", "noor"),
    Page("keeping-done", f"{STEP}/done", "keeping/done.html", "noor"),
    Page("keeping-use", "/keepers/sheets/use", "keeping/use.html", "vera"),
    Page("keeping-use-error", "/keepers/sheets/use", "keeping/use.html", "vera", fill(**SHEETS), "/keepers/sheets/use", 422),
    Page("keeping-use-not", "/keepers/sheets/use", "keeping/use.html", "noor"),
)

KEEPING_NO_PAGE = {
    "GET /keepers/set-up": "leads to the step that comes next",
    "POST /keepers/set-up/keys": "leads to the next step",
    "POST /keepers/{id}/hand": "leads back to the list",
    "POST /keepers/{id}/remove": "leads back to the list",
}
