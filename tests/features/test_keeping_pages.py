"""Shows the set-up of cases on its pages: who finds it, that it may be left at any step, what is shown once, and what keepers are told."""

import logging
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcollab.sealing import keepers, papers
from tests.web import PASSWORD, Site, Visitor, site

CODE = re.compile(r'<p class="case-code ltr"[^>]*>(.*?)</p>', re.DOTALL)
WORDS = re.compile(r'<p class="say code ltr"[^>]*>([^<]+)</p>')
INSTEAD = re.compile(r'name="instead" value="([^"]*)"')


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[Site]:
    settings = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with site(tmp_path, **settings) as made:
        yield made


def codes(page: str) -> list[str]:
    """The sheets on a page, as somebody copies them down."""
    return [" ".join(re.findall(r">(\w{4})<", found)) for found in CODE.findall(page)]


async def named(here: Site) -> tuple[Visitor, Visitor]:
    """An admin, and the first keeper whom they have named."""
    admin, keeper = await here.member("mila", "admin", "member"), await here.member("ilse")
    status, to, _ = await admin.post("/keepers", at="/keepers", person=keeper.viewer.person_id)
    assert (status, to) == (303, "/keepers")
    return admin, keeper


async def unlock(keeper: Visitor, to: str) -> None:
    status, at, _ = await keeper.post("/unlock", at="/unlock", password=PASSWORD, next=to)
    assert (status, at) == (303, to)


async def with_key(here: Site) -> tuple[Visitor, Visitor]:
    """The same, after the first keeper has made the organisation's key."""
    admin, keeper = await named(here)
    status, to, _ = await keeper.post("/keepers/set-up/keys", at="/keepers/set-up/keys")
    assert (status, to) == (303, "/unlock?next=%2Fkeepers%2Fset-up%2Fkeys")
    await unlock(keeper, "/keepers/set-up/keys")
    assert (await keeper.post("/keepers/set-up/keys", at="/keepers/set-up/keys"))[:2] == (303, "/keepers/set-up")
    return admin, keeper


async def print_sheets(keeper: Visitor) -> list[str]:
    _, page = await keeper.get("/keepers/set-up/sheets")
    [instead] = INSTEAD.findall(page)
    status, _, page = await keeper.post("/keepers/set-up/sheets", at="/keepers/set-up/sheets", instead=instead)
    assert status == 200
    return codes(page)


async def next_step(keeper: Visitor) -> str:
    status, headers, _ = await keeper.ask("GET", "/keepers/set-up")
    assert status == 303
    return str(headers["Location"])


async def test_a_keeper_is_led_from_the_first_page_to_open_cases_and_may_stop_at_each_step(here: Site) -> None:
    _, keeper = await named(here)
    assert "Set up cases for your organisation" in (await keeper.get("/"))[1]
    assert await next_step(keeper) == "/keepers/set-up/about"
    _, page = await keeper.get("/keepers/set-up/about")
    assert "An administrator who changes the program on the server" in page
    assert "No outside expert has checked it" in page
    await keeper.post("/keepers/set-up/keys", at="/keepers/set-up/keys")
    assert await next_step(keeper) == "/keepers/set-up/keys"
    await unlock(keeper, "/keepers/set-up/keys")
    await keeper.post("/keepers/set-up/keys", at="/keepers/set-up/keys")
    assert await next_step(keeper) == "/keepers/set-up/sheets"
    sheets = await print_sheets(keeper)
    assert len({*sheets}) == 3
    assert await next_step(keeper) == "/keepers/set-up/try"
    two = {"sheet": sheets[2].lower(), "sheet2": sheets[0].replace(" ", "")}
    assert (await keeper.post("/keepers/set-up/try", at="/keepers/set-up/try", **two))[:2] == (303, "/keepers/set-up")
    assert await next_step(keeper) == "/keepers/set-up/second"
    assert "Cases can be opened" in (await keeper.get("/keepers"))[1]
    second = await here.member("ruth")
    await keeper.post("/keepers", at="/keepers/set-up/second", person=second.viewer.person_id, **{"from": "second"})
    assert "Has no key of their own yet" in (await keeper.get("/keepers/set-up/second"))[1]
    assert "A keeper was named and has no key" in (await keeper.get("/"))[1]
    await unlock(second, "/")
    hand, (_, page) = f"/keepers/{second.viewer.person_id}/hand", await keeper.get("/keepers/set-up/second")
    [kid], [words] = re.findall(r'name="kid" value="([^"]+)"', page), WORDS.findall(page)
    assert words in (await second.get("/settings/keys"))[1], "both see the same words"
    form = {"from": "second", "kid": kid}
    status, _, page = await keeper.post(hand, at="/keepers/set-up/second", **form)
    assert (status, "heard them read all words" in page) == (422, True)
    assert (await keeper.post(hand, at="/keepers/set-up/second", same="yes", **form))[:2] == (303, "/keepers/set-up/second")
    assert await next_step(keeper) == "/keepers/set-up/done"
    assert "For keepers" not in (await keeper.get("/"))[1], "nothing waits any more"
    assert (await second.get("/keepers"))[1].count("Holds the key") == 2


