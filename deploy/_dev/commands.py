"""Decides what a developer can do: the list of commands, and what each of them starts."""

import argparse
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from . import groups, messages
from .environment import DEVELOP, USE, ensure
from .say import CACHE, ROOT, Stop, say
from .tools import POSTGRES

DROPPED = (".venv", ".cache", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache", "build", "dist")


def main(arguments: Sequence[str]) -> int:
    """Runs one command; returns the exit code."""
    parser = _parser()
    if not arguments:
        parser.print_help()
        return 0
    chosen, rest = parser.parse_known_args(arguments)
    if rest and not chosen.passes_on:
        parser.error(f"{chosen.command} does not know {' '.join(rest)}")
    try:
        return int(chosen.run(chosen, rest))
    except Stop as stop:
        say(f"deploy/dev: {stop}")
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy/dev", description="What a developer can do. The first run installs into .venv.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands")

    def command(name: str, run: object, text: str, *, passes_on: bool = False) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text, add_help=not passes_on)
        made.set_defaults(run=run, passes_on=passes_on)
        return made

    command("demo", _demo, "three federated nodes with sample data here (--check, --nodes N, --port P, --keep DIR)", passes_on=True)
    tests = command("test", _test, "everything: lint, types, contracts, quick and slow tests, PostgreSQL, Chromium, other software")
    tests.add_argument("--full", action="store_true", help="the long ones as well: up to 90 minutes more")
    tests.add_argument("-k", metavar="WORDS", help="only tests whose names match, as pytest's -k")
    tests.add_argument("paths", nargs="*", help="only tests in these files or folders")
    command("check", _check, "lint, types, contracts and the quick tests: before each commit")
    command("bench", _module("tests.bench"), "speed and size against their floors, measured here (--json)", passes_on=True)
    command("rules", _rules, "each rule of the safety list with the tests that show it, and those without")
    command("faults", _faults, "kill -9 under traffic, again and again (--rounds N, resumable)", passes_on=True)
    command("upgrade-test", _upgrade_test, "an upgrade on a Debian of its own, killed at each of its steps, and the way back")
    command("messages", _messages, "gathers texts into the translations and compiles them")
    command("clean", _clean, "removes .venv and all caches")
    return parser


def _demo(_: argparse.Namespace, rest: list[str]) -> int:
    return _become(ensure(USE), ["-m", "fedcollab", "demo", *rest])


def _test(chosen: argparse.Namespace, _: list[str]) -> int:
    ensure(DEVELOP)
    narrowed = [*(["-k", chosen.k] if chosen.k else []), *chosen.paths]
    return groups.run((*groups.CHECK, *groups.SLOW, *(groups.FULL if chosen.full else ())), chosen=narrowed, full=chosen.full)


def _check(_: argparse.Namespace, __: list[str]) -> int:
    ensure(DEVELOP)
    return groups.run(groups.CHECK, chosen=(), full=False)


def _module(name: str) -> object:
    return lambda _, rest: _become(ensure(DEVELOP), ["-m", name, *rest])


def _faults(_: argparse.Namespace, rest: list[str]) -> int:
    """Without PostgreSQL on SQLite alone, which it says."""
    python, found = ensure(DEVELOP), POSTGRES.path()
    os.environ.update({POSTGRES.variable: found} if found else {})
    return _become(python, ["-m", "tests.journeys.faults", *rest])


def _upgrade_test(_: argparse.Namespace, __: list[str]) -> int:
    ensure(DEVELOP)
    return groups.run((groups.UPGRADE,), chosen=["tests/deploy/test_upgrade.py"], full=True)


def _rules(_: argparse.Namespace, __: list[str]) -> int:
    return _become(ensure(DEVELOP), ["-m", "pytest", "--rules", "-q", "--no-header", "-p", "no:cacheprovider"])


def _messages(_: argparse.Namespace, __: list[str]) -> int:
    ensure(DEVELOP)
    messages.refresh()
    return 0


def _clean(_: argparse.Namespace, __: list[str]) -> int:
    for name in DROPPED:
        shutil.rmtree(ROOT / name, ignore_errors=True)
    for folder in ("fedcollab", "tests", "deploy", "migrations"):
        for cached in sorted((ROOT / folder).rglob("__pycache__")):
            shutil.rmtree(cached, ignore_errors=True)
    say(f"removed .venv, {CACHE.name} and the tools' caches")
    return 0


def _become(python: Path, arguments: list[str]) -> int:
    """Replaces this process, so that Ctrl-C, signals and the exit code are the program's own."""
    os.chdir(ROOT)
    os.execv(python, [str(python), *arguments])
