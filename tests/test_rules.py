"""The markers that say which rule a test shows, and what a missing program does to a test."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
KNOWN = (TESTS / "rules.txt").read_text().split()
SAMPLE = """
import pytest

@pytest.mark.rule("SIG-01")
@pytest.mark.rule("R1")
@pytest.mark.parametrize("x", [1, 2])
def test_shows_two_rules(x): pass

@pytest.mark.rule("SIG-99")
def test_shows_a_slip(): pass

@pytest.mark.postgres
def test_on_postgres(): pass

@pytest.mark.full
def test_at_length(): pass
"""


def run_sample(folder: Path, *options: str, **variables: str) -> str:
    """Pytest's output for the sample, under this project's conftest, without the programs' paths."""
    (folder / "test_sample.py").write_text(SAMPLE)
    (folder / "conftest.py").write_text((TESTS / "conftest.py").read_text())
    (folder / "rules.txt").write_text("SIG-01\nSIG-02\nR1\n")
    markers = "\n".join(f"  {name}: x" for name in ("rule(id)", "postgres", "browser", "axe", "full"))
    (folder / "pytest.ini").write_text(f"[pytest]\nmarkers =\n{markers}\n")
    env = {key: value for key, value in os.environ.items() if not key.startswith(("FEDCOLLAB_TEST_", "PYTEST_")) and key != "CI"}
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=folder, env=env | variables, capture_output=True, text=True, timeout=60, check=False).stdout


def marked_rules(path: Path) -> set[str]:
    """The ids in `pytest.mark.rule(...)` of one file."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    marks = [call for call in calls if ast.unparse(call.func) == "pytest.mark.rule"]
    return {argument.value for mark in marks for argument in mark.args if isinstance(argument, ast.Constant)}


def test_every_marked_rule_is_a_known_one() -> None:
    unknown = {f"{path.name}: {rule}" for path in TESTS.rglob("test_*.py") for rule in marked_rules(path) - set(KNOWN)}
    assert not unknown


def test_no_rule_is_listed_twice() -> None:
    assert len(KNOWN) == len(set(KNOWN))


def test_the_table_names_each_rule_with_its_tests_and_the_rules_without(tmp_path: Path) -> None:
    shown = run_sample(tmp_path, "--rules")
    assert shown.count("test_sample.py::test_shows_two_rules") == 2
    assert "SIG-01\n    test_sample.py::test_shows_two_rules\n" in shown
    assert "SIG-99  (not a known id)" in shown
    assert "2 of 3 rules are shown; without a test: SIG-02" in shown
    assert "passed" not in shown


def test_a_missing_program_skips_its_tests_with_one_line(tmp_path: Path) -> None:
    shown = run_sample(tmp_path)
    assert "PostgreSQL is missing: run deploy/dev test, or set FEDCOLLAB_TEST_POSTGRES_BIN" in shown
    assert "3 passed, 2 skipped" in shown


def test_on_a_build_server_a_missing_program_is_a_failure(tmp_path: Path) -> None:
    shown = run_sample(tmp_path, CI="true")
    assert "3 passed, 1 skipped, 1 error" in shown


def test_a_program_that_is_there_and_the_full_run_skip_nothing(tmp_path: Path) -> None:
    assert "5 passed" in run_sample(tmp_path, "--full", FEDCOLLAB_TEST_POSTGRES_BIN="/somewhere")


@pytest.mark.parametrize("name", ["SIG-01", "CONF-01", "R1", "R22", "P30"])
def test_the_list_holds_attacks_faults_and_privacy_rules(name: str) -> None:
    assert name in KNOWN
