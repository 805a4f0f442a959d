"""Lists the pages of the node itself: the record, its settings, the first steps, and how it looks when it is closed or its disk is full."""

from playwright.sync_api import Page as Tab

from fedcollab.backup import keeping
from fedcollab.base.clock import HOUR
from fedcollab.base.maintenance import Closed

from .page import Page, fill
from .scene import Scene


def closed(tab: Tab, scene: Scene) -> None:
    """Looks while the node is being worked on; it is open again for those who look next."""
    node = scene.busy.kernel.node
    node.maintenance.begin(Closed(node.now(), node.now() + HOUR, "We move to a new machine."))
    tab.reload()
    node.maintenance.end()


def almost_full(tab: Tab, scene: Scene) -> None:
    """Looks while the disk has no room; afterwards it is as it was."""
    room = scene.busy.kernel.node.room
    wanted, room.wanted, room._looked, room._figures = room.wanted, 500_000_000, float("inf"), (20_000_000, 40_000_000_000)
    tab.reload()
    room.wanted, room._looked = wanted, float("-inf")


def key_made(tab: Tab, scene: Scene) -> None:
    """Looks where there is a printed key that nobody has read from its paper yet."""
    node = scene.busy.kernel.node
    keeping.make(node.files, node.master_key)
    tab.reload()


def key_mistyped(tab: Tab, scene: Scene) -> None:
    key_made(tab, scene)
    fill(key="abcde fghjk mnpqr")(tab, scene)


NODE_PAGES = (
    Page("record", "/admin/audit", "admin/audit.html"),
    Page("record-older", "/admin/audit?kind=post", "admin/audit.html", act=fill(".pager [rel=next]")),
    Page("record-verified", "/admin/audit", "admin/audit.html", act=fill("form[action$='/verify'] .btn")),
    Page("record-empty", "/admin/audit?since=2001-01-01&until=2001-01-02", "admin/audit.html"),
    Page("node", "/admin/settings", "admin/settings.html"),
    Page("node-closed", "/admin/settings", "admin/settings.html", act=closed),
    Page("node-full", "/admin/settings", "admin/settings.html", act=almost_full),
    Page("node-saved", "/admin/settings", "admin/settings.html", act=fill("#change .btn.main", backup_keep="21")),
    Page(
        "node-error",
        "/admin/settings",
        "admin/settings.html",
        act=fill("#change .btn.main", backup_keep="0", disk_reserve="much"),
        sends="/admin/settings",
        status=422,
    ),
    Page("first", "/admin/first", "admin/first.html"),
    Page("first-key", "/admin/first", "admin/first.html", act=key_made),
    Page("first-error", "/admin/first", "admin/first.html", act=key_mistyped, sends="/admin/first", status=422),
    Page("first-empty", "/admin/first", "admin/first.html", "sokha"),
    Page("restored", "/admin/restored", "admin/restored.html", "sokha"),
    Page("home-full", "/", "discussions/home.html", act=almost_full),
    Page("worked-on", "/groups", "base/error.html", "daan", closed, status=503),
)

NODE_NO_PAGE = {
    "POST /admin/maintenance": "leads to the node's page",
    "POST /admin/audit/verify": "leads back to the record",
    "POST /admin/audit/export": "a file",
    "GET /healthz": "JSON",
    "GET /readyz": "JSON",
    "GET /metrics": "figures for a monitoring system",
}
