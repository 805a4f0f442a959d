"""Gives tests a PostgreSQL server of their own, on a socket in a temporary folder."""

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Makes a fresh database by name and answers its URL."""
    with server(tmp_path_factory.mktemp("pg", numbered=True)) as made:
        yield made


@contextlib.contextmanager
def server(place: Path) -> Iterator[Callable[[str], str]]:
    """A server in this folder, as `postgres` gives it to tests. It refuses to run as root, so it runs as another user there."""
    programs = Path(os.environ["FEDCOLLAB_TEST_POSTGRES_BIN"])
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    data, sockets = place / "data", Path("/tmp") / f"fedcollab-pg-{os.getpid()}"
    sockets.mkdir()
    if user:
        for path in (place, sockets):
            os.chown(path, pwd.getpwnam("postgres").pw_uid, -1)
        for path in list(place.parents)[:3]:
            if path.owner() == "root" and str(path) != "/tmp":
                path.chmod(0o755)
    subprocess.run(
        [*user, programs / "initdb", "-D", data, "-A", "trust", "-U", "fedcollab", "--no-sync", "-E", "UTF8", "--locale=C"],
        check=True,
        capture_output=True,
    )
    options = f"-k {sockets} -c listen_addresses= -c max_connections=200 -c shared_buffers=64MB"
    options += " -c fsync=off"  # tests kill nodes, never the machine: what is committed is there without the disk's word
    subprocess.run(
        [*user, programs / "pg_ctl", "-D", data, "-w", "-l", place / "log", "-o", options, "start"], check=True, capture_output=True
    )
    numbers = itertools.count(1)  # drawn from several threads by the faults

    def database(name: str = "n") -> str:
        name += str(next(numbers))
        subprocess.run(
            [programs / "psql", "-h", sockets, "-U", "fedcollab", "-d", "postgres", "-qc", f"CREATE DATABASE {name}"], check=True
        )
        return f"postgresql://fedcollab@/{name}?host={sockets}"

    try:
        yield database
    finally:
        subprocess.run([*user, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], check=False, capture_output=True)
        shutil.rmtree(sockets, ignore_errors=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh database, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'node.db'}"
    make: Callable[[str], str] = request.getfixturevalue("postgres")
    return make("t")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.full])])
def either_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same for the many tests of pages that stand on services which others try on both kinds: on PostgreSQL with --full alone."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'node.db'}"
    make: Callable[[str], str] = request.getfixturevalue("postgres")
    return make("t")
