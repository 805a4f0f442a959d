"""The start of a command: `serve` alone takes the short way, which loads nothing that a running node does not need."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fedcollab.__main__ import node_to_serve

COMMANDS = {"typer", "pydantic", "alembic"}
RARE = {
    "PIL",
    "babel",
    "bibtexparser",
    "defusedxml",
    "obstore",
    "psycopg",
    "pylatexenc",
    "pyotp",
    "segno",
    "sqlalchemy.orm",
    "webauthn",
    "http_message_signatures",
}
LATER = COMMANDS | RARE | {"argon2", "markdown", "nh3", "pyotp"}  # what a node needs soon, but not for its first page


@pytest.mark.parametrize(
    ("words", "root"), [(["-C", "there", "serve"], "there"), (["--directory", "there", "serve"], "there"), (["serve"], ".")]
)
def test_serving_is_understood_as_the_command_line_would(words: list[str], root: str) -> None:
    assert node_to_serve(words) == Path(root)


@pytest.mark.parametrize(
    "words",
    [[], ["init"], ["-C", "there"], ["-C", "serve"], ["-C", "--help", "serve"], ["serve", "--help"], ["-C", "a", "-C", "b", "serve"]],
)
def test_everything_else_is_the_command_lines_to_read(words: list[str]) -> None:
    assert node_to_serve(words) is None


@pytest.fixture(scope="module")
def started() -> dict[str, list[str]]:
    """What a process has loaded that is about to serve, and what comes of asking by aiohttp's own client there."""
    code = """if True:
        import asyncio, json, sys, fedcollab.__main__, fedcollab.serve
        loaded = [*sys.modules]
        fedcollab.serve.forget_certificates()
        async def ask():
            import aiohttp
            async with aiohttp.ClientSession() as session:
                await session.get("https://127.0.0.1:9/")
        try:
            asyncio.run(ask())
        except Exception as error:
            print(json.dumps({"loaded": loaded, "error": [repr(error)]}))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_a_start_loads_no_library_that_only_a_command_or_a_few_requests_need(started: dict[str, list[str]]) -> None:
    """Each of them takes milliseconds of every start, and memory for as long as the node runs; what needs one imports it there."""
    assert LATER & set(started["loaded"]) == set()


def test_a_node_on_sqlite_does_not_load_the_other_database(started: dict[str, list[str]]) -> None:
    """An index that names both, with postgresql_where, loads it: two MiB of memory at rest."""
    assert [name for name in started["loaded"] if "postgresql" in name] == []


def test_without_the_certificates_that_it_lets_go_aiohttps_own_client_connects_to_nobody(started: dict[str, list[str]]) -> None:
    assert started["error"][0].startswith("NameError"), "were there none to let go, forget_certificates has no work left"


@pytest.mark.slow
def test_a_node_that_cannot_be_served_says_why_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fedcollab", "-C", str(tmp_path / "nowhere"), "serve"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("fedcollab: ")
    assert "Traceback" not in done.stderr
