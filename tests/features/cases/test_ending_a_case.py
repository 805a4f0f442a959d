"""The end of a case on its pages: by whoever leads it, after its time, held by others, with what each has answered."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.models import AMBER
from fedcollab.base.clock import DAY, iso
from fedcollab.features.cases import ending
from fedcollab.features.cases.models import CaseRecord
from fedcollab.features.cases.record import Hold, Terms
from fedcollab.sealing import ending as endings
from fedcollab.sealing import working
from fedcollab.sealing.ending_models import RoomEnding
from fedcollab.sealing.room_models import Room
from fedcollab.sealing.room_state import FROZEN
from tests.nodes import until

from .at_desk import Desk, desk_with_people
from .desks import Office, office
from .shared import Shared, shared
from .writing import opened, send, write


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


@pytest.fixture
async def desk(at: Office) -> Desk:
    return await desk_with_people(at)


async def test_a_case_ends_only_by_its_own_code_and_nothing_of_it_is_left(desk: Desk) -> None:
    code, path = (await desk.case()).code, f"{desk.path}/end"
    said = await desk.office.say("noor", desk.id, "CANARY-END")
    sent = await opened(desk.noor, path)
    status, _, page = await send(desk.noor, path, sent, code="bafuko-tezara")
    assert status == 422
    assert "Type the code of this case" in page
    assert (await send(desk.noor, path, sent, code=code))[:2] == (303, "/cases/ended")
    assert (await desk.noor.get(desk.path))[0] in (404, 410)
    assert await desk.office.sql("SELECT body, state FROM sealed_message WHERE uri = :uri", uri=said) == [(b"", "erased")]
    assert await desk.office.sql("SELECT count(*) FROM case_record") == [(0,)]
    _, page = await desk.noor.get("/cases/ended")
    assert "Ended by us." in page
    assert "Ended by us." not in (await desk.office["daan"].get("/cases/ended"))[1], "who was never on it learns of none"
    assert "Ended by us." in (await desk.office["ruth"].get("/cases/ended"))[1], "a keeper answers for it"
    assert code not in page
    assert "No backup opens it after" in page


@pytest.mark.rule("P21")
async def test_what_is_held_keeps_a_case_from_its_end_and_the_page_says_who_holds_it(desk: Desk) -> None:
    code, path = (await desk.case()).code, f"{desk.path}/end"
    sent = await opened(desk.noor, path)
    day = iso(desk.now + 30 * DAY)[:10]
    await desk.office.say("noor", desk.id, Hold(at=desk.now, by="Judge Ola", reason="Order 7", review=day))
    assert "held back from erasure" in await desk.page(path)
    status, _, page = await send(desk.noor, path, sent, code=code)
    assert status == 422
    assert "held back from erasure" in page
    assert "Judge Ola" in await desk.page(f"{desk.path}/holds")
    assert (await desk.noor.get(desk.path))[0] == 200


async def soon(at: Office, name: str) -> int | None:
    viewer = at[name].viewer
    found: int | None = await at.site.kernel.database.read(ending.soon, at.site.kernel.node, viewer)
    return found


@pytest.mark.rule("P10", "P29")
async def test_a_case_whose_time_is_over_ends_by_itself_unless_it_is_kept_longer(desk: Desk) -> None:
    at = desk.office

    async def kept_until(day: str) -> None:
        changed: Any = sa.update(CaseRecord.__table__).values(retention=day)
        await at.site.write(lambda session, _node: session.execute(changed) and None)

    today, yesterday = iso(desk.now)[:10], iso(desk.now - DAY)[:10]
    assert await soon(at, "noor") is None
    await kept_until(today)
    assert await soon(at, "noor") == 1
    assert await soon(at, "daan") is None, "a colleague who is on none of them learns of none"
    await at.site.write(ending.end_due)
    assert (await desk.noor.get(desk.path))[0] == 200
    await kept_until(yesterday)
    frozen: Any = sa.update(Room).values(state=FROZEN)  # as a member who names a list that nobody else has can do
    await at.site.write(lambda session, _node: session.execute(frozen) and None)
    await at.site.write(ending.end_due)
    assert (await desk.noor.get(desk.path))[0] in (404, 410)
    assert await at.sql("SELECT count(*) FROM sealed_message WHERE state <> 'erased'") == [(0,)]
    assert await soon(at, "noor") is None


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Shared]:
    async with shared(tmp_path) as made:
        yield made


@pytest.mark.rule("P12", "P29", "P30")
async def test_a_partner_holds_its_part_of_an_ended_case_lets_go_of_it_and_each_word_is_shown(two: Shared) -> None:
    one, other = two.one, two.other
    await other.say("noor", two.there, "They are with us.")
    await until("both wrote", lambda: one.sql("SELECT 1 FROM sealed_message WHERE organisation = :who", who=other.me))
    code = (await one.desk("noor", two.case)).case.code
    assert "Only the organisation that manages access to this case" in (await other["noor"].get(f"/cases/{two.there}/end"))[1]
    _, page = await one["noor"].get(f"/cases/{two.case}/end")
    assert "Kivuli Support" in page
    assert "printed, copied or photographed" in page
    assert (await write(one["noor"], f"/cases/{two.case}/end", code=code))[0] == 303
    await until("they are asked", lambda: other.sql("SELECT 1 FROM room_ending"))
    _, page = await other["noor"].get("/cases/ended")
    assert "has ended it" in page
    hold = f"/cases/{two.there}/end/hold"
    token = await other["noor"].token("/cases/ended")
    assert (await other["noor"].ask("POST", hold, {"token": token, "why": "LegalHold", "until": "soon"}))[0] == 422
    day = iso(other.site.kernel.node.now() + 20 * DAY)[:10]
    assert (await other["noor"].ask("POST", hold, {"token": token, "why": "LegalHold", "until": day}))[0] == 303
    assert "We keep it until" in (await other["noor"].get("/cases/ended"))[1]
    await until("the refusal is there", lambda: one.sql("SELECT 1 FROM receipt WHERE state = 'refused'"))
    assert "An authority or a court has ordered" in (await one["noor"].get("/cases/ended"))[1]
    assert (await other["noor"].ask("POST", f"/cases/{two.there}/end/let-go", {"token": token}))[0] == 303
    past: Any = sa.update(RoomEnding).values(due_at=0)
    await other.site.write(lambda session, _node: session.execute(past) and None)
    await other.site.write(endings.end_due)
    await other.site.write(ending.forget_gone)
    assert await other.sql("SELECT count(*) FROM case_record") == [(0,)]
    await until("they confirm it", lambda: one.sql("SELECT 1 FROM receipt WHERE state = 'confirmed'"))
    assert "confirmed on" in (await one["noor"].get("/cases/ended"))[1]
    assert "Ended by <bdi>Meridian" in (await other["noor"].get("/cases/ended"))[1]


@pytest.mark.rule("P10", "P21")
async def test_a_hold_of_another_organisation_keeps_a_case_here_for_ninety_days_after_its_time_and_the_page_says_so(two: Shared) -> None:
    one, other = two.one, two.other
    now = one.site.kernel.node.now()
    soon, case = iso(now + 5 * DAY)[:10], (await one.desk("noor", two.case)).case
    assert case.terms is not None
    said = {"review": soon, "retention": soon, "why": "It is done.", "replaces": case.terms_ids, "lead": one.me, "label": AMBER}
    ground = {"purpose": "Support", "basis": ("VitalInterests",), "condition": ("VitalInterests",)}
    await one.say("noor", two.case, Terms(at=now, **said, **ground))  # type: ignore[arg-type]
    year = iso(now + 350 * DAY)[:10]
    await other.say("noor", two.there, Hold(at=now, by="Judge Ola", reason="Order 7", review=year))
    await until("the hold is here", lambda: one.sql("SELECT 1 FROM sealed_message WHERE organisation = :who", who=other.me))
    last = iso(now + 95 * DAY)[:10]
    assert (await one["noor"].get(f"/cases/{two.case}"))[0] == 200
    assert await one.sql("SELECT retention FROM case_record") == [(last,)]
    assert "a hold of another organisation" in (await one["noor"].get(f"/cases/{two.case}/holds"))[1]
    await one.say("noor", two.case, Hold(at=now, by="Judge Ola", reason="Order 7", review=year))
    assert await one.sql("SELECT retention FROM case_record") == [(year,)]


async def test_the_page_of_the_end_names_an_organisation_that_was_removed_before_for_it_is_asked_too(two: Shared) -> None:
    one, other = two.one, two.other
    await one.do("noor", working.remove, two.case, other.me)
    assert "No other organisation can read this case." in (await one["noor"].get(f"/cases/{two.case}/access"))[1]
    _, page = await one["noor"].get(f"/cases/{two.case}/end")
    assert "<li><bdi>Kivuli Support</bdi></li>" in page
    code = (await one.desk("noor", two.case)).case.code
    assert (await write(one["noor"], f"/cases/{two.case}/end", code=code))[0] == 303
    await until("they are asked", lambda: other.sql("SELECT 1 FROM room_ending"))
