"""Shows "lock my access" as people meet it: one act on their own page, plain words wherever something sealed is asked for afterwards, and
the keeper's page that reopens it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

import fedcollab.app
from fedcollab.base.web import read_form
from fedcollab.feature import Feature, member_of
from fedcollab.sealing import keepers, state
from fedcollab.sealing.unlocked import unlocked_of
from tests.rows import quick_keys
from tests.web import PASSWORD, Site, Visitor, site

TOLD = "You have locked your access"


async def _sealed(request: web.Request) -> web.Response:
    member_of(request)
    keys = await unlocked_of(request)
    if request.method == "POST":
        await read_form(request)
    return web.Response(text=f"opened by {len(keys)}")


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    feature = Feature("sealed", routes=(web.get("/sealed", _sealed), web.post("/sealed", _sealed)))
    monkeypatch.setattr(fedcollab.app, "FEATURES", (*fedcollab.app.FEATURES, feature))
    with quick_keys():
        async with site(tmp_path) as found:
            await found.write(state.turn_on, None)
            yield found


async def login(here: Site, name: str) -> Visitor:
    browser = here.stranger()
    assert (await browser.post("/login", at="/login", username=name, password=PASSWORD))[:2] == (303, "/")
    return browser


@pytest.mark.rule("P28")
async def test_one_act_locks_every_browser_and_a_keeper_who_has_heard_the_words_reopens_it(here: Site) -> None:
    admin, keeper, member = [await here.member(name, *roles) for name, roles in (("ilse", ["admin"]), ("mila", []), ("daan", []))]
    one, other = await login(here, "daan"), await login(here, "daan")
    mila = await login(here, "mila")
    await here.write(keepers.name, admin.viewer, keeper.viewer.person_id)
    await here.write(keepers.begin, keeper.viewer)
    assert [(await who.get("/sealed"))[0] for who in (one, other, mila)] == [200, 200, 200]
    assert (await one.post("/settings/keys", at="/settings/keys", act="away"))[:2] == (303, "/settings/keys")
    for who in (one, other):
        status, headers, _ = await who.ask("GET", "/sealed")
        assert (status, headers["Location"]) == (303, "/unlock?next=/sealed")
        text = (await who.get("/unlock?next=/sealed"))[1]
        assert (TOLD in text, 'name="password"' in text) == (True, False), "nobody is asked for a password that opens nothing"
        assert (await who.get("/"))[0] == 200
    status, _, text = await one.post("/unlock", at="/settings", password=PASSWORD, next="/sealed")
    assert (status, TOLD in text) == (422, True)
    assert (await mila.get("/sealed"))[0] == 200
    mine = (await other.get("/settings/keys"))[1]
    words = re.findall(r'class="say code ltr"[^>]*>([^<]+)<', mine)
    assert ("Ring a keeper" in mine, len(words)) == (True, 1)
    assert "waits for a keeper" in (await mila.get("/"))[1]
    text = (await mila.get("/keepers/waiting"))[1]
    assert ("Locked their own access" in text, words[0] in text) == (True, True)
    [kid] = re.findall(r'name="kid" value="([\w-]+)"', text)
    at = f"/keepers/waiting/{member.viewer.person_id}/reopen"
    status, _, text = await mila.post(at, at="/keepers/waiting", kid=kid)
    assert (status, "Say that you have heard" in text) == (422, True)
    assert (await mila.post(at, at="/keepers/waiting", kid=kid + "x", same="yes"))[0] == 409
    assert (await one.post(at, at="/settings", kid=kid, same="yes"))[0] == 404, "nobody for themselves"
    assert (await mila.post(at, at="/keepers/waiting", kid=kid, same="yes"))[:2] == (303, "/keepers/waiting")
    assert "Nobody waits" in (await mila.get("/keepers/waiting"))[1]
    assert (await one.ask("GET", "/sealed"))[0] == 303, "the password is asked for as always"
    assert (await one.post("/unlock", at="/unlock", password=PASSWORD, next="/sealed"))[:2] == (303, "/sealed")
    assert (await one.get("/sealed"))[0] == 200


async def test_what_was_typed_when_it_was_locked_is_shown_to_be_copied(here: Site) -> None:
    await here.member("daan")
    daan = await login(here, "daan")
    token = await daan.token("/settings")
    await daan.post("/settings/keys", at="/settings/keys", act="away")
    status, headers, _ = await daan.ask("POST", "/sealed", {"token": token, "text": "Many typed words"})
    assert (status, headers["Location"]) == (307, "/unlock?next=/sealed")
    status, _, text = await daan.ask("POST", headers["Location"], {"token": token, "text": "Many typed words"})
    assert (status, TOLD in text, "Many typed words" in text) == (200, True, True)
