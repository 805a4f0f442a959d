"""Decides the way back: what an upgrade has done is undone in the order in which it can be killed and done again."""

import argparse
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress

from . import journal, release, services, steps
from .journal import BACK, MIGRATE, START, STOP, Journal, reach
from .layout import Machine
from .say import Stop, alone, as_root, say
from .steps import of_node


def recover(machine: Machine) -> None:
    """Undoes an upgrade that was killed; nothing where none was."""
    one = journal.read(machine)
    if one is None or one.ended:
        return
    say(f"An upgrade from {one.old} to {one.new} was broken off while it was to {one.step}; it is undone first.")
    go_back(machine, one)
    say(f"The nodes run {one.old}, as before.")


def go_back(machine: Machine, one: Journal) -> None:
    """Brings the machine back to what ran before: from a step in which nothing was changed yet that is nothing to do. Raises Stop where a
    node does not start."""
    if one.reached(STOP):
        one.going_back = True
        journal.keep(machine, one)
        _each(machine, one)
    one.step, one.going_back = BACK, False
    journal.keep(machine, one)


def _each(machine: Machine, one: Journal) -> None:
    for name in one.nodes:
        services.stop(machine.node(name).service)
    reach("back.stop")
    for name in one.moved:
        if one.reached(MIGRATE):
            _bring_back(machine, one, name)
    reach("back.load")
    switch(machine, one.old)
    reach("back.switch")
    start(machine, one.nodes)
    reach("back.start")


def _bring_back(machine: Machine, one: Journal, name: str) -> None:
    """A node's database as it was. One that has served since goes on with new numbers, and without what was taken away meanwhile; the
    database of the newer release stays beside, for whoever wants to look something up."""
    node = machine.node(name)
    place = journal.copies(machine, node)
    words = ["database", "load", str(place / "before")]
    if one.reached(START):
        erased = place / "erased.json"
        if not erased.exists():
            with suppress(Stop):  # a release that can't do even this is the reason why we go back
                of_node(machine, node, "database", "save", str(place / "newer"), version=one.new)
                erased.write_text(of_node(machine, node, "database", "erased", "--json", version=one.new))
                shutil.chown(erased, node.user, node.user)
                erased.chmod(0o600)
        words += ["--served", *(["--erased", str(erased)] if erased.exists() else [])]
    of_node(machine, node, *words, version=one.old)


def switch(machine: Machine, version: str) -> None:
    """Has that release run at the next start, with its own units and commands."""
    release.switch(machine, version)
    steps.commands_and_units(machine, machine.release(version) / "deploy")


def start(machine: Machine, names: Sequence[str]) -> None:
    """Starts the nodes; each is waited for."""
    for name in names:
        services.start(machine.node(name).service)


def main(arguments: Sequence[str], machine: Machine | None = None) -> int:
    """deploy/rollback: back to the release before, by hand."""
    parser = argparse.ArgumentParser(prog="deploy/rollback", description="Brings all nodes back to the release before the last upgrade.")
    parser.add_argument("--yes", action="store_true", help="don't ask")
    said, machine = parser.parse_args(arguments), machine or Machine()
    os.umask(0o022)
    try:
        as_root()
        services.need()
        with alone(machine):
            recover(machine)
            _by_hand(machine, sure=said.yes)
            return 0
    except Stop as stop:
        say(f"\n{stop}")
        return 1


def _by_hand(machine: Machine, *, sure: bool) -> None:
    one = journal.read(machine)
    if one is None or one.step != journal.DONE or release.current(machine) != one.new:
        raise Stop("There is no upgrade to take back.")
    say(f"Back from {one.new} to {one.old}.")
    for name in one.moved:
        say(f"  {name}: its database becomes what it was before the upgrade. What your members wrote since is gone here, what partners")
        say(f"  {'':{len(name)}}  wrote since is asked for again, and everybody has to sign in. Instead of this, mend forward if you can.")
    if not sure and input("Write back to go back: ").strip().lower() != "back":
        raise Stop("Nothing was changed.")
    one.step = journal.LOOK
    go_back(machine, one)
    say(f"All nodes run {one.old}.")
    for name in one.moved:
        say(f"  What was there lies in {journal.copies(machine, machine.node(name)) / 'newer'} until the next upgrade.")
