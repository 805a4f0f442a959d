"""Decides how a node comes onto a machine from its backup: made beside its place, then put there, and what lay there is kept aside."""

import argparse
import json
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import answers as asked
from . import caddy, naming, reach, services, serving, steps
from .answers import Answers
from .layout import Machine, Node
from .say import HELD, Stop, run, say, write

TWO = "Two nodes with one name speak with one voice, and partners suspend both. The old one has to be off, and to stay off."
OFF = "On the old machine: systemctl disable --now fedcollab@NAME fedcollab-backup@NAME.timer. Then run this again."


def restore(machine: Machine, before: Sequence[Answers], said: argparse.Namespace) -> None:
    """Brings back the node whose backups lie in `--restore`. Killed at any moment it is run again with the same options."""
    place, web = Path(said.restore), said.web
    if not place.is_dir():
        raise Stop(f"{place} is not there. Mount the disk with the backups, or copy their directory onto this machine.")
    if web == "caddy":
        caddy.refuse_other_servers()
    serving.prepare(machine, web, said)
    found = _newest(machine, place, said)
    one = _answers(machine, before, said, found["node"])
    node = machine.node(one.node)
    say(f"The backup {found['name']} of {one.url}")
    _sure(node, said)
    steps.user(node)
    back = _made_beside(machine, node, place, found["name"])
    one = _fitted(machine, before, said, one, back)
    _put_there(machine, node, back)
    _hand_over(node, one, place)
    steps.place_for_backups(machine, node, one)
    serving.begin(machine, node, one)
    one = asked.finish(node, replace(one, admin=_admin(machine, node, one)))
    _farewell(machine, node, one, str(found["name"]))


def _newest(machine: Machine, place: Path, said: argparse.Namespace) -> dict[str, Any]:
    """The newest backup of the node that is meant: the one with `--domain`, or the only one that the directory has backups of."""
    words = "Without backups that can be read nothing comes back. Nothing was changed."
    every = json.loads(run([machine.current / "bin" / "fedcollab", "backup", "list", place, "--json"], words))
    listed = [one for one in every if not one.get("ring") and not one.get("damaged")]  # a key ring comes back with its node's
    nodes = sorted({one["node"] for one in listed})
    meant = [node for node in nodes if said.domain in (None, _domain(node))]
    if not listed:
        raise Stop(f"There is no backup in {place}. It is the directory with files that end in .backup, and beside them one named pieces.")
    if len(meant) != 1:
        raise Stop(f"Which node? Say --domain with one of: {', '.join(map(_domain, nodes))}")
    found: dict[str, Any] = [one for one in listed if one["node"] == meant[0]][-1]
    return found


def _domain(node: str) -> str:
    return node.partition("://")[2].partition("/")[0] or node


def _answers(machine: Machine, before: Sequence[Answers], said: argparse.Namespace, url: str) -> Answers:
    """What this machine knows of the node already; else what the options and its name say."""
    there = next((one for one in before if one.domain == _domain(url)), None)
    if there:
        return there
    taken = [*(one.node for one in before), *(node.name for node in machine.nodes())]
    name = said.node or naming.short_name(_domain(url), taken)
    if naming.wrong_short(name) or name in taken:
        raise Stop(f"--node {name}: {naming.wrong_short(name) or 'There is such a node on this machine already. Take another name.'}")
    run_by = said.machine_run_by or ""
    return Answers(name, _domain(url), _domain(url), "", said.backups or "", 0, run_by, said.web, said.tls)


def _sure(node: Node, said: argparse.Namespace) -> None:
    if said.yes or not sys.stdin.isatty():
        return
    here = node.data.exists()
    say(f"It takes the place of {node.data}, which is kept aside. What was written since the backup is not in it." if here else TWO)
    if input("Go on? (yes or no): " if here else "Is the old one off? (yes or no): ").strip().lower() not in ("y", "yes"):
        raise Stop("Nothing was changed." if here else f"Nothing was changed. {OFF}")


