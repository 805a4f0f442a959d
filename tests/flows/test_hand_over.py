"""Shows that whoever leaves in peace hands each case to a colleague, who then knows of it what they knew, and opens it no more; and that a
keeper who takes up what an ended account has left knows all of it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fedcollab.access.models import RED
from fedcollab.base.errors import Gone
from fedcollab.features.cases import membership, needs
from fedcollab.features.cases.grounds import PARTS
from fedcollab.features.cases.work import Message
from fedcollab.features.members import service as members
from fedcollab.sealing import holding, recovery
from tests.features.cases.desks import Office, office


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


async def known(at: Office, case: str, name: str) -> frozenset[str]:
    return await at.site.kernel.database.read(needs.known, case, at[name].viewer.person_id)  # type: ignore[no-any-return]


async def on_it(at: Office, case: str) -> list[str]:
    return [one.name for one in await at.site.kernel.database.read(holding.ours, case)]


async def test_each_case_goes_to_a_colleague_who_knows_what_its_owner_knew(at: Office) -> None:
    case, text = await at.case("noor"), "She is safe today"
    await at.say("noor", case, text)
    page = (await at["noor"].get("/leaving"))[1]
    assert (f'href="/cases/{case}"' in page, text in page) == (True, False)
    daan = at["daan"].viewer.person_id
    status, _, page = await at["noor"].post(f"/leaving/{case}", at="/leaving", person="")
    assert (status, "Choose who takes it over" in page) == (400, True)
    for wrong in (at["noor"].viewer.person_id, "nobody"):
        assert (await at["noor"].post(f"/leaving/{case}", at="/leaving", person=wrong))[0] == 400
    assert await on_it(at, case) == ["Noor"]
    assert (await at["noor"].post(f"/leaving/{case}", at="/leaving", person=daan))[:2] == (303, "/leaving")
    assert (await on_it(at, case), await known(at, case, "daan"), await known(at, case, "noor")) == (
        ["Daan"],
        frozenset(PARTS),
        frozenset(),
    )
    with pytest.raises(Gone):
        await at.desk("noor", case)
    read = (await at.desk("daan", case)).messages
    assert [one.entry.text for one in read if isinstance(one.entry, Message)] == [text]
    assert "Nothing sealed is on you" in (await at["noor"].get("/leaving"))[1]
    assert (await at["noor"].post(f"/leaving/{case}", at="/settings", person=daan))[0] == 404, "once"


async def test_a_colleague_who_is_on_it_already_keeps_what_they_knew_and_gets_the_rest(at: Office) -> None:
    case, daan = await at.case("noor"), at["daan"].viewer.person_id
    await at.unlocked("noor", membership.assign, case, daan, ["health"])
    assert await known(at, case, "daan") == {"health"}
    assert (await at["noor"].post(f"/leaving/{case}", at="/leaving", person=daan))[0] == 303
    assert (await on_it(at, case), await known(at, case, "daan")) == (["Daan"], frozenset(PARTS))


async def test_where_people_are_inside_by_name_the_page_says_how_it_goes_there(at: Office) -> None:
    case = await at.case("noor", RED)
    page = re.sub(r"<[^>]+>", "", (await at["noor"].get("/leaving"))[1])
    assert "invite a colleague by name" in page
    status, _, _ = await at["noor"].post(f"/leaving/{case}", at="/settings", person=at["daan"].viewer.person_id)
    assert (status, await on_it(at, case)) == (422, ["Noor"])


@pytest.mark.rule("P28")
async def test_a_keeper_who_takes_up_what_an_ended_account_has_left_knows_all_of_it(at: Office) -> None:
    case = await at.case("noor")
    await at.site.write(members.disable, None, "noor")
    assert await on_it(at, case) == []
    await at.unlocked("ruth", membership.assign, case, at["ruth"].viewer.person_id, ())
    assert (await on_it(at, case), await known(at, case, "ruth")) == (["Ruth"], frozenset(PARTS))


async def test_whoever_is_on_nothing_is_told_what_is_left_to_do(at: Office) -> None:
    page = (await at["ruth"].get("/leaving"))[1]
    assert ("Nothing sealed is on you" in page, "You are a keeper" in page) == (True, True)
    assert (await at.site.stranger().ask("GET", "/leaving"))[1]["Location"].startswith("/login")


@pytest.mark.rule("P5", "AUTH-09")
async def test_everyone_on_a_case_sees_that_somebodys_key_was_readmitted_by_whom_and_when(at: Office) -> None:
    case, daan = await at.case("noor"), at["daan"].viewer.person_id
    await at.unlocked("noor", membership.assign, case, daan, ["health"])
    told = "has a new key, which"
    assert told not in (await at["noor"].get(f"/cases/{case}/access"))[1]

    def lost(session: Any, node: Any) -> str:
        with node.ring.begin() as ring:
            return recovery.begin_anew(session, ring, node, daan, b"n" * 32).public.kid

    kid = await at.site.write(lost)
    await at.unlocked("ruth", recovery.readmit, daan, kid)
    text = re.sub(r"<[^>]+>", "", (await at["noor"].get(f"/cases/{case}/access"))[1])
    assert re.search(r"Daan has a new key, which Ruth vouched for on \d", text)
