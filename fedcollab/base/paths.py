"""Decides where things lie: the package's own folders (wheel or checkout) and the files of one node's directory."""

import os
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def shipped(name: str) -> Path:
    """The folder `templates` or `migrations`: inside the installed package, or beside it in a checkout.

    Raises FileNotFoundError where neither exists, which means a broken installation."""
    for place in (PACKAGE / name, PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"the folder {name} is missing from the installation; install fedcollab again")


COMMAND = Path("/usr/local/sbin/fedcollab-node")  # runs a command as a node's own user, where `deploy/install` has put it
NODES = Path("/var/lib/fedcollab")
INSTALLER = "/opt/fedcollab/current/deploy/install"


def is_installed(root: Path) -> bool:
    """Whether the node in `root` is one of those that `deploy/install` has made on this machine."""
    return COMMAND.exists() and root.resolve().parent == NODES


def command_of(root: Path) -> str:
    """How a command of the node in `root` begins, as its admin has to give it."""
    return f"fedcollab-node {root.resolve().name}" if is_installed(root) else f"fedcollab -C {root}"


def for_backups(root: Path) -> dict[str, str]:
    """What an admin gives on the machine for the printed key (`key`), a backup now (`backup`), another place for them (`move`; empty where
    that is a line in the settings alone). Where the installer has been, the units: they may write less than an admin."""
    name, key = root.resolve().name, f"{command_of(root)} backup key"
    if not is_installed(root):
        return {"key": key, "backup": f"{command_of(root)} backup create DIRECTORY", "move": ""}
    move = f"{INSTALLER} --node {name} --backups /mnt/backups/{name}"
    return {"key": key, "backup": f"systemctl start fedcollab-backup@{name}", "move": move}


STATIC = PACKAGE / "static"
LOCALES = PACKAGE / "locales"


@dataclass(frozen=True)
class NodeFiles:
    """The files of one node, all in its directory."""

    root: Path

    @property
    def settings(self) -> Path:
        return self.root / "node.toml"

    @property
    def database(self) -> Path:
        return self.root / "node.db"

    @property
    def ring(self) -> Path:
        """The key ring, a database of its own (sealing/ring.py); no backup of the other one takes it."""
        return self.root / "ring.db"

    @property
    def key(self) -> Path:
        """The node master key, which seals signing keys; mode 0600, in no backup but in a box for the printed key. Where the node's
        directory has none, the service manager hands it over (systemd's LoadCredential)."""
        own, handed = self.root / "node.key", os.environ.get("CREDENTIALS_DIRECTORY", "")
        return Path(handed) / "node.key" if handed and not own.exists() else own

    @property
    def key_is_handed(self) -> bool:
        """Whether the master key is the service manager's, in a directory that only this user can enter."""
        return self.key.parent != self.root

    @property
    def backup_key(self) -> Path:
        """The public half of the printed key, and what names the pieces of backups."""
        return self.root / "backup.key"

    @property
    def maintenance(self) -> Path:
        """There while the node is being worked on (base/maintenance.py)."""
        return self.root / "maintenance.json"

    @property
    def uploads(self) -> Path:
        """What members have uploaded."""
        return self.root / "files"

    @property
    def cache(self) -> Path:
        """Partners' files that somebody has opened; they are fetched again where they are missing, so no backup takes them."""
        return self.root / "cache"

    @property
    def arriving(self) -> Path:
        """Files that are coming in and are not whole; no backup takes them."""
        return self.root / "uploads"
