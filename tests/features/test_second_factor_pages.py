"""Shows the second factor on pages: setting it up, signing in by it, who sees nothing else before, guessing codes, an admin's reset."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest
from typer.testing import CliRunner

from fedcollab import cli
from fedcollab.base.clock import MICROSECONDS
from fedcollab.base.errors import Refused
from fedcollab.features.members import factor, service
from fedcollab.features.members.feature import THROTTLE
from tests.web import PASSWORD, Site, Visitor, forget_asking, site

from .conftest import House

FACTOR = "/settings/factor"
WRONG = "000 000"


@pytest.fixture
async def earnest(tmp_path: Path) -> AsyncIterator[House]:
    """A node that is no trial node."""
    async with site(tmp_path, trial=False, base_url="https://node.example.org") as made:
        yield House(made, await made.member("ilse", "admin", "member"))


def at(app: pyotp.TOTP, here: Site, steps: int = 0) -> str:
    return app.at(here.kernel.node.now() // MICROSECONDS + steps * factor.STEP)


async def switch_on(person: Visitor) -> tuple[pyotp.TOTP, list[str]]:
    """Sets the second factor up on the page, as a person does; answers the app and the recovery codes. The app's next code is one
    step on."""
    status, to, _ = await person.post(FACTOR, at=FACTOR, act="begin")
    assert (status, to) == (303, FACTOR)
    _, page = await person.get(FACTOR)
    found = re.search(r'<p class="code ltr">([A-Z2-7 ]+)</p>', page)
    assert found
    app = pyotp.TOTP(found[1].replace(" ", ""))
    status, _, page = await person.post(FACTOR, at=FACTOR, act="confirm", code=at(app, person.site))
    assert status == 200
    return app, re.findall(r'translate="no">([\w-]+)</span>', page)


async def half_way(here: Site, name: str) -> Visitor:
    """A browser that has given the right password."""
    visitor = here.stranger()
    form = {"token": await visitor.token(), "username": name, "password": PASSWORD, "next": "/groups"}
    status, headers, _ = await visitor.ask("POST", "/login", form)
    assert (status, headers["Location"]) == (303, "/login/code?next=%2Fgroups")
    return visitor


async def give(visitor: Visitor, code: str, **more: str) -> tuple[int, str, str]:
    """Sends the code's form; (status, Location, page)."""
    status, headers, page = await visitor.ask(
        "POST", "/login/code", {"token": await visitor.token("/login/code"), "code": code, "next": "/groups"} | more
    )
    return status, headers.get("Location", ""), page


async def test_setting_it_up_takes_a_first_code_and_shows_the_recovery_codes_once(house: House) -> None:
    daan = await house.site.member("daan")
    app, codes = await switch_on(daan)
    assert (len(app.secret), len(codes)) == (32, 10)
    _, page = await daan.get(FACTOR)
    assert "10 recovery codes are left" in page
    assert not [word for word in (app.secret, app.secret[:4] + " ", *codes) if word in page]


async def test_the_page_of_an_offer_shows_its_picture_and_its_letters_and_a_wrong_code_changes_nothing(house: House) -> None:
    daan = await house.site.member("daan")
    await daan.post(FACTOR, at=FACTOR, act="begin")
    _, page = await daan.get(FACTOR)
    letters = re.search(r'<p class="code ltr">((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})</p>', page)
    assert letters
    assert re.search(rf'<a href="otpauth://totp/[^"]*\bsecret={letters[1].replace(" ", "")}\b', page), "for an app on the same phone"
    assert 'class="qr"><svg' in page
    assert "style=" not in page
    status, _, page = await daan.post(FACTOR, at=FACTOR, act="confirm", code=WRONG)
    assert (status, "does not fit" in page, 'class="qr"' in page) == (422, True, True)
    assert (await daan.post(FACTOR, at=FACTOR, act="withdraw"))[0] == 303
    assert 'class="qr"' not in (await daan.get(FACTOR))[1]
    assert (await daan.post(FACTOR, at=FACTOR, act="explode"))[0] == 400


async def test_signing_in_asks_for_the_code_on_a_second_page_and_is_no_session_before_it(house: House) -> None:
    app, codes = await switch_on(await house.site.member("daan"))
    visitor = await half_way(house.site, "daan")
    assert [name.split("-")[0] for name in visitor.cookies] == ["visit", "half"]
    assert (await visitor.ask("GET", "/settings"))[1]["Location"] == "/login?next=/settings"
    for code in (WRONG, ""):
        status, _, page = await give(visitor, code)
        assert (status, "does not fit, or was used already" in page) == (422, True)
    code = at(app, house.site, 1)
    status, to, _ = await give(visitor, code)
    assert (status, to) == (303, "/groups")
    assert (await visitor.get("/settings"))[0] == 200
    other = await half_way(house.site, "daan")
    assert (await give(other, code))[0] == 422, "no code counts twice"
    assert (await give(other, codes[3].upper()))[0] == 303
    assert "9 recovery codes are left" in (await other.get(FACTOR))[1]


