"""Shows that each answer of SQLite's writer equals what is stored: under refusals, errors, a full disk, a failed COMMIT, cancelling."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedcollab.base.database import Database, open_database
from fedcollab.base.errors import Refused, StorageFull, Unavailable
from fedcollab.base.session import Session

from .units import broken, put, refused, stored, tables, unkept


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = open_database(f"sqlite:///{tmp_path / 'node.db'}")
    await made.write(tables)
    yield made
    await asyncio.to_thread(made.close)


class Gate:
    """Holds the writer inside a unit, so that what is asked meanwhile becomes one group."""

    def __init__(self) -> None:
        self.open, self.reached = threading.Event(), threading.Event()

    def __call__(self, _session: Session) -> None:
        self.reached.set()
        self.open.wait(10)


async def grouped(database: Database, units: list[tuple[Callable[..., Any], int]]) -> list[Any]:
    """Runs units that wait together behind a held writer; answers results and errors."""
    gate = Gate()
    holding = asyncio.create_task(database.write(gate))
    await asyncio.to_thread(gate.reached.wait, 10)
    tasks = [asyncio.create_task(database.write(work, number)) for work, number in units]
    await asyncio.sleep(0.05)
    gate.open.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    await holding
    return answers


def agrees(units: list[tuple[Callable[..., Any], int]], answers: list[Any], found: set[int]) -> bool:
    return {number for (_, number), answer in zip(units, answers, strict=True) if answer == number} == found


async def test_a_refused_unit_has_no_effect_and_its_neighbours_keep_theirs(database: Database) -> None:
    units = [(put, 1), (refused, 2), (put, 3)]
    answers = await grouped(database, units)
    assert isinstance(answers[1], Refused)
    assert await database.read(stored) == {1, 3}
    assert agrees(units, answers, {1, 3})


async def test_an_error_rolls_the_group_back_and_its_units_run_again_alone(database: Database) -> None:
    units = [(put, 1), (broken, 2), (put, 3)]
    answers = await grouped(database, units)
    assert isinstance(answers[1], ValueError)
    assert await database.read(stored) == {1, 3}
    assert agrees(units, answers, {1, 3})


async def test_a_failed_commit_is_an_error_for_all_and_stores_nothing(database: Database) -> None:
    answers = await grouped(database, [(put, 1), (unkept, 2), (put, 3)])
    assert all(isinstance(answer, sa.exc.IntegrityError) for answer in answers)
    assert await database.read(stored) == set()
    assert await database.write(put, 4) == 4


async def test_a_request_cancelled_before_its_turn_is_dropped_and_after_it_finishes(database: Database) -> None:
    gate = Gate()
    holding = asyncio.create_task(database.write(gate))
    await asyncio.to_thread(gate.reached.wait, 10)
    one, two, three = (asyncio.create_task(database.write(put, n)) for n in (1, 2, 3))
    await asyncio.sleep(0.05)
    two.cancel()
    holding.cancel()
    await asyncio.sleep(0.05)
    gate.open.set()
    answers = await asyncio.gather(one, two, three, holding, return_exceptions=True)
    assert answers[0] == 1
    assert answers[2] == 3
    assert isinstance(answers[1], asyncio.CancelledError)
    assert await database.read(stored) == {1, 3}


async def test_a_database_that_cannot_be_opened_is_an_answer_and_serves_once_it_can(tmp_path: Path) -> None:
    made, place = open_database(f"sqlite:///{tmp_path / 'away' / 'node.db'}"), tmp_path / "away"
    async with asyncio.timeout(10):
        with pytest.raises(sa.exc.OperationalError):
            await made.write(put, 1)
        place.mkdir()
        await made.write(tables)
        assert await made.write(put, 1) == 1
    await asyncio.to_thread(made.close)


async def test_a_command_waits_while_another_process_opens_or_closes_the_database(tmp_path: Path) -> None:
    file = tmp_path / "node.db"
    made = open_database(f"sqlite:///{file}")
    await made.write(tables)
    await asyncio.to_thread(made.close)
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    for words in ("PRAGMA locking_mode=EXCLUSIVE", "BEGIN EXCLUSIVE", "INSERT INTO t VALUES (7, 'x')", "COMMIT"):
        other.execute(words)
    patient = open_database(f"sqlite:///{file}", patient=True)
    asked = [asyncio.create_task(patient.read(stored)), asyncio.create_task(patient.write(put, 8))]
    await asyncio.sleep(0.3)
    await asyncio.to_thread(other.close)
    assert (await asyncio.gather(*asked))[1] == 8
    assert await patient.read(stored) == {7, 8}
    await asyncio.to_thread(patient.close)


async def test_what_another_process_commits_right_after_our_first_unit_wakes_the_workers(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = open_database(f"sqlite:///{tmp_path / 'node.db'}")
    event, other = made.wakes.event("inbox"), sqlite3.connect(tmp_path / "node.db", isolation_level=None, check_same_thread=False)
    answer: Callable[..., None] = made.backend._answer  # type: ignore[attr-defined]

    def answered(*args: Any) -> None:
        answer(*args)
        other.execute("INSERT INTO t VALUES (7, 'x')")

    monkeypatch.setattr(made.backend, "_answer", answered)
    await made.write(put, 1)
    monkeypatch.undo()
    async with asyncio.timeout(5):
        await event.wait()
    other.close()
    await asyncio.to_thread(made.close)


@pytest.mark.rule("R6")
async def test_a_full_disk_answers_507_keeps_what_was_promised_and_recovers(tmp_path: Path) -> None:
    made = open_database(f"sqlite:///{tmp_path / 'full.db'}")
    limit = {"pages": 40}

    @sa.event.listens_for(made.engine, "connect", insert=False)
    def _small(raw: Any, _record: object) -> None:
        raw.execute(f"PRAGMA max_page_count = {limit['pages']}")

    await made.write(tables)
    answers = []
    for start in range(0, 60, 6):
        tasks = [made.write(put, n, "x" * 4000) for n in range(start, start + 6)]
        answers += list(zip(range(start, start + 6), await asyncio.gather(*tasks, return_exceptions=True), strict=True))
    full = [answer for _, answer in answers if isinstance(answer, StorageFull)]
    assert full
    assert all(answer == number or isinstance(answer, StorageFull) for number, answer in answers)
    assert await made.read(stored) == {number for number, answer in answers if answer == number}
    await made.write(lambda session: session.execute(sa.text("PRAGMA max_page_count = 4000")) and None)
    assert await made.write(put, 1000, "x" * 4000) == 1000
    await asyncio.to_thread(made.close)


async def test_a_unit_that_waited_too_long_is_dropped_with_503(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fedcollab.base.writer.LATE", -1.0)
    with pytest.raises(Unavailable):
        await database.write(put, 1)
    assert await database.read(stored) == set()


async def test_another_process_asking_for_the_lock_gets_its_turn_beside_a_busy_writer(database: Database, tmp_path: Path) -> None:
    other = open_database(f"sqlite:///{tmp_path / 'node.db'}", patient=True)
    busy = True

    async def traffic() -> int:
        count = 0
        while busy:
            count += 1
            await database.write(put, count)
        return count

    task = asyncio.create_task(traffic())
    assert [await other.write(put, 1_000_000 + n) for n in range(20)] == [1_000_000 + n for n in range(20)]
    busy = False
    count = await task
    assert len(await database.read(stored)) == count + 20
    await asyncio.to_thread(other.close)


async def test_a_commit_of_another_process_wakes_ours(database: Database, tmp_path: Path) -> None:
    database.watch()
    event = database.wakes.event("inbox")
    await asyncio.sleep(0.5)
    event.clear()
    other = open_database(f"sqlite:///{tmp_path / 'node.db'}", patient=True)
    await other.write(put, 1)
    await asyncio.wait_for(event.wait(), 10)
    await asyncio.to_thread(other.close)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([put, refused, broken]), min_size=1, max_size=12))
def test_whatever_is_asked_together_each_answer_equals_what_is_stored(tmp_path_factory: pytest.TempPathFactory, kinds: list[Any]) -> None:
    async def run() -> None:
        made = open_database(f"sqlite:///{tmp_path_factory.mktemp('db') / 'node.db'}")
        await made.write(tables)
        units = [(work, number) for number, work in enumerate(kinds)]
        answers = await grouped(made, units)
        assert agrees(units, answers, await made.read(stored))
        await asyncio.to_thread(made.close)

    asyncio.run(run())


def test_the_migrations_make_what_the_models_say(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    import fedcollab.app  # noqa: F401  # all models are known once the house is
    from fedcollab.base.migrate import migrate
    from fedcollab.base.model import Model

    made = open_database(f"sqlite:///{tmp_path / 'node.db'}")
    migrate(made.engine)
    with made.engine.connect() as connection:
        options = {"include_name": lambda name, kind, _of: kind != "table" or not name.startswith("search_words")}  # no model names those
        assert compare_metadata(MigrationContext.configure(connection, opts=options), Model.metadata) == []
    made.close()


async def test_a_glance_sees_what_is_committed_and_waits_in_a_thread_where_the_file_is_busy(database: Database) -> None:
    assert await database.glance(stored) == set()
    await database.write(put, 1)
    assert await database.glance(stored) == {1}
    await database.glance(put, 2)
    assert await database.read(stored) == {1}, "whatever it changed is thrown away"

    def busy(session: Session) -> str:
        if threading.current_thread() is threading.main_thread():
            raise sa.exc.OperationalError("SELECT", {}, sqlite3.OperationalError("database is locked"))
        return threading.current_thread().name

    assert (await database.glance(busy)).startswith("reader")
    with pytest.raises(Refused):
        await database.glance(refused, 3)
    assert await database.glance(stored) == {1}
