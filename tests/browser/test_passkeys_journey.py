"""Shows passkeys in a real browser with a virtual authenticator: made, used to sign in and when one is asked again, removed; and what
pages say to browsers without script."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from playwright.sync_api import Page as Tab

from tests.journeys.processes import Process
from tests.ports import free_ports

pytestmark = pytest.mark.browser
PASSWORD = "four plain words here"
DEVICE = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True}


class Named(Process):
    """A node whose address is a name: for numbers browsers keep no passkeys."""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    made = Named(tmp_path_factory.mktemp("named") / "node", free_ports(1)[0])
    try:
        made.init("Meridian Outreach", [])
        made.run("user", "add", "ilse", "--role", "admin", "--role", "member")
        made.serve()
        yield made
    finally:
        made.kill()


@pytest.fixture
def profiles(browser: Browser) -> Iterator[tuple[BrowserContext, BrowserContext]]:
    """A browser with script, and one without."""
    made = [browser.new_context(java_script_enabled=script, locale="en-GB") for script in (True, False)]
    for one in made:
        one.set_default_timeout(20_000)
    yield made[0], made[1]
    for one in made:
        one.close()


def by_link(tab: Tab, node: Process) -> None:
    tab.goto(node.json("login-link", "ilse")["link"])
    tab.get_by_role("button", name="Sign in").click()
    tab.get_by_label("New password").fill(PASSWORD)
    tab.get_by_role("button", name="Save the password").click()
    tab.get_by_role("button", name="I have read this").click()


def half_way(tab: Tab, node: Process) -> None:
    tab.goto(node.url + "/login?next=/groups")
    tab.get_by_label("Name to sign in with").fill("ilse")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Your code")


def sign_out(tab: Tab, node: Process) -> None:
    tab.goto(node.url + "/settings")
    tab.get_by_role("button", name="Sign out").click()


def ten_minutes_pass(place: Path) -> None:
    database = sqlite3.connect(place / "node.db", timeout=20)
    with database:
        database.execute("UPDATE login_session SET asked_at = asked_at - 600000000")
    database.close()


def test_a_passkey_is_made_signs_in_answers_when_asked_again_and_is_removed(
    node: Process, profiles: tuple[BrowserContext, BrowserContext]
) -> None:
    tab, complaints = profiles[0].new_page(), list[str]()
    tab.on("console", lambda message: complaints.append(message.text) if "Security Policy" in message.text else None)
    device: Any = profiles[0].new_cdp_session(tab)
    device.send("WebAuthn.enable")
    key = device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE | {"automaticPresenceSimulation": True}})["authenticatorId"]
    by_link(tab, node)
    tab.goto(node.url + "/settings")
    tab.get_by_role("link", name="Passkeys").click()
    tab.get_by_label("Name of the passkey").fill("the blue key")
    expect(tab.get_by_text("needs script")).to_be_hidden()
    ten_minutes_pass(node.place)
    tab.get_by_role("button", name="Make a passkey").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Is it you?")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Go on").click()
    expect(tab.get_by_label("Name of the passkey")).to_have_value("the blue key")
    tab.get_by_label("Name of the passkey").press("Enter")
    expect(tab.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    recovery = tab.locator("li [translate=no]").first.inner_text()

    sign_out(tab, node)
    half_way(tab, node)
    device.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    tab.get_by_role("button", name="Use a passkey").click()
    expect(tab.get_by_role("alert")).to_have_text("Your device did not confirm it. Try again, or use a code.")
    device.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": True})
    tab.get_by_role("button", name="Use a passkey").click()
    expect(tab).to_have_url(node.url + "/groups")

    plain = profiles[1].new_page()
    half_way(plain, node)
    expect(plain.get_by_text("Your passkey needs script")).to_be_visible()
    expect(plain.get_by_role("button", name="Use a passkey")).to_have_count(0)
    plain.get_by_label("The code that your app shows now").fill(recovery)
    plain.get_by_role("button", name="Sign in").click()
    expect(plain).to_have_url(node.url + "/groups")
    plain.goto(node.url + "/settings/factor/passkeys")
    expect(plain.get_by_text("Making a passkey needs script")).to_be_visible()

    ten_minutes_pass(node.place)
    tab.goto(node.url + "/admin/members")
    tab.get_by_role("button", name="Make a link").first.click()
    expect(tab.get_by_text("What you have just sent is kept")).to_be_visible()
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Use a passkey").click()
    expect(tab.locator("main .qr").first).to_be_visible()

    tab.goto(node.url + "/settings/factor/passkeys")
    expect(tab.get_by_role("heading", name="the blue key")).to_be_visible()
    tab.locator("summary", has_text="Remove it").click()
    tab.get_by_role("button", name="Remove it").click()
    expect(tab.get_by_text("You have none.")).to_be_visible()
    plain.goto(node.url + "/settings")
    expect(plain.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert complaints == []
