"""Shows how a case begins: with all that the law asks for or not at all, with proposed days, readable by whoever opens it alone."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcollab.features.cases.grounds import PARTS
from fedcollab.sealing import keepers
from tests.features.cases.desks import CODE, TERMS, Office, office


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


@pytest.mark.rule("P1")
@pytest.mark.parametrize("without", ["purpose", "basis", "condition", "label", "review", "retention"])
async def test_a_case_opens_only_with_purpose_lawful_basis_condition_label_and_days(at: Office, without: str) -> None:
    form = TERMS | {without: ""} if without in ("purpose", "review", "retention") else {k: v for k, v in TERMS.items() if k != without}
    status, _, page = await at["noor"].post("/cases/new", at="/cases/new", **form)
    assert (status, f'id="{without}-err"' in page) == (422, True)
    assert all(f'value="{form[name]}"' in page for name in ("review", "retention") if form.get(name)), "nothing is lost"
    assert await at.sql("SELECT (SELECT count(*) FROM room), (SELECT count(*) FROM sealed_message)") == [(0, 0)]
    status, to, _ = await at["noor"].post("/cases/new", at="/cases/new", **TERMS)
    assert (status, to.startswith("/cases/")) == (303, True)


@pytest.mark.rule("P1")
async def test_whoever_opens_a_case_is_on_it_alone_and_knows_all_parts(at: Office) -> None:
    _, page = await at["noor"].get("/cases/new")
    assert 'value="TLP:AMBER" checked' in page
    assert page.count('type="date" value="20') == 2, "days are proposed"
    _, to, _ = await at["noor"].post("/cases/new", at="/cases/new", **TERMS)
    _, page = await at["noor"].get(to)
    assert TERMS["purpose"] in page
    assert "1 person at our organisation can read this case, and nobody else." in page
    assert {part for (part,) in await at.sql("SELECT part FROM case_need")} == set(PARTS)
    assert CODE.findall(page)[0] in (await at["noor"].get("/cases"))[1]
    assert (await at["daan"].get(to))[0] == 404


async def test_a_case_for_named_people_says_who_will_not_see_it(at: Office) -> None:
    assert "your holiday cover and the keepers included" in (await at["noor"].get("/cases/new"))[1]
    _, to, _ = await at["noor"].post("/cases/new", at="/cases/new", **TERMS | {"label": "TLP:RED"})
    _, page = await at["noor"].get(to + "/access")
    assert "A colleague of yours cannot stand in for you" in page
    assert "access/assign" not in page
    assert "Nobody is on these" not in (await at["mila"].get("/cases"))[1]


async def test_while_cases_are_not_open_here_none_is_begun_and_the_page_says_why(at: Office) -> None:
    await at.do("mila", keepers.remove, at["ruth"].viewer.person_id)
    status, page = await at["noor"].get("/cases/new")
    assert (status, "Cases are not open at your organisation yet" in page, "<form method" in page.split("<main")[1]) == (200, True, False)
    form = TERMS | {"token": await at["noor"].token("/settings")}
    status, _, page = await at["noor"].ask("POST", "/cases/new", form)
    assert (status, "Cases are not open at your organisation yet" in page, TERMS["purpose"] in page) == (422, True, True)
    assert await at.sql("SELECT count(*) FROM room") == [(0,)]


async def test_the_list_goes_on_page_by_page(at: Office) -> None:
    for _ in range(21):
        await at.case("noor")
    _, page = await at["noor"].get("/cases")
    assert page.count('<li class="row">') == 20
    more = page.split('href="?before=')[1].split('"')[0]
    _, older = await at["noor"].get(f"/cases?before={more}")
    assert older.count('<li class="row">') == 1
    assert "?before=" not in older
    assert (await at["noor"].get("/cases?before=nothing-of-the-kind"))[0] == 200


async def test_all_that_is_lacking_in_a_form_is_said_at_once_in_its_order(at: Office) -> None:
    _, _, page = await at["noor"].post("/cases/new", at="/cases/new", label="TLP:AMBER", review="soon")
    listed = page.split('class="errs"', 1)[1].split("</ul>", 1)[0]
    assert re.findall(r'href="#(\w+)"', listed) == ["purpose", "basis", "condition", "review", "retention"]
    assert all(f'id="{field}-err"' in page for field in ("purpose", "basis", "condition", "review", "retention"))
    case = await at.case("noor")
    path = f"/cases/{case}/new/contact"
    _, _, page = await at["noor"].post(path, at=path, on="2026-13-45")
    assert set(re.findall(r'id="(\w+)-err"', page)) == {"who", "how", "on", "reached"}
