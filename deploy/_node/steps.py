"""Decides the steps by which a node comes onto a machine; each can be killed and done again, and one that is done does nothing."""

import http.client
import json
import os
import pwd
import re
import shutil
import subprocess
import time
import tomllib
import zoneinfo
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import release, services
from .answers import Answers
from .layout import CHECKOUT, Machine, Node
from .reach import answers as answering
from .say import HELD, Stop, give, read_theirs, run, say, write

DEPLOY = CHECKOUT / "deploy"
PATIENCE = 60.0  # seconds in which a node that was started has to answer


def program(machine: Machine, wheel: str | None) -> None:
    """The release of this checkout, if none runs here yet: which one runs is changed by deploy/upgrade alone."""
    here, there = release.version(), release.current(machine)
    if there:
        if there != here:
            say(f"  This machine runs {there}, and so will this node; deploy/upgrade brings all of them to {here}.")
        return
    release.build(machine, wheel=Path(wheel) if wheel else None)
    release.switch(machine, here)


def commands_and_units(machine: Machine, deploy: Path = DEPLOY) -> None:
    """What all nodes share: the two commands, the units; as the release has them whose deploy/ is given."""
    if not machine.command.is_symlink():
        machine.command.parent.mkdir(parents=True, exist_ok=True)
        machine.command.symlink_to("/opt/fedcollab/current/bin/fedcollab")
    write(machine.node_command, (deploy / "fedcollab-node").read_text("utf-8"), 0o755)
    for unit in sorted((deploy / "systemd").iterdir()):
        write(machine.units / unit.name, unit.read_text("utf-8"))
    services.reload_units()  # also where nothing was written: a run before may have been killed just here
    services.enable(services.RECOVER)


def user(node: Node) -> None:
    """The node's own user, who can't sign in."""
    try:
        pwd.getpwnam(node.user)
    except KeyError:
        words: list[str | Path] = [
            "useradd",
            "--system",
            "--user-group",
            "--no-create-home",
            "--home-dir",
            node.data,
            "--shell",
            "/usr/sbin/nologin",
            node.user,
        ]
        run(words, f"The user {node.user} could not be made.")


def data(machine: Machine, node: Node, answers: Answers) -> None:
    """The node's directory, made under another name by its own user and renamed when nothing is lacking; its key then lies with root."""
    if node.settings.exists():
        return
    half = machine.data / f".{node.name}.half"
    shutil.rmtree(half, ignore_errors=True)
    machine.data.mkdir(parents=True, exist_ok=True)
    half.mkdir(mode=0o700)
    shutil.chown(half, node.user, node.user)
    words: list[str | Path] = ["init", half, "--name", answers.name, "--base-url", answers.url, "--listen", f"127.0.0.1:{answers.port}"]
    run([machine.current / "bin" / "fedcollab", *words], "The node could not be made.", env=_plain(half), cwd=half, user=node.user)
    write(node.key, read_theirs(half / "node.key"), 0o600)
    (half / "node.key").unlink()
    write(half / "node.toml", read_theirs(half / "node.toml") + more_settings(answers, time_zone(machine)), 0o600, node.user)
    os.sync()
    half.rename(node.data)


def more_settings(answers: Answers, zone: str) -> str:
    """The lines of node.toml that `fedcollab init` has no option for."""
    lines = [backup_line(answers), "trusted_proxy = true"]
    lines += [f"time_zone = {json.dumps(zone)}"] if zone else []
    lines += [f"machine_run_by = {json.dumps(answers.run_by, ensure_ascii=False)}"] if answers.run_by else []
    return "\n".join(lines) + "\n"


def backup_line(answers: Answers) -> str:
    """The line of node.toml that says where backups go."""
    return f"backup_to = {json.dumps(answers.backups)}"


def time_zone(machine: Machine) -> str:
    """The machine's, by its name; empty where it has none that Python knows."""
    name = str((machine.root / "etc/localtime").resolve()).partition("/zoneinfo/")[2]
    return name if name in zoneinfo.available_timezones() else ""