def _made_beside(machine: Machine, node: Node, place: Path, name: str) -> Path:
    """All of it, opened, in a directory that no node has; asks for the printed key until one opens the backup."""
    back = machine.data / f".{node.name}.back"
    shutil.rmtree(back, ignore_errors=True)
    machine.data.mkdir(parents=True, exist_ok=True)
    words = [machine.current / "bin" / "fedcollab", "restore", place, back, "--set", name, "--key-file", "-", "--json"]
    while True:
        typed = _typed()
        done = subprocess.run(list(map(str, words)), input=typed, stdout=subprocess.DEVNULL, text=True, check=False, pass_fds=HELD)
        if done.returncode == 0:
            break
        if not sys.stdin.isatty():
            raise Stop("The node was not restored, and nothing was changed. The line above says what to do; then run this again.")
    run(["chown", "-R", f"{node.user}:{node.user}", back], "Its files could not be given to its user.")
    return back


def _typed() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.read()
    typed = input("The printed key, 13 groups (small letters will do): ").strip()
    if not typed:
        raise Stop("Nothing was changed.")
    return typed


def _fitted(machine: Machine, before: Sequence[Answers], said: argparse.Namespace, one: Answers, back: Path) -> Answers:
    """The same with a port and a place for backups that there are on this machine, which the restored settings then name."""
    file = back / "node.toml"
    settings = tomllib.loads(file.read_text("utf-8"))
    others = {other.port for other in before if other.domain != one.domain}
    port = steps.listening(settings)
    if port in others or not (one.port == port or reach.is_free(port, "127.0.0.1")):
        port = reach.free_port(others)
    usual = str(machine.node(one.node).backups)
    wanted = said.backups or one.backups or str(settings.get("backup_to", ""))
    wrong = wanted != usual and naming.wrong_place(wanted)
    if wrong and said.backups:
        raise Stop(f"--backups {wanted}: {wrong}")
    run_by, name = str(settings.get("machine_run_by", one.run_by)), str(settings["name"])
    fitted = replace(one, name=name, port=port, backups=usual if wrong else wanted, run_by=run_by)
    kept = [line for line in file.read_text("utf-8").splitlines() if not re.match(r"(backup_to|listen|trusted_proxy)\s*=", line)]
    lines = [*kept, f'listen = "127.0.0.1:{port}"', steps.backup_line(fitted), "trusted_proxy = true"]
    write(file, "\n".join(lines) + "\n", 0o600, machine.node(one.node).user)
    return fitted


def _put_there(machine: Machine, node: Node, back: Path) -> None:
    """Its key to root, its directory to its place; what lay there goes aside."""
    with suppress(Stop):  # a node that was never here has nothing to stop
        services.stop(node.service)
    if node.data.exists():
        aside = machine.data / f".{node.name}.before-{time.strftime('%Y%m%d-%H%M%S')}"
        node.data.rename(aside)
        if node.key.exists():
            write(aside / "node.key", node.key.read_text("ascii"), 0o600)
    node.etc.mkdir(parents=True, exist_ok=True)
    node.etc.chmod(0o700)
    write(node.key, (back / "node.key").read_text("ascii"), 0o600)
    (back / "node.key").unlink()
    back.rename(node.data)


def _hand_over(node: Node, one: Answers, place: Path) -> None:
    """The backups themselves, where they go on in the directory that the node came from: on another machine its user had another number."""
    if Path(one.backups).resolve() == place.resolve():
        run(["chown", "-R", f"{node.user}:{node.user}", place], f"{place} can't be given to the node. Say another: --backups DIRECTORY")


def _admin(machine: Machine, node: Node, one: Answers) -> str:
    """Who is told how to sign in: the admin of before, if still one, else another."""
    members = json.loads(steps.of_node(machine, node, "user", "list", "--json"))
    admins = [str(member["username"]) for member in members if "admin" in member["roles"] and not member["disabled_at"]]
    return one.admin if one.admin in admins else admins[0] if admins else ""


def _farewell(machine: Machine, node: Node, one: Answers, name: str) -> None:
    say(f"\n{one.name} is back: {one.url}, as it was in the backup {name}.")
    serving.say_of_the_web(one)
    doubt = reach.doubt(one.domain)
    for line in doubt.splitlines():
        say(f"  {line}")
    say(f"  Backups go to {one.backups} every night; the same printed key opens them.")
    for aside in sorted(machine.data.glob(f".{node.name}.before-*")):  # more than one, where a run before was killed
        say(f"  What lay here before is in {aside}. When all is well: rm -r {aside}")
    say("  Everybody signs in anew, with the password and second factor of before. What came back: the page After the backup.")
    say(f"  Is all well? fedcollab-node {node.name} doctor")
