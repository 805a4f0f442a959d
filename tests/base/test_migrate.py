"""Shows that a database comes to the newest step whatever happened before, and that one from a newer program is left alone in words."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

import fedcollab.app  # noqa: F401  # all tables
from fedcollab.base.database import open_database
from fedcollab.base.errors import Misconfigured
from fedcollab.base.migrate import NODE, RING, Steps, check, current, head, migrate
from fedcollab.base.model import Model
from fedcollab.sealing.ring_models import RingModel

KILLED = """
import os, signal, sys
import sqlalchemy as sa
from fedcollab.base.database import open_database
from fedcollab.base.migrate import NODE, RING, migrate

database, left = open_database(sys.argv[1]), [int(sys.argv[2])]

@sa.event.listens_for(database.engine, "before_cursor_execute")
def _count(*_):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)

migrate(database.engine, steps={"versions": NODE, "ring": RING}[sys.argv[3]])
database.close()
"""
BOTH = pytest.mark.parametrize("steps", [NODE, RING], ids=["node", "ring"])
MODELS = {NODE: Model, RING: RingModel}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    database = open_database(f"sqlite:///{tmp_path / 'node.db'}")
    yield database.engine
    database.close()


def shape(engine: sa.Engine) -> set[tuple[str, str]]:
    """(table, column) of all that is there, less Alembic's own and the words of search, which no model names."""
    seen = sa.inspect(engine)
    tables = [table for table in seen.get_table_names() if table != "alembic_version" and not table.startswith("search_words")]
    return {(table, column["name"]) for table in tables for column in seen.get_columns(table)}


def whole(engine: sa.Engine, steps: Steps = NODE) -> None:
    """At the newest step, and as the code's tables say."""
    check(engine, steps)
    tables = MODELS[steps].metadata.tables.values()
    assert shape(engine) == {(table.name, column.name) for table in tables for column in table.columns}


@BOTH
def test_a_fresh_database_asks_for_the_command_and_comes_to_the_newest_step(engine: sa.Engine, steps: Steps) -> None:
    words = rf"The {steps.name} is at step - and this program needs \d{{4}}\. Run: fedcollab -C DIR migrate"
    with pytest.raises(Misconfigured, match=words):
        check(engine, steps)
    assert migrate(engine, steps=steps) == ("", head(steps))
    whole(engine, steps)
    assert migrate(engine, steps=steps) == (head(steps), head(steps))


@BOTH
def test_neither_database_is_taken_for_the_other_one(engine: sa.Engine, steps: Steps) -> None:
    other = RING if steps == NODE else NODE
    migrate(engine, steps=other)
    before = shape(engine)
    for act in (check, current, lambda which, how: migrate(which, steps=how)):
        with pytest.raises(Misconfigured, match=f"{steps.setting} names the wrong one"):
            act(engine, steps)
    assert shape(engine) == before


@BOTH
def test_the_indexes_are_those_that_the_code_names(engine: sa.Engine, steps: Steps) -> None:
    migrate(engine, steps=steps)
    seen = sa.inspect(engine)
    named = {(name, index.name) for name, table in MODELS[steps].metadata.tables.items() for index in table.indexes}
    assert named <= {(name, index["name"]) for name in MODELS[steps].metadata.tables for index in seen.get_indexes(name)}


def test_a_database_at_the_newest_step_stays_as_it_is(engine: sa.Engine) -> None:
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO application VALUES ('a.example', 'https://a.example/actor', 1, 1, 1)"))
    assert migrate(engine) == (head(), head())
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT host FROM application")).all() == [("a.example",)]


@BOTH
def test_a_newer_database_is_refused_in_words_and_not_touched(engine: sa.Engine, steps: Steps) -> None:
    migrate(engine, steps=steps)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    before = shape(engine)
    for act in (check, lambda which, how: migrate(which, steps=how)):
        with pytest.raises(Misconfigured, match=rf"{steps.name} is at step 9999, .* a newer one wrote it\. Install that one again"):
            act(engine, steps)
    assert (current(engine, steps), shape(engine)) == ("9999", before)


def stop_at(engine: sa.Engine, number: int) -> None:
    """Makes the engine's statement of that number fail."""
    left = [number]

    @sa.event.listens_for(engine, "before_cursor_execute")
    def _count(*_: object) -> None:
        left[0] -= 1
        if not left[0]:
            raise InterruptedError


@pytest.mark.parametrize(("steps", "number"), [*((NODE, n) for n in (1, 2, 3, 5, 8, 13, 21, 34)), *((RING, n) for n in (1, 3, 5, 8))])
def test_a_migration_that_stopped_midway_has_no_effect_and_runs_again(tmp_path: Path, steps: Steps, number: int) -> None:
    first = open_database(f"sqlite:///{tmp_path / 'node.db'}")
    stop_at(first.engine, number)
    with pytest.raises(InterruptedError):
        migrate(first.engine, steps=steps)
    first.close()
    again = open_database(f"sqlite:///{tmp_path / 'node.db'}")
    assert (current(again.engine, steps), shape(again.engine)) == ("", set())
    migrate(again.engine, steps=steps)
    whole(again.engine, steps)
    again.close()


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "number"), [(NODE, 4), (NODE, 30), (RING, 8)])
def test_a_process_killed_in_its_migration_leaves_a_database_that_the_next_one_brings_on(
    engine: sa.Engine, tmp_path: Path, steps: Steps, number: int
) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(engine.url), str(number), steps.folder], check=False, timeout=60)
    assert done.returncode == -9
    with pytest.raises(Misconfigured, match="Run: fedcollab -C DIR migrate"):
        check(engine, steps)
    assert migrate(engine, steps=steps) == ("", head(steps))
    whole(engine, steps)


@pytest.mark.postgres
def test_on_postgresql_a_migration_that_stopped_midway_runs_again(postgres: object) -> None:
    url = postgres("m")  # type: ignore[operator]
    first = open_database(url)
    stop_at(first.engine, 20)
    with pytest.raises(InterruptedError):
        migrate(first.engine)
    first.close()
    again = open_database(url)
    assert (current(again.engine), shape(again.engine)) == ("", set())
    assert migrate(again.engine) == ("", head())
    whole(again.engine)
    again.close()
