"""Makes nodes for the doctor: well in every respect, in a directory of their own, so that a test can plant one fault."""

import atexit
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.backup import keeping, ring_sets, runs
from fedcollab.base import config
from fedcollab.base.clock import HOUR
from fedcollab.base.crypto import read_master_key
from fedcollab.base.database import open_database, run_sync
from fedcollab.base.http import Resolve
from fedcollab.base.paths import NodeFiles
from fedcollab.base.session import Session
from fedcollab.doctor.checks import Check, examine
from fedcollab.doctor.findings import OK, SKIP, Finding
from fedcollab.doctor.patient import Machine, Patient
from fedcollab.features.members import service
from fedcollab.features.members.models import SecondFactor
from fedcollab.federation.models import Follow
from fedcollab.sealing.ring import open_ring
from fedcollab.setup import init
from tests.nodes import free_port
from tests.rows import partner, quick_keys

Levels = dict[str, str]
PARTNERS = ("kanari-a.example", "kanari-b.example")
ROUTES = "Iface Destination Gateway\neth0 00000000 0102A8C0 0003\neth0 0002A8C0 00000000 0001\n"
CANARIES = ("Kanari", "kanari", "geheim", "localhost", "127.0.0.1")  # of names, hosts, people, places and passwords


def aside(work: Callable[..., Any], *args: Any) -> None:
    """What brings a loop of its own, done where none runs yet."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(work, *args).result()


async def loopback(_name: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


async def nowhere(_name: str, _port: int) -> list[str]:
    raise OSError


@dataclass
class Ward:
    """One node and its doctor. `statvfs` overwrites what the file system says; `resolved` is where its name leads in the DNS, while
    `lookup` has it asked on loopback."""

    root: Path
    statvfs: dict[str, int] = field(default_factory=dict)
    same_disk: bool = False
    lacks: list[str] = field(default_factory=list)
    passkeys: bool = True
    resolved: "list[str] | OSError" = field(default_factory=lambda: ["93.184.215.14"])
    lookup: Resolve = loopback

    @property
    def files(self) -> NodeFiles:
        return NodeFiles(self.root)

    @property
    def settings(self) -> config.Settings:
        return config.load(self.root, {})

    def write(self, work: Callable[[Session, Node], Any]) -> None:
        """One unit on the node's database."""
        settings = self.settings
        database = open_database(settings.database_url or f"sqlite:///{self.files.database}")
        try:
            aside(run_sync, database, lambda session: work(session, Node(settings, read_master_key(self.files))))
        finally:
            database.close()

    def sql(self, text: str, **values: object) -> None:
        self.write(lambda session, _node: session.execute(sa.text(text), values))

    def set(self, **settings: object) -> None:
        """Writes settings into node.toml, in the place of those of the same name."""
        kept = [line for line in self.files.settings.read_text().splitlines() if line.split(" =")[0] not in settings]
        self.files.settings.write_text("\n".join([*kept, *(config.line(name, value) for name, value in settings.items()), ""]))

    def patient(self) -> Patient:
        places = (self.root.parent / "proc", self.root.parent / "cgroup")
        machine = Machine(self._statvfs, self._device, lambda: self.lacks, *places, lambda: self.passkeys)
        return Patient(self.root, machine=machine, resolve=self.lookup, environ={}, seen={"addresses": self.resolved})

    def _statvfs(self, path: Path) -> os.statvfs_result:
        roomy = dict(
            f_bsize=4096, f_frsize=4096, f_blocks=10**8, f_bfree=10**8, f_bavail=10**8, f_files=10**6, f_ffree=10**6, f_favail=10**6
        )
        return os.statvfs_result([*(roomy | self.statvfs).values(), 0, 255])

    def _device(self, path: Path) -> int:
        return 1 if self.same_disk or path == self.root else 2

    async def examine(self, *only: str, offline: bool = False) -> list[tuple[Check, Finding]]:
        return [found async for found in examine(self.patient(), only=only, offline=offline)]

    async def levels(self, *only: str, offline: bool = False) -> Levels:
        return {check.code: finding.level for check, finding in await self.examine(*only, offline=offline)}


def unwell(levels: Levels) -> Levels:
    return {code: level for code, level in levels.items() if level not in (OK, SKIP)}


@cache
def _template() -> Path:
    """A node that is well, made once a process. Its address is on loopback, so that something there can play the web server."""
    place = Path(mkdtemp(prefix="ward"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    root, backups = place / "kanari-node", place / "kanari-backups"
    backups.mkdir()
    written: dict[str, object] = {
        "name": "Kanari House",
        "base_url": f"https://localhost:{free_port()}",
        "listen": f"127.0.0.1:{free_port()}",
        "backup_to": str(backups),
    }
    with quick_keys():
        aside(init, root, written)
        ward = Ward(root)
        master = read_master_key(ward.files)
        keeping.make(ward.files, master)
        ring = open_ring(ward.settings, ward.files)
        aside(ring_sets.create, ward.files, ward.settings, keeping.read(ward.files, master), backups, ring)
        ring.close()
        ward.write(_fill)
    return place


def _fill(session: Session, node: Node) -> None:
    for name in ("kanari-ilse", "kanari-lea"):
        made = service.add_member(session, node, None, username=name, name="Kanari I.", roles=["admin", "member"])
        session.execute(sa.insert(SecondFactor).values(person_id=made.person_id, on_at=node.now()))
    for host in PARTNERS:
        partner(session, node, host)
    partners = "SELECT organisation_id FROM partner"
    session.execute(sa.text("UPDATE delivery SET state = 'done'"))
    session.execute(sa.text("UPDATE partner SET checked_at = :now, last_success_at = :now"), {"now": node.now()})
    for at, organisation in enumerate(session.scalars(sa.text(partners)).all()):
        values = dict(id=str(at), uri=f"https://kanari.example/{at}", follower_id=organisation, target_id=actors.own(session, node).id)
        session.execute(sa.insert(Follow).values(**values, state="accepted", created_at=node.now()))
    runs.succeeded(session, node, node.settings.backup_to, "set", 10**6, 10**6)
    session.execute(sa.text("UPDATE backup_run SET at = at - :age"), {"age": 23 * HOUR})


def ward(place: Path) -> Ward:
    """A copy of the node that is well, with a machine that has room for it."""
    shutil.copytree(_template(), place, dirs_exist_ok=True)
    (place / "proc" / "self").mkdir(parents=True)
    (place / "proc" / "net").mkdir()
    (place / "proc" / "meminfo").write_text("MemTotal:  2000000 kB\nMemAvailable:  1000000 kB\n")
    (place / "proc" / "self" / "cgroup").write_text("0::/kanari.slice\n")
    (place / "proc" / "net" / "route").write_text(ROUTES)
    made = Ward(place / "kanari-node")
    made.set(backup_to=str(place / "kanari-backups"))
    made.root.chmod(0o700)
    return made
