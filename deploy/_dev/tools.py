"""Decides which programs the tests use beside Python: PostgreSQL, Chromium, axe-core, peers; found, installed if possible, else named."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import trees
from .say import CACHE, ROOT, logged, say

AXE = "axe-core@4.14.1"
PEERS_PLACE, PEERS_LIST = CACHE / "peers", ROOT / "tests" / "peers" / "package.json"
PEERS_DONE = PEERS_PLACE / "installed.json"
PEERS_NODE = 22  # the oldest that the peers run on
MAC_CHROME = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


@dataclass(frozen=True)
class Tool:
    """A program that some tests need. `variable` hands its path to them; set beforehand, it is taken as it is."""

    name: str
    variable: str
    find: Callable[[], str | None]
    install: Callable[[], None]
    advice: str

    def path(self) -> str | None:
        """Where it is, installing it if that can be done, or None."""
        found = os.environ.get(self.variable) or self.find()
        if found is None:
            self.install()
            found = self.find()
        return found


def postgres() -> str | None:
    """The folder of PostgreSQL's newest programs; Debian keeps them off the PATH."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    newest = sorted(folders, key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0)
    on_path = shutil.which("initdb")
    places = [*([Path(on_path).resolve().parent] if on_path else []), *newest]
    complete = [place for place in places if (place / "postgres").exists() and (place / "pg_ctl").exists()]
    return str(complete[-1]) if complete else None


def chromium() -> str | None:
    """A browser that Playwright can drive by path."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", MAC_CHROME)
    return next((found for name in names if (found := shutil.which(name))), None)


def axe() -> str | None:
    """The script that is put into each page under test."""
    script = CACHE / "node" / "node_modules" / "axe-core" / "axe.min.js"
    version = AXE.split("@")[1]
    return str(script) if script.exists() and f"v{version}" in script.read_text(errors="replace")[:200] else None


@cache
def _refresh() -> bool:
    return logged("apt-update", ["apt-get", "update"]) == 0


def _apt(package: str) -> None:
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists() or not shutil.which("apt-get"):
        return
    say(f"installing {package} by apt")
    _refresh()
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    logged(f"apt-{package}", ["apt-get", "install", "-y", "--no-install-recommends", package], quiet)


def _npm() -> None:
    if shutil.which("npm"):
        say(f"installing {AXE} by npm")
        logged("npm", ["npm", "install", "--prefix", CACHE / "node", "--no-save", "--no-audit", "--no-fund", AXE])


def peers() -> str | None:
    """The folder with the packages of tests/peers, if they were installed from that list as it is now."""
    done = PEERS_DONE.exists() and PEERS_DONE.read_bytes() == PEERS_LIST.read_bytes()
    return str(PEERS_PLACE) if done else None


def _install_peers() -> None:
    """Each package by its exact version. Node is among them as what npm leaves out on demand: where the machine's own is new enough."""
    if not shutil.which("npm"):
        return
    say("installing the peers that the tests talk with, by npm (half a minute, once)")
    shutil.rmtree(PEERS_PLACE, ignore_errors=True)
    PEERS_PLACE.mkdir(parents=True)
    shutil.copy(PEERS_LIST, PEERS_PLACE / "package.json")
    command: list[str | Path] = ["npm", "install", "--prefix", PEERS_PLACE, "--no-package-lock", "--no-audit", "--no-fund"]
    if logged("npm-peers", [*command, *(["--omit=dev"] if _node_version() >= PEERS_NODE else [])]) == 0:
        shutil.copy(PEERS_LIST, PEERS_DONE)


def _node_version() -> int:
    """The major version of the machine's own Node; 0 where there is none."""
    if not shutil.which("node"):
        return 0
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", said)
    return int(found.group(1)) if found else 0


POSTGRES = Tool("PostgreSQL", "FEDCOLLAB_TEST_POSTGRES_BIN", postgres, lambda: _apt("postgresql"), "Debian, Ubuntu: apt install postgresql")
CHROMIUM = Tool("Chromium", "FEDCOLLAB_TEST_CHROMIUM", chromium, lambda: _apt("chromium"), "Debian, Ubuntu: apt install chromium")
AXE_CORE = Tool("axe-core", "FEDCOLLAB_TEST_AXE", axe, _npm, f"install npm (Debian, Ubuntu: apt install npm), which fetches {AXE}")
PEERS = Tool("npm", "FEDCOLLAB_TEST_PEERS", peers, _install_peers, "Debian, Ubuntu: apt install npm; it fetches tests/peers/package.json")
ENTERED = "Linux, as root, with namespaces; it fetches a Debian by debootstrap and wheels by pip"
TRIXIE = Tool("a tree of Debian 13", "FEDCOLLAB_TEST_TRIXIE", lambda: trees.tree("trixie"), lambda: trees.make("trixie", _apt), ENTERED)
BOOKWORM = Tool(
    "a tree of Debian 12", "FEDCOLLAB_TEST_BOOKWORM", lambda: trees.tree("bookworm"), lambda: trees.make("bookworm", _apt), ENTERED
)


def _program(name: str, package: str) -> Tool:
    """A program of Debian's that goes by its name."""
    variable = "FEDCOLLAB_TEST_" + name.upper().replace("-", "_")
    return Tool(name, variable, lambda: shutil.which(name), lambda: _apt(package), f"Debian, Ubuntu: apt install {package}")


CADDY, NGINX = _program("caddy", "caddy"), _program("nginx", "nginx")
COMPOSE, SYSTEMD = _program("docker-compose", "docker-compose"), _program("systemd-analyze", "systemd")
