"""Shows what strangers, other guests, members and whoever guesses get of a referral to an organisation without a node: nothing."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fedcollab.access.models import RED, STRICT
from fedcollab.base.web import cookie_name
from fedcollab.features.cases import acting
from fedcollab.features.guests import service
from fedcollab.features.referrals import outside
from fedcollab.flows import propose_referral
from tests.features.cases.desks import Office, office
from tests.features.referrals.test_referral_pages import CODE, NAME, REGION
from tests.web import PASSWORD

from .outsiders import (
    FIRST,
    GROUND,
    HEALTH,
    WHO,
    a_case,
    accept,
    acts,
    refer,
    row,
    shown,
)


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


@pytest.mark.rule("P4")
async def test_before_the_code_the_link_shows_nothing_and_before_the_answer_the_preview_alone(at: Office) -> None:
    case = await a_case(at)
    link, code = await refer(at, case)
    before = (await at.site.stranger().get(link))[1]
    page = await shown(at, link, code)
    for secret in (NAME, HEALTH, CODE, "Who she is", "A complaint", "She cannot be asked", case, (await row(at)).id):
        assert secret not in before, secret
        assert secret not in page, secret
    for said in ("Sara Lind", "Police of Xanten", "Noor", REGION, "Legal help", "Within days", "Cambodia"):
        assert said not in before.split("<main", 1)[1], said
    kept = await at.sql("SELECT name, works_for, preview FROM guest")
    assert all(word.encode() not in bytes(kept[0][2]) for word in (code, REGION))
    assert REGION.encode() not in bytes((await row(at)).preview)


async def test_a_link_is_good_once_and_to_nobody_who_has_an_account_here(at: Office) -> None:
    case = await a_case(at)
    link, code = await refer(at, case)
    sara = await accept(at, link, code)
    for answer in (await at.site.stranger().get(link), await at.site.stranger().post(link, at="/login", act="decline", code=code)):
        assert answer[0] == 410
    other, its = await refer(at, case)
    before = await at.sql("SELECT id, state, tries FROM referral ORDER BY id")
    for visitor in (sara, at["daan"], at["noor"], at["mila"]):
        for act in ("open", "accept", "decline"):
            form = {"act": act, "code": its, "reason": "Other", "username": "x", "password": PASSWORD}
            where = "/guest" if visitor is sara else "/settings"
            assert (await visitor.post(other, at=where, **form))[0] == 404, act
        assert (await visitor.get(other))[0] == 404
    assert await at.sql("SELECT id, state, tries FROM referral ORDER BY id") == before
    assert (await sara.post("/guest/referral", at="/guest", outcome="Successful"))[0] == 303
    states = dict(await at.sql("SELECT id, state FROM referral"))
    assert sorted(states.values()) == ["done", "in_progress"], "a guest answers their own alone"
    assert REGION in await shown(at, other, its)


async def test_a_member_and_another_guest_have_no_referral_to_finish_from_a_guests_page(at: Office) -> None:
    assert (await at["noor"].post("/guest/referral", at="/settings", outcome="Successful"))[0] == 404
    case = await at.case("noor")
    asked = {"name": "Bo Berg", "works_for": "A shelter", "type": "NGO"}
    _, _, page = await at["noor"].post(f"/cases/{case}/guests", at=f"/cases/{case}/guests", **asked)
    [link] = re.findall(r"/guests/join/[\w-]+", page)
    bo = at.site.stranger()
    await bo.post(link, at=link, act="accept", username="bo", password=PASSWORD)
    assert "The referral" not in (await bo.get("/guest"))[1]
    assert (await bo.post("/guest/referral", at="/guest", outcome="Successful"))[0] == 404


@pytest.mark.rule("AUTH-05")
async def test_whoever_guesses_at_the_code_is_stopped_after_ten_tries_and_the_sender_sees_it(at: Office) -> None:
    case = await a_case(at)
    link, code = await refer(at, case)
    wrong = f"{(int(code.replace(' ', '')) + 1) % 10**8:08}"
    for tried in range(3):
        status, _, page = await at.site.stranger().post(link, at=link, act=("open", "accept", "decline")[tried], code=wrong, reason="Other")
        assert (status, "That is not the code" in page, REGION in page) == (422, True, False)
    assert REGION in await shown(at, link, code.replace(" ", "-")), "the right one is right, and begins the count anew"
    for _ in range(outside.TRIES - 1):
        assert (await at.site.stranger().post(link, at=link, act="open", code=wrong))[0] == 422
    assert (await at.site.stranger().post(link, at=link, act="open", code=wrong))[0] == 410
    assert (await at.site.stranger().post(link, at="/login", act="open", code=code))[0] == 410, "nor is the right one any more"
    one = await row(at)
    assert one.state == "in_progress"
    assert "good for nothing any more" in (await at["noor"].get(f"/referrals/{one.id}"))[1]
    assert "good for nothing any more" in (await at["noor"].get("/referrals"))[1]
    assert (await acts(at, case))[-1] == "shut"
    assert (await at["noor"].post(f"/referrals/{one.id}/take-back", at=f"/referrals/{one.id}"))[0] == 303


@pytest.mark.rule("P6")
@pytest.mark.rule("P7")
@pytest.mark.parametrize("label", [STRICT, RED])
async def test_from_a_case_for_named_organisations_own_people_nobody_is_referred_outside(at: Office, label: str) -> None:
    case = await at.case("noor", label)
    assert "nobody is referred onward" in (await at["noor"].get(f"/cases/{case}/refer"))[1]
    form = {**WHO, "step": "to", "act": "on"}
    _, _, page = await at["noor"].post(f"/cases/{case}/refer", at=f"/cases/{case}", **form)
    assert "nobody is referred onward" in page
    every = {**WHO, **FIRST, **GROUND, "take": f"{CODE}/", "deadline": "2199-01-01", "once": "x", "support": "Legal"}
    assert (await at["noor"].post(f"/cases/{case}/refer/send", at=f"/cases/{case}", **every))[0] == 422
    assert await at.sql("SELECT (SELECT count(*) FROM referral) + (SELECT count(*) FROM guest)") == [(0,)]


async def test_colleagues_who_are_not_on_the_case_neither_see_nor_take_back_nor_finish_it(at: Office) -> None:
    case = await a_case(at)
    await refer(at, case)
    one = await row(at)
    for name in ("daan", "mila"):
        assert "Sara Lind" not in (await at[name].get("/referrals"))[1]
        for act in ("take-back", "finish"):
            assert (await at[name].post(f"/referrals/{one.id}/{act}", at="/settings", outcome="Successful"))[0] == 404
    assert (await row(at)).state == "in_progress"


async def test_a_node_out_of_a_backup_has_no_link_that_is_good_and_says_so(at: Office) -> None:
    case = await a_case(at)
    link, _ = await refer(at, case)
    for restored in (outside.shut_links, service.end_invitations):
        await at.site.write(restored, 0)
    assert (await at.site.stranger().get(link))[0] == 410
    await at.site.write(service.forget_late)
    assert "came out of a backup" in (await at["noor"].get(f"/referrals/{(await row(at)).id}"))[1]
    assert (await at["noor"].post(f"/referrals/{(await row(at)).id}/take-back", at=f"/referrals/{(await row(at)).id}"))[0] == 303


async def test_a_second_factor_is_owed_before_anything_of_the_case_on_a_node_in_earnest(tmp_path: Path) -> None:
    async with office(tmp_path, trial=False, base_url="https://node.example.org") as at:
        case = await a_case(at)
        form: Any = {name: [value] if isinstance(value, str) else value for name, value in (WHO | FIRST | GROUND).items()}
        form |= {"deadline": [(await at.desk("noor", case)).look.today], "take": [f"{CODE}/"]}
        sent = await at.unlocked("noor", acting.at_once, case, propose_referral.send, form, "")
        link, code, sara = f"/guests/join/{sent.token}", sent.code, at.site.stranger()
        form = {"act": "accept", "code": code, "username": "sara", "password": PASSWORD, "token": await sara.token(link)}
        status, headers, _ = await sara.ask("POST", link, form)
        assert (status, headers["Location"]) == (303, "/guest")
        assert cookie_name(at.site.kernel.node.settings, "session") in sara.cookies
        assert (await sara.ask("GET", "/guest"))[1]["Location"] == "/settings/factor"
        assert (await sara.ask("POST", "/guest/referral", {"outcome": "Successful", "token": "x"}))[0] in (303, 403)
        assert (await row(at)).state == "accepted"
