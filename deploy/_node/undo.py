"""Decides the way back: what an upgrade has done is undone in the order in which it can be killed and done again."""

import argparse
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from . import journal, release, services, steps
from .journal import BACK, MIGRATE, START, STOP, Journal, reach
from .layout import Machine
from .say import Stop, alone, as_root, say, undisturbed, write
from .steps import at_step, of_node

DAY = 86_400  # seconds


def recover(machine: Machine) -> None:
    """Undoes an upgrade that was killed, unless all of it was done but to look; nothing where none was."""
    one = journal.read(machine)
    if one is None or one.ended or _is_whole(machine, one):
        return
    say(f"An upgrade from {one.old} to {one.new} was broken off while it was to {one.step}; it is undone first.")
    go_back(machine, one)
    say(f"The nodes run {one.old}, as before.")


def _is_whole(machine: Machine, one: Journal) -> bool:
    """Whether the nodes were started as the newer release, and answer as it. That may be weeks ago: what members wrote since would be gone
    with the way back."""
    if one.going_back or not one.reached(START):
        return False
    try:
        start(machine, one.nodes)
        steps.wait_for(machine, [name for name in one.nodes if not machine.node(name).closed.exists()], one.new)
    except Stop:
        return False
    one.step = journal.DONE
    journal.keep(machine, one)
    say(f"An upgrade from {one.old} to {one.new} was broken off at its end; all nodes run {one.new}.")
    return True


def go_back(machine: Machine, one: Journal) -> None:
    """Brings the machine back to what ran before: from a step in which nothing was changed yet that is nothing to do. Raises Stop where a
    node does not start."""
    with undisturbed():
        if one.reached(STOP):
            if not one.returned:
                one.going_back = True
                with suppress(OSError):  # a full disk keeps nobody from the way back
                    journal.keep(machine, one)
                _return(machine, one)
            start(machine, one.nodes)
            reach("back.start")
        one.step = BACK
        journal.keep(machine, one)


def _return(machine: Machine, one: Journal) -> None:
    """Databases and program become what they were, while no node runs. Each part can be done again, as long as none has been started."""
    for name in one.nodes:
        services.stop(machine.node(name).service)
    reach("back.stop")
    for name in one.moved:
        if one.reached(MIGRATE):
            _bring_back(machine, one, name)
    reach("back.load")
    switch(machine, one.old)
    reach("back.switch")
    one.returned = True
    journal.keep(machine, one)


def _bring_back(machine: Machine, one: Journal, name: str) -> None:
    """A node's database as it was. One that has served since goes on with new numbers, and without what was taken away meanwhile; the
    database of the newer release stays beside, for whoever wants to look something up."""
    node = machine.node(name)
    place = journal.copies(machine, node)
    words = ["database", "load", str(place / "before")]
    if one.reached(START):
        erased = place / "erased.json"
        _put_aside(machine, one, name, erased)
        words += ["--served", *(["--erased", str(erased)] if os.path.lexists(erased) else [])]
    of_node(machine, node, *words, version=one.old)


def _put_aside(machine: Machine, one: Journal, name: str, erased: Path) -> None:
    """What was taken away since the copy was made, and the newer database, as far as a release can that may be the very reason why we go
    back. Not where an earlier try has put the older database in its place already."""
    node, place = machine.node(name), erased.parent
    with suppress(Stop, ValueError):
        at = at_step(machine, node, one.new)
        if at["at"] != at["needed"]:
            return
    if not os.path.lexists(erased):  # the directory is the node's user's: a link there is followed with that one's rights alone
        days = (time.time() - (place / "before").stat().st_mtime) // DAY + 2
        with suppress(Stop):
            said = of_node(machine, node, "database", "erased", "--days", f"{days:.0f}", "--json", version=one.new)
            write(erased, said, 0o600, node.user)
    if not os.path.lexists(place / "newer"):
        with suppress(Stop):
            of_node(machine, node, "database", "save", str(place / "newer"), version=one.new)


def switch(machine: Machine, version: str) -> None:
    """Has that release run at the next start, with its own units and commands."""
    release.switch(machine, version)
    steps.commands_and_units(machine, machine.release(version) / "deploy")


def start(machine: Machine, names: Sequence[str]) -> None:
    """Starts the nodes; each is waited for. Raises Stop where one does not start, when the others have been."""
    wrong = []
    for name in names:
        try:
            services.start(machine.node(name).service)
        except Stop as stop:
            wrong.append(str(stop))
    if wrong:
        raise Stop("\n".join(wrong))


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
    gone = [name for name in one.moved if not (journal.copies(machine, machine.node(name)) / "before").exists()]
    if gone:
        raise Stop(f"What the databases were before is kept for two weeks and is gone: {', '.join(gone)}. Mend forward: a newer release.")
    _refuse_newer(machine, one)
    say(f"Back from {one.new} to {one.old}.")
    for name in one.moved:
        say(f"  {name}: its database becomes what it was before the upgrade. What your members wrote since is gone here, what partners")
        say(f"  {'':{len(name)}}  wrote since is asked for again, and everybody has to sign in. Instead of this, mend forward if you can.")
    if not sure and _typed("Write back to go back: ") != "back":
        raise Stop("Nothing was changed.")
    one.nodes = [node.name for node in machine.nodes() if node.name in one.nodes or services.is_active(node.service)]
    one.step, one.going_back = journal.LOOK, True
    journal.keep(machine, one)
    go_back(machine, one)
    say(f"All nodes run {one.old}.")
    for name in one.moved:
        say(f"  What was there lies in {journal.copies(machine, machine.node(name)) / 'newer'} until the next upgrade.")


def _refuse_newer(machine: Machine, one: Journal) -> None:
    """Raises Stop where a node would be left with a database that the older release does not know: it was made since, or did not run."""
    for node in machine.nodes():
        if node.name not in one.moved:
            at = at_step(machine, node, one.old)
            if at["at"] > at["needed"]:
                raise Stop(
                    f"The database of {node.name} was made or brought on after the upgrade: {one.old} can't read it, and there is no copy"
                    " from before. Mend forward, with a newer release."
                )


def _typed(question: str) -> str:
    try:
        return input(question).strip().lower()
    except (EOFError, KeyboardInterrupt):
        return ""
