"""The faults that are planted in a node on its own machine: each as it comes about in life, with the code that has to name it."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.backup import ring_sets, runs, sets
from fedcollab.base.clock import DAY, HOUR
from fedcollab.base.session import Session
from fedcollab.base.statements import put
from fedcollab.doctor.findings import FAIL, WARN
from fedcollab.federation.models import Activity, Delivery, InboxItem, KeyOffer, Partner
from fedcollab.files.models import File
from fedcollab.running.models import DiskSample
from fedcollab.search import state

from .patients import PARTNERS, Ward

GB = 10**9
Plant = Callable[[Ward], Any]


class Fault(NamedTuple):
    """What is wrong, the code that has to say so, and how bad it is."""

    name: str
    code: str
    level: str
    plant: Plant


def sql(text: str, **values: object) -> Plant:
    return lambda ward: ward.sql(text, **values)


def write(name: str, text: str) -> Plant:
    return lambda ward: (ward.root / name).write_text(text)


def free(**said: int) -> Plant:
    return lambda ward: ward.statvfs.update(said)


def settings(**said: object) -> Plant:
    return lambda ward: ward.set(**said)


def partners(text: str, *hosts: str, **values: object) -> Plant:
    """Changes the rows of some partners; with `:ago` as long before now as said."""

    def work(session: Session, node: Node) -> None:
        ago = {name: node.now() - int(str(value)) for name, value in values.items()}
        for host in hosts:
            session.execute(sa.text(f"UPDATE partner SET {text} WHERE host = :host"), {"host": host, **ago})

    return lambda ward: ward.write(work)


def unfilled(ward: Ward) -> None:
    """Nothing has been put into the index for two days."""
    ward.write(lambda session, node: state.keep(session, "stock posts", at=node.now() - 2 * DAY))


def exposed(ward: Ward) -> None:
    ward.root.chmod(0o755)
    ward.files.database.chmod(0o644)


def damaged(ward: Ward) -> None:
    """Overwrites the page of a table, as a failing disk does."""
    with sqlite3.connect(ward.files.database) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(page,)] = opened.execute("SELECT rootpage FROM sqlite_master WHERE name = 'recovery_code'").fetchall()
        [(size,)] = opened.execute("PRAGMA page_size").fetchall()
    opened.close()
    with ward.files.database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


def not_a_database(ward: Ward) -> None:
    for end in ("-wal", "-shm"):
        ward.files.database.with_name("node.db" + end).unlink(missing_ok=True)
    with ward.files.database.open("r+b") as file:
        file.write(b"\xa5" * 4096)


def gone(ward: Ward) -> None:
    for path in ward.root.glob("node.db*"):
        path.unlink()


def stretched(name: str, size: int) -> Plant:
    """Makes a file as long as that, with nothing in its new part."""

    def plant(ward: Ward) -> None:
        path = ward.root / name
        path.touch(mode=0o600)
        os.truncate(path, size)

    return plant


def uploaded(bytes_left: int) -> Plant:
    """A member's file of ten bytes, of which so many are there."""

    def work(session: Session, node: Node) -> None:
        me = actors.own(session, node).id
        row = dict(id="1", uri="kanari", organisation_id=me, by_id=me, name="kanari", media_type="text/plain", size=10, sha256="")
        session.execute(sa.insert(File).values(**row, key="0" * 32, state="here", created_at=1, used_at=1))

    def plant(ward: Ward) -> None:
        ward.write(work)
        if bytes_left:
            (ward.files.uploads / "00").mkdir(parents=True)
            (ward.files.uploads / "00" / ("0" * 32)).write_bytes(bytes(bytes_left))

    return plant


def ring_sql(text: str) -> Plant:
    def plant(ward: Ward) -> None:
        with sqlite3.connect(ward.files.ring) as opened:
            opened.execute(text)
        opened.close()

    return plant


def ring_place(ward: Ward) -> Path:
    return Path(ward.settings.backup_to) / ring_sets.FOLDER


def aged_ring(ward: Ward) -> None:
    """Its head says another day; nobody looks at more of it."""
    [path] = sets.listed(ring_place(ward))
    head, sealed = path.read_bytes().split(b"\n", 1)
    path.write_bytes(json.dumps(json.loads(head) | {"made_at": json.loads(head)["made_at"] - 14 * DAY}).encode() + b"\n" + sealed)


def no_room(ward: Ward) -> None:
    ward.statvfs["f_bavail"] = 3 * GB // 4096
    with sqlite3.connect(ward.files.database) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.close()
    os.truncate(ward.files.database, 4 * GB)


def growing(ward: Ward) -> None:
    ward.statvfs["f_bavail"] = 10 * GB // 4096

    def work(session: Session, node: Node) -> None:
        for ago in range(4):
            put(session, DiskSample, at=node.now() - ago * DAY, database=GB, free=(10 + ago) * GB, reusable=0)

    ward.write(work)


