"""Lists the pages of somebody's own account in each state: second factor, passkeys, what is asked again, tokens."""

import pyotp
from playwright.sync_api import Page as Tab

from fedcollab.feature import ASKED_FOR

from .page import Page, fill
from .scene import PASSWORD, Scene

LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenbescheinigung" * 2


def folded_open(tab: Tab, scene: Scene) -> None:
    tab.locator("summary").first.click()


def offered(tab: Tab, scene: Scene) -> None:
    """Has begun to set a second factor up."""
    scene.offer("ruth")
    tab.reload()


def proved(tab: Tab, scene: Scene) -> None:
    """Moves a second factor to another app and gives its first code."""
    scene.offer("amal")
    tab.reload()
    app = pyotp.TOTP(tab.locator(".code").inner_text().replace(" ", ""))
    fill(code=app.now())(tab, scene)


def not_proved(tab: Tab, scene: Scene) -> None:
    offered(tab, scene)
    fill(code="000000")(tab, scene)


def all_open(tab: Tab, scene: Scene) -> None:
    for one in tab.locator("main details summary").all():
        one.click()


def no_name(tab: Tab, scene: Scene) -> None:
    """Gives a passkey a name of which nothing is left."""
    folded_open(tab, scene)
    form = tab.locator("main details form").first
    form.locator("[name=name]").fill("\u200b")
    form.locator(".btn").click()
    tab.wait_for_load_state()


def asked_again(tab: Tab, scene: Scene) -> None:
    """Makes an invitation, long after the password was given."""
    scene.lately(ago=ASKED_FOR)
    fill()(tab, scene)


def not_me(tab: Tab, scene: Scene) -> None:
    scene.forgive()
    fill(password="never this one")(tab, scene)


def token_made(tab: Tab, scene: Scene) -> None:
    """Makes a token; those of earlier runs are revoked first."""
    while tab.locator("[name=revoke]").count():
        tab.locator("[name=revoke]").first.click()
        tab.wait_for_load_state()
    scene.forgive()
    fill(purpose=LONG_WORD, proof=PASSWORD)(tab, scene)


def no_token(tab: Tab, scene: Scene) -> None:
    scene.forgive()
    fill(purpose="A script", proof="never this one")(tab, scene)


ACCOUNT_PAGES = (
    Page("factor", "/settings/factor", "members/factor.html"),
    Page("factor-offered", "/settings/factor", "members/factor.html", "ruth", offered),
    Page("factor-on", "/settings/factor", "members/factor.html", "amal", folded_open),
    Page("factor-error", "/settings/factor", "members/factor.html", "ruth", not_proved, "/settings/factor", 422),
    Page("factor-codes", "/settings/factor", "members/codes.html", "amal", proved, "/settings/factor"),
    Page("passkeys", "/settings/factor/passkeys", "members/passkeys.html"),
    Page("passkeys-some", "/settings/factor/passkeys", "members/passkeys.html", "amal", all_open),
    Page("passkeys-error", "/settings/factor/passkeys", "members/passkeys.html", "amal", no_name, "/settings/factor/passkeys", 422),
    Page("again", "/again?next=/groups", "members/again.html"),
    Page("again-code", "/again?next=/groups", "members/again.html", "amal"),
    Page("again-form", "/admin/members", "members/again.html", act=asked_again, sends="/again"),
    Page("again-error", "/again", "members/again.html", act=not_me, sends="/again", status=422),
    Page("tokens", "/settings/tokens", "members/tokens.html", "ruth"),
    Page("tokens-made", "/settings/tokens", "members/tokens.html", "amal", token_made, "/settings/tokens"),
    Page("tokens-error", "/settings/tokens", "members/tokens.html", act=no_token, sends="/settings/tokens", status=422),
)
