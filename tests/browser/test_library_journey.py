"""Shows the library's job in a real browser, between real processes: a file goes up on one node, is found and opened on another, and is
withdrawn everywhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.test_journeys import appears, sign_in
from tests.files.holder import PDF
from tests.journeys.processes import Process, befriend, nodes, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, Process]]:
    """Two nodes that share their libraries."""
    with nodes(tmp_path_factory.mktemp("shelves"), ["Meridian Outreach", "Réseau Passerelle"]) as (one, other):
        befriend(one, other)
        yield one, other


def test_a_guide_is_uploaded_on_one_node_found_and_opened_on_another_withdrawn_on_the_first_and_shown_withdrawn_on_the_second(
    shelves: tuple[Process, Process], profile: BrowserContext, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    one, other = shelves
    kind = request.node.callspec.id
    title, guide = f"Pocket card, {kind}", tmp_path / "pocket card.pdf"
    guide.write_bytes(PDF)
    first, second = profile.new_page(), profile.new_page()
    sign_in(first, one)
    first.goto(one.url + "/library")
    first.get_by_role("link", name="Add a resource").click()
    first.locator("input[type=file]").set_input_files(guide)
    first.get_by_role("button", name="Upload").click()
    if kind == "with script":
        expect(first.locator("#record [name=file]")).to_have_count(1)
    else:
        expect(first.locator("#record .note bdi")).to_have_text("pocket card.pdf")
    first.get_by_label("Title").fill(title)
    first.get_by_label("Kind").select_option("Card")
    first.get_by_label("What it is for").fill("To be folded in *four*.")
    first.get_by_label("Countries").fill("Cambodia")
    first.get_by_role("button", name="Put it into the library").click()
    expect(first.get_by_role("heading", level=1)).to_have_text(title)
    expect(first.get_by_role("link", name="Download")).to_be_visible()

    sign_in(second, other)
    appears(second, f"{other.url}/library?q=pocket", title)
    second.get_by_role("link", name=title).click()
    expect(second.locator(".text em")).to_have_text("four")
    expect(second.locator(".stamp").first).to_be_visible()
    second_page = second.url

    def fetched() -> bool:
        with second.expect_download() as started:
            second.get_by_role("link", name="Download").click()
        return Path(started.value.path()).read_bytes() == PDF

    until("the file is the one that was uploaded", fetched)
    second.goto(second_page)
    expect(second.get_by_text("Same file as at the source")).to_be_visible()

    first.get_by_role("link", name="Withdraw it").click()
    first.get_by_label("Why").fill("The legal part is out of date.")
    first.get_by_role("button", name="Withdraw it everywhere").click()
    expect(first.get_by_text("The legal part is out of date.").first).to_be_visible()
    appears(second, second_page, "Do not use it any more.")
    expect(second.get_by_text("The legal part is out of date.").first).to_be_visible()
    first_page = first.url

    def confirmed() -> bool:
        first.goto(first_page)
        return "Confirmed by 1 of 1 organisation" in first.locator("main").inner_text()

    until("the other organisation confirms it", confirmed)
