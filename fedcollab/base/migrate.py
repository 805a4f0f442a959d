"""Decides how the database comes to the shape that the code expects: Alembic, configured here, one numbered file a step."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from .crash import reach
from .errors import Misconfigured
from .paths import shipped

NUMBER = 4
Say = Callable[[str, int, int], None]


def silent(_what: str, _done: int, _of: int) -> None:
    """Says nothing of how far it is."""


def head() -> str:
    """The newest step that this code ships; found by name, so that starting a node needn't load Alembic."""
    return max(path.name[:NUMBER] for path in (shipped("migrations") / "versions").glob("[0-9]*.py"))


def current(engine: sa.Engine) -> str:
    """The step that the database is at; empty for a fresh one. Raises Misconfigured where it can't be opened."""
    try:
        with engine.connect() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return ""
            return str(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none() or "")
    except DBAPIError as error:
        raise Misconfigured(
            "The database can't be opened (%(error)s). Start it, or let this user read and write it; its address is database_url.",
            error=str(error.orig).partition("\n")[0],
        ) from None


def check(engine: sa.Engine) -> None:
    """Raises Misconfigured, with the command to run, unless the database is at the newest step."""
    at, newest = current(engine), head()
    if at > newest:
        raise Misconfigured(
            "The database is at step %(at)s, this program knows steps up to %(newest)s: a newer one wrote it. Install that one again.",
            at=at,
            newest=newest,
        )
    if at < newest:
        raise Misconfigured(
            "The database is at step %(at)s and this program needs %(newest)s. Run: fedcollab -C DIR migrate",
            at=at or "-",
            newest=newest,
        )


def missing(at: str) -> list[str]:
    """The steps after `at`, in their order."""
    names = sorted(path.name[:NUMBER] for path in (shipped("migrations") / "versions").glob("[0-9]*.py"))
    return [name for name in names if name > at]


def migrate(engine: sa.Engine, say: Say = silent) -> tuple[str, str]:
    """Brings the database to the newest step; answers (from, to). Each step is kept as soon as it is done, whole or not at all: killed
    anywhere it goes on with the next. A fresh database gets all of them at once."""
    from alembic import command
    from alembic.config import Config

    before, newest = current(engine), head()
    if before > newest:
        check(engine)
    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")))
    steps = missing(before)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        for number, step in enumerate(steps if before else ["head"]):
            say(step, number, len(steps))

            def take(step: str = step) -> None:
                command.upgrade(config, step)
                reach("migrate.step")

            if engine.dialect.name == "sqlite":
                _upgrade_sqlite(connection, take)
            else:
                connection.begin()  # else Alembic begins and commits by itself
                take()
            connection.commit()
    say(newest, len(steps), len(steps))
    return before, newest


def _upgrade_sqlite(connection: sa.Connection, upgrade: Callable[[], None]) -> None:
    """Foreign keys are not watched while a table is built anew (dropping the old one would empty it first) but all checked before the
    commit. The switch has no effect inside a transaction, so it stands around it."""
    raw: Any = connection.connection.dbapi_connection
    raw.execute("PRAGMA foreign_keys = OFF")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        upgrade()
        if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
            raise Misconfigured("The step would leave rows that point nowhere, so nothing was changed. Please report it.")
        raw.commit()
    finally:
        if raw.in_transaction:
            raw.rollback()
        raw.execute("PRAGMA foreign_keys = ON")