async def test_nobody_but_keepers_and_admins_finds_the_pages_and_admins_act_on_none_of_them(here: Site) -> None:
    admin, keeper = await with_key(here)
    member = await here.member("sokha")
    pages = ["/keepers", "/keepers/set-up", "/keepers/set-up/about", "/keepers/set-up/sheets", "/keepers/sheets/use"]
    forms = [
        "/keepers/set-up/keys",
        "/keepers/set-up/sheets",
        "/keepers/set-up/try",
        "/keepers/sheets/use",
        f"/keepers/{keeper.viewer.person_id}/hand",
    ]
    assert {(await member.get(path))[0] for path in pages} == {404}
    assert {(await member.post(path, at="/settings"))[0] for path in [*forms, "/keepers"]} == {404}
    assert [(await admin.get(path))[0] for path in pages] == [200, 404, 404, 404, 404]
    assert {(await admin.post(path, at="/settings"))[0] for path in forms} == {404}
    status, _, page = await admin.post("/keepers", at="/settings", person=member.viewer.person_id)
    assert status == 403
    assert "Keepers are named by keepers" in page
    status, _, page = await admin.post(f"/keepers/{keeper.viewer.person_id}/remove", at="/settings")
    assert (status, "removed by keepers" in page) == (403, True)
    assert (await keeper.get("/keepers"))[1].count("Holds the key") == 1
    assert (await keeper.get("/keepers/set-up/nowhere"))[0] == 404


@pytest.mark.rule("P5")
async def test_no_page_gives_the_keepers_role_away_and_the_members_page_says_what_roles_open(here: Site) -> None:
    admin, _ = await named(here)
    member = await here.member("sokha")
    _, page = await admin.get("/admin/members")
    assert 'value="keeper"' not in page
    assert "can be put on cases; opens none by this alone" in page
    assert "<span>Keeper</span>" in page
    roles = f"/admin/members/{member.viewer.person_id}/roles"
    status, _, page = await admin.post(roles, at="/admin/members", role="keeper")
    assert status == 422
    assert "Keepers are named by keepers" in page
    assert (await member.get("/keepers"))[0] == 404
    assert (await admin.post(roles, at="/admin/members", role="caseworker"))[0] == 303


async def test_sheets_are_shown_once_and_a_page_loaded_again_makes_no_second_set(here: Site) -> None:
    _, keeper = await with_key(here)
    sheets = await print_sheets(keeper)
    status, _, page = await keeper.post("/keepers/set-up/sheets", at="/keepers/set-up/sheets", instead="")
    assert (status, codes(page)) == (409, [])
    assert "made meanwhile" in page
    for path in ("/keepers", "/keepers/set-up/sheets", "/keepers/set-up/try"):
        _, page = await keeper.get(path)
        assert not any(group in page for sheet in sheets for group in sheet.split())
    two = {"sheet": sheets[0], "sheet2": sheets[1]}
    assert (await keeper.post("/keepers/set-up/try", at="/keepers/set-up/try", **two))[0] == 303
    newer = await print_sheets(keeper)
    assert not set(newer) & set(sheets)
    status, _, page = await keeper.post("/keepers/set-up/try", at="/keepers/set-up/try", **two)
    assert (status, "newest set" in page) == (422, True)
    assert (await keeper.post("/keepers/set-up/try", at="/keepers/set-up/try", sheet=newer[1], sheet2=newer[2]))[0] == 303


