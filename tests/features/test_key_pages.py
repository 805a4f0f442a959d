"""Shows the pages of keys as people meet them: unlocking, the paper, a reset with and without it, readmission; and that what is sealed is
asked for from locked browsers without losing what they typed."""

import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web

import fedcollab.app
from fedcollab.access.models import AuditEntry
from fedcollab.base.logs import Lines, Text
from fedcollab.base.web import read_fields
from fedcollab.feature import Feature, came_back, member_of, page
from fedcollab.features.members import service as members
from fedcollab.sealing import keepers, people, recovery, state
from fedcollab.sealing.unlocked import unlocked_of
from tests.rows import quick_keys
from tests.web import PASSWORD, Site, Visitor, site

NEW = "six other plain words, all new"
SEEN: list[Any] = []


async def _sealed(request: web.Request) -> web.Response:
    """What a page of something sealed does: it asks for the keys before anything else."""
    member_of(request)
    keys = await unlocked_of(request)
    fields = await read_fields(request) if request.method == "POST" else None
    if fields is not None and not came_back(request, fields):
        SEEN.append(dict(fields))
    return page(
        request, "members/login.html", username=fields.get("text", "") if fields else keys[0].public.kid, next="/", errors={}, kept={}
    )


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """A node where cases are on, with something sealed at /sealed."""
    feature = Feature("sealed", routes=(web.get("/sealed", _sealed), web.post("/sealed", _sealed)))
    monkeypatch.setattr(fedcollab.app, "FEATURES", (*fedcollab.app.FEATURES, feature))
    SEEN.clear()
    with quick_keys():
        async with site(tmp_path) as found:
            await found.write(state.turn_on, None)
            yield found


async def unlock(who: Visitor, word: str = PASSWORD, to: str = "/settings/keys") -> tuple[int, str, str]:
    return await who.post("/unlock", at="/unlock", password=word, next=to)


async def keys(who: Visitor, act: str, **fields: str) -> tuple[int, str, str]:
    return await who.post("/settings/keys", act=act, **fields)


async def paper(who: Visitor) -> tuple[str, str]:
    """(The code on a fresh paper, the form's mark of it.)"""
    status, _, text = await keys(who, "paper", password=PASSWORD)
    assert status == 200
    return " ".join(re.findall(r'translate="no">([0-9A-Z]{4})<', text)), re.findall(r'name="made" value="(\w+)"', text)[0]


async def login(here: Site, name: str, word: str = PASSWORD) -> Visitor:
    browser = here.stranger()
    status, to, _ = await browser.post("/login", at="/login", username=name, password=word)
    assert (status, to) == (303, "/")
    return browser


async def says(who: Visitor) -> str:
    status, text = await who.get("/settings/keys")
    assert status == 200
    return text


async def acts(here: Site) -> list[str]:
    def read(session: Any) -> list[str]:
        return list(session.scalars(sa.select(AuditEntry.action).where(AuditEntry.action.startswith("key.")).order_by(AuditEntry.seq)))

    return await here.kernel.database.read(read)


async def test_before_cases_are_on_there_is_nothing_to_unlock(tmp_path: Path) -> None:
    with quick_keys():
        async with site(tmp_path) as plain:
            daan = await plain.member("daan")
            assert "you have no key and need none" in await says(daan)
            assert "nothing to unlock" in (await daan.get("/unlock"))[1]
            await login(plain, "daan")
            assert await acts(plain) == []


async def test_who_was_signed_in_already_unlocks_by_the_password_and_goes_on_to_where_they_were(here: Site) -> None:
    daan = await here.member("daan")
    assert "You have no key yet" in await says(daan)
    status, headers, _ = await daan.ask("GET", "/sealed?x=1")
    assert (status, headers["Location"]) == (303, "/unlock?next=/sealed%3Fx%3D1")
    assert 'name="next" value="/sealed?x=1"' in (await daan.get(headers["Location"]))[1]
    assert (await unlock(daan, to="/sealed?x=1"))[:2] == (303, "/sealed?x=1")
    assert (await daan.get("/sealed?x=1"))[0] == 200
    assert "Unlocked" in await says(daan)
    assert await acts(here) == ["key.make"]


