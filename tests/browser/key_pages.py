"""Lists the pages of people's keys, of keepers who let somebody in again, and of words compared with partners' people."""

from playwright.sync_api import Page as Tab

from .page import Act, Page, fill
from .scene import PASSWORD, Scene


def unlocked(then: Act | None = None) -> Act:
    """Unlocks the browser's keys, by way of the page for that."""

    def act(tab: Tab, scene: Scene) -> None:
        scene.forgive()
        tab.goto(scene.busy.url + "/unlock?next=/settings/keys")
        fill(password=PASSWORD)(tab, scene)
        if then is not None:
            then(tab, scene)

    return act


def locked(tab: Tab, scene: Scene) -> None:
    """Locks the browser's keys, if they are not."""
    scene.forgive()
    button = tab.locator("main form:has([value=lock]) .btn")
    if button.count():
        button.click()
        tab.wait_for_load_state()


def not_mine(tab: Tab, scene: Scene) -> None:
    locked(tab, scene)
    pressed("anew", "never this one")(tab, scene)


def pressed(act: str, password: str = PASSWORD) -> Act:
    """Opens what is folded and sends the form of an act with a password."""

    def press(tab: Tab, scene: Scene) -> None:
        form = tab.locator(f"main form:has([value={act}])")
        if not form.locator("[name=password]").is_visible():
            tab.locator(f"main details:has([value={act}]) summary").click()
        form.locator("[name=password]").fill(password)
        form.locator(".btn").first.click()
        tab.wait_for_load_state()

    return press


def slipped(tab: Tab, scene: Scene) -> None:
    """Types a paper's code back with a slip in it."""
    pressed("paper")(tab, scene)
    fill(code="0000 1111 2222 3333 4444 5555 6666 7777")(tab, scene)


def no_key(tab: Tab, scene: Scene) -> None:
    scene.forgive()
    fill(password="never this one")(tab, scene)


def kept(tab: Tab, scene: Scene) -> None:
    """Sends a form that needs the keys from a locked browser."""
    script = """() => { const form = document.createElement("form"); form.method = "post"; form.action = "/unlock?next=/groups"
        const field = document.createElement("input"); Object.assign(field, {type: "hidden", name: "text", value: "Many words"})
        form.append(field); document.body.append(form); form.submit(); }"""
    with tab.expect_navigation():
        tab.evaluate(script)


KEY_PAGES = (
    Page("unlock", "/unlock?next=/groups", "members/unlock.html", "ruth"),
    Page("unlock-off", "/unlock", "members/unlock.html", "sokha"),
    Page("unlock-kept", "/groups", "members/unlock.html", "ruth", kept, "/unlock"),
    Page("unlock-error", "/unlock", "members/unlock.html", "ruth", no_key, "/unlock", 422),
    Page("keys-off", "/settings/keys", "members/keys.html", "sokha"),
    Page("keys-none", "/settings/keys", "members/keys.html", "daan"),
    Page("keys-locked", "/settings/keys", "members/keys.html", "ruth", locked),
    Page("keys-unlocked", "/settings/keys", "members/keys.html", "ruth", unlocked()),
    Page("keys-away", "/settings/keys", "members/keys.html", "lena"),
    Page("unlock-away", "/unlock", "members/unlock.html", "lena"),
    Page("keeper-reopen", "/keepers/waiting", "members/waiting.html", "noor"),
    Page(
        "keeper-reopen-error",
        "/keepers/waiting",
        "members/waiting.html",
        "noor",
        fill("form[action$='/reopen'] .btn"),
        "/keepers/waiting/{id}/reopen",
        422,
    ),
    Page("keys-waiting", "/settings/keys", "members/keys.html", "amal"),
    Page("keys-paper", "/settings/keys", "members/paper.html", "ruth", unlocked(pressed("paper")), "/settings/keys"),
    Page("keys-slip", "/settings/keys", "members/keys.html", "ruth", unlocked(slipped), "/settings/keys", 422),
    Page("keys-error", "/settings/keys", "members/keys.html", "ruth", not_mine, "/settings/keys", 422),
    Page("keeper-waiting", "/keepers/waiting", "members/waiting.html", "mila"),
    Page("keeper-none", "/keepers/waiting", "members/waiting.html", "sokha"),
    Page("changed-keys", "/changed-keys", "members/changed.html", "noor"),
    Page("changed-none", "/changed-keys", "members/changed.html", "vera"),
    Page("words", "/people/{partner}/words", "members/words.html", "noor"),
    Page("words-error", "/people/{partner}/words", "members/words.html", "noor", fill(), "/people/{id}/words", 422),
    Page("keeper-error", "/keepers/waiting", "members/waiting.html", "mila", fill(), "/keepers/waiting/{id}", 422),
)
