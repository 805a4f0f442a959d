"""Lists every page in every state that is worth looking at; a route without a page here fails a test."""

from playwright.sync_api import Page as Tab

from .account_pages import ACCOUNT_PAGES, LONG_WORD, folded_open
from .case_entry_pages import CASE_ENTRY_NO_PAGE, CASE_ENTRY_PAGES
from .case_file_pages import CASE_FILE_NO_PAGE, CASE_FILE_PAGES
from .case_pages import CASE_NO_PAGE, CASE_PAGES
from .exchange_pages import EXCHANGE_NO_PAGE, EXCHANGE_PAGES
from .file_pages import FILE_NO_PAGE, FILE_PAGES
from .guest_pages import GUEST_NO_PAGE, GUEST_PAGES
from .keeping_pages import KEEPING_NO_PAGE, KEEPING_PAGES
from .key_pages import KEY_PAGES
from .library_pages import LIBRARY_NO_PAGE, LIBRARY_PAGES
from .node_pages import NODE_NO_PAGE, NODE_PAGES
from .page import Act, Page, fill
from .referral_pages import REFERRAL_NO_PAGE, REFERRAL_PAGES
from .scene import PASSWORD, Scene
from .sealed_pages import SEALED_NO_PAGE, SEALED_PAGES
from .search_pages import SEARCH_PAGES
from .story_pages import STORY_NO_PAGE, STORY_PAGES


def preview(**fields: str) -> Act:
    """Asks for a preview, which comes as a page or, with script, beside the form."""

    def act(tab: Tab, scene: Scene) -> None:
        fill("[value=preview]", **fields)(tab, scene)
        tab.locator(".note .text").first.wait_for()

    return act


def keep(tab: Tab, scene: Scene) -> None:
    """Keeps a draft, and is told so beside the button."""
    tab.locator("[name=title]").fill("Later")
    tab.locator("[value=keep]").click()
    tab.locator("#kept .meta").wait_for()


def send(path: str, **fields: str) -> Act:
    """Sends a form that no page has, from one of ours."""
    script = """([path, fields]) => { const form = document.createElement("form"); form.method = "post"; form.action = path
        for (const [name, value] of Object.entries(fields)) {
            const field = document.createElement("input");
            Object.assign(field, {type: "hidden", name: name, value: value});
            form.append(field); }
        document.body.append(form); form.submit(); }"""

    def act(tab: Tab, scene: Scene) -> None:
        with tab.expect_navigation():
            tab.evaluate(script, [path.format(**scene.places), fields])

    return act


def half_read(tab: Tab, scene: Scene) -> None:
    """Comes back to a conversation that has gone on."""
    scene.unread("ilse", "thread", 4)
    tab.reload()


def folded_receipts(tab: Tab, scene: Scene) -> None:
    """Opens what each organisation says to a deletion."""
    tab.locator("article.gone details summary").first.click()


def folded_link(tab: Tab, scene: Scene) -> None:
    folded_open(tab, scene)
    fill("form[action$='/link'] .btn")(tab, scene)


def no_roles(tab: Tab, scene: Scene) -> None:
    """Takes a member's last role away."""
    tab.locator("details:has(form[action$='/roles']) summary").first.click()  # a guest has no roles to be changed
    for box in tab.locator("form[action$='/roles']").first.locator("input:checked").all():
        box.uncheck()
    fill("form[action$='/roles'] .btn")(tab, scene)


def half_way(tab: Tab, scene: Scene) -> None:
    """Gives a right password, to an account with a second factor."""
    tab.goto(scene.busy.url + "/login")
    fill(username="amal", password=PASSWORD)(tab, scene)


def wrong_code(tab: Tab, scene: Scene) -> None:
    scene.forgive()
    half_way(tab, scene)
    fill(code="no code of mine")(tab, scene)


def stale(tab: Tab, scene: Scene) -> None:
    """Says that the words match which were made from other keys than are known by now."""
    tab.locator("main form:has([value=check]) [name=shown]").evaluate("field => { field.value = '0'.repeat(64) }")
    fill("[value=check]")(tab, scene)


TEXT = "Is *anybody* else shown this?\n\n- the same picture\n- another name\n\n> travel paid first"

