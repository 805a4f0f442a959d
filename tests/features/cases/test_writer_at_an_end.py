"""Shows that the end of somebody's account holds the writer no longer than a unit may, however many cases they were on, and that what
follows for each case costs as much for the last as for the first."""

from pathlib import Path

import pytest

from fedcollab.features.members import service as members
from tests.features.writer_held import MOST, units
from tests.nodes import until

from .desks import office

CASES, EACH = 100, 20  # with 500 the figures are those of docs/developers/performance.md


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.rule("P28")
async def test_the_end_of_who_was_on_many_cases_holds_nobody_up_and_each_case_costs_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(tmp_path) as at:
        for _ in range(CASES):
            await at.case("noor")
        person = at["noor"].viewer.person_id

        async def nothing_left() -> bool:
            return await at.sql("SELECT 1 FROM room_person WHERE person_id = :id AND until IS NULL LIMIT 1", id=person) == []

        with units(at, monkeypatch) as found:
            await at.site.write(lambda session, node: members.disable(session, node, None, person))
            await until("all cases have another key", nothing_left, seconds=60)
        of_cases = [one for one in found[1:] if one > MOST / 10]  # beside chores, which find nothing
        first, last = (sorted(some)[EACH // 2] for some in (of_cases[:EACH], of_cases[-EACH:]))
        print({name: f"{seconds * 1e3:.0f} ms" for name, seconds in dict(end=found[0], longest=max(found), first=first, last=last).items()})
        assert max(found) <= MOST
        assert last <= 1.5 * first
