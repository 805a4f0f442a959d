"""Decides what the installer takes from Debian: Python's venv module and Caddy, nothing that compiles."""

import os
import shutil
import subprocess
from pathlib import Path

from .layout import Machine
from .say import HELD, Stop, run, say

TESTED = ("12", "13")
ROOM = 1_000_000_000  # bytes: a release takes 200 MB, the node what its members write
WAIT = ["-o", "DPkg::Lock::Timeout=300"]


def fits(machine: Machine) -> str:
    """What this machine is. Raises Stop where it is no Debian or has no room; one that nobody has tested gets a warning."""
    said = dict(line.split("=", 1) for line in _release(machine).splitlines() if "=" in line)
    system, number = said.get("ID", "").strip('"'), said.get("VERSION_ID", "").strip('"')
    if not shutil.which("apt-get"):
        raise Stop("This is no Debian (no apt-get). Use deploy/compose, or docs/admins/install-by-hand.md.")
    if system != "debian" or number not in TESTED:
        say(f"This is {system or 'unknown'} {number}; the installer is tested on Debian {' and '.join(TESTED)}. It goes on all the same.")
    for place in ("opt", "var"):
        free = shutil.disk_usage(machine.root / place).free
        if free < ROOM:
            raise Stop(f"/{place} has {free // 1_000_000} MB free, and 1000 are needed. Make room, then run this again.")
    return f"{system} {number}"


def _release(machine: Machine) -> str:
    file: Path = machine.root / "etc/os-release"
    return file.read_text("utf-8") if file.exists() else ""


def lacking(*names: str) -> list[str]:
    """Those of the packages that are not installed whole."""
    return [name for name in names if not _is_installed(name)]


def _is_installed(name: str) -> bool:
    said = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", name], capture_output=True, text=True, check=False)
    return said.stdout == "installed"


def install(*names: str) -> None:
    """Installs them from Debian; first whatever a run that was broken off has left half done."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(
        ["dpkg", "--configure", "-a"],
        "Debian's packages are in disorder. Mend that first: dpkg --configure -a; apt-get -f install",
        env=env,
    )
    unreached = "The packages could not be fetched. Nothing but them was changed: look at the network, then run this again."
    subprocess.run(["apt-get", *WAIT, "update", "-q"], env=env, capture_output=True, check=False, pass_fds=HELD)  # one bad source is no end
    run(["apt-get", *WAIT, "install", "-y", "-q", "--no-install-recommends", *names], unreached, env=env)