PAGES = (
    Page("landing", "/", "discussions/landing.html", ""),
    Page("landing-empty", "/", "discussions/landing.html", "nobody"),
    Page("home", "/", "discussions/home.html"),
    Page("home-empty", "/", "discussions/home.html", "sokha"),
    Page("home-told", "/", "discussions/home.html", "ruth"),
    Page("groups", "/groups", "discussions/groups.html"),
    Page("groups-public", "/groups", "discussions/groups.html", ""),
    Page("groups-empty", "/groups", "discussions/groups.html", "sokha"),
    Page("new-group", "/groups/new", "discussions/new_group.html"),
    Page("new-group-error", "/groups/new", "discussions/new_group.html", act=fill(slug="No such"), sends="/groups/new", status=422),
    Page("group", "/groups/{handover}", "discussions/group.html"),
    Page("group-older", "/groups/{handover}", "discussions/group.html", act=fill(".pager .btn")),
    Page("group-partner", "/groups/{group}", "discussions/group.html", "daan"),
    Page("group-empty", "/groups/{quiet}", "discussions/group.html"),
    Page("group-narrow", "/groups/{interpreters}", "discussions/group.html", act=folded_open),
    Page("group-public", "/groups/{interpreters}", "discussions/group.html", ""),
    Page("thread", "/threads/{thread}", "discussions/thread.html", act=half_read),
    Page("thread-who", "/threads/{thread}", "discussions/thread.html", "daan", folded_open),
    Page("thread-receipts", "/threads/{thread}", "discussions/thread.html", act=folded_receipts),
    Page("thread-long", "/threads/{long}?page=2", "discussions/thread.html"),
    Page("thread-public", "/threads/{public}", "discussions/thread.html", ""),
    Page("thread-preview", "/threads/{thread}", "discussions/thread.html", "daan", preview(text=TEXT)),
    Page(
        "thread-error",
        "/threads/{thread}",
        "discussions/thread.html",
        act=fill("[value=send]", text=" "),
        sends="/threads/{id}",
        status=422,
    ),
    Page("compose", "/groups/{interpreters}/new", "discussions/compose.html"),
    Page("compose-kept", "/groups/{interpreters}/new", "discussions/compose.html", "daan", keep),
    Page("compose-preview", "/groups/{group}/new", "discussions/compose.html", "daan", preview(title=LONG_WORD, text=TEXT)),
    Page(
        "compose-error",
        "/groups/{quiet}/new",
        "discussions/compose.html",
        act=fill("[value=send]", title=" "),
        sends="/groups/{id}/new",
        status=422,
    ),
    Page(
        "signed-out",
        "/groups/{interpreters}",
        "members/login.html",
        "",
        send("/groups/{interpreters}/new", token="0", title="A question", text=TEXT),
        "/login",
    ),
    Page("edit", "/posts/{own}/edit", "discussions/edit.html"),
    Page("edit-error", "/posts/{own}/edit", "discussions/edit.html", act=fill(text=" "), sends="/posts/{id}/edit", status=422),
    Page("delete", "/posts/{own}/delete", "discussions/delete.html"),
    Page("history", "/posts/{own}/history", "discussions/history.html"),
    Page("thread-moderated", "/threads/{moderated}", "discussions/thread.html", "mila"),
    Page("thread-muted", "/threads/{moderated}", "discussions/thread.html", "mila", folded_open),
    Page("thread-locked", "/threads/{locked}", "discussions/thread.html", "mila"),
    Page("log", "/threads/{moderated}/log", "discussions/log.html", "daan"),
    Page("log-lock", "/threads/{locked}/log", "discussions/log.html", "daan"),
    Page("log-empty", "/threads/{public}/log", "discussions/log.html", ""),
    Page("home-moderated", "/", "discussions/home.html", "mila"),
    Page("report", "/posts/{reported}/report", "discussions/report.html", "daan"),
    Page("report-partner", "/posts/{far}/report", "discussions/report.html"),
    Page("report-error", "/posts/{far}/report", "discussions/report.html", act=fill(text="No."), sends="/posts/{id}/report", status=422),
    Page("reports", "/reports?sent=1", "discussions/reports.html", "mila"),
    Page("reports-empty", "/reports", "discussions/reports.html", "sokha"),
    Page("moderation", "/moderation", "discussions/moderation.html", "mila"),
    Page("moderation-empty", "/moderation", "discussions/moderation.html", "sokha"),
    Page(
        "moderation-error",
        "/moderation",
        "discussions/moderation.html",
        "mila",
        fill("[value=nothing]"),
        "/moderation/{id}",
        422,
    ),
    Page("moderate-post", "/posts/{reported}/moderate", "discussions/moderate_post.html", "mila"),
    Page("moderate-post-back", "/posts/{removed}/moderate", "discussions/moderate_post.html"),
    Page("moderate-post-here", "/posts/{far}/moderate", "discussions/moderate_post.html", "mila"),
    Page(
        "moderate-post-error",
        "/posts/{reported}/moderate",
        "discussions/moderate_post.html",
        "mila",
        fill(".btn.bad"),
        "/posts/{id}/moderate",
        422,
    ),
    Page("moderate-thread", "/threads/{moderated}/moderate", "discussions/moderate_thread.html", "mila"),
    Page("moderate-thread-back", "/threads/{locked}/moderate", "discussions/moderate_thread.html", "mila"),
    Page("moderate-thread-elsewhere", "/threads/{thread}/moderate", "discussions/moderate_thread.html", "mila"),
    Page(
        "moderate-thread-error",
        "/threads/{moderated}/moderate",
        "discussions/moderate_thread.html",
        "mila",
        fill(),
        "/threads/{id}/moderate",
        422,
    ),
    Page("muted", "/settings/muted", "discussions/muted.html", "mila"),
    Page("muted-empty", "/settings/muted", "discussions/muted.html", "daan"),
    Page("login", "/login", "members/login.html", ""),
    Page(
        "login-error",
        "/login",
        "members/login.html",
        "",
        fill(username="nobody.NUMBER", password="never this one"),
        "/login",
        422,
    ),
    Page("code", "/login/code", "members/code.html", "", half_way),
    Page("code-error", "/login/code", "members/code.html", "", wrong_code, "/login/code", 422),
    Page("join", "/join/{invitation}", "members/join.html", ""),
    Page(
        "join-error",
        "/join/{invitation}",
        "members/join.html",
        "",
        fill(name="Noor A.", username="noor", password="short"),
        "/join/{token}",
        422,
    ),
    Page("link", "/link/{link}", "members/link.html", ""),
    Page("settings", "/settings", "members/settings.html"),
    Page("settings-saved", "/settings?saved=1", "members/settings.html"),
    Page("settings-error", "/settings", "members/settings.html", act=fill(name="\u200b"), sends="/settings", status=422),
    Page("password", "/settings/password", "members/password.html"),
    Page("password-due", "/settings/password", "members/password.html", "nina"),
    Page(
        "password-error",
        "/settings/password",
        "members/password.html",
        "nina",
        fill(password="short"),
        "/settings/password",
        422,
    ),
    *ACCOUNT_PAGES,
    Page("person", "/people/{ruth}", "members/person.html"),
    Page("person-partner", "/people/{partner}", "members/person.html"),
    Page("person-met", "/people/{met}", "members/person.html"),
    Page("person-gone", "/people/{joost}", "members/person.html"),
    Page("sessions", "/settings/sessions", "members/sessions.html"),
    Page("members", "/admin/members", "admin/members.html"),
    Page("members-change", "/admin/members", "admin/members.html", act=folded_open),
    Page("members-error", "/admin/members", "admin/members.html", act=no_roles, sends="/admin/members/{id}/roles", status=422),
    Page("members-invitation", "/admin/members", "admin/members.html", act=fill(), sends="/admin/members/invite"),
    Page("members-link", "/admin/members", "admin/members.html", act=folded_link, sends="/admin/members/{id}/link"),
    Page("members-reset", "/admin/members/{amal}/factor", "admin/reset_factor.html"),
    Page("partners", "/admin/partners", "admin/partners.html"),
    Page("partners-block", "/admin/partners", "admin/partners.html", act=folded_open),
    Page("partner", "/admin/partners/{away}", "admin/partner.html"),
    Page("partner-applied", "/admin/partners/{applied}", "admin/partner.html"),
    Page("partner-outside", "/admin/partners/{outside}", "admin/partner.html", act=folded_open),
    Page("partner-absent", "/admin/partners/{absent}", "admin/partner.html"),
    Page("partner-other-keys", "/admin/partners/{lost}", "admin/partner.html"),
    Page("partner-block", "/admin/partners/{away}", "admin/partner.html", act=folded_open),
    Page(
        "partner-error",
        "/admin/partners/{away}",
        "admin/partner.html",
        act=stale,
        sends="/admin/partners/{id}",
        status=409,
    ),
    Page("partners-empty", "/admin/partners", "admin/partners.html", "sokha"),
    Page(
        "partners-error",
        "/admin/partners",
        "admin/partners.html",
        act=fill(address="http://127.0.0.1:1"),
        sends="/admin/partners",
        status=422,
    ),
    Page("queue", "/admin/federation", "admin/federation.html"),
    Page("queue-empty", "/admin/federation", "admin/federation.html", "sokha"),
    *NODE_PAGES,
    *STORY_PAGES,
    *SEARCH_PAGES,
    *SEALED_PAGES,
    *LIBRARY_PAGES,
    *FILE_PAGES,
    *EXCHANGE_PAGES,
    *KEY_PAGES,
    *KEEPING_PAGES,
    *CASE_PAGES,
    *CASE_FILE_PAGES,
    *GUEST_PAGES,
    *CASE_ENTRY_PAGES,
    *REFERRAL_PAGES,
    Page("not-found", "/threads/none", "base/error.html", status=404),
    Page("not-found-public", "/groups/none", "base/error.html", "", status=404),
    Page("used-up", "/join/none", "base/error.html", "", status=410),
    Page("forbidden", "/settings", "base/error.html", act=send("/settings", token="0"), sends="/settings", status=403),
    Page(
        "typed-again",
        "/settings",
        "base/error.html",
        act=send("/settings", token="0", name="Ilse", summary=TEXT),
        sends="/settings",
        status=403,
    ),
)