def limited(ward: Ward) -> None:
    """A control group in which little is left, on a machine that has enough."""
    group = ward.root.parent / "cgroup" / "kanari.slice"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("200000000\n")
    (group / "memory.current").write_text("199000000\n")
    (group / "memory.stat").write_text("anon 170000000\ninactive_file 20000000\n")


def failed(ward: Ward) -> None:
    ward.write(lambda session, node: runs.failed(session, node, "/mnt/kanari", "/mnt/kanari can't be written (No space left on device)."))


def delivery(state: str, age: int) -> Plant:
    """Something for a partner that was published so long ago."""

    def work(session: Session, node: Node) -> None:
        partner = session.execute(sa.select(Partner).where(Partner.host == PARTNERS[0])).one()
        me, seq, uri = actors.own(session, node).id, partner.last_seq + 1, "https://kanari.example/activities/1"
        made = dict(id="1", uri=uri, type="Create", actor_id=me, object_uri=uri, order_key="", body="kanari", created_at=node.now() - age)
        session.execute(sa.insert(Activity).values(**made))
        queued = dict(partner_id=partner.id, seq=seq, activity_id="1", order_key="", state=state, error="kanari")
        session.execute(sa.insert(Delivery).values(**queued))
        session.execute(sa.update(Partner).where(Partner.id == partner.id).values(last_seq=seq))

    return lambda ward: ward.write(work)


def arrived(state: str, age: int) -> Plant:
    def work(session: Session, node: Node) -> None:
        sender = session.execute(sa.select(Partner.organisation_id, Partner.host)).first()
        assert sender is not None
        row = dict(host=sender.host, uri="https://kanari.example/1", sender_id=sender.organisation_id, order_key="", body={}, state=state)
        session.execute(sa.insert(InboxItem).values(**row, reason="kanari", received_at=node.now() - age))

    return lambda ward: ward.write(work)


def offered(ward: Ward) -> None:
    def work(session: Session, node: Node) -> None:
        partner = session.scalars(sa.select(Partner.id).where(Partner.host == PARTNERS[0])).one()
        session.execute(sa.insert(KeyOffer).values(partner_id=partner, signed=True, keys="k", document={}, at=node.now()))

    ward.write(work)


def belongs_to_another(ward: Ward) -> None:
    os.chown(ward.files.database, 12345, -1)


