"""Shows in a real browser how a file is uploaded over a network that breaks: it goes on, also after a reload; and without script."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Route, expect
from playwright.sync_api import Page as Tab

from tests.journeys.processes import Process, nodes

from .test_journeys import sign_in

pytestmark = pytest.mark.browser
SIZE = 3_500_000  # at least three parts of the script's


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with nodes(tmp_path_factory.mktemp("uploads"), ["Meridian Outreach"]) as [one]:
        one.run("user", "add", "omar", "--role", "member")
        one.run("group", "add", "leads", "--name", "Leads")
        yield one


@pytest.fixture(scope="module")
def thread(node: Process) -> str:
    return str(node.json("post", "leads", "--as", "ilse", "--title", "Leads", "--text", "What do you see?")["thread"])


@pytest.fixture
def document(tmp_path: Path) -> Path:
    made = tmp_path / "Guía de campo.pdf"
    made.write_bytes(b"%PDF-1.7\n" + b"%" * (SIZE - 9))
    return made


@pytest.fixture
def scripted(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(locale="en-GB")
    made.set_default_timeout(20_000)
    yield made
    made.close()


def choose(tab: Tab, document: Path) -> None:
    tab.get_by_label("File", exact=True).set_input_files(document)
    tab.get_by_role("button", name="Upload").click()


def test_a_file_is_uploaded_and_stands_where_it_was_wanted(node: Process, thread: str, profile: BrowserContext, document: Path) -> None:
    tab, said = profile.new_page(), list[str]()
    tab.on("console", lambda message: said.append(message.text))
    sign_in(tab, node)
    tab.goto(f"{node.url}/attach/{thread}")
    choose(tab, document)
    expect(tab.get_by_text(document.name).first).to_be_visible()
    assert [words for words in said if "Content Security" in words or "Error" in words] == []


def test_over_a_network_that_breaks_an_upload_goes_on_where_it_was(
    node: Process, thread: str, scripted: BrowserContext, document: Path
) -> None:
    tab, sent = scripted.new_page(), list[tuple[str, str]]()

    def sometimes(route: Route) -> None:
        request = route.request
        sent.append((request.method, request.headers.get("upload-offset", "")))
        if len([one for one in sent if one[0] == "PATCH"]) in (2, 3) and request.method == "PATCH":
            route.abort("connectionreset")
        else:
            route.continue_()

    sign_in(tab, node)
    tab.goto(f"{node.url}/attach/{thread}")
    tab.route("**/uploads/*", sometimes)
    choose(tab, document)
    expect(tab.locator("progress")).to_be_visible()
    expect(tab.get_by_text("No connection.")).to_be_visible()
    expect(tab.get_by_text(document.name).first).to_be_visible()
    parts = [int(at) for method, at in sent if method == "PATCH"]
    assert parts[0] == 0
    assert parts[1] == parts[2] == parts[3] > 0  # what has arrived is not sent again
    assert ("HEAD", "") in sent  # after a break the node is asked first


def test_after_a_reload_the_same_file_goes_on_where_it_was(node: Process, thread: str, scripted: BrowserContext, document: Path) -> None:
    tab, parts = scripted.new_page(), list[int]()

    def only_one(route: Route) -> None:
        if route.request.method == "PATCH":
            parts.append(int(route.request.headers["upload-offset"]))
        if route.request.method == "PATCH" and len(parts) > 1:
            route.abort("internetdisconnected")
        else:
            route.continue_()

    sign_in(tab, node)
    tab.goto(f"{node.url}/attach/{thread}")
    tab.route("**/uploads/*", only_one)
    choose(tab, document)
    expect(tab.get_by_text("No connection.")).to_be_visible()
    tab.unroute("**/uploads/*")
    tab.reload()
    parts.clear()
    tab.on("request", lambda sent: parts.append(int(sent.headers["upload-offset"])) if sent.method == "PATCH" else None)
    choose(tab, document)
    expect(tab.get_by_text(document.name).first).to_be_visible()
    assert min(parts) > 0
    tab.wait_for_url("**file=*")  # before it, the words at the form name the file as well
    assert tab.evaluate("Object.keys(localStorage).length") == 0


def test_where_a_disk_is_full_it_is_said_and_the_same_file_goes_on_later(
    node: Process, thread: str, scripted: BrowserContext, document: Path
) -> None:
    tab, parts = scripted.new_page(), list[int]()

    def no_room(route: Route) -> None:
        if route.request.method == "PATCH":
            parts.append(int(route.request.headers["upload-offset"]))
        if route.request.method == "PATCH" and len(parts) == 2:
            route.fulfill(status=507, json={"error": "The node's disk is full."})
        else:
            route.continue_()

    sign_in(tab, node)
    tab.goto(f"{node.url}/attach/{thread}")
    tab.route("**/uploads/*", no_room)
    choose(tab, document)
    expect(tab.locator("form.upload [role=status]")).to_have_text("The node's disk is full.")
    tab.get_by_role("button", name="Upload").click()
    expect(tab.get_by_text(document.name).first).to_be_visible()
    assert parts[2] == parts[1] > 0


def test_what_is_refused_is_said_where_the_form_is_and_can_be_stopped(
    node: Process, thread: str, scripted: BrowserContext, tmp_path: Path
) -> None:
    tab, page = scripted.new_page(), tmp_path / "page.html"
    page.write_text("<!doctype html><script>alert(1)</script>")
    sign_in(tab, node)
    tab.goto(f"{node.url}/attach/{thread}")
    choose(tab, page)
    status = tab.locator("form.upload [role=status]")
    expect(status).not_to_be_empty()
    expect(tab.get_by_role("button", name="Upload")).to_be_enabled()
    tab.route("**/uploads/*", lambda route: route.abort("internetdisconnected"))
    large = tmp_path / "b.pdf"
    large.write_bytes(b"%PDF-1.7\n" + b"%" * SIZE)
    choose(tab, large)
    expect(tab.get_by_text("No connection.")).to_be_visible()
    tab.unroute("**/uploads/*")
    tab.get_by_role("button", name="Stop").click()
    expect(tab.get_by_role("button", name="Upload")).to_be_enabled()
    expect(status).to_be_empty()
