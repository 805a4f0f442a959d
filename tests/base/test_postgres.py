"""Shows that on PostgreSQL units have their effect one after the other, and what those are answered that do not come to theirs."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable

import pytest
import sqlalchemy as sa

from fedcollab.base.database import Database, open_database, wake
from fedcollab.base.errors import Unavailable
from fedcollab.base.session import Session

from .units import put, stored, tables

pytestmark = pytest.mark.postgres


@pytest.fixture
async def database(postgres: Callable[[str], str]) -> AsyncIterator[Database]:
    made = open_database(postgres("p"))
    await made.write(tables)
    yield made
    await asyncio.to_thread(made.close)


@pytest.fixture
async def other(database: Database) -> AsyncIterator[Database]:
    """The same database from another process: a command beside the running node."""
    made = open_database(str(database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)))
    yield made
    await asyncio.to_thread(made.close)


def leave_unless_last(session: Session, number: int, pause: float = 0.2) -> int:
    """Two who both find the other still there would both leave."""
    there = len(stored(session))
    time.sleep(pause)
    if there > 1:
        session.execute(sa.text("DELETE FROM t WHERE id = :n"), {"n": number})
    return there


async def test_of_two_units_that_each_look_at_what_the_other_changes_the_second_sees_the_first(database: Database, other: Database) -> None:
    for one, two in ((database, other), (database, database)):
        await one.write(lambda session: [put(session, number) for number in {1, 2} - stored(session)])
        assert sorted(await asyncio.gather(one.write(leave_unless_last, 1), two.write(leave_unless_last, 2))) == [1, 2]
        assert len(await one.read(stored)) == 1


async def test_a_unit_whose_turn_does_not_come_is_answered_with_503_and_reading_goes_on(
    database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fedcollab.base.postgres.LOCKED", 200)
    late = open_database(str(database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)))
    go_on, started = threading.Event(), threading.Event()
    holding = asyncio.create_task(other.write(lambda _session: started.set() or go_on.wait(10)))
    await asyncio.to_thread(started.wait, 10)
    with pytest.raises(Unavailable):
        await late.write(put, 1)
    assert await late.read(stored) == set()
    go_on.set()
    await holding
    assert await late.write(put, 1) == 1
    await asyncio.to_thread(late.close)


def failing(session: Session, left: list[int], state: str = "40001") -> int:
    """Stores, then fails in the server as often as `left` says."""
    put(session, left[0])
    wake(session, "delivery")
    left[0] -= 1
    if left[0] >= 0:
        session.execute(sa.text(f"DO $$ BEGIN RAISE EXCEPTION 'told to' USING ERRCODE = '{state}'; END $$"))
    return left[0]


async def test_a_process_that_stands_still_inside_its_turn_loses_it_to_the_next(
    database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fedcollab.base.postgres.STOPPED", 300)
    stopped = open_database(str(database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)))
    started, go_on = threading.Event(), threading.Event()

    def stand_still(session: Session) -> None:
        put(session, 1)
        started.set()
        go_on.wait(10)

    standing = asyncio.create_task(stopped.write(stand_still))
    await asyncio.to_thread(started.wait, 10)
    assert await asyncio.wait_for(other.write(put, 2), 4) == 2
    go_on.set()
    with pytest.raises(Unavailable):
        await standing
    assert await database.read(stored) == {2}
    await asyncio.to_thread(stopped.close)


async def test_units_behind_a_database_that_stands_still_are_turned_away_and_have_no_effect(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fedcollab.base.postgres.QUEUE", 3)
    go_on, holds = threading.Event(), threading.Event()
    holding = asyncio.create_task(database.write(lambda _session: holds.set() or go_on.wait(20)))
    assert await asyncio.to_thread(holds.wait, 20)
    monkeypatch.setattr("fedcollab.base.postgres.LATE", 0.2)
    late = [asyncio.create_task(database.write(put, number)) for number in (1, 2)]
    await asyncio.sleep(0.3)
    with pytest.raises(Unavailable, match="too many units"):
        await database.write(put, 3)
    go_on.set()
    await holding
    answers = await asyncio.gather(*late, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["the unit waited too long for its turn"] * 2
    assert await database.write(put, 4) == 4
    assert await database.read(stored) == {4}


@pytest.mark.parametrize("state", ["40001", "40P01"])
async def test_a_unit_that_could_not_be_put_in_order_is_run_again_and_leaves_nothing_of_its_first_tries(
    database: Database, state: str
) -> None:
    assert await database.write(failing, [3], state) == -1
    assert await database.read(stored) == {0}


async def test_a_unit_that_never_finds_its_turn_is_answered_with_503_and_stores_and_wakes_nothing(database: Database) -> None:
    event = database.wakes.event("delivery")
    with pytest.raises(Unavailable):
        await database.write(failing, [1000])
    await asyncio.sleep(0)
    assert (await database.read(stored), event.is_set()) == (set(), False)


async def test_a_server_that_ends_the_connection_means_503_and_the_next_unit_works(database: Database) -> None:
    end = sa.text("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(Unavailable):
        await database.write(lambda session: put(session, 1) and session.execute(end) and None)
    assert await database.read(stored) == set()
    assert await database.write(put, 2) == 2


async def test_a_server_that_is_not_there_means_503() -> None:
    gone = open_database("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    for act in (gone.read, gone.write):
        with pytest.raises(Unavailable):
            await act(stored)
    await asyncio.to_thread(gone.close)
