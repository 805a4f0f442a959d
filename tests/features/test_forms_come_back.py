"""Shows that a form sent after its session had ended comes back filled, and that an error stands at the field that it is about."""

import asyncio
import re

import pytest
from typer.testing import CliRunner

from fedcollab import cli
from fedcollab.features.members import service
from tests.web import PASSWORD

from .conftest import House
from .test_mid_composition import age

PROFILE = {"name": "Ilse van V.", "summary": "First line\n\nsecond", "language": "fr", "time_zone": "Europe/Vienna"}
GROUP = {"slug": "night-line", "name": "Night line", "summary": "Who can be called", "label": "TLP:CLEAR", "history": "1"}


def wrong(page: str) -> list[str]:
    """The fields that a page marks as wrong."""
    return re.findall(r'id="(\w+)"[^>]*aria-invalid', page)


@pytest.mark.parametrize(("path", "form"), [("/settings", PROFILE), ("/groups/new", GROUP)])
async def test_a_form_sent_after_its_session_ended_is_back_after_signing_in_and_stored_when_its_author_says_so(
    house: House, path: str, form: dict[str, str]
) -> None:
    filled = form | {"token": await house.admin.token(path)}
    await house.site.kernel.database.write(age)
    status, headers, _ = await house.admin.ask("POST", path, filled)
    assert (status, headers["Location"]) == (307, f"/login?next={path}")
    _, _, page = await house.admin.ask("POST", headers["Location"], filled)
    assert "Your text is safe" in page
    login = filled | {"token": await house.admin.token(), "username": "ilse", "password": PASSWORD, "next": path}
    status, headers, _ = await house.admin.ask("POST", "/login", login)
    assert (status, headers["Location"]) == (307, path)
    _, _, page = await house.admin.ask("POST", path, login)
    assert all(value.splitlines()[-1] in page for value in form.values())
    assert PASSWORD not in page
    assert (await house.admin.ask("POST", path, login, {"Sec-Fetch-Site": "cross-site"}))[0] == 403
    assert (await house.site.kernel.database.read(service.find, "ilse")).name == "Ilse", "nothing is stored yet"
    assert "Night line" not in (await house.admin.get("/groups"))[1]
    assert (await house.admin.post(path, at=path, **form))[0] == 303
    assert form["name"] in (await house.admin.get("/settings" if form is PROFILE else "/groups"))[1]


@pytest.mark.parametrize(
    ("over", "field"),
    [({"name": ""}, "name"), ({"name": "\u200b"}, "name"), ({"language": "tlh"}, "language"), ({"time_zone": "Mars/Base"}, "time_zone")],
)
async def test_what_is_wrong_with_a_profile_is_said_at_its_field(house: House, over: dict[str, str], field: str) -> None:
    status, _, page = await house.admin.post("/settings", at="/settings", **(PROFILE | over))
    assert (status, wrong(page)) == (422, [field])


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "Noor Amal Noor", "name": "Noor Amal Noor"}, "password"),
        ({"username": "two words"}, "username"),
        ({"username": "ilse"}, "username"),
    ],
)
async def test_what_is_wrong_when_joining_is_said_at_its_field(house: House, over: dict[str, str], field: str) -> None:
    join = f"/join/{await house.site.write(service.invite, None, ['member'])}"
    form = {"name": "Noor A.", "username": "noor", "password": PASSWORD}
    newcomer = house.site.stranger()
    status, _, page = await newcomer.post(join, at=join, **(form | over))
    assert (status, wrong(page)) == (422, [field])
    assert (await newcomer.post(join, at=join, **form))[:2] == (303, "/"), "the invitation is still good"
    assert (await house.site.stranger().ask("POST", join, form))[0] == 410


async def test_a_name_with_a_capital_on_the_command_line_is_the_one_that_signs_in_and_is_shown_as_written(house: House) -> None:
    async def run(*words: str) -> str:
        done = await asyncio.to_thread(CliRunner().invoke, cli.app, ["-C", str(house.site.place), *words])
        assert done.exit_code == 0, done.exception
        return done.output

    said = await run("user", "add", "Amal")
    assert "amal can sign in as member." in said
    assert "login-link amal" in said
    made = await house.site.kernel.database.read(service.find, "amal")
    assert (made.username, made.name) == ("amal", "Amal")
    assert "/link/" in await run("login-link", "Amal")
