"""The house's rules: who imports whom, how long files are, which calls are forbidden; lint and types pass."""

import ast
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OWN = [ROOT / "fedcollab", ROOT / "tests", ROOT / "deploy"]
SCRIPTS = [ROOT / "deploy" / name for name in ("dev", "install", "fedcollab-node")]
LONGEST, MEDIAN = 400, 120

UNFINISHED = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "NotImplemented" + "Error")))
CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns", "datetime.datetime.now"}
CLIENT_MODULES = {"httpx", "requests", "urllib3", "urllib.request", "http.client", "pycurl", "websockets", "aiohttp.client_proto"}
CLIENT_CALLS = {"aiohttp.ClientSession", "aiohttp.request", "asyncio.open_connection", "socket.create_connection"}


def sources(*folders: Path) -> list[Path]:
    """The Python files in these folders, those of deploy (which have no ending) among them."""
    found = [path for folder in folders for path in folder.rglob("*.py") if "__pycache__" not in path.parts]
    return sorted([*found, *(SCRIPTS if ROOT / "deploy" in folders else [])])


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


PACKAGE = [pytest.param(path, id=name_of(path)) for path in sources(ROOT / "fedcollab")]
ALL = [pytest.param(path, id=name_of(path)) for path in sources(*OWN)]


def calls(text: str) -> Iterator[str]:
    """The dotted names of all calls in a source text."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def imported(text: str) -> Iterator[str]:
    """Every module or name that a source text imports from outside, dotted."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def clients(text: str) -> set[str]:
    """What in a source text could call out."""
    modules = {name for name in imported(text) if name in CLIENT_MODULES | CLIENT_CALLS or name.split(".")[0] in CLIENT_MODULES}
    return modules | (set(calls(text)) & CLIENT_CALLS)


def reads_form(text: str) -> bool:
    """Whether a source text calls `request.post()`, whatever the request's name is."""
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and not node.args]
    return any(isinstance(call.func, ast.Attribute) and call.func.attr == "post" for call in found)


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def program(name: str) -> str:
    """A tool of this environment, whether or not its folder is on the PATH."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert found, f"{name} is missing: run deploy/dev test, or pip install -e .[dev]"
    return found


def test_floors_import_only_floors_below_and_each_library_has_one_door() -> None:
    run(program("lint-imports"), "--no-logo")


@pytest.mark.parametrize(
    ("where", "line", "contract"),
    [
        ("base/clock.py", "import fedcollab.actors", "A floor imports only floors below"),
        ("features/discussions/models.py", "import fedcollab.features.members", "Features never import each other"),
        ("features/discussions/models.py", "import fedcollab.features.discussions.service", "Inside a feature"),
        ("access/policy.py", "import httpsig", "httpsig has one door"),
        ("federation/inbox.py", "import cryptography.fernet", "cryptography is used where keys are"),
        ("features/discussions/views.py", "import markdown", "markdown and nh3 have one door"),
        ("features/members/sessions.py", "import pyotp", "pyotp has one door"),
        ("admin/members.py", "import segno", "segno has one door"),
    ],
)
def test_an_import_against_the_rules_is_refused(tmp_path: Path, where: str, line: str, contract: str) -> None:
    shutil.copytree(ROOT / "fedcollab", tmp_path / "fedcollab", ignore=shutil.ignore_patterns("__pycache__", "static", "locales"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "fedcollab" / where).open("a") as source:
        source.write(f"\n{line}\n")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [program("lint-imports"), "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert re.search(f"{contract}.* BROKEN", done.stdout), done.stdout


@pytest.mark.parametrize("line", ["import httpx", "import requests", "from urllib.request import urlopen", "import sqlalchemy.ext.asyncio"])
def test_lint_refuses_a_second_client_and_asynchronous_units(line: str) -> None:
    command = [program("ruff"), "check", "--no-cache", "--stdin-filename", "fedcollab/access/policy.py", "-"]
    done = subprocess.run(command, cwd=ROOT, input=f'"""x"""\n\n{line}\n', capture_output=True, text=True, timeout=60, check=False)
    assert "TID251" in done.stdout


def test_lint_finds_nothing() -> None:
    run(program("ruff"), "check")


@pytest.mark.timeout(300)
def test_strict_types_hold() -> None:
    run(program("mypy"))


@pytest.mark.parametrize("path", ALL)
def test_no_file_is_long(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("folder", [pytest.param(folder, id=folder.name) for folder in OWN])
def test_the_median_file_is_short(folder: Path) -> None:
    assert statistics.median(len(path.read_text().splitlines()) for path in sources(folder)) <= MEDIAN


@pytest.mark.parametrize("path", ALL)
def test_each_file_says_what_it_decides(path: Path) -> None:
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)) or not text.strip()


@pytest.mark.parametrize("path", ALL)
def test_nothing_is_left_unfinished(path: Path) -> None:
    assert not UNFINISHED.search(path.read_text())


@pytest.mark.parametrize("path", PACKAGE)
def test_only_the_injected_clock_tells_the_time(path: Path) -> None:
    if name_of(path) != "fedcollab/base/clock.py":
        assert not set(calls(path.read_text())) & CLOCK


@pytest.mark.parametrize("path", PACKAGE)
def test_only_the_one_fetcher_calls_out(path: Path) -> None:
    inward = "fedcollab/files/scanning.py"  # speaks to a scanner on this machine: the settings take no other place
    if name_of(path) not in ("fedcollab/base/http.py", "fedcollab/base/lines.py", inward):  # the second are the first's connections
        assert not clients(path.read_text())


@pytest.mark.parametrize("path", PACKAGE)
def test_forms_are_read_in_one_place(path: Path) -> None:
    if name_of(path) != "fedcollab/base/web.py":
        assert not reads_form(path.read_text()), "it spools uploads to files in the clear; base/web.py limits them"


@pytest.mark.parametrize(
    "text",
    [
        "import httpx",
        "from urllib.request import urlopen",
        "from aiohttp import ClientSession",
        "import aiohttp\naiohttp.ClientSession()",
        "import asyncio\nasyncio.open_connection('x', 1)",
        "import urllib.request as u",
        "from requests.sessions import Session",
    ],
)
def test_the_search_for_clients_finds_each_kind(text: str) -> None:
    assert clients(text)


@pytest.mark.parametrize("text", ["from aiohttp import web", "from urllib.parse import urlsplit", "import http", "requests = []"])
def test_the_search_for_clients_leaves_servers_and_parsers_alone(text: str) -> None:
    assert not clients(text)


def test_the_search_for_forms_finds_a_request_by_any_name() -> None:
    assert reads_form("async def view(asked):\n    return await asked.post()")
    assert not reads_form("service.post(session, viewer)")
