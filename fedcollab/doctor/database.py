"""Decides whether the database is whole, at this program's step, this node's own, and its record unbroken."""

import sqlite3
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from fedcollab.access import audit
from fedcollab.actors import keys
from fedcollab.base import migrate
from fedcollab.base.errors import Misconfigured

from .findings import FAIL, WARN, Finding, Lacking, Open, fail, graded, ok, skip
from .patient import Patient, disk_size
from .reading import words_of

MB = 1_000_000
LOOKED_AT = 20.0  # seconds for looking through the database; a larger one is looked at in part
STEPS = 20_000  # of SQLite's machine, between two looks at the clock
ENTRIES = 2000  # of the record, the newest


def database(patient: Patient) -> Finding:
    """`database`: it can be opened."""
    if patient.sqlite and not patient.files.database.exists():
        return fail("node.db is missing.", "Restore the newest backup: %(restore)s")
    try:
        with patient.engine.connect() as connection:
            connection.execute(sa.text("SELECT 1 FROM sqlite_master" if patient.sqlite else "SELECT 1")).first()
    except ModuleNotFoundError:
        return fail("PostgreSQL's driver is missing.", 'In the program\'s environment: pip install "psycopg[binary]"')
    except SQLAlchemyError as error:
        if "not a database" in str(error) or "malformed" in str(error):
            return fail(
                "The database is damaged from its first page on.",
                "Stop the node and restore the newest backup: %(restore)s",
            )
        return fail("The database can't be opened (%(why)s).", "Start its server, or let this user read it.", why=words_of(error))
    return ok("The database can be opened.")


def schema(patient: Patient) -> Finding:
    """`schema`: the database is at the step that this program needs."""
    at, newest = patient.step, migrate.head()
    if at > newest:
        return fail(
            "The database is at step %(at)s, this program knows %(newest)s: a newer one wrote it.",
            "Install the newer version of the program again.",
            at=Open(at),
            newest=Open(newest),
        )
    if at < newest:
        return fail(
            "The database is at step %(at)s, this program needs %(newest)s.", "%(node)s migrate", at=Open(at or "-"), newest=Open(newest)
        )
    return ok("The database is at step %(at)s.", at=Open(at))


def integrity(patient: Patient) -> Finding:
    """`integrity`: SQLite finds no page damaged, as far as it comes within 20 seconds. PostgreSQL sees to itself."""
    if not patient.sqlite:
        return skip("PostgreSQL looks after its pages itself.")
    restore = "Stop the node, keep node.db aside, and restore the newest backup: %(restore)s"
    until = time.monotonic() + LOOKED_AT
    try:
        with patient.engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection
            raw.set_progress_handler(lambda: time.monotonic() > until, STEPS)
            [(word,)] = raw.execute("PRAGMA quick_check(1)").fetchall()
    except (sqlite3.DatabaseError, SQLAlchemyError) as error:
        if "interrupted" in str(error):
            return ok("No page was found damaged within %(seconds)d seconds.", seconds=LOOKED_AT)
        if "malformed" in str(error):
            return fail("The database is damaged.", restore)
        raise Lacking("database") from None
    return ok("No page of the database is damaged.") if word == "ok" else fail("The database is damaged.", restore)


def wal(patient: Patient) -> Finding:
    """`wal`: what was written lately gets into the database in time. Something that reads for hours (a copy that hangs) keeps it out."""
    if not patient.sqlite:
        return skip("PostgreSQL looks after its log itself.")
    size = disk_size(patient.files.database.with_name("node.db-wal")) / MB
    mend = "Restart it: systemctl restart %(unit)s. Does it grow again, a program keeps node.db open; which? fuser -v %(root)s/node.db"
    found = graded(size, 256, 4096, lambda level: Finding(level, "node.db-wal has %(size)d MB.", mend, {"size": size}))
    return found if found.level in (WARN, FAIL) else ok("node.db-wal is small.")


def key_fits(patient: Patient) -> Finding:
    """`key-fits`: node.key opens the signing keys that the database holds."""
    node = patient.node
    with patient.session() as session:
        actor_id, _ = patient.own(session)
        try:
            keys.signer(session, node, actor_id, keys.RSA)
        except Misconfigured:
            return fail(
                "node.key is another node's: it does not open this node's signing keys.",
                "Bring back the file that was here, or restore the newest backup: %(restore)s",
            )
    return ok("node.key opens the signing keys.")


def address(patient: Patient) -> Finding:
    """`address`: base_url is still the one that the node was made with, for every id begins with it."""
    settings = patient.settings
    with patient.session() as session:
        _, uri = patient.own(session)
    was = uri.removesuffix("/actor")
    if settings.base_url != was:
        return fail(
            "base_url is %(now)s, but this node was made as %(was)s.",
            'Write in %(root)s/node.toml: base_url = "%(was)s". An address never changes; another one means a new node.',
            now=settings.base_url,
            was=was,
        )
    return ok("base_url is the one that the node was made with.")


def record(patient: Patient) -> Finding:
    """`record`: the chain of the record holds over its newest entries."""
    with patient.session() as session:
        found = audit.verify(session, ENTRIES)
    if found.broken_at is not None:
        return fail(
            "The record is broken at entry %(at)d: somebody has changed it.",
            "Keep a copy of the database, then: %(node)s audit verify",
            at=found.broken_at,
        )
    return ok("The record's newest entries hold.")
