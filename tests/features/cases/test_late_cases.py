"""Shows that a case in which something is overdue is counted in the menu of those on it, as days pass, and no more once it is done."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from fedcollab.access.viewer import KEEPER, Viewer
from fedcollab.base.clock import DAY
from fedcollab.features.cases import lateness, listing
from fedcollab.features.cases.record import Closed
from fedcollab.features.cases.work import Progress, Task
from tests.features.cases.desks import Office, office


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


async def counted(at: Office, name: str) -> int:
    viewer: Viewer = at[name].viewer
    viewer = replace(viewer, roles=viewer.roles | {KEEPER}) if name == "ruth" else viewer  # named after she signed in
    return int(await at.site.kernel.database.read(listing.count, viewer))


async def pass_days(at: Office, days: int) -> None:
    node, before = at.site.kernel.node, at.site.kernel.node.clock
    object.__setattr__(node, "clock", lambda: before() + days * DAY)
    await at.site.write(lateness.mark)


async def test_what_becomes_overdue_as_days_pass_is_counted_for_those_on_the_case(at: Office) -> None:
    case, now = await at.case("noor"), at.site.kernel.node.now()
    of = await at.say("noor", case, Task(at=now, what="Call", due="2027-01-01"))
    await at.site.write(lateness.mark)
    assert [await counted(at, name) for name in ("noor", "daan")] == [0, 0]
    await pass_days(at, 40)
    assert [await counted(at, name) for name in ("noor", "daan")] == [1, 0]
    await at.say("noor", case, Progress(at=at.site.kernel.node.now(), of=of, state="Done"))
    assert await counted(at, "noor") == 0
    await at.site.write(lateness.mark)
    assert await counted(at, "noor") == 0


async def test_a_review_that_has_passed_makes_a_case_late_until_it_is_closed(at: Office) -> None:
    case = await at.case("noor", review="2026-01-01", retention="2031-01-01")
    assert await counted(at, "noor") == 1
    _, page = await at["noor"].get("/cases")
    assert ("Review overdue since" in page, "1 to look at" in page) == (True, True)
    assert "1 to look at" not in (await at["daan"].get("/"))[1], "what waits for one person is nobody else's number"
    assert "1 to look at" in (await at["noor"].get("/"))[1]
    desk = await at.desk("noor", case)
    said = dict(outcome="She is well.", retention="2031-01-01", replaces=desk.case.status_ids)
    await at.say("noor", case, Closed(at=at.site.kernel.node.now(), status="Closed", **said))
    await at.site.write(lateness.mark)
    assert await counted(at, "noor") == 0


async def test_a_case_with_nobody_on_it_is_counted_for_keepers(at: Office) -> None:
    case, noor = await at.case("noor"), at["noor"].viewer.person_id
    assert await counted(at, "ruth") == 0
    await at["noor"].post(f"/cases/{case}/access/unassign", at=f"/cases/{case}", person=noor)
    assert [await counted(at, name) for name in ("ruth", "noor", "daan")] == [1, 0, 0]


def test_only_what_is_worked_on_is_late() -> None:
    days = {"status": "Active", "due": "", "review": "2027-01-01", "retention": "", "consent_end": ""}
    assert not lateness.is_late(days, "2027-01-01")
    assert lateness.is_late(days, "2027-01-02")
    assert lateness.is_late(days | {"review": "", "due": "2026-12-31"}, "2027-01-02")
    assert not lateness.is_late(days | {"status": "ClosedReferred"}, "2027-01-02")
