"""Shows a case on its pages: opened by those on it alone, a neutral title, each reading on record, its clear header."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcollab.features.cases import desk
from fedcollab.features.cases.work import Task
from fedcollab.sealing import holding, unlocked, working
from tests.features.cases.desks import CODE, Office, office


@pytest.fixture
async def at(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    settings = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with office(tmp_path, **settings) as made:
        yield made


async def reads(at: Office, case_id: str) -> int:
    return int((await at.sql("SELECT count(*) FROM audit_entry WHERE action = 'case.read' AND subject = :id", id=case_id))[0][0])


@pytest.mark.rule("P9")
async def test_whoever_is_on_a_case_reads_it_and_each_reading_is_on_record_and_nobody_else_finds_it(at: Office) -> None:
    case = await at.case("noor")
    await at.say("noor", case, "She is safe.")
    status, headers, page = await at["noor"].ask("GET", f"/cases/{case}")
    assert (status, headers["Cache-Control"], "She is safe." in page) == (200, "no-store", True)
    assert await reads(at, case) == 1
    for name in ("daan", "mila", "ruth"):  # a colleague, an admin, keepers
        assert (await at[name].get(f"/cases/{case}"))[0] == 404
    assert (await at["daan"].post(f"/cases/{case}/say/message", at="/settings", text="Hello"))[0] == 404
    assert await reads(at, case) == 1
    assert (await at["noor"].post(f"/cases/{case}/say/message", at=f"/cases/{case}", text="Hello"))[0] == 303


@pytest.mark.rule("P4")
async def test_nothing_of_a_case_stands_in_its_title_or_address(at: Office) -> None:
    case = await at.case("noor")
    _, page = await at["noor"].get(f"/cases/{case}")
    code = CODE.findall(page)[0]
    assert "<title>Case · Meridian Outreach</title>" in page
    assert code not in page.split("<main")[0]
    assert code in (await at["noor"].get("/cases"))[1]
    assert code.replace("-", "") not in case.replace("-", "")


async def test_a_locked_browser_is_led_to_its_password_and_a_form_loses_nothing(at: Office) -> None:
    case, noor = await at.case("noor"), at["noor"]
    token = await noor.token(f"/cases/{case}")

    def lock(session: object, node: object) -> None:
        with node.ring.begin() as ring:  # type: ignore[attr-defined]
            unlocked.lock(ring, next(iter(noor.cookies.values())))

    await at.site.write(lock)
    status, headers, _ = await noor.ask("GET", f"/cases/{case}")
    assert (status, headers["Location"]) == (303, f"/unlock?next=/cases/{case}")
    form = {"token": token, "text": "She called from the station."}
    status, headers, _ = await noor.ask("POST", f"/cases/{case}/say/message", form)
    assert (status, headers["Location"]) == (307, f"/unlock?next=/cases/{case}/say/message")
    assert "She called from the station." in (await noor.ask("POST", headers["Location"], form))[2]


async def test_a_stale_page_after_removal_answers_in_plain_words_and_loses_nothing(at: Office) -> None:
    case = await at.case("noor")
    await at.unlocked("noor", holding.assign, case, at["daan"].viewer.person_id)
    token = await at["daan"].token(f"/cases/{case}")
    await at.do("noor", working.unassign, case, at["daan"].viewer.person_id)
    form = {"token": token, "text": "She called from the station, twice."}
    status, _, page = await at["daan"].ask("POST", f"/cases/{case}/say/message", form)
    assert (status, "You are no longer on this case" in page, form["text"] in page) == (410, True, True)
    assert (await at["daan"].get(f"/cases/{case}"))[0] == 410
    assert await at.sql("SELECT count(*) FROM sealed_message WHERE author LIKE '%daan'") == [(0,)]
    assert (await at["noor"].get(f"/cases/{case}"))[0] == 200


async def test_a_field_that_is_wrong_shows_the_page_again_with_what_was_typed(at: Office) -> None:
    case = await at.case("noor")
    form = {"what": "No address is shared.", "why": "", "who": "Noor"}
    status, _, page = await at["noor"].post(f"/cases/{case}/say/decision", at=f"/cases/{case}", **form)
    assert (status, 'id="decision-why-err"' in page, "No address is shared." in page) == (422, True, True)
    status, to, _ = await at["noor"].post(f"/cases/{case}/say/decision", at=f"/cases/{case}", **form | {"why": "She wishes it."})
    assert (status, to) == (303, f"/cases/{case}")
    assert "She wishes it." in (await at["noor"].get(f"/cases/{case}"))[1]


async def test_the_clear_header_follows_each_entry(at: Office) -> None:
    case = await at.case("noor")
    assert await at.sql("SELECT status, due, review, retention FROM case_record") == [("Active", "", "2030-01-31", "2031-01-31")]
    now = at.site.kernel.node.now()
    await at.say("noor", case, Task(at=now, what="Ask for the papers", due="2029-05-01"))
    assert await at.sql("SELECT due FROM case_record") == [("2029-05-01",)]


async def test_who_has_no_role_for_cases_opens_none_though_they_are_on_it(at: Office) -> None:
    case, sokha = await at.case("noor"), await at.join("sokha", "member")
    await at.unlocked("noor", holding.assign, case, sokha.viewer.person_id)
    assert (await sokha.get(f"/cases/{case}"))[0] == 404
    assert (await sokha.get("/cases"))[0] == 404
    assert {"caseworker", "keeper"} == desk.OPENERS