@pytest.mark.rule("P13")
async def test_nothing_of_a_sheet_is_in_any_file_of_the_node_nor_in_its_log(here: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    _, keeper = await with_key(here)
    sheets = await print_sheets(keeper)
    two = {"sheet": sheets[0], "sheet2": sheets[1]}
    assert (await keeper.post("/keepers/set-up/try", at="/keepers/set-up/try", **two))[0] == 303
    wrong = await keeper.post("/keepers/set-up/try", at="/keepers/set-up/sheets", sheet=sheets[2], sheet2=sheets[2])
    assert wrong[0] == 422
    bits = [papers.read_sheet(sheet).raw for sheet in sheets]
    told = [sheet.encode() for sheet in sheets] + [sheet.replace(" ", "").encode() for sheet in sheets]
    kept = {path: path.read_bytes() for path in here.place.rglob("*") if path.is_file()}
    assert any(path.name == "ring.db" for path in kept)
    found = [path for path, data in kept.items() for one in (*bits, *told) if one in data or one.hex().encode() in data]
    assert (found, [one for one in told if one.decode() in caplog.text]) == ([], [])


async def test_a_slip_in_a_sheet_is_said_beside_its_field_with_what_was_typed_kept(here: Site) -> None:
    _, keeper = await with_key(here)
    one, other, _ = await print_sheets(keeper)
    slip = other[:-1] + ("0" if other[-1] != "0" else "1")
    status, _, page = await keeper.post("/keepers/set-up/try", at="/keepers/set-up/try", sheet=one, sheet2=slip)
    assert status == 422
    assert "slip in group 8" in page
    assert 'id="sheet2-err"' in page
    assert 'id="sheet-err"' not in page
    assert one in page
    status, _, page = await keeper.post("/keepers/set-up/try", at="/keepers/set-up/try", sheet=one, sheet2=one)
    assert "same sheet twice" in page


async def test_a_browser_that_has_not_unlocked_is_asked_for_the_password_and_comes_back(here: Site) -> None:
    _, keeper = await with_key(here)
    await keeper.post("/settings/keys", at="/settings/keys", act="lock")
    status, to, _ = await keeper.post("/keepers/set-up/sheets", at="/keepers/set-up/sheets", instead="")
    assert (status, to) == (303, "/unlock?next=%2Fkeepers%2Fset-up%2Fsheets")
    await unlock(keeper, "/keepers/set-up/sheets")
    assert len(await print_sheets(keeper)) == 3


@pytest.mark.rule("P28")
async def test_with_the_last_keeper_gone_the_next_one_types_two_sheets_and_every_keeper_reads_it(here: Site) -> None:
    admin, keeper = await with_key(here)
    sheets = await print_sheets(keeper)
    next_one = await here.member("ruth")
    disable = f"/admin/members/{keeper.viewer.person_id}/disable"
    began = time.monotonic()
    assert (await admin.post(disable, at="/admin/members"))[0] == 303
    assert time.monotonic() - began < 5, "and it is all done by then"
    assert (await keeper.get("/keepers"))[0] == 303, "signed out"
    assert "No keeper can open" in (await admin.get("/keepers"))[1]
    await admin.post("/keepers", at="/keepers", person=next_one.viewer.person_id)
    assert "Two of the three sheets can" in (await next_one.get("/"))[1]
    assert await next_step(next_one) == "/keepers/sheets/use"
    await unlock(next_one, "/keepers/sheets/use")
    status, to, _ = await next_one.post("/keepers/sheets/use", at="/keepers/sheets/use", sheet=sheets[1], sheet2=sheets[0])
    assert (status, to) == (303, "/keepers")
    _, page = await next_one.get("/keepers")
    assert "Two sheets were used" in page
    assert "Two sheets were used" in (await next_one.get("/"))[1]
    assert "Two sheets used to open" in (await admin.get("/admin/audit"))[1]
    assert len(await print_sheets(next_one)) == 3
    assert "Two sheets were used" not in (await next_one.get("/"))[1], "new sheets end it"


@pytest.mark.rule("P18")
async def test_the_pages_can_be_left_at_once_and_are_stored_nowhere(here: Site) -> None:
    _, keeper = await with_key(here)
    for path in (
        "/keepers",
        *(f"/keepers/set-up/{step}" for step in ("about", "keys", "sheets", "try", "second", "done")),
        "/keepers/sheets/use",
    ):
        _, headers, page = await keeper.ask("GET", path)
        assert headers["Cache-Control"] == "no-store"
        assert 'class="btn leave"' in page
    _, headers, page = await keeper.ask("POST", "/keepers/set-up/sheets", {"token": await keeper.token(), "instead": ""})
    assert headers["Cache-Control"] == "no-store"
    assert 'class="btn leave"' in page


async def test_a_second_factor_is_compelled_for_case_roles_on_a_node_in_earnest(tmp_path: Path) -> None:
    async with site(tmp_path, trial=False, base_url="https://node.example.org") as earnest:
        for role, compelled in (("caseworker", True), ("triager", True), ("analyst", False), ("member", False)):
            person = await earnest.member(role, role)
            status, headers, _ = await person.ask("GET", "/groups")
            assert (status, headers.get("Location")) == ((303, "/settings/factor") if compelled else (200, None)), role
        keeper, admin = await earnest.member("ilse"), await earnest.member("mila", "admin")
        assert (await keeper.get("/groups"))[0] == 200
        await earnest.write(keepers.name, admin.viewer, keeper.viewer.person_id)
        status, headers, _ = await keeper.ask("GET", "/groups")
        assert (status, headers["Location"]) == (303, "/settings/factor")
