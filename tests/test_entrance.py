"""The start of a command: `serve` alone takes the short way, which loads nothing that a running node does not need."""

import subprocess
import sys
from pathlib import Path

import pytest

from fedcollab.__main__ import node_to_serve


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


def test_a_running_node_has_not_loaded_the_libraries_of_the_commands() -> None:
    code = "import sys, fedcollab.__main__, fedcollab.serve; print(*{'typer', 'pydantic', 'alembic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.slow
def test_a_node_that_cannot_be_served_says_why_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fedcollab", "-C", str(tmp_path / "nowhere"), "serve"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("fedcollab: ")
    assert "Traceback" not in done.stderr


def test_a_node_on_sqlite_does_not_load_the_other_database() -> None:
    code = "import sys, fedcollab.serve; print(*[name for name in sys.modules if 'postgresql' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "", "an index that names both, with postgresql_where, loads it: two MiB of memory at rest"
