"""Shows that a forked command is one that was started by itself, but for the time it takes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from . import forked
from .processes import CLI


def by_itself(words: list[str], stdin: str = "", **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*CLI, *words], input=stdin, capture_output=True, text=True, timeout=60, env=os.environ | env, check=False)


def init(place: Path) -> list[str]:
    return ["init", str(place), "--name", "Meridian", "--base-url", "https://node.example.org"]


@pytest.mark.slow
def test_a_forked_command_says_and_ends_as_one_started_by_itself(tmp_path: Path) -> None:
    assert forked.command(init(tmp_path / "node")).returncode == 0
    here = ["-C", str(tmp_path / "node")]
    alone: list[tuple[list[str], int]] = [([], 2), (["--version"], 0), (["user", "--help"], 0), (["user", "ad"], 2), (["user", "list"], 1)]
    beside = [([*here, "user", "list", "--json"], 0), ([*here, "migrate"], 0), (init(tmp_path / "node"), 1)]
    for words, code in [*alone, *beside]:
        one, other = forked.command(words), by_itself(words)
        assert (one.returncode, one.stdout, one.stderr) == (other.returncode, other.stdout, other.stderr), words
        assert one.returncode == code, words


@pytest.mark.slow
def test_a_forked_command_reads_its_input_and_its_environment_and_dies_of_signals(tmp_path: Path) -> None:
    assert forked.command(init(tmp_path / "node")).returncode == 0
    here = ["-C", str(tmp_path / "node")]
    add = [*here, "user", "add", "ilse", "--password-stdin", "--json"]
    assert "at least 12 characters" in forked.command(add, stdin="short\n").stderr
    killed = forked.command(add, stdin="four plain words here\n", env=os.environ | {"FEDCOLLAB_CRASH_AT": "commit.before:1"})
    assert (killed.returncode, killed.stdout) == (-9, "")
    assert json.loads(forked.command(add, stdin="four plain words here\n").stdout)["username"] == "ilse"
    assert [one["username"] for one in json.loads(forked.command([*here, "user", "list", "--json"]).stdout)] == ["ilse"]


def test_what_forks_has_read_nothing_of_ours_and_all_that_it_names() -> None:
    code = f"import importlib, sys; [importlib.import_module(name) for name in {forked.LIBRARIES}]; print(*sys.modules)"
    read = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(forked.LIBRARIES) <= set(read)
    assert [name for name in read if name.partition(".")[0] in ("fedcollab", "tests")] == []
