"""Shows what becomes of an act in a case when something comes between its being made ready and its being written."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from fedcollab.features.cases import access_pages, acting, desk, membership, needs
from fedcollab.features.cases.work import Task
from fedcollab.features.members import service as members
from fedcollab.sealing import crossing, holding, made_ready, messages, working
from tests.features.cases.desks import Office, locks_once_found, office

Change = Callable[[], Awaitable[object]]


@pytest.fixture
async def at(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    settings = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with office(tmp_path, **settings) as made:
        yield made


def between(monkeypatch: pytest.MonkeyPatch, *changes: Change) -> list[int]:
    """What happens each time that an act has been made ready; how many messages were read each time."""
    ready, loop, left, read = acting.ready, asyncio.get_running_loop(), list(changes), list[int]()

    def and_then(*args: Any) -> acting.Ready:
        made = ready(*args)
        read.append(len(made.found.messages))
        if left:
            asyncio.run_coroutine_threadsafe(_run(left.pop(0)), loop).result(10)
        return made

    monkeypatch.setattr(acting, "ready", and_then)
    return read


async def _run(change: Change) -> None:
    await change()


async def says(at: Office, case: str, text: str = "She is safe.", name: str = "noor") -> tuple[int, str, str]:
    return await at[name].post(f"/cases/{case}/say/message", at="/settings", text=text)


async def test_what_comes_in_between_is_not_lost_and_nothing_is_opened_twice(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    case, now = await at.case("noor"), at.site.kernel.node.now()
    opened, open_sealed = list[str](), messages.open_sealed
    monkeypatch.setattr(messages, "open_sealed", lambda sealed, *rest: opened.append(sealed.id) or open_sealed(sealed, *rest))
    task = Task(at=now, what="Ask for the papers", due="2029-05-01")
    read = between(monkeypatch, lambda: at.say("noor", case, task))
    assert (await says(at, case))[0] == 303
    assert read == [1, 1, 2], "made ready, the other's act, and once more"
    assert len(opened) == 3, "the second time the task alone"
    assert await at.sql("SELECT due FROM case_record") == [("2029-05-01",)], "the header knows of both"
    case_now = (await at.desk("noor", case)).case
    assert [shown.kind for shown in case_now.timeline] == ["opened", "task", "message"]


async def test_where_more_comes_each_time_it_is_written_all_the_same(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    case = await at.case("noor")
    changes = [lambda number=number: at.say("noor", case, f"Message {number}") for number in range(made_ready.TRIES)]
    between(monkeypatch, changes[0], lambda: asyncio.sleep(0), changes[1], lambda: asyncio.sleep(0))
    assert (await says(at, case))[0] == 303
    texts = [getattr(shown.entry, "text", "") for shown in (await at.desk("noor", case)).case.timeline]
    assert texts == ["", "Message 0", "Message 1", "She is safe."]


@pytest.mark.rule("P5", "P28")
async def test_whoever_is_taken_off_or_ended_in_between_sends_nothing(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    case, daan = await at.case("noor"), at["daan"].viewer.person_id
    await at.unlocked("noor", holding.assign, case, daan)
    written = await at.sql("SELECT count(*) FROM sealed_message")
    with monkeypatch.context() as patch:
        between(patch, lambda: at.do("noor", working.unassign, case, daan))
        assert (await says(at, case, name="daan"))[0] == 410
    await at.unlocked("noor", holding.assign, case, daan)
    with monkeypatch.context() as patch:
        between(patch, lambda: at.site.write(members.disable, None, daan))
        assert (await says(at, case, name="daan"))[0] in (410, 422)
    assert await at.sql("SELECT count(*) FROM sealed_message") == written


@pytest.mark.rule("P28")
@pytest.mark.parametrize("act", ["say", "look"])
async def test_whoever_locks_their_access_in_between_sends_and_reads_nothing(at: Office, monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    case, noor = await at.case("noor"), at["noor"].viewer
    written = await at.sql("SELECT count(*) FROM sealed_message")
    between(monkeypatch, lambda: at.site.write(crossing.lock, noor))
    if act == "say":
        status, _, page = await says(at, case)
    else:
        status, page = await at["noor"].get(f"/cases/{case}")
    assert status == 422
    assert "You have locked your access" in page
    assert await at.sql("SELECT count(*) FROM sealed_message") == written


@pytest.mark.rule("P5")
async def test_whoever_needs_to_know_less_in_between_reads_no_more_than_that(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    case, daan = await at.case("noor"), at["daan"].viewer.person_id
    await at.unlocked("noor", membership.assign, case, daan, ["identity", "health"])
    knows = list[frozenset[str]]()

    def plan(_session: Any, _node: Any, open_desk: desk.Desk, _keys: Any) -> made_ready.Write:
        knows.append(open_desk.look.knows)
        return lambda _session: None

    made = await at.site.kernel.database.read(acting.ready, at.site.kernel.node, at["daan"].viewer, at.keys["daan"], case, plan, ())
    await at.do("noor", needs.give, case, daan, ["identity"])
    with pytest.raises(made_ready.Moved):
        await at.site.kernel.database.write(made_ready.carry_out, made)
    assert knows == [frozenset({"identity", "health"})]


async def test_five_who_write_at_the_same_moment_are_all_heard_once(at: Office) -> None:
    case = await at.case("noor")
    answers = await asyncio.gather(*(says(at, case, f"Message {number}") for number in range(5)))
    assert [status for status, _, _ in answers] == [303] * 5
    texts = [getattr(shown.entry, "text", "") for shown in (await at.desk("noor", case)).case.timeline]
    assert sorted(texts) == ["", *(f"Message {number}" for number in range(5))]


@pytest.mark.rule("P28")
async def test_whoever_locks_their_access_once_their_keys_were_found_takes_nobody_off_either(
    at: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, noor, daan = await at.case("noor"), at["noor"].viewer, at["daan"].viewer
    await at.unlocked("noor", membership.assign, case, daan.person_id, [])
    locks_once_found(at, monkeypatch, access_pages, noor)
    assert (await at["noor"].post(f"/cases/{case}/access/unassign", at="/settings", person=daan.person_id))[0] != 303
    assert await at.site.kernel.database.read(holding.is_assigned, case, daan.person_id)
