"""Decides how a node's backups are given another place after it was installed."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace

from . import answers as asked
from . import naming, services, steps
from .answers import Answers
from .layout import Machine
from .say import Stop, read_theirs, say, write


def backups(machine: Machine, before: Sequence[Answers], said: argparse.Namespace) -> None:
    """Has the node's backups go to `--backups` from now on; those that were made stay where they are. Raises Stop where it can't be."""
    one = which(before, said)
    node, to = machine.node(one.node), replace(one, backups=said.backups)
    wrong = naming.wrong_place(to.backups) if to.backups != str(node.backups) else ""
    if wrong:
        raise Stop(f"--backups {to.backups}: {wrong}")
    before_that = read_theirs(node.settings)
    steps.place_for_backups(machine, node, to)
    lines = [line for line in before_that.splitlines() if not re.match(r"backup_to\s*=", line)]
    write(node.settings, "\n".join([*lines, steps.backup_line(to)]) + "\n", 0o600, node.user)
    asked.keep(node, to)
    services.restart(node.service)
    say(f"Backups of {one.node} go to {to.backups} from tonight on. Now, instead of tonight: systemctl start {node.backup_service}")
    say(f"Those in {one.backups} stay there, and the same printed key opens them. Remove them once the new place has one.")


def which(before: Sequence[Answers], said: argparse.Namespace) -> Answers:
    """The node that is meant: the one that was named, or the only one."""
    found = [one for one in before if said.node in (None, one.node) and said.domain in (None, one.domain)]
    if len(found) != 1:
        raise Stop(f"Which node? Say --node with one of: {', '.join(one.node for one in before)}")
    return found[0]
