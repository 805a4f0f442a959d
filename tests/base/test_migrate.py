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
from fedcollab.base.migrate import check, current, head, migrate
from fedcollab.base.model import Model

KILLED = """
import os, signal, sys
import sqlalchemy as sa
from fedcollab.base.database import open_database
from fedcollab.base.migrate import migrate

database, left = open_database(sys.argv[1]), [int(sys.argv[2])]

@sa.event.listens_for(database.engine, "before_cursor_execute")
def _count(*_):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)

migrate(database.engine)
database.close()
"""


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


def whole(engine: sa.Engine) -> None:
    """At the newest step, and as the code's tables say."""
    check(engine)
    assert shape(engine) == {(table.name, column.name) for table in Model.metadata.tables.values() for column in table.columns}


def test_a_fresh_database_asks_for_the_command_and_comes_to_the_newest_step(engine: sa.Engine) -> None:
    with pytest.raises(Misconfigured, match=r"at step - and this program needs \d{4}\. Run: fedcollab -C DIR migrate"):
        check(engine)
    assert migrate(engine) == ("", head())
    whole(engine)


def test_a_database_at_the_newest_step_stays_as_it_is(engine: sa.Engine) -> None:
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO application VALUES ('a.example', 'https://a.example/actor', 1, 1, 1)"))
    assert migrate(engine) == (head(), head())
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT host FROM application")).all() == [("a.example",)]


def test_a_newer_database_is_refused_in_words_and_not_touched(engine: sa.Engine) -> None:
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    before = shape(engine)
    for act in (check, migrate):
        with pytest.raises(Misconfigured, match=r"at step 9999, .* a newer one wrote it\. Install that one again"):
            act(engine)
    assert (current(engine), shape(engine)) == ("9999", before)


def stop_at(engine: sa.Engine, number: int) -> None:
    """Makes the engine's statement of that number fail."""
    left = [number]

    @sa.event.listens_for(engine, "before_cursor_execute")
    def _count(*_: object) -> None:
        left[0] -= 1
        if not left[0]:
            raise InterruptedError


@pytest.mark.parametrize("number", [1, 2, 3, 5, 8, 13, 21, 34])
def test_a_migration_that_stopped_midway_has_no_effect_and_runs_again(tmp_path: Path, number: int) -> None:
    first = open_database(f"sqlite:///{tmp_path / 'node.db'}")
    stop_at(first.engine, number)
    with pytest.raises(InterruptedError):
        migrate(first.engine)
    first.close()
    again = open_database(f"sqlite:///{tmp_path / 'node.db'}")
    assert (current(again.engine), shape(again.engine)) == ("", set())
    migrate(again.engine)
    whole(again.engine)
    again.close()


@pytest.mark.slow
@pytest.mark.parametrize("number", [4, 30])
def test_a_process_killed_in_its_migration_leaves_a_database_that_the_next_one_brings_on(
    engine: sa.Engine, tmp_path: Path, number: int
) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(engine.url), str(number)], check=False, timeout=60)
    assert done.returncode == -9
    with pytest.raises(Misconfigured, match="Run: fedcollab -C DIR migrate"):
        check(engine)
    assert migrate(engine) == ("", head())
    whole(engine)


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
