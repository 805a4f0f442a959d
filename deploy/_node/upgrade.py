"""Decides how a machine's nodes come to another release: checked and backed up while they serve, then stopped, copied, migrated, switched,
started and looked at; whatever fails goes back by itself, and what was killed is taken back by the next run or start of the machine."""

import argparse
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from . import journal, release, services, steps, undo
from .journal import Journal, reach
from .layout import Machine
from .reach import answers
from .say import Stop, alone, as_root, say
from .steps import at_step, of_node, version_of

ROOM = 600_000_000  # bytes that a release takes, and as much again for what is written meanwhile
MEMORY = 300_000_000


def main(arguments: Sequence[str], machine: Machine | None = None) -> int:
    """The exit code; one sentence where it stops."""
    said, machine = _parser().parse_args(arguments), machine or Machine()
    os.umask(0o022)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a line that breaks doesn't leave the nodes stopped
    try:
        as_root()
        services.need()
        with alone(machine):
            undo.recover(machine)
            if not said.recover:
                _upgrade(machine, said)
            return 0
    except Stop as stop:
        say(f"\n{stop}")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy/upgrade", description="Brings all nodes of this machine to the release of this checkout.")
    parser.add_argument("--wheel", metavar="FILE", help="the program as a wheel, in the place of this checkout's")
    parser.add_argument("--without-backup", action="store_true", help="go on where a node has no backups")
    parser.add_argument("--recover", action="store_true", help="only undo an upgrade that was killed, as each start of the machine does")
    return parser


def _upgrade(machine: Machine, said: argparse.Namespace) -> None:
    old, new = release.current(machine), release.version()
    if old == new:
        say(f"This machine runs {new} already. Nothing was changed.")
        return
    running = [node.name for node in machine.nodes() if services.is_active(node.service)]
    one = Journal(old, new, journal.CHECK, running)
    try:
        for step, act in _acts(machine, said).items():
            one.step = step
            journal.keep(machine, one)
            act(one)
            reach(f"upgrade.{step}")
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # whatever it was, no node stays stopped for it
        _go_back(machine, one, _why(error))
    one.step = journal.DONE
    journal.keep(machine, one)
    with suppress(OSError, Stop):  # what stays is taken away by the next one
        _tidy(machine, one)
    say(f"All nodes run {new}. Back again, should it be needed: deploy/rollback")


def _why(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "Broken off."
    return str(error) if isinstance(error, (Stop, OSError)) else f"{type(error).__name__}: {error}"


def _go_back(machine: Machine, one: Journal, why: str) -> NoReturn:
    """Says why, also where the way back has an end of its own."""
    try:
        undo.go_back(machine, one)
    except (Stop, OSError) as stop:
        raise Stop(f"{why}\n\nThe way back to {one.old} has not come to its end:\n{stop}\nThen go on: deploy/upgrade --recover") from None
    raise Stop(f"{why}\nThe nodes run {one.old}, as before.")


def _acts(machine: Machine, said: argparse.Namespace) -> dict[str, Callable[[Journal], None]]:
    """What is done in each step, in their order."""
    began = [0.0]

    def stop(one: Journal) -> None:
        began[0] = time.monotonic()
        for name in one.nodes:
            services.stop(machine.node(name).service)

    def look(one: Journal) -> None:
        steps.wait_for(machine, one.nodes, one.new)
        say(f"They answer again after {time.monotonic() - began[0]:.0f} s")

    return {
        journal.CHECK: lambda one: check(machine, one),
        journal.BACK_UP: lambda one: _back_up(machine, one, without=said.without_backup),
        journal.INSTALL: lambda one: _install(machine, one, said.wheel),
        journal.STOP: stop,
        journal.SAVE: lambda one: _save(machine, one),
        journal.MIGRATE: lambda one: _migrate(machine, one),
        journal.SWITCH: lambda one: undo.switch(machine, one.new),
        journal.START: lambda one: undo.start(machine, one.nodes),
        journal.LOOK: look,
    }


def check(machine: Machine, one: Journal) -> None:
    """What has to be there before anything is changed: an older release, nodes that answer, room and memory."""
    if not one.old:
        raise Stop("No release is installed on this machine. For the first one: deploy/install")
    if version_of(one.new) < version_of(one.old):
        raise Stop(f"This checkout is {one.new}, and {one.old} runs: there is no way down. Back to the release before: deploy/rollback")
    say(f"From {one.old} to {one.new}: {', '.join(one.nodes) or 'no node runs'}")
    _check_nodes(machine, one)
    databases = sum(machine.node(name).database.stat().st_size for name in one.nodes if machine.node(name).database.exists())
    for place, needed in ((machine.releases, ROOM), (machine.data, ROOM + databases)):
        free = shutil.disk_usage(place).free
        if free < needed:
            raise Stop(f"{place} has {free // 1_000_000} MB free and needs {needed // 1_000_000}. Make room, then run this again.")
    if (memory := _available()) < MEMORY:
        raise Stop(f"{memory // 1_000_000} MB of memory are free, and {MEMORY // 1_000_000} are needed. Stop something else for a while.")


def _check_nodes(machine: Machine, one: Journal) -> None:
    for node in machine.nodes():
        if node.name not in one.nodes:
            say(f"  {node.name} does not run and stays as it is. Before its next start: fedcollab-node {node.name} migrate")
    for name in one.nodes:
        if machine.node(name).closed.exists():
            raise Stop(f"{name} is closed, so nobody could tell whether it answers after it. First: fedcollab-node {name} maintenance off")
        domain, port = steps.listens(machine.node(name))
        if not answers(domain, port):
            raise Stop(
                f"{name} does not answer now, so nobody could tell whether the upgrade went well. Look: fedcollab-node {name} doctor"
            )


def _available() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return MEMORY


def _back_up(machine: Machine, one: Journal, *, without: bool) -> None:
    for name in one.nodes:
        say(f"A backup of {name}")
        try:
            of_node(machine, machine.node(name), "backup", "create", "--json")
        except Stop as stop:
            if not without:
                raise Stop(f"{stop}\nAn upgrade begins with a backup. Mend it or, without one: deploy/upgrade --without-backup") from None
            say("  there is none; it goes on without, as asked")


def _install(machine: Machine, one: Journal, wheel: str | None) -> None:
    say(f"The program, {one.new}")
    release.build(machine, wheel=Path(wheel) if wheel else None, extras=release.extras(machine, one.old))
    for name in one.nodes:
        at = at_step(machine, machine.node(name), one.new)
        if at["at"] > at["needed"]:
            raise Stop(
                f"The database of {name} is at step {at['at']}, and {one.new} knows steps up to {at['needed']}. Take a newer release."
            )
        if at["at"] != at["needed"]:
            one.moved.append(name)


def _save(machine: Machine, one: Journal) -> None:
    for name in one.moved:
        node = machine.node(name)
        place = journal.copies(machine, node)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700)
        shutil.chown(place, node.user, node.user)
        of_node(machine, node, "database", "save", str(place / "before"), version=one.new)


def _migrate(machine: Machine, one: Journal) -> None:
    for name in one.moved:
        say(f"The database of {name}")
        done = json.loads(of_node(machine, machine.node(name), "migrate", "--json", version=one.new))
        say(f"  from step {done['from']} to {done['to']}")


def _tidy(machine: Machine, one: Journal) -> None:
    """Releases from before the one before go, and so do copies that are of no use any more."""
    for version in release.installed(machine):
        if version not in (one.old, one.new):
            release.remove(machine, version)
    for place in machine.upgrade.iterdir():
        if place.is_dir() and place.name not in one.moved:
            shutil.rmtree(place)
