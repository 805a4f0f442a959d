"""Decides how a node's databases come to the shape that the code expects: Alembic, configured here, one numbered file a step."""

from collections.abc import Callable
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from .crash import reach
from .errors import Misconfigured
from .paths import shipped

NUMBER = 4
Say = Callable[[str, int, int], None]


class Steps(NamedTuple):
    """The steps of one of a node's databases: the folder in `migrations` that holds them, what error texts call it, the setting that says
    where it is, and a table that only the other one has."""

    folder: str
    name: str
    setting: str
    other: str


NODE = Steps("versions", "database", "database_url", "person_secret")
RING = Steps("ring", "key ring", "ring_url", "audit_entry")


def silent(_what: str, _done: int, _of: int) -> None:
    """Says nothing of how far it is."""


def head(steps: Steps = NODE) -> str:
    """The newest step that this code ships; found by name, so that starting a node needn't load Alembic."""
    return max(_numbers(steps))


def _numbers(steps: Steps) -> list[str]:
    return sorted(path.name[:NUMBER] for path in (shipped("migrations") / steps.folder).glob("[0-9]*.py"))


def current(engine: sa.Engine, steps: Steps = NODE) -> str:
    """The step that the database is at; empty for a fresh one. Raises Misconfigured where it can't be opened, or is the other one."""
    try:
        with engine.connect() as connection:
            seen = sa.inspect(connection)
            if seen.has_table(steps.other):
                raise Misconfigured(
                    "%(setting)s names the wrong one of the node's two databases. Each has its own: the database in database_url, the "
                    "key ring in ring_url.",
                    setting=steps.setting,
                )
            if not seen.has_table("alembic_version"):
                return ""
            return str(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none() or "")
    except DBAPIError as error:
        raise Misconfigured(
            "The %(what)s can't be opened (%(error)s). Start it, or let this user read and write it; its address is %(setting)s.",
            what=steps.name,
            error=str(error.orig).partition("\n")[0],
            setting=steps.setting,
        ) from None


def check(engine: sa.Engine, steps: Steps = NODE) -> None:
    """Raises Misconfigured, with the command to run, unless the database is at the newest step."""
    at, newest = current(engine, steps), head(steps)
    if at > newest:
        raise Misconfigured(
            "The %(what)s is at step %(at)s, this program knows steps up to %(newest)s: a newer one wrote it. Install that one again.",
            what=steps.name,
            at=at,
            newest=newest,
        )
    if at < newest:
        raise Misconfigured(
            "The %(what)s is at step %(at)s and this program needs %(newest)s. Run: fedcollab -C DIR migrate",
            what=steps.name,
            at=at or "-",
            newest=newest,
        )


def missing(at: str, steps: Steps = NODE) -> list[str]:
    """The steps after `at`, in their order."""
    return [name for name in _numbers(steps) if name > at]


def migrate(engine: sa.Engine, say: Say = silent, steps: Steps = NODE, *, to: str = "") -> tuple[str, str]:
    """Brings the database to the newest step, or a fresh one to step `to`; answers (from, to). Each step is kept as soon as it is done,
    whole or not at all: killed anywhere it goes on with the next. A fresh database gets all of them at once."""
    from alembic import command

    before, newest = current(engine, steps), to or head(steps)
    if before > newest:
        check(engine, steps)
    config = _config(steps)
    left = missing(before, steps)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        for number, step in enumerate(left if before else [newest]):
            say(step, number, len(left))

            def take(step: str = step) -> None:
                command.upgrade(config, step)
                reach("migrate.step")

            if engine.dialect.name == "sqlite":
                _upgrade_sqlite(connection, take)
            else:
                connection.begin()  # else Alembic begins and commits by itself
                take()
            connection.commit()
    say(newest, len(left), len(left))
    return before, newest


def _config(steps: Steps) -> Any:
    from alembic.config import Config

    config = Config()
    folder = shipped("migrations")
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "newline")  # no folder's name has one
    config.set_main_option("version_locations", str(folder / steps.folder))
    return config


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