def _plain(home: Path) -> dict[str, str]:
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}


def place_for_backups(machine: Machine, node: Node, answers: Answers) -> None:
    """A directory that the node alone can enter, and, where it is another than the usual one, the unit's leave to write there."""
    place = Path(answers.backups)
    _own(machine, node, place)
    if place == node.backups:
        node.backup_drop_in.unlink(missing_ok=True)
    else:
        write(node.backup_drop_in, f"[Unit]\nRequiresMountsFor={place}\n\n[Service]\nReadWritePaths={place}\n")
    services.reload_units()


def _own(machine: Machine, node: Node, place: Path) -> None:
    """The directory itself. Raises Stop where it holds what is not this node's."""
    if place == node.backups:
        machine.backups.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(place):
        place.mkdir(mode=0o700)
    try:  # what is looked at is what is given away: whoever owns the directory above could put a link in its place meanwhile
        handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        raise Stop(f"{place} is a link or no directory. Name the directory itself.") from None
    try:
        if os.fstat(handle).st_uid != pwd.getpwnam(node.user).pw_uid:
            if os.listdir(handle):  # noqa: PTH208  # of what is open, which has no path
                raise Stop(f"{place} holds something else already. Give the node a directory of its own: mkdir {place}/{node.name}")
            os.fchmod(handle, 0o700)
            give(handle, node.user)
    finally:
        os.close(handle)


def admin(machine: Machine, node: Node, answers: Answers) -> None:
    """The first account."""
    there = json.loads(of_node(machine, node, "user", "list", "--json"))
    if answers.admin not in {member["username"] for member in there}:
        of_node(machine, node, "user", "add", answers.admin, "--role", "admin")


def of_node(machine: Machine, node: Node, *command: str, version: str = "") -> str:
    """What a command of the node prints; of another release than the one that runs, if `version` says so."""
    which = ["--release", version] if version else []
    said = f"fedcollab-node {' '.join([*which, node.name, *command])}"
    return run([machine.node_command, *which, node.name, *command], f"The node did not do it: {said}")


def at_step(machine: Machine, node: Node, version: str) -> dict[str, str]:
    """At which step a node's database is (`at`), and which one a release needs (`needed`)."""
    found: dict[str, str] = json.loads(of_node(machine, node, "database", "step", "--json", version=version))
    return found


def listens(node: Node) -> tuple[str, int]:
    """(the node's domain, the port on loopback where it answers)."""
    said = tomllib.loads(read_theirs(node.settings))
    return str(said["base_url"]).partition("://")[2], listening(said)


def listening(settings: Mapping[str, object]) -> int:
    """The port in a node's settings."""
    return int(str(settings.get("listen", "127.0.0.1:8000")).rpartition(":")[2])


def version_of(text: str) -> tuple[int, ...]:
    """A version's numbers, to be compared."""
    return tuple(map(int, re.findall(r"\d+", text)))


def speaks_as(domain: str, port: int) -> str:
    """Which version answers there; empty where none does."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.request("GET", "/nodeinfo/2.1", headers={"Host": domain})
        return str(json.loads(line.getresponse().read())["software"]["version"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return ""
    finally:
        line.close()


def wait_for(machine: Machine, names: Sequence[str], version: str) -> None:
    """Waits until each node answers under its name, as that release. Raises Stop where one doesn't."""
    until = time.monotonic() + PATIENCE
    for name in names:
        domain, port = listens(machine.node(name))
        while speaks_as(domain, port) != version or not answering(domain, port):
            if time.monotonic() > until:
                raise Stop(f"{name} does not answer as {version}. What it says: journalctl -u {machine.node(name).service} -n 20")
            time.sleep(0.1)


def shown(machine: Machine, node: Node, command: Sequence[str]) -> None:
    """Runs a command of the node whose output goes to the terminal and nowhere else."""
    done = subprocess.run([machine.node_command, node.name, *command], check=False, pass_fds=HELD)
    if done.returncode != 0:
        raise Stop(f"The node did not do it: fedcollab-node {node.name} {' '.join(command)}")