async def test_only_the_browser_that_gave_the_password_may_give_the_code(house: House) -> None:
    _, codes = await switch_on(await house.site.member("daan"))
    visitor, other = await half_way(house.site, "daan"), house.site.stranger()
    assert (await other.ask("GET", "/login/code?next=/groups"))[1]["Location"] == "/login?next=%2Fgroups"
    form = {"token": await other.token(), "code": codes[0], "next": "/groups"}
    status, _, page = await other.ask("POST", "/login/code", form)
    assert (status, "longer than ten minutes" in page) == (422, True)
    assert (await give(visitor, codes[0]))[0] == 303, "nothing was used up"


async def test_what_was_being_written_goes_through_both_pages_of_signing_in(house: House) -> None:
    _, codes = await switch_on(await house.site.member("daan"))
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    at_form, visitor = f"/groups/{group}/new", house.site.stranger()
    form = {"title": "A long title", "text": "Many words", "token": await visitor.token(), "next": at_form}
    status, _, page = await visitor.ask("POST", "/login", form | {"username": "daan", "password": PASSWORD})
    assert (status, 'name="text" value="Many words"' in page, PASSWORD in page) == (200, True, False)
    form["token"] = await visitor.token("/login/code")
    status, _, page = await visitor.ask("POST", "/login/code", form | {"code": WRONG})
    assert (status, 'name="text" value="Many words"' in page) == (422, True)
    status, headers, _ = await visitor.ask("POST", "/login/code", form | {"code": codes[0]})
    assert (status, headers["Location"]) == (307, at_form)
    _, _, page = await visitor.ask("POST", at_form, form | {"code": codes[0]})
    assert ">Many words</textarea>" in page


async def test_after_a_one_time_link_the_code_is_asked_for_as_well(house: House) -> None:
    daan = await house.site.member("daan")
    _, codes = await switch_on(daan)
    link = f"/link/{await house.site.write(service.make_link, None, daan.viewer.person_id)}"
    visitor = house.site.stranger()
    status, to, _ = await visitor.post(link, at=link)
    assert (status, to) == (303, "/login/code?next=%2Fsettings%2Fpassword")
    assert (await visitor.ask("GET", "/settings/password"))[0] == 303
    assert (await give(visitor, codes[0], next="/settings/password"))[:2] == (303, "/settings/password")
    assert (await visitor.post("/settings/password", at="/settings/password", password="five other plain words"))[0] == 303


