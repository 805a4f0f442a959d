"""Decides where everything lies on a machine that runs nodes: the program, each node's key, data, backups, units and web server's file."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
ROOT = Path(os.environ.get("FEDCOLLAB_ROOT", "/"))  # tests play a machine in a folder
SHORT = re.compile(r"[a-z][a-z0-9-]{0,20}[a-z0-9]")  # fedcollab-NAME is a user's name, of which Linux takes 32 letters


@dataclass(frozen=True)
class Node:
    """Where one organisation's node lies; `name` is its short name on this machine."""

    root: Path
    name: str

    @property
    def user(self) -> str:
        return f"fedcollab-{self.name}"

    @property
    def service(self) -> str:
        return f"fedcollab@{self.name}.service"

    @property
    def backup_service(self) -> str:
        return f"fedcollab-backup@{self.name}.service"

    @property
    def backup_timer(self) -> str:
        return f"fedcollab-backup@{self.name}.timer"

    @property
    def etc(self) -> Path:
        """What root alone may read."""
        return self.root / "etc/fedcollab" / self.name

    @property
    def key(self) -> Path:
        """The master key, handed over by LoadCredential."""
        return self.etc / "node.key"

    @property
    def answers(self) -> Path:
        """What was answered when the node was installed, and whether that came to its end."""
        return self.etc / "install.json"

    @property
    def data(self) -> Path:
        """The node's directory: node.toml, node.db, files."""
        return self.root / "var/lib/fedcollab" / self.name

    @property
    def settings(self) -> Path:
        return self.data / "node.toml"

    @property
    def database(self) -> Path:
        return self.data / "node.db"

    @property
    def closed(self) -> Path:
        """There while the node is being worked on."""
        return self.data / "maintenance.json"

    @property
    def backups(self) -> Path:
        """Where backups go until the admin mounts something better."""
        return self.root / "var/backups/fedcollab" / self.name

    @property
    def site(self) -> Path:
        """The node's part of Caddy's settings."""
        return self.root / "etc/caddy/fedcollab" / f"{self.name}.caddy"

    @property
    def backup_drop_in(self) -> Path:
        """Lets the backup's unit write elsewhere than to `backups`."""
        return self.root / "etc/systemd/system" / f"fedcollab-backup@{self.name}.service.d/where.conf"


@dataclass(frozen=True)
class Machine:
    """Where lies what all nodes of one machine share."""

    root: Path = ROOT

    @property
    def releases(self) -> Path:
        return self.root / "opt/fedcollab/releases"

    def release(self, version: str) -> Path:
        """The virtual environment with that version."""
        return self.releases / version

    @property
    def current(self) -> Path:
        """A link to the release that runs."""
        return self.root / "opt/fedcollab/current"

    @property
    def installer(self) -> Path:
        """deploy/install as the release that runs has it: there on every machine, wherever the checkout lies."""
        return self.current / "deploy/install"

    @property
    def command(self) -> Path:
        return self.root / "usr/local/bin/fedcollab"

    @property
    def node_command(self) -> Path:
        """NAME COMMAND...: a command of that node, as its own user, with its key."""
        return self.root / "usr/local/sbin/fedcollab-node"

    @property
    def etc(self) -> Path:
        return self.root / "etc/fedcollab"

    @property
    def data(self) -> Path:
        return self.root / "var/lib/fedcollab"

    @property
    def backups(self) -> Path:
        return self.root / "var/backups/fedcollab"

    @property
    def upgrade(self) -> Path:
        """The state of an upgrade, and the databases as they were before it."""
        return self.data / "upgrade"

    @property
    def units(self) -> Path:
        return self.root / "etc/systemd/system"

    @property
    def caddyfile(self) -> Path:
        return self.root / "etc/caddy/Caddyfile"

    @property
    def sites(self) -> Path:
        return self.root / "etc/caddy/fedcollab"

    @property
    def lock(self) -> Path:
        """Held by whichever of install, upgrade and rollback is at work."""
        return self.root / "run/fedcollab-deploy.lock"

    def node(self, name: str) -> Node:
        return Node(self.root, name)

    def nodes(self) -> list[Node]:
        """The nodes whose directories are complete, by name."""
        found = sorted(path.parent for path in self.data.glob("*/node.toml"))
        return [self.node(path.name) for path in found if SHORT.fullmatch(path.name)]
