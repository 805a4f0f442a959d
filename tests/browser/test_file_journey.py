"""Shows in a real browser, between real processes, that a picture goes with a post: added on one node, opened on the other, bare of its
metadata, with script and without."""

import hashlib
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.test_journeys import appears, sign_in
from tests.files import pictures
from tests.journeys.processes import Process

pytestmark = pytest.mark.browser


@pytest.mark.rule("FILE-03")
def test_a_picture_is_added_on_one_node_and_opened_on_the_other(
    pair: tuple[Process, Process], profile: BrowserContext, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    one, other = pair
    title, photo = f"A poster, {request.node.callspec.id}", tmp_path / "poster.jpg"
    photo.write_bytes(pictures.jpeg(orientation=6, width=1200, height=800))
    tab = profile.new_page()
    sign_in(tab, one)
    tab.goto(f"{one.url}/groups")
    tab.get_by_role("link", name="Leads").first.click()
    tab.get_by_role("link", name="Start a discussion").click()
    tab.get_by_label("Title").fill(title)
    tab.get_by_label("Text").fill("Seen at the station.")
    tab.get_by_role("button", name="Add a file").click()
    tab.get_by_label("File").set_input_files(photo)
    tab.get_by_role("button", name="Upload").click()
    tab.wait_for_url("**/new?file=*")
    expect(tab.get_by_role("checkbox", name="poster.jpg")).to_be_checked()
    expect(tab.get_by_label("Text")).to_have_value("Seen at the station.")
    tab.get_by_role("button", name="Send to").click()
    shown = tab.locator(".file img")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.decode().then(() => image.naturalHeight > image.naturalWidth)") is True
    here = profile.request.get(one.url + str(tab.locator(".file p a").get_attribute("href")))
    assert not any(trace.encode() in here.body() for trace in (pictures.AUTHOR, pictures.PLACE, "Exif"))

    sign_in(tab, other)
    tab.goto(f"{other.url}/groups")
    tab.get_by_role("link", name="Leads").first.click()
    appears(tab, tab.url, title)
    tab.get_by_role("link", name=title).click()
    expect(tab.locator(".file")).to_contain_text("fetched from")
    there = profile.request.get(other.url + str(tab.locator(".file p a").get_attribute("href")))
    assert there.headers["content-disposition"].startswith("attachment")
    assert hashlib.sha256(there.body()).digest() == hashlib.sha256(here.body()).digest()
    tab.reload()
    expect(tab.locator(".file img")).to_be_visible()
