"""The Record tab: who read and did what, in words, newest first; names from tables that forget; what shows that somebody changed it."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.features.cases.on_record import ACTS
from fedcollab.sealing import holding, room_chain, room_record
from fedcollab.sealing.chain_models import ChainHead, ChainSigned, RoomEntry, RoomWho
from tests.features.cases.desks import Office, office
from tests.features.cases.shared import shared

ROW = re.compile(r'<li class="row"><p>(.*?)</p><p class="meta"><span>', re.DOTALL)


@pytest.fixture
async def at(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    settings = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with office(tmp_path, **settings) as made:
        yield made


async def lines(at: Office, name: str, case: str, query: str = "") -> list[str]:
    status, page = await at[name].get(f"/cases/{case}/record{query}")
    assert status == 200
    return [re.sub(r"[\u2066-\u2069]|<[^>]+>", "", one) for one in ROW.findall(page.partition('id="vouched"')[0])]


@pytest.mark.rule("P9")
async def test_who_did_what_stands_there_in_words_newest_first_and_of_one_person(at: Office) -> None:
    case = await at.case("noor")
    await at.unlocked("noor", holding.assign, case, at["daan"].viewer.person_id)
    await at["daan"].get(f"/cases/{case}")
    found = await lines(at, "noor", case)
    assert found[:3] == ["Noor read the case.", "Daan read the case.", "Noor put Daan on the case."]
    assert found[-1] == "Noor opened the case."
    (who,) = (await at.sql("SELECT who FROM room_who WHERE person_id = :id", id=at["daan"].viewer.person_id))[0]
    assert await lines(at, "noor", case, f"?who={who}") == ["Daan read the case."]
    assert await lines(at, "noor", case, "?who=-") == []
    assert (await at["ruth"].get(f"/cases/{case}/record"))[0] == 404  # a keeper who is not on it


@pytest.mark.rule("P9")
async def test_acts_at_the_same_time_stand_one_after_the_other_and_by_one_id(at: Office) -> None:
    case = await at.case("noor")
    await at.unlocked("noor", holding.assign, case, at["daan"].viewer.person_id)
    await asyncio.gather(*(at.do(name, _reads, case) for name in ("noor", "daan") * 20))
    assert await at.site.kernel.database.read(room_chain.verify, at.site.kernel.node, case) is None
    rows = await at.sql("SELECT who, count(*) FROM room_entry WHERE action = 'case.read' GROUP BY who")
    assert [row[1] for row in rows] == [20, 20]


def _reads(session: Any, node: Any, viewer: Any, case: str) -> None:
    room_chain.add(session, node, case, viewer, "case.read")


@pytest.mark.rule("P9")
async def test_whoever_is_erased_is_named_no_more_and_the_record_holds(at: Office) -> None:
    case = await at.case("noor")
    await at.unlocked("noor", holding.assign, case, at["daan"].viewer.person_id)
    await at["daan"].get(f"/cases/{case}")
    gone = sa.delete(RoomWho).where(RoomWho.person_id == at["daan"].viewer.person_id)
    await at.site.write(lambda session, _node: session.execute(gone) and None)
    found = await lines(at, "noor", case)
    assert found[1:3] == ["Somebody whose name is no longer kept read the case.", "Noor put somebody on the case."]
    assert "behind the node" not in (await at["noor"].get(f"/cases/{case}/record"))[1]


@pytest.mark.rule("P9", "AUTH-10")
async def test_a_record_that_was_changed_is_said_to_be(at: Office) -> None:
    case = await at.case("noor")
    await lines(at, "noor", case)
    changed = sa.update(RoomEntry).where(RoomEntry.seq == 1).values(action="room.close")
    await at.site.write(lambda session, _node: session.execute(changed) and None)
    assert "behind the node’s back, at entry 1" in (await at["noor"].get(f"/cases/{case}/record"))[1]


async def test_long_records_come_in_pages_of_which_none_lacks_or_repeats_an_entry(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_record, "SHOWN", 3)
    case = await at.case("noor")
    for _ in range(4):
        await lines(at, "noor", case)
    seen: list[str] = []
    before = ""
    while True:
        _, page = await at["noor"].get(f"/cases/{case}/record?{before}")
        seen += re.findall(r"Entry (\d+)", page)
        older = re.search(r"before=(\d+)", page.partition('rel="next"')[2])
        if older is None:
            break
        before = f"before={older[1]}"
    numbers = [int(one) for one in seen]
    assert numbers == sorted(set(numbers), reverse=True)
    assert numbers[-1] == 1
    assert len(numbers) == 7


def test_every_act_in_a_room_has_its_words_and_names_whom_it_concerns() -> None:
    from fedcollab.admin.views import ACTIONS

    of_rooms = {action for action in ACTIONS if action.startswith(("room.", "case.", "guest."))}
    handed = {action for action in ACTIONS if action.startswith(("consent.", "referral."))} | {"case.export"}
    assert of_rooms <= set(ACTS) <= of_rooms | handed
    assert all("%(who)s" in text for text in ACTS.values())


@pytest.mark.rule("P9", "P2")
async def test_who_vouches_for_the_record_is_shown_and_whose_record_was_rewritten(tmp_path: Path) -> None:
    async with shared(tmp_path) as two:
        before = (await two.one["noor"].get(f"/cases/{two.case}/record"))[1]
        assert "Has not countersigned ours yet" in before
        assert "Noor noted on which ground the case is shared with Kivuli Support." in await lines(two.one, "noor", two.case)
        await two.tell()
        page = (await two.one["noor"].get(f"/cases/{two.case}/record"))[1]
        assert "Has countersigned ours up to entry" in page
        assert "We follow theirs, up to entry" in page
        broken = sa.update(ChainHead).where(ChainHead.organisation == two.other.me).values(broken_at=1)
        await two.one.site.write(lambda session, _node: session.execute(broken) and None)
        said = sa.update(ChainSigned).where(ChainSigned.organisation == two.one.me).values(breaks=1)
        await two.one.site.write(lambda session, _node: session.execute(said) and None)
        page = (await two.one["noor"].get(f"/cases/{two.case}/record"))[1]
        assert "Its own record was changed afterwards" in page
        assert "Says that ours did not go on from what it knew" in page
