"""Shows on SQLite and on PostgreSQL alike that each answer equals what is stored, and that commits wake whom they should."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.database import Database, open_database, run_sync, to_json, wake
from fedcollab.base.errors import Refused, Unavailable
from fedcollab.base.session import Session

from .units import broken, put, refused, stored, tables, unkept


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    made = open_database(database_url)
    await made.write(tables)
    yield made
    await asyncio.to_thread(made.close)


async def test_a_unit_that_was_refused_or_broke_has_no_effect_and_its_neighbours_keep_theirs(database: Database) -> None:
    works = [put, refused, put, broken, put, refused]
    answers: list[Any] = await asyncio.gather(*(database.write(work, n) for n, work in enumerate(works)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [int, Refused, int, ValueError, int, Refused]
    assert await database.read(stored) == {0, 2, 4}


async def test_a_unit_whose_commit_fails_is_an_error_and_stores_nothing(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        await database.write(unkept, 2)
    assert await database.read(stored) == set()
    assert await database.write(put, 4) == 4


async def test_a_hundred_increments_at_once_are_a_hundred(database: Database) -> None:
    def more(session: Session) -> int:
        found: int = session.execute(sa.text("UPDATE child SET id = id + 1 RETURNING id")).scalar_one()
        return found

    await database.write(lambda session: session.execute(sa.text("INSERT INTO child VALUES (0, NULL)")) and None)
    answers = await asyncio.gather(*(database.write(more) for _ in range(100)))
    assert sorted(answers) == list(range(1, 101))


async def test_a_reader_changes_nothing(database: Database) -> None:
    with contextlib.suppress(sa.exc.DBAPIError):  # PostgreSQL refuses at once, SQLite throws it away
        await database.read(put, 7)
    assert await database.read(stored) == set()


async def test_a_reader_sees_one_moment_however_long_it_looks(database: Database) -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def look_twice(session: Session) -> tuple[set[int], set[int]]:
        first = stored(session)
        loop.call_soon_threadsafe(inside.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(10)
        return first, stored(session)

    looking = asyncio.create_task(database.read(look_twice))
    await inside.wait()
    await database.write(put, 1)
    go_on.set()
    assert await looking == (set(), set())
    assert await database.read(stored) == {1}


async def test_a_unit_wakes_its_topic_only_once_it_is_stored(database: Database) -> None:
    event = database.wakes.event("delivery")

    def refuse(session: Session) -> None:
        wake(session, "delivery")
        raise Refused

    with pytest.raises(Refused):
        await database.write(refuse)
    await asyncio.sleep(0.02)
    assert not event.is_set()
    await database.write(lambda session: wake(session, "delivery"))
    await asyncio.wait_for(event.wait(), 10)


async def test_a_commit_of_another_process_wakes_ours(database: Database, database_url: str) -> None:
    event = database.wakes.event("inbox")
    database.watch()
    other = open_database(database_url, patient=True)

    async def write_until_heard() -> None:
        while not event.is_set():
            await other.write(
                lambda session: wake(session, "inbox") or (put(session, 1) and session.execute(sa.text("DELETE FROM t")) and None)
            )
            await asyncio.sleep(0.05)

    await asyncio.wait_for(write_until_heard(), 10)
    await asyncio.to_thread(other.close)


async def test_after_closing_new_units_are_refused_and_waiting_ones_are_finished(database_url: str) -> None:
    made = open_database(database_url)
    await made.write(tables)
    tasks = [asyncio.create_task(made.write(put, n)) for n in range(50)]
    await asyncio.sleep(0)
    await asyncio.to_thread(made.close)
    assert await asyncio.gather(*tasks) == list(range(50))
    with pytest.raises(Unavailable):
        await made.write(put, 99)


def test_a_command_runs_its_unit_from_a_plain_function(database_url: str) -> None:
    made = open_database(database_url, patient=True)
    run_sync(made, tables)
    assert run_sync(made, lambda session: put(session, 3)) == 3
    assert run_sync(made, stored, write=False) == {3}
    made.close()


async def test_a_look_sees_what_was_committed_and_says_what_a_read_says(database: Database) -> None:
    table = sa.table("t", sa.column("id", sa.BigInteger))
    query = sa.select(table.c.id).where(table.c.id >= sa.bindparam("least"), table.c.id != 5).order_by(table.c.id)
    assert list(await database.look(query, {"least": 4})) == []
    for number in (3, 4, 5, 6):
        await database.write(put, number)
        found = [row[0] for row in await database.look(query, {"least": 4})]
        assert found == [n for n in range(4, number + 1) if n != 5]
    with pytest.raises((KeyError, sa.exc.StatementError)):
        await database.look(query, {})


def test_a_json_column_keeps_what_json_can_say() -> None:
    for value in ({"a": [1, "é", None]}, {"half": "\ud800"}, {"long": 2**70}):
        assert json.loads(to_json(value)) == value