NO_PAGE = {
    "POST /inbox": "activities",
    "POST /actor/inbox": "activities",
    "POST /people/{id}/inbox": "activities",
    "POST /groups/{id}/inbox": "activities",
    "GET /actor/stream": "a document for partners",
    "GET /rooms/keys/{ck}": "a document for partners",
    "GET /rooms/keys/{ck}/boxes/{kid}": "a box, for partners",
    "GET /rooms/keys/{ck}/messages": "ciphertext, for partners",
    "GET /rooms/chains": "where records end, for partners",
    "GET /rooms/files/{name}": "ciphertext, for partners",
    "POST /people/{id}/outbox": "activities of members' tools",
    "GET /people/{id}/inbox": "a collection, for members' tools",
    "GET /people/{id}/outbox": "a collection, for members' tools",
    "GET /activities/{id}": "a document, for members' tools",
    "GET /actor": "a document; a browser is led to the start page",
    "GET /actor/outbox": "a document",
    "GET /actor/followers": "a document",
    "GET /actor/following": "a document",
    "GET /actor/mirror": "JSON, for the node's own doctor",
    "GET /threads/{id}/posts": "a document",
    "GET /groups/{id}/followers": "a document",
    "GET /groups/{id}/outbox": "a document",
    "GET /.well-known/webfinger": "JSON",
    "GET /.well-known/nodeinfo": "JSON",
    "GET /nodeinfo/2.1": "JSON",
    "GET /posts/{id}": "leads to the post's place in its conversation",
    "GET /language/{code}": "leads back",
    "POST /preview/{id}": "a piece of the composer",
    "POST /keep/{id}": "a piece of the composer",
    "POST /posts/{id}/delete": "leads to the conversation",
    "POST /posts/{id}/thank": "leads back to the post",
    "POST /link/{token}": "leads to the new password",
    "POST /login/passkey": "JSON, for script",
    "POST /again/passkey": "JSON, for script",
    "POST /settings/factor/passkeys/new": "JSON, for script",
    "POST /logout": "leads to the start page",
    "POST /settings/sessions": "leads back to the list",
    "POST /settings/muted": "leads to the list",
    "POST /reports/read": "leads to the start page",
    "POST /settings/notices": "leads back to the page that told",
    "POST /admin/members/{id}/disable": "leads back to the list",
    "POST /admin/members/{id}/factor": "leads back to the list",
    "POST /groups/{id}/narrow": "leads back to the group",
    "POST /admin/federation": "leads back to the queue",
    **NODE_NO_PAGE,
    **STORY_NO_PAGE,
    **LIBRARY_NO_PAGE,
    **FILE_NO_PAGE,
    **EXCHANGE_NO_PAGE,
    **KEEPING_NO_PAGE,
    **CASE_NO_PAGE,
    **CASE_FILE_NO_PAGE,
    **GUEST_NO_PAGE,
    **CASE_ENTRY_NO_PAGE,
    **REFERRAL_NO_PAGE,
    **SEALED_NO_PAGE,
}