A, B = PARTNERS
SILENT = "attempts = 3, last_error = 'kanari', last_success_at = :ago"
BUCKET = {"s3_url": "http://127.0.0.1:1", "s3_bucket": "kanari", "s3_key": "kanari", "s3_secret": "kanari"}
BAD_KEY = "0123456789abcdef" * 4
LOCAL = (
    Fault("a line of node.toml that is no TOML", "settings", FAIL, write("node.toml", 'name = "Kanari\n')),
    Fault("a setting that nobody knows", "settings", FAIL, settings(kanari="x")),
    Fault("no master key", "master-key", FAIL, lambda ward: ward.files.key.unlink()),
    Fault("a master key that is none", "master-key", FAIL, lambda ward: ward.files.key.write_text("kanari")),
    Fault("a directory and a database that all can read", "permissions", FAIL, exposed),
    Fault("a master key that a group can read", "permissions", FAIL, lambda ward: ward.files.key.chmod(0o640)),
    Fault("no database", "database", FAIL, gone),
    Fault("a database without its first page", "database", FAIL, not_a_database),
    Fault("an older step", "schema", FAIL, sql("UPDATE alembic_version SET version_num = '0003'")),
    Fault("a newer step", "schema", FAIL, sql("UPDATE alembic_version SET version_num = '9999'")),
    Fault("a damaged page", "integrity", FAIL, damaged),
    Fault("a log that nobody takes in", "wal", WARN, stretched("node.db-wal", 300_000_000)),
    Fault("another node's master key", "key-fits", FAIL, lambda ward: ward.files.key.write_text(BAD_KEY)),
    Fault("another address", "address", FAIL, settings(base_url="https://kanari.example")),
    Fault("a changed record", "record", FAIL, sql("UPDATE audit_entry SET action = 'kanari' WHERE seq = 2")),
    Fault("no key ring", "ring", FAIL, lambda ward: ward.files.ring.unlink()),
    Fault("a key ring of an older step", "ring", FAIL, ring_sql("UPDATE alembic_version SET version_num = '0000'")),
    Fault("a key ring of a newer step", "ring", FAIL, ring_sql("UPDATE alembic_version SET version_num = '9999'")),
    Fault("the database in the place of the key ring", "ring", FAIL, lambda ward: shutil.copy(ward.files.database, ward.files.ring)),
    Fault("a file without its bytes", "files", FAIL, uploaded(0)),
    Fault("a file that was cut", "files", FAIL, uploaded(5)),
    Fault("a bucket that does not answer", "bucket", FAIL, settings(**BUCKET)),
    Fault("half of what a bucket takes", "bucket", FAIL, settings(**BUCKET | {"s3_key": ""})),
    Fault("a scanner that does not answer", "scanner", FAIL, settings(scanner="/nowhere/kanari")),
    Fault("nothing that decodes pictures", "pictures", WARN, lambda ward: ward.lacks.extend(["Pillow", "pypdfium2"])),
    Fault("a disk that fills", "disk", WARN, free(f_bavail=GB // 4096)),
    Fault("a disk that is full", "disk", FAIL, free(f_bavail=100)),
    Fault("a disk that will be full next week", "disk", WARN, growing),
    Fault("no room for a copy", "room", WARN, no_room),
    Fault("few files left", "inodes", WARN, free(f_favail=50_000)),
    Fault("no files left", "inodes", FAIL, free(f_favail=10)),
    Fault("little memory", "memory", WARN, lambda ward: (ward.root.parent / "proc/meminfo").write_text("MemAvailable: 100000 kB\n")),
    Fault("little memory in its group", "memory", FAIL, limited),
    Fault("backups go nowhere", "backup-to", WARN, settings(backup_to="")),
    Fault("a disk for backups that is not mounted", "backup-to", FAIL, settings(backup_to="/nowhere/kanari")),
    Fault("backups on the node's own disk", "backup-disk", WARN, lambda ward: setattr(ward, "same_disk", True)),
    Fault("no key for backups", "backup-key", WARN, lambda ward: ward.files.backup_key.unlink()),
    Fault("a backup that failed", "backup-run", FAIL, failed),
    Fault("a backup of two days ago", "backup-age", WARN, sql("UPDATE backup_run SET at = at - :age", age=DAY)),
    Fault("a backup of last week", "backup-age", FAIL, sql("UPDATE backup_run SET at = at - :age", age=8 * DAY)),
    Fault("never a backup", "backup-age", WARN, sql("DELETE FROM backup_run")),
    Fault("no backup of the key ring", "ring-backups", WARN, lambda ward: shutil.rmtree(ring_place(ward))),
    Fault("a backup of the key ring that is two weeks old", "ring-backups", FAIL, aged_ring),
    Fault("one admin alone", "admins", WARN, sql("UPDATE member SET disabled_at = 1 WHERE username = 'kanari-lea'")),
    Fault("no admin", "admins", FAIL, sql("UPDATE member SET roles = :roles", roles=json.dumps(["member"]))),
    Fault(
        "an admin without a second factor",
        "factors",
        WARN,
        sql("DELETE FROM second_factor WHERE person_id = (SELECT max(person_id) FROM member)"),
    ),
    Fault("a delivery of this morning", "queue", WARN, delivery("waiting", 5 * HOUR)),
    Fault("an index that has not come on for two days", "search", WARN, unfilled),
    Fault("nothing that knows passkeys", "passkeys", WARN, lambda ward: setattr(ward, "passkeys", False)),
    Fault("a delivery of two days ago", "queue", FAIL, delivery("waiting", 2 * DAY)),
    Fault("an arrival of this morning", "arrivals", WARN, arrived("waiting", 5 * HOUR)),
    Fault("an arrival of two days ago", "arrivals", FAIL, arrived("early", 2 * DAY)),
    Fault("a delivery that was given up", "parked", WARN, delivery("parked", 0)),
    Fault("an arrival that was given up", "parked", WARN, arrived("parked", 0)),
    Fault("a partner that does not answer", "silent", WARN, partners(SILENT, A, ago=2 * HOUR)),
    Fault("no partner answers", "silent", FAIL, partners(SILENT, A, B, ago=2 * HOUR)),
    Fault("a partner with other keys", "suspended", WARN, partners("state = 'suspended', suspended_for = 'keys'", A)),
    Fault("a partner that is away", "suspended", WARN, partners("state = 'suspended', suspended_for = 'away'", B)),
    Fault("new keys of a partner", "new-keys", WARN, offered),
    Fault("words that nobody compared", "words", WARN, partners("checked_at = NULL", A)),
    Fault("a partner that does not follow", "follows", WARN, sql("DELETE FROM follow WHERE id = '1'")),
    Fault(
        "what a partner does not give again",
        "gap",
        WARN,
        partners("resync_at = :ago, resync_tries = 12, resync_error = 'kanari'", A, ago=0),
    ),
)
AS_ROOT = Fault("a database that is root's or another user's", "owner", FAIL, belongs_to_another)
