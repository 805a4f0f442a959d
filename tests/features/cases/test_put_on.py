"""Whoever is put on a case learns it at home and in the menu, without a word of the case, until they have opened it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcollab.features.cases import listing
from fedcollab.sealing import holding, working
from tests.features.cases.desks import Office, office

NOTE = "You were put on"


@pytest.fixture
async def at(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    settings = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with office(tmp_path, **settings) as made:
        yield made


async def counted(at: Office, name: str) -> int:
    return int(await at.site.kernel.database.read(listing.count, at[name].viewer))


@pytest.mark.rule("P4", "P18")
async def test_a_colleague_who_is_put_on_a_case_learns_it_at_home_and_no_more_once_it_is_open(at: Office) -> None:
    case, daan = await at.case("noor"), at["daan"]
    code = (await at.desk("noor", case)).case.code
    assert NOTE not in (await daan.get("/"))[1]
    await at.unlocked("noor", holding.assign, case, daan.viewer.person_id)
    home = (await daan.get("/"))[1]
    assert "You were put on 1 case." in home
    assert (case in home, code in home, "Noor" in home.split("<main")[1].split(NOTE)[0]) == (False, False, False)
    assert [await counted(at, name) for name in ("noor", "daan")] == [0, 1]
    listed = (await daan.get("/cases"))[1]
    assert (NOTE in listed, code in listed) == (True, True), "the list says which, behind their own key"
    await daan.get(f"/cases/{case}")
    assert NOTE not in (await daan.get("/"))[1] + (await daan.get("/cases"))[1]
    assert await counted(at, "daan") == 0


async def test_who_opens_a_case_was_put_on_it_by_nobody_and_who_is_put_on_again_learns_it_again(at: Office) -> None:
    case, daan = await at.case("noor"), at["daan"]
    assert NOTE not in (await at["noor"].get("/"))[1]
    await at.unlocked("noor", holding.assign, case, daan.viewer.person_id)
    await daan.get(f"/cases/{case}")
    await at.do("noor", working.unassign, case, daan.viewer.person_id)
    assert NOTE not in (await daan.get("/"))[1]
    await at.unlocked("noor", holding.assign, case, daan.viewer.person_id)
    assert NOTE in (await daan.get("/"))[1]
