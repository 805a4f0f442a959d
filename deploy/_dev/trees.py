"""Decides which Debian trees the installer is tried in: made once by debootstrap, and what it fetches beside them: it needs no network."""

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from .say import CACHE, ROOT, logged, say

TREES = CACHE / "trees"
MIRROR = "http://deb.debian.org/debian"
PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
PACKAGES = ("python3-venv", "caddy")
WHOLE = "whole"


def can_be_made() -> bool:
    """Whether this is a machine where a tree can be entered: Linux, root, and namespaces of one's own."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", "-mnpf", "true"], check=False, capture_output=True).returncode == 0


def tree(name: str) -> str | None:
    """The folder with `root`, a Debian with what the installer takes from it fetched and not installed, and `wheels`."""
    place = TREES / name
    return str(place) if (place / WHOLE).exists() and (place / WHOLE).read_text() == _fingerprint() and can_be_made() else None


def make(name: str, apt: Callable[[str], None]) -> None:
    """Makes a tree, or brings the wheels of one to what pyproject.toml and constraints.txt say now."""
    if not can_be_made():
        return
    if not shutil.which("debootstrap"):
        apt("debootstrap")
    place = TREES / name
    place.mkdir(parents=True, exist_ok=True)
    if ((place / "root").exists() or _bootstrap(name, place)) and _wheels(name, place):
        (place / WHOLE).write_text(_fingerprint())


def _fingerprint() -> str:
    parts = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _bootstrap(name: str, place: Path) -> bool:
    """Debian as it is on the first day, under another name until nothing is lacking."""
    say(f"making a tree of Debian {name} by debootstrap (a minute, once)")
    half = place / "half"
    shutil.rmtree(half, ignore_errors=True)
    base: list[str | Path] = ["debootstrap", "--variant=minbase", "--include=python3,ca-certificates", name, half, MIRROR]
    if logged(f"tree-{name}", base) != 0:
        return False
    shutil.copy("/etc/resolv.conf", half / "etc/resolv.conf")
    inside = ["unshare", "--mount", "--fork", "chroot", str(half), "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    fetch = "apt-get update && apt-get install -y --download-only --no-install-recommends " + " ".join(PACKAGES)
    if logged(f"tree-{name}-packages", [*inside, "sh", "-c", fetch]) != 0:
        return False
    half.rename(place / "root")
    return True


def _wheels(name: str, place: Path) -> bool:
    """What pip takes from the package index, for that Debian's Python."""
    say(f"fetching wheels for Debian {name}")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"]
    given = [*project["project"]["dependencies"], *extras["media"], *extras["passkeys"]]
    wanted = [*given, *project["build-system"]["requires"]]
    pip = [str(ROOT / ".venv/bin/python"), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
    shutil.rmtree(place / "wheels", ignore_errors=True)
    where = ["--python-version", PYTHONS[name], "--constraint", str(ROOT / "constraints.txt"), "--dest", str(place / "wheels")]
    return logged(f"tree-{name}-wheels", [*pip, *where, *wanted]) == 0
