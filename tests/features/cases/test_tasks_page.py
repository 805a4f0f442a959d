"""Shows the tasks of a case: whose each is, by when, how far; one's own first; overdue in words; moved on by anybody on the case."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcollab.actors import service as actors
from fedcollab.features.cases.work import Task
from fedcollab.sealing import holding
from tests.features.cases.desks import Office, office


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


async def test_a_task_is_given_to_somebody_with_a_day_and_moved_on(at: Office) -> None:
    case, noor = await at.case("noor"), at["noor"]
    await at.unlocked("noor", holding.assign, case, at["daan"].viewer.person_id)
    daan = (await at.site.kernel.database.read(actors.by_id, at["daan"].viewer.person_id)).uri
    tasks = f"/cases/{case}/tasks"
    form = {"what": "Ask about the course", "owner": daan, "due": "2031-05-01"}
    status, _, page = await noor.post(tasks, at=tasks, **form | {"what": ""})
    assert (status, 'id="new-what-err"' in page, 'value="2031-05-01"' in page) == (422, True, True)
    assert (await noor.post(tasks, at=tasks, **form))[:2] == (303, tasks)
    assert await at.sql("SELECT due FROM case_record") == [("2031-05-01",)]
    _, page = await at["daan"].get(tasks)
    assert ("Ask about the course" in page, "<span>You</span>" in page) == (True, True)
    of = page.split('name="of" value="')[1].split('"')[0]
    assert (await at["daan"].post(tasks + "/progress", at=tasks, of=of, state="Done", note="They start on Monday"))[:2] == (303, tasks)
    _, page = await noor.get(tasks)
    assert ("Done or dropped" in page, "They start on Monday" in page, "Nothing is to be done." in page) == (True, True, True)
    assert await at.sql("SELECT due FROM case_record") == [("",)]


async def test_what_is_overdue_is_said_in_the_case_and_in_the_list(at: Office) -> None:
    case = await at.case("noor")
    await at.say("noor", case, Task(at=at.site.kernel.node.now(), what="Call", due="2020-01-01"))
    assert "Overdue since" in (await at["noor"].get(f"/cases/{case}/tasks"))[1]
    assert "Something is overdue since" in (await at["noor"].get("/cases"))[1]


async def test_a_task_that_there_is_not_is_not_moved_on(at: Office) -> None:
    case, other = await at.case("noor"), await at.case("noor")
    of = await at.say("noor", other, Task(at=at.site.kernel.node.now(), what="Call"))
    tasks = f"/cases/{case}/tasks"
    assert (await at["noor"].post(tasks + "/progress", at=tasks, of=of, state="Done"))[0] == 404
    assert (await at["noor"].post(f"/cases/{other}/tasks/progress", at=tasks, of=of, state="Done"))[0] == 303


async def test_what_is_wrong_with_a_step_forward_stands_at_its_own_task_with_the_word_that_was_typed(at: Office) -> None:
    case, now = await at.case("noor"), at.site.kernel.node.now()
    await at.say("noor", case, Task(at=now, what="Write"))
    of = await at.say("noor", case, Task(at=now, what="Call"))
    tasks = f"/cases/{case}/tasks"
    for field, wrong in (("note", {"note": "long " * 500, "state": "Done"}), ("state", {"note": "CANARY", "state": ""})):
        status, _, page = await at["noor"].post(tasks + "/progress", at=tasks, of=of, **wrong)
        target = page.split('href="#p-', 1)[1].split('"', 1)[0]
        assert (status, target.endswith(field), f'id="p-{target}"' in page) == (422, True, True), field
        mine = next(part for part in page.split("<li") if f'value="{of}"' in part)
        assert (f'id="p-{target}-err"' in mine, wrong["note"].strip() in mine) == (True, True)


async def test_a_step_forward_that_is_sent_twice_is_said_once(at: Office) -> None:
    case = await at.case("noor")
    of = await at.say("noor", case, Task(at=at.site.kernel.node.now(), what="Call"))
    tasks = f"/cases/{case}/tasks"
    form = (await at["noor"].get(tasks))[1].split('/tasks/progress">', 1)[1].split("</form>", 1)[0]
    once = form.split('name="once" value="', 1)[1].split('"', 1)[0]
    for _ in range(2):
        assert (await at["noor"].post(tasks + "/progress", at=tasks, of=of, state="Done", once=once))[0] == 303
    assert sum(one.kind == "progress" for one in (await at.desk("noor", case)).case.timeline) == 1
