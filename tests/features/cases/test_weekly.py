"""Once a week everybody on a case sees who read what in it; the home page says no more than that there is something."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import DAY
from fedcollab.sealing import holding, room_reads
from fedcollab.sealing.chain_models import RoomEntry
from tests.features.cases.desks import Office, office
from tests.rows import START

NOTE = "See who read what"


@pytest.fixture
async def at(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    settings = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with office(tmp_path, **settings) as made:
        yield made


async def a_week_ago(at: Office) -> None:
    """As if all that is on record had happened in the last whole week."""
    then = room_reads.ended(at.site.kernel.node.now()) - DAY
    await at.site.write(lambda session, _node: session.execute(sa.update(RoomEntry).values(at=then)) and None)


def test_a_week_ends_on_monday_at_midnight() -> None:
    from datetime import UTC, datetime

    for now in range(START, START + 20 * DAY, DAY // 3):
        end = room_reads.ended(now)
        when = datetime.fromtimestamp(end / 1_000_000, UTC)
        assert (when.weekday(), when.hour, when.minute) == (0, 0, 0)
        assert 0 <= now - end < room_reads.WEEK


@pytest.mark.rule("P9", "P4")
async def test_whoever_is_on_a_case_is_told_once_that_it_was_read_and_sees_by_whom(at: Office) -> None:
    case, noor, daan = await at.case("noor"), at["noor"], at["daan"]
    await at.unlocked("noor", holding.assign, case, daan.viewer.person_id)
    for _ in range(3):
        await daan.get(f"/cases/{case}")
    assert NOTE not in (await noor.get("/"))[1]  # the week is not over
    await a_week_ago(at)
    home = (await noor.get("/"))[1]
    assert NOTE in home
    assert case not in home
    assert "Daan" not in home.split("<main")[1].split(NOTE)[0]
    _, page = await noor.get("/cases/read")
    row = page.split("<bdi>Daan</bdi>")[1].split("</tr>")[0]
    assert '<td class="num" data-l="Times read">3</td>' in row
    assert f'href="/cases/{case}/record"' in page
    assert NOTE not in (await noor.get("/"))[1]
    assert NOTE in (await daan.get("/"))[1]  # each by themselves


@pytest.mark.rule("P9", "P5")
async def test_who_is_not_on_a_case_is_told_nothing_of_it(at: Office) -> None:
    case = await at.case("noor")
    await at["noor"].get(f"/cases/{case}")
    await a_week_ago(at)
    assert NOTE not in (await at["daan"].get("/"))[1]
    assert case not in (await at["daan"].get("/cases/read"))[1]
    assert case in (await at["noor"].get("/cases/read"))[1]
    sokha = await at.join("sokha", "member")
    assert (await sokha.get("/cases/read"))[0] == 404


async def test_earlier_weeks_can_be_looked_at_and_none_is_shown_twice(at: Office) -> None:
    case, noor = await at.case("noor"), at["noor"]
    await noor.get(f"/cases/{case}")
    await a_week_ago(at)
    assert case in (await noor.get("/cases/read?back=0"))[1]
    assert case not in (await noor.get("/cases/read?back=1"))[1]
    for odd in ("-1", "x", "99", "9" * 50):
        assert (await noor.get(f"/cases/read?back={odd}"))[0] == 200
