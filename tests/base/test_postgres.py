"""Shows that on PostgreSQL a unit that met a deadlock or a serialization failure is run again, and what is answered when it never ends."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.base.database import Database, open_database, wake
from fedcollab.base.errors import Unavailable
from fedcollab.base.postgres import POOL

from .units import put, stored, tables

pytestmark = pytest.mark.postgres


@pytest.fixture
async def database(postgres: Callable[[str], str]) -> AsyncIterator[Database]:
    made = open_database(postgres("p"))
    await made.write(tables)
    yield made
    await asyncio.to_thread(made.close)


async def test_two_units_that_lock_each_other_out_both_have_their_effect_once(database: Database) -> None:
    await database.write(put, 1, "")
    await database.write(put, 2, "")
    both_hold, been = threading.Barrier(2), set[str]()

    def change(session: Session, first: int, second: int, name: str) -> None:
        for number in (first, second):
            session.execute(sa.text("UPDATE t SET x = x || :name WHERE id = :n"), {"name": name, "n": number})
            if name not in been:  # the first try alone: the one that is run again finds its way free
                been.add(name)
                both_hold.wait(10)

    await asyncio.gather(database.write(change, 1, 2, "a"), database.write(change, 2, 1, "b"))
    found = await database.read(lambda session: session.scalars(sa.text("SELECT x FROM t")).all())
    assert ["".join(sorted(text)) for text in found] == ["ab", "ab"]


def failing(session: Session, left: list[int], state: str = "40001") -> int:
    """Stores, then fails in the server as often as `left` says."""
    put(session, left[0])
    wake(session, "delivery")
    left[0] -= 1
    if left[0] >= 0:
        session.execute(sa.text(f"DO $$ BEGIN RAISE EXCEPTION 'told to' USING ERRCODE = '{state}'; END $$"))
    return left[0]


async def test_units_behind_a_database_that_stands_still_are_turned_away_and_have_no_effect(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fedcollab.base.postgres.QUEUE", POOL + 2)
    monkeypatch.setattr("fedcollab.base.postgres.LATE", 0.2)
    go_on = threading.Event()
    holding = [asyncio.create_task(database.write(lambda _session: go_on.wait(10))) for _ in range(POOL)]
    await asyncio.sleep(0)
    late = [asyncio.create_task(database.write(put, number)) for number in (1, 2)]
    await asyncio.sleep(0.3)
    with pytest.raises(Unavailable, match="too many units"):
        await database.write(put, 3)
    go_on.set()
    await asyncio.gather(*holding)
    answers = await asyncio.gather(*late, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["the unit waited too long for a connection"] * 2
    assert await database.write(put, 4) == 4
    assert await database.read(stored) == {4}


@pytest.mark.parametrize("state", ["40001", "40P01"])
async def test_a_unit_that_could_not_be_put_in_order_is_run_again_and_leaves_nothing_of_its_first_tries(
    database: Database, state: str
) -> None:
    assert await database.write(failing, [3], state) == -1
    assert await database.read(stored) == {0}


async def test_what_two_units_look_for_and_make_at_once_is_made_once(database: Database) -> None:
    both_looked, been = threading.Barrier(2), set[str]()

    def look_then_make(session: Session, name: str) -> str:
        there = session.execute(sa.text("SELECT x FROM t WHERE id = 1")).scalar_one_or_none()
        if name not in been:
            been.add(name)
            both_looked.wait(10)
        if there is None:
            put(session, 1, name)
        return there or name

    answers = await asyncio.gather(database.write(look_then_make, "a"), database.write(look_then_make, "b"))
    assert len(set(answers)) == 1
    with pytest.raises(sa.exc.IntegrityError):
        await database.write(put, 1)


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
