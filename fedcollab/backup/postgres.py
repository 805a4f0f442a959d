"""Decides how a PostgreSQL database goes into a backup and comes out of it: by the server's own tools, as at one moment."""

import os
import shutil
import subprocess
from pathlib import Path

import sqlalchemy as sa

from fedcollab.base.database import open_database
from fedcollab.base.errors import Misconfigured

SECONDS = 6 * 3600
KNOWN = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "service": "PGSERVICE",
}


def dump(url: str, target: Path) -> None:
    """The database in one file, uncompressed: what has not changed between two nights is then often the same bytes."""
    _run("pg_dump", url, ["--format=custom", "--compress=0", "--no-owner", "--no-privileges", f"--file={target}"])


def check(path: Path) -> None:
    """Reads all of a dump. Raises Misconfigured where it is not whole."""
    _run("pg_restore", "", ["--file=/dev/null", str(path)])


def load(url: str, path: Path) -> None:
    """Fills an empty database, whole or not at all."""
    name = _variables(url).get("PGDATABASE", "")
    _run("pg_restore", url, ["--single-transaction", "--no-owner", "--no-privileges", f"--dbname={name}", str(path)])


def empty(url: str) -> None:
    """Takes away all tables, also those that a dump does not know: a newer program may have made them."""
    database = open_database(url)
    try:
        with database.engine.begin() as connection:
            connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            connection.execute(sa.text("CREATE SCHEMA public"))
    finally:
        database.close()


def is_empty(engine: sa.Engine) -> bool:
    """Whether a database has no tables yet."""
    return not sa.inspect(engine).get_table_names()


def _variables(url: str) -> dict[str, str]:
    """How the tools are told where the database is: not on their command line, which every user of the machine can read."""
    from psycopg.conninfo import conninfo_to_dict

    said = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    unknown = sorted(said.keys() - KNOWN.keys())
    if unknown:
        raise Misconfigured("database_url says %(names)s, which a backup can't pass on. Leave it out there.", names=", ".join(unknown))
    return {KNOWN[name]: value for name, value in said.items()}


def _run(tool: str, url: str, words: list[str]) -> None:
    found = shutil.which(tool)
    if found is None:
        raise Misconfigured("%(tool)s is missing, which backups of PostgreSQL need. Run: apt install postgresql-client", tool=tool)
    environment = {**os.environ, **(_variables(url) if url else {})}
    try:
        done = subprocess.run([found, *words], env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603  # fixed words
    except subprocess.TimeoutExpired:
        raise Misconfigured("%(tool)s had not ended after %(hours)s hours.", tool=tool, hours=SECONDS // 3600) from None
    if done.returncode:
        why = next((line for line in done.stderr.splitlines() if "error" in line.lower()), done.stderr.strip()[:200])
        raise Misconfigured("%(tool)s has failed: %(why)s", tool=tool, why=why)