@pytest.mark.rule("AUTH-01")
async def test_codes_cannot_be_guessed_not_even_all_at_once_and_only_the_guessed_account_waits(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, codes = await switch_on(await house.site.member("daan"))
    other_app, _ = await switch_on(await house.site.member("noor"))
    guesser, second = await half_way(house.site, "daan"), await half_way(house.site, "daan")
    form = {"token": await second.token("/login/code"), "next": "/"}
    token = await guesser.token("/login/code")

    async def guess(number: int) -> int:
        status, headers, _ = await guesser.ask("POST", "/login/code", {"token": token, "code": f"{number:06d}", "next": "/"})
        assert status != 429 or int(headers["Retry-After"]) >= 1
        return status

    right = {at(app, house.site, near) for near in (-1, 0, 1, 2)}
    guesses = [number for number in range(210) if f"{number:06d}" not in right][:200]
    throttle = house.site.runner.app[THROTTLE]
    now = throttle._clock()
    monkeypatch.setattr(throttle, "_clock", lambda: now)  # however long 200 answers take on a busy machine
    statuses = await asyncio.gather(*(guess(number) for number in guesses))
    assert (await second.ask("POST", "/login/code", form | {"code": at(app, house.site, 1)}))[0] == 429, "another browser waits as well"
    assert (statuses.count(422), statuses.count(429)) == (5, 195)
    assert (await give(await half_way(house.site, "noor"), at(other_app, house.site, 1)))[0] == 303
    assert (await give(await half_way(house.site, "daan"), codes[0]))[0] == 303, "a stranger locks nobody out"


@pytest.mark.rule("AUTH-01")
async def test_nobody_learns_without_the_password_who_has_a_second_factor(house: House) -> None:
    await switch_on(await house.site.member("daan"))
    await house.site.member("noor")
    pages = []
    for name in ("daan", "noor", "nobody"):
        visitor = house.site.stranger()
        token = await visitor.token()
        status, headers, page = await visitor.ask(
            "POST", "/login", {"token": token, "username": name, "password": "wrong words", "next": "/"}
        )
        kept = {field: value for field, value in headers.items() if field not in ("Date", "Content-Length")}
        pages.append((status, kept, list(visitor.cookies), page.replace(name, "").replace(token, "")))
    assert pages[0] == pages[1] == pages[2]
    assert pages[0][0] == 422


async def test_moving_it_new_codes_and_switching_off_ask_for_the_password_and_a_code_again(house: House) -> None:
    daan = await house.site.member("daan")
    _, codes = await switch_on(daan)
    for act in ("begin", "renew", "off"):
        await forget_asking(house.site)
        status, to, _ = await daan.post(FACTOR, at=FACTOR, act=act)
        assert (status, to) == (307, f"/again?next={FACTOR}")
    assert "10 recovery codes are left" in (await daan.get(FACTOR))[1]
    assert (await daan.post("/again", at="/again", again="page", password=PASSWORD, code=codes[0], next=FACTOR))[:2] == (303, FACTOR)
    status, _, page = await daan.post(FACTOR, at=FACTOR, act="renew")
    assert status == 200
    new = re.findall(r'translate="no">([\w-]+)</span>', page)
    assert len(set(new) - set(codes)) == 10
    assert (await daan.post(FACTOR, at=FACTOR, act="begin"))[0] == 303
    assert 'class="qr"' in (await daan.get(FACTOR))[1]
    assert (await daan.post(FACTOR, at=FACTOR, act="off"))[0] == 303
    form = {"token": await daan.token("/settings"), "username": "daan", "password": PASSWORD, "next": "/groups"}
    assert (await daan.ask("POST", "/login", form))[1]["Location"] == "/groups"


async def test_an_admin_without_it_sees_only_the_page_that_sets_it_up(earnest: House) -> None:
    admin = earnest.admin
    for path in ("/", "/groups", "/settings", "/admin/members", "/settings/password"):
        assert (await admin.ask("GET", path))[1]["Location"] == FACTOR, path
    _, page = await admin.get(FACTOR)
    assert "your roles need a second factor" in page
    assert 'value="off"' not in page
    for path in ("/groups/new", "/admin/members/invite", "/settings"):
        status, _, page = await admin.post(path, at=FACTOR)
        assert (status, "second factor" in page) == (403, True), path
    assert (await (await earnest.site.member("daan")).get("/groups"))[0] == 200, "members are free"
    await switch_on(admin)
    for path in ("/", "/groups", "/admin/members"):
        assert (await admin.get(path))[0] == 200, path
    status, _, page = await admin.post(FACTOR, at=FACTOR, act="off")
    assert (status, "cannot do without" in page) == (422, True)


async def test_a_role_given_later_asks_for_it_on_the_next_page(earnest: House) -> None:
    await switch_on(earnest.admin)
    daan = await earnest.site.member("daan")
    assert (await daan.get("/groups"))[0] == 200
    roles = f"/admin/members/{daan.viewer.person_id}/roles"
    assert (await earnest.admin.post(roles, at="/admin/members", role="moderator"))[0] == 303
    assert (await daan.ask("GET", "/groups"))[1]["Location"] == FACTOR
    await switch_on(daan)
    assert (await daan.get("/groups/new"))[0] == 200


async def test_on_a_trial_node_nobody_has_to_and_the_page_says_so(house: House) -> None:
    assert (await house.admin.get("/admin/members"))[0] == 200
    assert "This is a trial node: nobody has to." in (await house.admin.get(FACTOR))[1]
    assert "trial node: nobody" not in (await (await house.site.member("daan")).get(FACTOR))[1]


async def test_an_admin_resets_a_lost_factor_in_two_steps_and_the_person_is_told(house: House) -> None:
    daan = await house.site.member("daan")
    at_reset = f"/admin/members/{daan.viewer.person_id}/factor"
    assert (await house.admin.get(at_reset))[0] == 404, "there is none"
    await switch_on(daan)
    assert at_reset in (await house.admin.get("/admin/members"))[1]
    assert "Reset the second factor of" in (await house.admin.get(at_reset))[1]
    assert (await daan.get(at_reset))[0] == 404
    assert (await daan.post(at_reset))[0] == 404
    status, to, _ = await house.admin.post(at_reset, at=at_reset)
    assert (status, to) == (303, f"/admin/members#m-{daan.viewer.person_id}")
    assert (await daan.get("/settings"))[0] == 303, "signed out"
    form = {"token": await daan.token(), "username": "daan", "password": PASSWORD, "next": "/groups"}
    assert (await daan.ask("POST", "/login", form))[1]["Location"] == "/groups"
    for person in (daan, house.admin):
        assert "the second factor was reset" in (await person.get("/groups"))[1]
    assert "Second factor reset" in (await house.admin.get("/admin/audit"))[1]


async def test_a_command_lets_the_last_admin_in_again_who_has_lost_everything(earnest: House) -> None:
    await switch_on(earnest.admin)
    directory = ["-C", str(earnest.site.place), "user", "reset-factor"]
    done = await asyncio.to_thread(CliRunner().invoke, cli.app, [*directory, "ilse"])
    assert (done.exit_code, "ilse signs in with the password alone" in done.output) == (0, True)
    assert (await earnest.admin.ask("GET", "/settings"))[1]["Location"] == "/login?next=/settings", "signed out"
    form = {"token": await earnest.admin.token(), "username": "ilse", "password": PASSWORD, "next": "/groups"}
    assert (await earnest.admin.ask("POST", "/login", form))[1]["Location"] == "/groups"
    assert (await earnest.admin.ask("GET", "/groups"))[1]["Location"] == FACTOR, "a new one is due"
    for name in ("ilse", "nobody"):
        done = await asyncio.to_thread(CliRunner().invoke, cli.app, [*directory, name])
        assert isinstance(done.exception, Refused), name
