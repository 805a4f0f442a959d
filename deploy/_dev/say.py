"""Decides how deploy/dev speaks: progress on standard error, one plain sentence where it stops, long output in a log."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
LOGS = CACHE / "logs"


class Stop(Exception):
    """Nothing more can be done; the text says what to install or to change."""


def say(text: str) -> None:
    """One line of progress, kept apart from what a command prints for programs."""
    print(text, file=sys.stderr, flush=True)


def in_ci() -> bool:
    """Whether what is missing counts as a failure."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def logged(name: str, command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> int:
    """Runs `command` in the checkout, its output in the log `name`; returns its exit code."""
    with log_of(name).open("wb") as log:
        done = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False)
    return done.returncode


def must(name: str, command: Sequence[str | Path], otherwise: str) -> None:
    """Runs `command` quietly; where it fails, shows the end of its output and stops with `otherwise`."""
    if logged(name, command) != 0:
        lines = log_of(name).read_text(errors="replace").splitlines()
        say("\n".join(lines[-20:]))
        raise Stop(otherwise)


def log_of(name: str) -> Path:
    """Where the output of `name` is kept until the next run."""
    LOGS.mkdir(parents=True, exist_ok=True)
    return LOGS / f"{name}.log"
