"""Decides how deploy/install goes: what is there is said and left alone, what was begun is finished, a new node is asked about and made."""

import argparse
import os
import time
from collections.abc import Sequence

from . import answers as asked
from . import caddy, moving, packages, reach, returning, services, serving, steps
from .answers import Answers
from .layout import Machine, Node
from .say import Stop, alone, as_root, say


def main(arguments: Sequence[str], machine: Machine | None = None) -> int:
    """The exit code; one sentence where it stops."""
    said, machine = asked.parser().parse_args(arguments), machine or Machine()
    os.umask(0o022)
    try:
        as_root()
        services.need()
        packages.fits(machine)
        with alone(machine):
            return _run(machine, said)
    except Stop as stop:
        say(f"\n{stop}")
        return 1
    except KeyboardInterrupt:
        say("\nBroken off. Run it again: it goes on where it was.")
        return 130


def _run(machine: Machine, said: argparse.Namespace) -> int:
    before = asked.known(machine)
    if said.restore:
        returning.restore(machine, before, said)
        return 0
    begun = next((one for one in before if not one.finished and said.domain in (None, one.domain)), None)
    wanted = said.another or said.domain not in (None, *(one.domain for one in before))
    if begun is None and before and not wanted:
        if said.backups is None or said.backups in [one.backups for one in before if said.domain == one.domain]:
            return _there(machine, before)
        moving.backups(machine, before, said)
        return 0
    if begun is None:
        if said.web == "caddy":
            caddy.refuse_other_servers()
        begun = asked.ask(machine, said)
        asked.keep(machine.node(begun.node), begun)
    else:
        say(f"Going on with {begun.name}, {begun.url}, as it was answered before.")
    _make(machine, machine.node(begun.node), begun, said)
    return 0


def _there(machine: Machine, before: list[Answers]) -> int:
    """What is there, where nothing was asked for; changes nothing."""
    say("On this machine:")
    for one in before:
        state = (
            "answers" if reach.answers(one.domain, one.port) else f"does not answer: journalctl -u {machine.node(one.node).service} -n 20"
        )
        say(f"  {one.node:14} {one.url}  {one.name}; {state}")
        if not machine.node(one.node).settings.exists():
            say(f"  {'':14} its directory {machine.node(one.node).data} is gone: {machine.installer} --restore {one.backups}")
    say("Nothing was changed.")
    say(f"  a link to sign in:                   fedcollab-node {before[0].node} login-link {before[0].admin}")
    say(f"  another organisation's node here:    {machine.installer} --another")
    return 0


def _make(machine: Machine, node: Node, answers: Answers, said: argparse.Namespace) -> None:
    """All steps in turn; what is done already takes no time."""
    began = time.monotonic()
    serving.prepare(machine, answers.web, said)
    say(f"The node {node.name}, its user {node.user}, its keys")
    steps.user(node)
    steps.data(machine, node, answers)
    steps.place_for_backups(machine, node, answers)
    steps.admin(machine, node, answers)
    serving.begin(machine, node, answers)
    _farewell(machine, node, answers, said, began)


def _farewell(machine: Machine, node: Node, answers: Answers, said: argparse.Namespace, began: float) -> None:
    """The two things that are shown once: the key of the backups, to be written down, and the link to sign in with."""
    took = time.monotonic() - began
    say()
    steps.shown(machine, node, ["backup", "key"])
    asked.wait_for_paper(said.yes)
    asked.finish(node, answers)
    say(f"\n{answers.name} is there, after {took:.0f} seconds: {answers.url}")
    serving.say_of_the_web(answers)
    say(f"  Backups go to {answers.backups} every night{_same_disk(machine, node, answers)}")
    say(f"  Another link, later: fedcollab-node {node.name} login-link {answers.admin}")
    say(f"  Now sign in as {answers.admin}, within 15 minutes, and choose a password:")
    steps.shown(machine, node, ["login-link", answers.admin])


def _same_disk(machine: Machine, node: Node, answers: Answers) -> str:
    lost = answers.backups == str(node.backups)
    return (
        f", on the disk that goes when this machine goes. A better place, later: {machine.installer} --backups DIRECTORY" if lost else "."
    )