async def test_a_password_login_unlocks_and_lock_now_locks_this_browser_alone(here: Site) -> None:
    await here.member("daan")
    one, other = await login(here, "daan"), await login(here, "daan")
    assert [(await who.get("/sealed"))[0] for who in (one, other)] == [200, 200]
    assert (await keys(one, "lock"))[:2] == (303, "/settings/keys")
    assert [(await who.get("/sealed"))[0] for who in (one, other)] == [303, 200]
    assert "Locked" in await says(one)
    await other.post("/logout")
    assert (await other.ask("GET", "/sealed"))[1]["Location"] == "/login?next=/sealed"


async def test_a_form_sent_from_a_locked_browser_comes_back_with_all_that_was_typed(here: Site) -> None:
    daan = await here.member("daan")
    token = await daan.token("/settings")
    status, headers, _ = await daan.ask("POST", "/sealed", {"token": token, "text": "Many typed words", "tick": "one"})
    assert (status, headers["Location"]) == (307, "/unlock?next=/sealed")
    carried = {"token": token, "text": "Many typed words", "tick": "one"}
    status, _, text = await daan.ask("POST", headers["Location"], carried)
    assert (status, "Your text is safe" in text, 'name="text" value="Many typed words"' in text) == (200, True, True)
    kept = {"unlock": token, "token": "none", "next": "/sealed", "text": "Many typed words", "tick": "one"}
    status, _, text = await daan.ask("POST", "/unlock", kept | {"password": "a wrong one"})
    assert (status, "not your password" in text, 'value="Many typed words"' in text) == (422, True, True)
    for forged in ({"unlock": "0" * 64}, {"unlock": "", "token": token}):
        assert (await daan.ask("POST", "/unlock", kept | forged | {"password": PASSWORD}))[0] == 403
    assert "You have no key yet" in await says(daan)
    status, headers, _ = await daan.ask("POST", "/unlock", kept | {"password": PASSWORD})
    assert (status, headers["Location"]) == (307, "/sealed"), "the browser sends the form on"
    status, _, text = await daan.ask("POST", "/sealed", kept | {"password": PASSWORD})
    assert (status, 'value="Many typed words"' in text, SEEN) == (200, True, []), "nothing is done before its author says so"
    status, _, _ = await daan.ask("POST", "/sealed", carried)
    assert (status, [(one["text"], one["tick"]) for one in SEEN]) == (200, [("Many typed words", "one")])


@pytest.mark.rule("AUTH-01")
async def test_guessing_at_the_unlock_page_is_slowed_down_as_at_signing_in(here: Site) -> None:
    daan, mila = await here.member("daan"), await here.member("mila")
    here.hold_time_for_guesses()
    found = [(await unlock(daan, "a wrong one"))[0] for _ in range(6)]
    assert found == [422] * 5 + [429]
    assert (await keys(daan, "anew", password=PASSWORD))[0] == 429, "no way round it"
    assert (await unlock(daan))[0] == 429
    assert (await unlock(mila))[0] == 303
    assert (await mila.get("/sealed"))[0] == 200


async def test_a_form_of_another_site_unlocks_and_changes_nothing(here: Site) -> None:
    daan = await here.member("daan")
    forms = [("/unlock", {"password": PASSWORD}), ("/settings/keys", {"act": "anew", "password": PASSWORD})]
    for path, fields in forms:
        status, _, text = await daan.ask("POST", path, fields | {"token": "0" * 64})
        assert (status, PASSWORD in text) == (403, False)
    status, _, text = await daan.ask("POST", "/unlock?next=/sealed", {"text": "theirs"}, {"Sec-Fetch-Site": "cross-site"})
    assert (status, "theirs" in text) == (403, False)
    assert await acts(here) == []
    assert (await unlock(daan))[0] == 303


async def test_a_paper_counts_when_its_code_has_been_typed_back_and_is_shown_once(here: Site) -> None:
    daan = await here.member("daan")
    await unlock(daan)
    assert "You have no paper yet" in await says(daan)
    assert (await keys(daan, "paper", password="a wrong one"))[0] == 422
    code, mark = await paper(daan)
    assert len(code.split()) == 8
    assert "You have no paper yet" in await says(daan), "nothing counts before"
    other, _ = await paper(daan)
    slip = ("0" if code[0] != "0" else "1") + code[1:]
    for typed, words in ((slip, "slip in group"), (other, "not the one that you were just shown"), ("", "eight groups")):
        status, _, text = await keys(daan, "typed", code=typed, made=mark)
        assert (status, words in text, mark in text, code in text) == (422, True, True, False)
        assert not typed or typed not in text
    status, to, _ = await keys(daan, "typed", code=code.lower().replace(" ", ""), made=mark)
    assert (status, to) == (303, "/settings/keys")
    text = await says(daan)
    assert ("You have a paper" in text, code in text) == (True, False)
    assert await acts(here) == ["key.make", "key.code"]


