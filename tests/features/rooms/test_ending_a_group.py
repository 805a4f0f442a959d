"""The end of a sealed group on its pages: by whoever leads it, after its time, held by others, with what each has answered."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.models import RED
from fedcollab.base.clock import DAY, iso
from fedcollab.features.rooms import acting, ending, filing, units
from fedcollab.features.rooms.entries import Group, Thread
from fedcollab.features.rooms.models import GroupNamed
from fedcollab.sealing import ending as endings
from fedcollab.sealing.ending_models import RoomEnding
from fedcollab.sealing.room_models import Room
from fedcollab.sealing.room_state import FROZEN
from tests.features.cases.desks import Office, office
from tests.features.rooms.offices import NAME, Shared, begun, files, let_in, send, shared
from tests.nodes import until

SAID = {"title": "A question", "text": "CANARY-END", "act": "send"}


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        await made.join("omar", "member")
        yield made


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Shared]:
    async with shared(tmp_path) as made:
        yield made


async def left(at: Office) -> int:
    """What is still noted of groups."""
    rows = [await at.sql(f"SELECT count(*) FROM {table}") for table in ("group_entry", "group_named", "group_seen")]
    return sum(row[0][0] for row in rows)


@pytest.mark.rule("P13", "P29", "P30")
async def test_a_group_ends_for_good_by_whoever_leads_it_and_nothing_of_it_is_left(at: Office) -> None:
    group = await begun(at)
    await send(at["noor"], f"{group}/start", b"bytes\n", **SAID)
    await let_in(at, group, "omar")
    end = f"{group}/end"
    for name in ("daan", "mila", "ruth"):
        assert (await at[name].get(end))[0] == 404
        assert (await at[name].post(end, at="/settings"))[0] == 404
    assert "Not now." in (await at["omar"].get(end))[1], "a member who does not speak for the organisation"
    assert (await at["omar"].post(end, at=group))[0] == 422
    page = (await at["noor"].get(end))[1]
    assert ("printed, copied or photographed" in page, NAME in page) == (True, True)
    assert (await at["noor"].post(end, at=end))[:2] == (303, "/sealed/ended")
    for name in ("noor", "omar"):
        assert (await at[name].get(group))[0] in (404, 410)
    assert await at.sql("SELECT DISTINCT state FROM sealed_message") == [("erased",)]
    assert [row[1] for row in await files(at)] == ["gone"]
    assert await left(at) == 0
    _, page = await at["omar"].get("/sealed/ended")
    assert ("Ended by us." in page, NAME in page, "No backup opens it after" in page) == (True, False, True)
    assert "Ended by us." not in (await at["daan"].get("/sealed/ended"))[1], "who was never in it learns of none"
    assert "Ended by us." in (await at["ruth"].get("/sealed/ended"))[1], "a keeper answers for it"
    assert "A group from" not in (await at["noor"].get("/cases/ended"))[1]


async def soon(at: Office, name: str) -> int | None:
    found: int | None = await at.site.kernel.database.read(ending.soon, at.site.kernel.node, at[name].viewer)
    return found


async def kept_until(at: Office, day: str) -> None:
    changed = sa.update(GroupNamed).values(retention=day)
    await at.site.write(lambda session, _node: session.execute(changed) and None)


@pytest.mark.rule("P10")
async def test_a_group_is_kept_for_two_years_unless_a_day_is_said_and_then_ends_by_itself(at: Office) -> None:
    now = at.site.kernel.node.now()
    group = await begun(at)
    [(day,)] = await at.sql("SELECT retention FROM group_named")
    assert day == iso(now + 731 * DAY)[:10]
    passed = iso(now - DAY)[:10]
    about = f"{group}/about"
    status, _, page = await at["noor"].post(about, at=about, name=NAME, about="Adverts", retention=passed)
    assert (status, "This day has passed." in page, 'id="retention-err"' in page) == (422, True, True)
    soon_day, today = iso(now + 20 * DAY)[:10], iso(now)[:10]
    assert (await at["noor"].post(about, at=about, name=NAME, about="Adverts", retention=soon_day))[0] == 303
    assert await at.sql("SELECT retention FROM group_named") == [(soon_day,)]
    assert f'value="{soon_day}"' in (await at["noor"].get(about))[1]
    assert "1 sealed group that we manage ends within 30 days" in (await at["noor"].get("/"))[1]
    await let_in(at, group, "omar")
    assert (await soon(at, "noor"), await soon(at, "daan"), await soon(at, "omar")) == (1, None, None)
    await kept_until(at, today)
    await at.site.write(ending.end_due)
    assert (await at["omar"].get(group))[0] == 200
    await kept_until(at, passed)
    frozen: Any = sa.update(Room).values(state=FROZEN)  # as a member who names a list that nobody else has can do
    await at.site.write(lambda session, _node: session.execute(frozen) and None)
    await at.site.write(ending.end_due)
    assert (await at["noor"].get(group))[0] in (404, 410)
    assert (await left(at), await soon(at, "noor")) == (0, None)
    assert await at.sql("SELECT count(*) FROM sealed_message WHERE state <> 'erased'") == [(0,)]


@pytest.mark.rule("P12", "P21", "P29", "P30")
async def test_a_partner_holds_its_part_of_an_ended_group_lets_go_of_it_and_each_word_is_shown(two: Shared) -> None:
    one, other = two.one, two.other
    row, there = two.group.rpartition("/")[2], two.there.rpartition("/")[2]
    await other.unlocked("noor", units.at_once, there, filing.says, lambda _: Thread(at=1, title="T", text="They are with us."))
    await until("both wrote", lambda: one.sql("SELECT 1 FROM sealed_message WHERE organisation = :who", who=other.me))
    assert "Only the organisation that manages this group" in (await other["noor"].get(f"{two.there}/end"))[1]
    assert (await other["noor"].post(f"{two.there}/end", at=two.there))[0] == 422
    end = f"{two.group}/end"
    assert "Kivuli Support" in (await one["noor"].get(end))[1]
    assert (await one["noor"].post(end, at=end))[0] == 303
    await until("they are asked", lambda: other.sql("SELECT 1 FROM room_ending"))
    assert "has ended it" in (await other["noor"].get("/sealed/ended"))[1]
    assert "What is still here goes soon." in (await other["noor"].get(two.there))[1]
    assert "To be gone" in (await other["noor"].get("/sealed"))[1]
    page = (await other["ruth"].get("/keepers/tasks"))[1]
    assert ("Whoever manages access to this has ended it" in page, 'href="/sealed/ended"' in page) == (True, True)
    hold, token = f"{two.there}/end/hold", await other["noor"].token("/sealed/ended")
    day = iso(other.site.kernel.node.now() + 20 * DAY)[:10]
    assert (await other["daan"].post(hold, at="/settings", why="LegalHold", until=day))[0] == 404
    assert (await other["noor"].ask("POST", hold, {"token": token, "why": "LegalHold", "until": "soon"}))[0] == 422
    assert (await other["noor"].ask("POST", hold, {"token": token, "why": "LegalHold", "until": day}))[0] == 303
    assert "We keep it until" in (await other["noor"].get("/sealed/ended"))[1]
    await until("the refusal is there", lambda: one.sql("SELECT 1 FROM receipt WHERE state = 'refused'"))
    assert "An authority or a court has ordered" in (await one["noor"].get("/sealed/ended"))[1]
    assert (await other["noor"].ask("POST", f"{two.there}/end/let-go", {"token": token}))[0] == 303
    past: Any = sa.update(RoomEnding).values(due_at=0)
    await other.site.write(lambda session, _node: session.execute(past) and None)
    await other.site.write(endings.end_due)
    await other.site.write(ending.forget_gone)
    assert await left(other) == 0
    await until("they confirm it", lambda: one.sql("SELECT 1 FROM receipt WHERE state = 'confirmed'"))
    assert "confirmed on" in (await one["noor"].get("/sealed/ended"))[1]
    assert "Ended by <bdi>Meridian" in (await other["noor"].get("/sealed/ended"))[1]
    assert await one.sql("SELECT count(*) FROM room_person WHERE room_id = :id AND until IS NULL", id=row) == [(0,)]


async def test_a_day_that_another_organisation_said_ends_no_group_of_ours(two: Shared) -> None:
    one, other = two.one, two.other
    row = two.group.rpartition("/")[2]
    tomorrow = iso(one.site.kernel.node.now() + DAY)[:10]
    await one.unlocked(
        "noor", units.at_once, row, filing.says, lambda _: Group(at=one.site.kernel.node.now(), name=NAME, retention=tomorrow)
    )
    await until("it came", lambda: _named(other, two.there, tomorrow))
    assert await other.sql("SELECT retention FROM group_named") == [("",)]
    await one.unlocked("noor", acting.deputise, row, [other.me])
    await one.unlocked("noor", acting.hand_over, row, other.me)
    await until("they lead", lambda: _leads(other, two.there))
    assert "Nobody has said yet until when this group is kept." in (await other["noor"].get(two.there))[1]
    await kept_until(one, "2020-01-01")
    await one.site.write(ending.end_due)
    assert (await one["noor"].get(two.group))[0] == 200, "we lead it no more"


async def _named(at: Office, group: str, day: str) -> bool:
    here = await at.unlocked("noor", units.at_once, group.rpartition("/")[2], units.opens)
    return bool(here.named and here.retention == day)


async def _leads(at: Office, group: str) -> bool:
    return bool((await at.unlocked("noor", units.at_once, group.rpartition("/")[2], units.opens)).leads)


@pytest.mark.rule("P6")
async def test_a_group_of_named_people_ends_the_same_way(at: Office) -> None:
    group = await begun(at, RED)
    assert (await at["noor"].post(f"{group}/end", at=f"{group}/end"))[0] == 303
    assert (await at["noor"].get(group))[0] in (404, 410)
