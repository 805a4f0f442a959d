"""Decides which checks there are, in which order, and how they are run: those that ask others last, none in the way of another."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import NamedTuple

from . import backups, clock, database, files, machine, naming, outside, partners, people, process, queues, ring, search, seen, uploads
from .findings import SKIP, Finding, Lacking, Open, skip
from .patient import Patient

Run = Callable[[Patient], Finding | Awaitable[Finding]]


class Check(NamedTuple):
    """One thing to look at. `code` names it for good; `asks` says that others are asked, if only this node by its public name."""

    code: str
    run: Run
    asks: bool = False


CHECKS = (
    Check("settings", files.settings),
    Check("master-key", files.master_key),
    Check("permissions", files.permissions),
    Check("owner", files.owner),
    Check("database", database.database),
    Check("schema", database.schema),
    Check("integrity", database.integrity),
    Check("wal", database.wal),
    Check("key-fits", database.key_fits),
    Check("address", database.address),
    Check("record", database.record),
    Check("ring", ring.ring),
    Check("files", uploads.stored),
    Check("bucket", uploads.bucket),
    Check("scanner", uploads.scanner),
    Check("pictures", uploads.pictures),
    Check("disk", machine.disk),
    Check("room", machine.room),
    Check("inodes", machine.inodes),
    Check("memory", machine.memory),
    Check("backup-to", backups.backup_to),
    Check("backup-disk", backups.backup_disk),
    Check("backup-key", backups.backup_key),
    Check("backup-run", backups.backup_run),
    Check("backup-age", backups.backup_age),
    Check("ring-backups", ring.ring_backups),
    Check("admins", people.admins),
    Check("factors", people.factors),
    Check("passkeys", people.passkeys),
    Check("queue", queues.outgoing),
    Check("arrivals", queues.arrivals),
    Check("parked", queues.parked),
    Check("search", search.index),
    Check("silent", partners.silent),
    Check("suspended", partners.suspended),
    Check("new-keys", partners.new_keys),
    Check("words", partners.words),
    Check("follows", partners.follow_us),
    Check("gap", partners.gap),
    Check("open", process.is_open),
    Check("running", process.running),
    Check("version", process.version),
    Check("open-files", process.open_files),
    Check("core-dumps", process.core_dumps),
    Check("name", naming.name, asks=True),
    Check("public-address", naming.public_address, asks=True),
    Check("reached", outside.reached, asks=True),
    Check("certificate", outside.certificate, asks=True),
    Check("redirect", outside.redirect, asks=True),
    Check("proxy", seen.proxy, asks=True),
    Check("forwarded", seen.forwarded, asks=True),
    Check("webfinger", seen.webfinger, asks=True),
    Check("actor", seen.actor, asks=True),
    Check("signature", seen.signature, asks=True),
    Check("clock", clock.clock, asks=True),
)
CODES = tuple(check.code for check in CHECKS)


async def examine(patient: Patient, *, only: Collection[str] = (), offline: bool = False) -> AsyncIterator[tuple[Check, Finding]]:
    """What each check finds, as soon as it has."""
    try:
        for check in CHECKS:
            if not only or check.code in only:
                yield check, await _run(patient, check) if not (offline and check.asks) else skip("Not asked: --offline.")
    finally:
        await patient.close()


async def _run(patient: Patient, check: Check) -> Finding:
    """A check that fails itself says so, and stops no other."""
    try:
        found = check.run(patient)
        return await found if inspect.isawaitable(found) else found
    except Lacking as lacking:
        return skip("Could not be looked at: see %(code)s.", code=Open(lacking.code))
    except OSError:
        return skip("This user may not look at it: see %(code)s.", code=Open("owner"))
    except Exception as error:  # noqa: BLE001  # whatever is broken, the others go on
        return Finding(SKIP, "Could not be looked at (%(kind)s). Please report it.", "", {"kind": Open(type(error).__name__)})