async def test_a_paper_is_made_by_whoever_has_unlocked_and_says_the_password(here: Site) -> None:
    daan = await here.member("daan")
    status, to, _ = await keys(daan, "paper", password=PASSWORD)
    assert (status, to) == (303, "/unlock?next=/settings/keys")
    assert (await keys(daan, "no such act"))[0] == 400


async def reset(here: Site, name: str, code: str = "", word: str = NEW) -> tuple[Visitor, int, str]:
    """(The browser, what the new password was answered with.)"""
    made = await here.write(members.make_link, None, name)
    browser = here.stranger()
    await browser.post(f"/link/{made}", at=f"/link/{made}")
    status, _, text = await browser.post("/settings/password", at="/settings/password", password=word, code=code)
    return browser, status, text


async def test_a_reset_with_the_paper_opens_everything_as_before(here: Site) -> None:
    daan = await here.member("daan")
    await unlock(daan)
    code, mark = await paper(daan)
    await keys(daan, "typed", code=code, made=mark)
    before = await here.kernel.database.read(people.current, daan.viewer.person_id)
    made = await here.write(members.make_link, None, "daan")
    link = here.stranger()
    await link.post(f"/link/{made}", at=f"/link/{made}")
    assert "The code on your paper" in (await link.get("/settings/password"))[1]
    assert (await link.ask("GET", "/sealed"))[1]["Location"] == "/settings/password"
    wrong = ("0" if code[0] != "0" else "1") + code[1:]
    status, _, text = await link.post("/settings/password", at="/settings/password", password=NEW, code=wrong)
    assert (status, "slip in group" in text, wrong in text) == (422, True, False)
    assert (await link.post("/settings/password", at="/settings/password", password=NEW, code=code))[0] == 303
    assert (await link.get("/sealed"))[0] == 200
    assert await here.kernel.database.read(people.current, daan.viewer.person_id) == before
    assert (await (await login(here, "daan", NEW)).get("/sealed"))[0] == 200


@pytest.mark.rule("AUTH-09")
async def test_a_reset_without_the_paper_waits_for_a_keeper_who_compares_words(here: Site) -> None:
    admin, daan, mila = [await here.member(name, *roles) for name, roles in (("ilse", ["admin"]), ("daan", []), ("mila", []))]
    await unlock(daan)
    browser, status, _ = await reset(here, "daan")
    assert status == 303
    mine = await says(browser)
    assert "Your key is new and opens nothing yet" in mine
    words = re.findall(r'class="say code ltr"[^>]*>([^<]+)<', mine)
    assert len(words) == 1
    assert [(await who.get("/keepers/waiting"))[0] for who in (admin, mila, browser)] == [404] * 3, "not for admins"

    await here.write(keepers.name, admin.viewer, mila.viewer.person_id)
    assert "1 person waits for a keeper" in (await mila.get("/"))[1]
    text = (await mila.get("/keepers/waiting"))[1]
    assert words[0] in text
    kid = re.findall(r'name="kid" value="([\w-]+)"', text)[0]
    at = f"/keepers/waiting/{daan.viewer.person_id}"
    await unlock(mila)
    status, _, text = await mila.post(at, at="/keepers/waiting", kid=kid)
    assert (status, "Say that you have heard" in text) == (422, True)
    assert (await admin.post(at, at="/settings", kid=kid, same="yes"))[0] == 404
    await keys(mila, "lock")
    assert (await mila.post(at, at="/keepers/waiting", kid=kid, same="yes"))[:2] == (307, f"/unlock?next={at}"), "locked"
    await unlock(mila)
    status, _, text = await mila.post(at, at="/keepers/waiting", kid=kid, same="yes", next=at)
    assert (status, words[0] in text) == (200, True), "it came by way of unlocking"
    assert (await mila.post(at, at="/keepers/waiting", kid=kid, same="yes"))[0] == 422, "the organisation's key is not theirs yet"
    await here.write(keepers.begin, mila.viewer)
    assert (await mila.post(at, at="/keepers/waiting", kid=kid + "x", same="yes"))[0] == 409
    assert await here.kernel.database.read(people.current, daan.viewer.person_id) is None
    assert (await mila.post(at, at="/keepers/waiting", kid=kid, same="yes"))[:2] == (303, "/keepers/waiting")
    assert "Nobody waits" in (await mila.get("/keepers/waiting"))[1]
    assert "opens nothing yet" not in await says(browser)
    found = await here.kernel.database.read(people.current, daan.viewer.person_id)
    assert found is not None
    assert found.kid == kid
    assert await acts(here) == ["key.make", "key.anew", "key.make", "key.readmit"]


