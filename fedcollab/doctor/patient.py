"""Decides what a check may look at: the node's settings, key, database, running process and machine, each opened once and only to read."""

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fedcollab.actors.models import ORGANIZATION, OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.base import config, migrate
from fedcollab.base.clock import Clock, system_clock
from fedcollab.base.crypto import read_master_key
from fedcollab.base.errors import Misconfigured
from fedcollab.base.http import Fetcher, Resolve, agent_of, resolve
from fedcollab.base.paths import INSTALLER, NodeFiles, command_of, for_backups, is_installed
from fedcollab.base.session import Session
from fedcollab.features.members.ceremony import available
from fedcollab.files.decoding import missing

from . import reading
from .findings import Lacking

KEYS = Path("/etc/fedcollab")


def _device(path: Path) -> int:
    return path.stat().st_dev


@dataclass(frozen=True)
class Machine:
    """What the machine says of itself."""

    statvfs: Callable[[Path], os.statvfs_result] = os.statvfs
    device: Callable[[Path], int] = _device
    lacks: Callable[[], Sequence[str]] = missing  # of what decodes pictures
    proc: Path = Path("/proc")
    cgroups: Path = Path("/sys/fs/cgroup")
    passkeys: Callable[[], bool] = available  # whether what knows them is installed


@dataclass
class Patient:
    """One node, running or not, whole or not. What can't be had raises Lacking with the code of the check that says why."""

    root: Path
    clock: Clock = system_clock
    machine: Machine = field(default_factory=Machine)
    resolve: Resolve = resolve
    environ: Mapping[str, str] | None = None
    seen: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def files(self) -> NodeFiles:
        return NodeFiles(self.root)

    @cached_property
    def settings(self) -> config.Settings:
        try:
            return config.load(self.root, self.environ)
        except Misconfigured:
            raise Lacking("settings") from None

    @cached_property
    def node(self) -> Node:
        settings = self.settings
        try:
            return Node(settings, read_master_key(self.files), self.clock)
        except Misconfigured as error:
            raise Lacking("permissions" if "chmod" in error.text else "master-key") from None

    @property
    def place(self) -> dict[str, object]:
        """What remedies name: directory, unit and key; how a command begins; how the node is started, its backups are given another place
        and brought back; and, on a machine of `deploy/install` alone, how one is made (`backup`)."""
        root, name = self.root.resolve(), self.root.resolve().name
        node = command_of(root)
        if not is_installed(root):
            move = 'write backup_to = "/mnt/backups" into node.toml, then restart the node'
            ways = {"start": f"systemctl start fedcollab, or: {node} serve", "move": move, "restore": "fedcollab restore BACKUPS TARGET"}
            return {"root": root, "node": node, "unit": "fedcollab", "key": root / "node.key", **ways}
        ways = {
            "start": f"systemctl start fedcollab@{name}. Does it not start, its log says why: journalctl -u fedcollab@{name} -n 20",
            "move": for_backups(root)["move"],
            "restore": f"{INSTALLER} --restore {self._backups()}",
            "backup": for_backups(root)["backup"],
        }
        return {"root": root, "node": node, "unit": f"fedcollab@{name}", "key": KEYS / name / "node.key", **ways}

    def _backups(self) -> str:
        try:
            return self.settings.backup_to or "DIRECTORY"
        except Lacking:
            return "DIRECTORY"

    @cached_property
    def engine(self) -> sa.Engine:
        return reading.engine(self.settings, self.files)

    @property
    def sqlite(self) -> bool:
        return not self.settings.database_url

    @cached_property
    def step(self) -> str:
        """The step that the database is at; empty where it holds no node."""
        with reading.connected(self.engine) as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return ""
            return str(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none() or "")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """The database, at the step that this program's models are for. Raises Lacking."""
        if self.step != migrate.head():
            raise Lacking("schema")
        with reading.connected(self.engine) as connection:
            yield Session(connection)

    def own(self, session: Session) -> tuple[str, str]:
        """(row id, id) of our Organization, by what the database says, not the settings."""
        mine = sa.select(Actor.id, Actor.uri).where(Actor.known == OWN, Actor.kind == ORGANIZATION)
        row = session.execute(mine.order_by(Actor.created_at).limit(1)).one_or_none()
        if row is None:
            raise Lacking("address")
        return row.id, row.uri

    @cached_property
    def fetcher(self) -> Fetcher:
        """The outgoing client, which alone of all may ask the node's own name wherever it leads."""
        settings = self.settings
        peers = frozenset((*settings.loopback_peers, *([self.door] if self.door else [])))
        return Fetcher(peers=peers, agent=agent_of(settings.base_url), lookup=self.resolve, own=settings.host)

    @cached_property
    def door(self) -> str:
        """HOST:PORT on loopback where the process can be asked past the web server; empty where it listens elsewhere alone."""
        host, _, port = self.settings.listen.rpartition(":")
        here = {"localhost": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104  # nobody listens here
        return f"{here}:{port}" if here in ("127.0.0.1", "[::1]") else ""

    async def once(self, name: str, make: Callable[[], Awaitable[Any]]) -> Any:
        """What `make` answers or raises, asked for once however many checks want it."""
        if name not in self.seen:
            try:
                self.seen[name] = await make()
            except Exception as error:  # noqa: BLE001  # it is raised again, to each who asks
                self.seen[name] = error
        found = self.seen[name]
        if isinstance(found, Exception):
            raise found
        return found

    async def close(self) -> None:
        if "fetcher" in self.__dict__:
            await self.fetcher.close()
        if "engine" in self.__dict__:
            self.engine.dispose()


def disk_size(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