async def test_a_key_that_the_password_does_not_open_is_brought_back_by_the_paper_or_begun_anew(here: Site) -> None:
    daan = await here.member("daan")
    await unlock(daan)
    code, mark = await paper(daan)
    await keys(daan, "typed", code=code, made=mark)
    browser, _, _ = await reset(here, "daan")
    assert "I have my paper" in await says(browser)
    assert (await keys(browser, "recover", code=code, password="a wrong one"))[0] == 422
    assert (await keys(browser, "recover", code=code, password=NEW))[:2] == (303, "/settings/keys")
    text = await says(browser)
    assert ("Unlocked" in text, "You have a paper" in text, "opens nothing yet" in text) == (True, True, False)
    await keys(browser, "lock")
    assert (await keys(browser, "anew", password=NEW))[0] == 303
    text = await says(browser)
    assert ("Unlocked" in text, "opens nothing yet" in text) == (True, False), "a password that opens the key makes no new one"
    assert await acts(here) == ["key.make", "key.code", "key.anew", "key.recovered"]


async def test_a_changed_password_opens_the_same_key(here: Site) -> None:
    await here.member("daan")
    daan, other = await login(here, "daan"), await login(here, "daan")
    sent = dict(old=PASSWORD, password=NEW)
    assert (await daan.post("/settings/password", at="/settings/password", **sent))[0] == 303
    assert ((await daan.get("/sealed"))[0], (await other.get("/sealed"))[0]) == (200, 303)
    assert (await (await login(here, "daan", NEW)).get("/sealed"))[0] == 200
    assert await acts(here) == ["key.make"]


async def test_a_new_key_is_made_by_whoever_has_the_one_before_open_and_wants_a_new_paper(here: Site) -> None:
    await here.member("daan")
    daan = await login(here, "daan")
    assert (await keys(daan, "renew", password=PASSWORD))[:2] == (303, "/settings/keys")
    text = await says(daan)
    assert ("Unlocked" in text, "You have no paper yet" in text) == (True, True)
    assert await acts(here) == ["key.make", "key.renew"]


@pytest.mark.rule("P28")
@pytest.mark.rule("AUTH-02")
async def test_who_is_disabled_has_nothing_open_at_their_next_click(here: Site) -> None:
    await here.member("daan")
    daan, mila = await login(here, "daan"), await login(here, (await here.member("mila")).viewer.name.lower())
    assert (await daan.get("/sealed"))[0] == 200
    await here.write(members.disable, None, "daan")
    assert (await daan.ask("GET", "/sealed"))[1]["Location"].startswith("/login")
    assert (await mila.get("/sealed"))[0] == 200


@pytest.mark.rule("P14")
async def test_what_fails_inside_leaves_no_password_and_no_code_in_the_log(
    here: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    daan = await here.member("daan")
    await unlock(daan)
    code, mark = await paper(daan)
    caplog.set_level(logging.DEBUG)

    def fails(*held: object, **named: object) -> None:
        raise ZeroDivisionError(*held, *named.values())

    for name in ("reseal", "opened", "settle"):
        monkeypatch.setattr(people, name, fails)
    monkeypatch.setattr(recovery, "set_code", fails)
    answers = [
        await keys(daan, "typed", code=code, made=mark),
        await unlock(daan),
        await daan.post("/settings/password", at="/settings/password", old=PASSWORD, password=NEW),
    ]
    assert [status for status, _, _ in answers] == [500] * 3
    found = "".join(form().format(record) for record in caplog.records for form in (Lines, Text))
    assert found.count("ZeroDivisionError") >= 3
    for secret in (PASSWORD, NEW, code, code.replace(" ", ""), *daan.cookies.values()):
        assert secret not in found
        assert not any(secret in text for _, _, text in answers)
